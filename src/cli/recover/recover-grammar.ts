import type { Command } from 'commander'
import { withSettings } from '../config/setting-flags.ts'

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
}
