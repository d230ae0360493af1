import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'

/** `holdfast leader …`; the command's module is loaded when it runs. */
export function addLeader(root: Command): void {
  const leader = root.command('leader').description('who leads the cluster')
  withSettings(leader.command('transfer'), ['endpoints'])
    .description('have the leader hand over to another voter, without an error for any client')
    .argument('[node]', 'id of the voter that is to lead; without it, the one that holds most of the log', '')
    .option('--json', 'one JSON object on stdout', false)
    .addHelpText('after', '\nExamples:\n  holdfast leader transfer\n  holdfast leader transfer n2 --json')
    .action(async (to: string, flags) => {
      const { transferTo } = await import('./leader.ts')
      await transferTo({ endpoints: await endpointsOf(flags), to, json: flags.json === true })
    })
}
