import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { ExitCode } from '../terminal/exit.ts'
import { integer, positive } from '../terminal/numbers.ts'

const NAMES = ['counter', 'payments', 'waits', 'board', 'schedules', 'histories', 'charts', 'core', 'all']

/** `holdfast sim`; its module is loaded when it runs. */
export function addSim(root: Command, setExit: (code: ExitCode) => void): void {
  root
    .command('sim')
    .description('run the cluster in the deterministic simulator: crashes, partitions, slow and lying disks')
    .addOption(
      new Option(
        '--workload <name>',
        `what the clients do: ${NAMES.join(', ')}, or a module with a workload of your own`,
      )
        .argParser(workloadOf)
        .default(undefined, 'counter; with --minutes all'),
    )
    .addOption(
      new Option(
        '--core',
        'the consensus core alone, of three to seven voters: --workload core, which is not in all',
      ).conflicts('workload'),
    )
    .option('--machines <file>', 'a module whose machines run in place of those of your workload')
    .option('--seeds <count>', 'how many seeds of the workload to run', positive, 100)
    .option('--minutes <count>', 'instead of --seeds: goes on for so long, from seed to seed', positive)
    .option('--seed <number>', 'first seed; with --seeds 1 exactly this one', integer, 1)
    .option('--jobs <count>', 'seeds that run at a time (default: one per processor)', positive)
    .option('--shrink', 'with --seeds 1: of a seed that fails, tell few faults that suffice for it to fail')
    .option('--trace', 'write every event of the run to stderr')
    .option('--history <file>', 'with --seeds 1: write what the clients were told, as Jepsen does')
    .option('--json', 'one JSON object with the totals on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast sim --seeds 300 --json\n  holdfast sim --seed 301 --seeds 300   # where the first one ended\n' +
        '  holdfast sim --minutes 30             # all workloads in turn\n  holdfast sim --workload ./workload.ts\n' +
        '  holdfast sim --core --minutes 5 --json\n' +
        '\nAn event of --core is one input that is given to one node’s core: a message that arrives, a timer, writes that have\n' +
        'completed, or what a client or operator asks for. What is lost on the way is none.',
    )
    .action(async (flags) => {
      const { sim } = await import('../sim.ts')
      const jobs = flags.jobs ?? availableParallelism()
      const workload = flags.core === true ? 'core' : flags.workload
      setExit(await sim({ ...flags, workload, jobs, json: flags.json === true, trace: flags.trace === true }))
    })
}

function workloadOf(text: string): string {
  if (NAMES.includes(text) || extname(text) !== '') return text
  throw new InvalidArgumentError(`Take one of ${NAMES.join(', ')}, or the path of a module.`)
}
