import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'

/** `holdfast forget`; its module is loaded when it runs. */
export function addForget(root: Command, setExit: (code: 0 | 1) => void): void {
  withSettings(root.command('forget'), ['endpoints'])
    .description('destroy every key of a person: their personal fields read as forgotten from then on, in backups too')
    .argument('<subject>', 'as the field beside their personal fields names them')
    .option('--yes', 'really: nothing brings the data back')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast forget customer-17 --yes')
    .action(async (subject: string, flags) => {
      const { forget } = await import('./forget.ts')
      const { yes = false, json = false } = flags
      setExit(await forget({ endpoints: await endpointsOf(flags), subject, yes, json }))
    })
}
