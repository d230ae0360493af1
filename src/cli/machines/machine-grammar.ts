import type { Command } from 'commander'
import { withSettings } from '../config/setting-flags.ts'
import type { ExitCode } from '../terminal/exit.ts'
import { formOf, withListing } from '../terminal/listing.ts'

/** `holdfast machine …`; each command's module is loaded when it runs. */
export function addMachine(root: Command, setExit: (code: ExitCode) => void): void {
  const machine = root.command('machine').description('machines: what runs, what a module would change')
  withListing(withSettings(machine.command('list'), ['endpoints', 'machines']))
    .description('every machine on every node: the version that runs, those it has, what differs')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast machine list\n  holdfast machine list --machines ./machines.ts -o jsonl',
    )
    .action(async (flags) => {
      const { listMachines } = await import('./machine-list.ts')
      await listMachines(flags, formOf(flags))
    })
  withListing(withSettings(machine.command('check'), ['machines', 'endpoints']))
    .description('what a module has otherwise than the cluster; exit code 4 when a node with it would halt')
    .addHelpText('after', '\nExample:\n  holdfast machine check --machines ./machines.ts')
    .action(async (flags) => {
      const { checkMachines } = await import('./machine-check.ts')
      setExit(await checkMachines(flags, formOf(flags)))
    })
}
