import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import { wholeNumber } from '../terminal/numbers.ts'
import { formOf, withListing } from '../terminal/listing.ts'
import { limitChange } from './limit-change.ts'

/** `holdfast limits …`; each command's module is loaded when it runs. */
export function addLimits(root: Command): void {
  const limits = root.command('limits').description('the replicated limits of the cluster, and changes of them')
  withListing(withSettings(limits.command('show'), ['endpoints']))
    .description('every limit in force, with what a new cluster has')
    .addHelpText('after', '\nExamples:\n  holdfast limits show\n  holdfast limits show --json')
    .action(async (flags) => {
      const { showLimits } = await import('./limits-show.ts')
      await showLimits(await endpointsOf(flags), formOf(flags))
    })
  withSettings(limits.command('set'), ['endpoints'])
    .description('change some of them, on every replica at once')
    .argument('<name=value...>', 'as `holdfast limits show` names them', limitChange)
    .option('--expect-index <index>', 'only if they are still those of that entry (0: of the beginning)', wholeNumber)
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast limits set outboxCountMax=20000 sessionsMax=500000')
    .action(async (changes, flags) => {
      const { setLimits } = await import('./limits-set.ts')
      const { expectIndex = null, json = false } = flags
      await setLimits({ endpoints: await endpointsOf(flags), changes, expectIndex, json })
    })
}
