import { type Command, Option } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import { positive, wholeNumber } from '../terminal/numbers.ts'
import { formOf, withListing } from '../terminal/listing.ts'

/** `holdfast session …`; each command's module is loaded when it runs. */
export function addSession(root: Command): void {
  const session = root
    .command('session')
    .description("client sessions, as the leader knows them; secrets are nobody's to see")
  withListing(withSettings(session.command('list'), ['endpoints']))
    .description('the live ones: who they are, when they expire, what waits for them')
    .option('--machine <name>', 'only those for which server requests of that machine wait')
    .option('--limit <count>', 'at most so many, the longest open first', positive, 100)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast session list\n  holdfast session list --machine counter --limit 10 -o jsonl',
    )
    .action(async (flags) => {
      const { listSessions } = await import('./session-list.ts')
      await listSessions({ ...flags, endpoints: await endpointsOf(flags) }, formOf(flags))
    })
  withListing(withSettings(session.command('show'), ['endpoints']))
    .description('all that is known of one, with the server requests that it has not acknowledged')
    .argument('<id>', 'group/incarnation/index')
    .option('--payloads', 'with what the requests carry', false)
    .addHelpText('after', '\nExample:\n  holdfast session show 0/1/4')
    .action(async (id: string, flags) => {
      const { showSession } = await import('./session-show.ts')
      await showSession({ ...flags, id, endpoints: await endpointsOf(flags) }, formOf(flags))
    })
  withListing(withSettings(session.command('history'), ['endpoints']))
    .description('the entries of the log that name it, as far back as the log is kept')
    .argument('<id>', 'group/incarnation/index')
    .option('--since <index>', 'from that entry on', wholeNumber, 0)
    .option('--limit <count>', 'at most so many', positive, 1000)
    .option('--payloads', 'with the inputs of commands', false)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast session history 0/1/4\n  holdfast session history 0/1/4 --since 5 --payloads -o jsonl',
    )
    .action(async (id: string, flags) => {
      const { showHistory } = await import('./session-history.ts')
      await showHistory({ ...flags, id, endpoints: await endpointsOf(flags) }, formOf(flags))
    })
  withSettings(session.command('expire'), ['endpoints'])
    .description('end one, as if its client had been silent for its timeout; its client is told that it is lost')
    .argument('<id>', 'group/incarnation/index')
    .option('--reason <text>', 'why, at most 256 characters; `session show` tells it', '')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', "\nExample:\n  holdfast session expire 0/1/4 --reason 'stolen device'")
    .action(async (id: string, flags) => {
      const { expireSession } = await import('./session-expire.ts')
      const { reason, json = false } = flags
      await expireSession({ endpoints: await endpointsOf(flags), id, reason, json })
    })
}

/** `holdfast watch`. */
export function addWatch(root: Command): void {
  withSettings(root.command('watch'), ['endpoints'])
    .description('follow what a node applies, one line per entry: the first of --endpoints that answers')
    .argument('[machine...]', 'only commands of these')
    .option('--since <index>', 'from that entry on, as far as the log is kept', wholeNumber, 0)
    .option('--limit <count>', 'end after so many lines', positive)
    .addOption(new Option('-o, --output <form>', 'form of the lines').choices(['table', 'jsonl']).default('table'))
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast watch --since 1 --limit 3\n  holdfast watch counter --since 1 --limit 1 -o jsonl',
    )
    .action(async (machines: string[], flags) => {
      const { watch } = await import('../watch.ts')
      const { since, limit = 0, output: form } = flags
      await watch({ endpoints: await endpointsOf(flags), machines, since, limit, form })
    })
}
