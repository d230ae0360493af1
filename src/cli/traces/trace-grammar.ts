import type { Command } from 'commander'
import type { ExitCode } from '../terminal/exit.ts'

/** `holdfast trace …`; its modules are loaded when they run. */
export function addTrace(root: Command, setExit: (code: ExitCode) => void): void {
  const trace = root.command('trace').description('steps of consensus, as nodes wrote them with --trace-steps')
  trace
    .command('check')
    .description(
      'hold the steps of all nodes of a cluster against the specification of Raft; exit code 1 where one is not allowed',
    )
    .argument('<directory>', 'that of --trace-steps, of every node that ran, from its first start on')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast trace check ./traces')
    .action(async (directory: string, flags) => {
      const { checkTraces } = await import('./trace-check.ts')
      setExit(checkTraces({ directory, json: flags.json === true }))
    })
}
