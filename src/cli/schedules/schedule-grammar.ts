import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import { formOf, withListing } from '../terminal/listing.ts'
import { usageError } from '../terminal/exit.ts'
import { atMost, positive, time } from '../terminal/numbers.ts'

/** Some 100 µs each: a second. */
const UPCOMING_MAX = 10_000

const CHANGES = {
  pause: ['run nothing of it until it is resumed; what passes meanwhile is neither run nor missed', ''],
  resume: ['run its occurrences after now again; asks once more for one that has stopped', ''],
  cancel: ['remove it, with all that waits and is open', ' --dry-run'],
} as const

/** `holdfast schedules …`; each command's module is loaded when it runs. */
export function addSchedules(root: Command): void {
  const schedules = root
    .command('schedules')
    .description('recurring runs of machines: when they come next, why one has stopped, and changes of them')
  withListing(withSettings(schedules.command('list'), ['endpoints']))
    .description('in the order of machines and names, with the next occurrence by the clock of its zone')
    .option('--machine <name>', 'only those of that machine')
    .option('--limit <count>', 'at most so many', positive, 100)
    .addHelpText('after', '\nExamples:\n  holdfast schedules list\n  holdfast schedules list --machine reports --json')
    .action(async (flags) => {
      const { listSchedules } = await import('./schedule-list.ts')
      await listSchedules({ ...flags, endpoints: await endpointsOf(flags) }, formOf(flags))
    })
  addShow(schedules)
  for (const change of ['pause', 'resume', 'cancel'] as const) {
    const [words, more] = CHANGES[change]
    withChange(schedules.command(change))
      .description(words)
      .addHelpText('after', `\nExample:\n  holdfast schedules ${change} reports daily/berlin${more}`)
      .action(async (machine: string, name: string, flags) => {
        const { makeChange } = await import('./schedule-change.ts')
        const { dryRun = false, json = false } = flags
        await makeChange({ endpoints: await endpointsOf(flags), machine, name, change, dryRun, json })
      })
  }
  addBackfill(schedules)
  addEnd(schedules)
}

function addShow(schedules: Command): void {
  withListing(withSettings(schedules.command('show'), ['endpoints']))
    .description('all that is known of one, with the occurrences to come')
    .argument('<machine>')
    .argument('<name>', 'as `holdfast schedules list` shows it: its kind, or kind/key')
    .option('--next <count>', `so many occurrences to come, at most ${UPCOMING_MAX}`, atMost(UPCOMING_MAX), 5)
    .option('--payloads', 'with what its runs are told', false)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast schedules show reports daily/berlin\n  holdfast schedules show reports daily/berlin --next 20',
    )
    .action(async (machine: string, name: string, flags) => {
      const { showSchedule } = await import('./schedule-show.ts')
      await showSchedule({ ...flags, machine, name, endpoints: await endpointsOf(flags) }, formOf(flags))
    })
}

function addBackfill(schedules: Command): void {
  withChange(schedules.command('backfill'))
    .description('run the occurrences of a time that is past as well, each once, one after the other')
    .requiredOption('--from <time>', 'from then on, for example 2026-11-01T00:00+03:00', time)
    .option('--to <time>', 'and before then (default: now)', time)
    .addHelpText(
      'after',
      '\nExample:\n  holdfast schedules backfill reports daily/berlin --from 2026-11-01T00:00+01:00 --dry-run',
    )
    .action(async (machine: string, name: string, flags) => {
      if (flags.to !== undefined && flags.to <= flags.from)
        throw usageError(
          '--to is not after --from',
          'Name the beginning with --from and the end, which is later, with --to.',
        )
      const { makeChange } = await import('./schedule-change.ts')
      const { from, to = Number.MAX_SAFE_INTEGER, dryRun = false, json = false } = flags
      const range = { fromMs: from, toMs: to }
      await makeChange({ endpoints: await endpointsOf(flags), machine, name, change: 'backfill', range, dryRun, json })
    })
}

function addEnd(schedules: Command): void {
  withChange(schedules.command('end'))
    .description('end a run that its machine left open, so that what waits for it may run')
    .requiredOption('--run <number>', 'of the run, as `holdfast schedules show` tells it', positive)
    .addHelpText('after', '\nExample:\n  holdfast schedules end reports daily/berlin --run 12 --dry-run')
    .action(async (machine: string, name: string, flags) => {
      const { makeChange } = await import('./schedule-change.ts')
      const { run, dryRun = false, json = false } = flags
      await makeChange({ endpoints: await endpointsOf(flags), machine, name, change: 'end', run, dryRun, json })
    })
}

function withChange(command: Command) {
  return withSettings(command, ['endpoints'])
    .argument('<machine>')
    .argument('<name>', 'as `holdfast schedules list` shows it: its kind, or kind/key')
    .option('--dry-run', 'only say what it would do')
    .option('--json', 'one JSON object on stdout')
}
