import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import { positive } from '../terminal/numbers.ts'

/** `holdfast recover …`: on the data directory of one node; each command's module is loaded when it runs. */
export function addRecover(root: Command): void {
  const recover = root.command('recover').description('bring back a node that cannot go on with what it has')
  withSettings(recover.command('refetch-state'), ['data'])
    .description('set the state of a stopped node aside: started again, it takes the one that most others have')
    .option('--json', 'one JSON object on stdout')
    .addHelpText(
      'after',
      '\nFor a node that halts as DIVERGED with the right machines too: holdfast explain DIVERGED. Its log and vote stay.' +
        '\n\nExample:\n  holdfast recover refetch-state --data data/n2',
    )
    .action(async (flags) => {
      const { refetch } = await import('./recover-state.ts')
      await refetch(flags)
    })
  withSettings(recover.command('discard-state'), ['data'])
    .description('delete the state that was set aside, once the node has another one; the node may run')
    .addHelpText('after', '\nExample:\n  holdfast recover discard-state --data data/n2')
    .action(async (flags) => {
      const { discard } = await import('./recover-state.ts')
      await discard(flags)
    })
  withSettings(recover.command('quorum'), ['data'])
    .description(
      'make a cluster of one of a stopped node, where a majority of its voters is gone for good; copies it first',
    )
    .requiredOption('--keep <node>', 'the node whose directory it is')
    .option('--dry-run', 'only say what would be kept and what may be lost')
    .option('--json', 'one JSON object on stdout')
    .addHelpText(
      'after',
      '\nWhat the others acknowledged without it is lost: compare the survivors first, with holdfast log show.' +
        '\n\nExample:\n  holdfast recover quorum --keep n2 --data data/n2 --dry-run',
    )
    .action(async (flags) => {
      const { quorum } = await import('./recover-quorum.ts')
      await quorum(flags)
    })
  withSettings(recover.command('skip'), ['endpoints'])
    .description('go on without the part of an entry at which the engine has stopped every voter')
    .option('--entry <index>', 'the entry', positive)
    .option('--part <part>', 'what of it: command, entry, or a timer or hook with its number')
    .option('--dry-run', 'only show where the voters have stopped')
    .option('--json', 'one JSON object on stdout')
    .addHelpText(
      'after',
      '\nIts client is answered MACHINE_ERROR with reason SKIPPED: holdfast explain ENGINE_ERROR.' +
        '\n\nExamples:\n  holdfast recover skip --dry-run\n  holdfast recover skip --entry 61 --part command',
    )
    .action(async (flags) => {
      const { skip } = await import('./recover-skip.ts')
      const { entry, part, dryRun = false, json = false } = flags
      await skip({ endpoints: await endpointsOf(flags), entry, part, dryRun, json })
    })
}
