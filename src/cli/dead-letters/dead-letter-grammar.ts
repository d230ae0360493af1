import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import { positive } from '../terminal/numbers.ts'
import { formOf, withListing } from '../terminal/listing.ts'

const MOVES = {
  redrive: [
    'have them sent again, behind what waits for their sessions, each once and under a new number',
    'Examples:\n  holdfast dead-letters redrive 3 4\n  holdfast dead-letters redrive --all --session 0/1/4',
  ],
  discard: ['forget them', 'Example:\n  holdfast dead-letters discard --all'],
} as const

/** `holdfast dead-letters …`; each command's module is loaded when it runs. */
export function addDeadLetters(root: Command): void {
  const letters = root
    .command('dead-letters')
    .description('server requests that ran out of attempts or time, and what is to become of them')
  withListing(withSettings(letters.command('list'), ['endpoints']))
    .description('the oldest first, with the session that each was for')
    .option('--session <id>', 'only those of that session')
    .option('--limit <count>', 'at most so many', positive, 100)
    .option('--payloads', 'with what they carry', false)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast dead-letters list\n  holdfast dead-letters list --session 0/1/4 --payloads',
    )
    .action(async (flags) => {
      const { listDeadLetters } = await import('./dead-letter-list.ts')
      await listDeadLetters({ ...flags, endpoints: await endpointsOf(flags) }, formOf(flags))
    })
  for (const move of ['redrive', 'discard'] as const) addMove(letters, move)
}

function addMove(letters: Command, move: keyof typeof MOVES): void {
  const [words, examples] = MOVES[move]
  withSettings(letters.command(move), ['endpoints'])
    .description(words)
    .argument('[letter...]', 'numbers, as `holdfast dead-letters list` shows them', numbered)
    .option('--all', 'all that there are')
    .option('--session <id>', 'with --all: those of that session')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', `\n${examples}`)
    .action(async (given: readonly number[], flags) => {
      const { moveLetters } = await import('./dead-letter-move.ts')
      const { all = false, session = '', json = false } = flags
      await moveLetters({ endpoints: await endpointsOf(flags), move, letters: given, all, session, json })
    })
}

/** A number as it is typed, added to those before it; each counts once. */
function numbered(text: string, before: readonly number[] = []): readonly number[] {
  return [...new Set([...before, positive(text)])]
}
