import type { Command } from 'commander'
import { namesOf, positive, wholeNumber } from '../flags/flag-values.ts'
import { diskFaults } from '../disk-faults/disk-faults.ts'
import { faults } from './faults.ts'
import { FAULT_NAMES } from './nemesis/catalogue.ts'
import { powerLoss } from './power-loss.ts'

/** Adds the commands of the bench that put real nodes to faults. */
export function faultCommands(program: Command): void {
  program
    .command('faults')
    .description(
      'every fault that this machine can make, put to three nodes under clients whose every answer is judged',
    )
    .option('--json', 'one JSON object as the last line of stdout')
    .option('--quick', 'short faults, each once: within five minutes')
    .option('--only <names>', 'some of the faults', namesOf(FAULT_NAMES))
    .option('--seed <number>', 'of the faults and of what the clients do', wholeNumber, 1)
    .option('--trials <count>', 'how often each fault is made; else as often as what is asked of it needs', positive)
    .option('--loopback', 'as without root: no namespaces, no disks of their own')
    .option('--etcd', 'the same for three members of etcd, of whose registers each answer is judged')
    .action(async ({ json, quick, only, trials, loopback, etcd, ...flags }) => {
      const chosen = {
        ...flags,
        only: only ?? null,
        trials: trials ?? null,
        loopback: loopback === true,
        etcd: etcd === true,
      }
      const ok = await faults({ json: json === true, quick: quick === true, ...chosen })
      process.exitCode = ok ? 0 : 1
    })

  program
    .command('disk-faults')
    .description(
      'every kind of file × every kind of damage, on one node of three and on a single one: all as written down',
    )
    .option('--json', 'one JSON object as the last line of stdout')
    .option('--only <text>', 'cases whose name holds it, such as marker/ or flip/alone')
    .action(async ({ json, only }) => {
      process.exitCode = (await diskFaults({ json: json === true, only: only ?? null })) ? 0 : 1
    })

  program
    .command('power-loss')
    .description('all nodes lose their power in one turn under load, again and again: nothing acknowledged is lost')
    .option('--json', 'one JSON object as the last line of stdout')
    .option('--rounds <count>', 'how often', positive, 100)
    .option('--seed <number>', 'of what the clients do', wholeNumber, 1)
    .action(async ({ json, ...flags }) => {
      const ok = await powerLoss({ json: json === true, ...flags })
      process.exitCode = ok ? 0 : 1
    })
}
