import { fetchDeadLetters, moveDeadLetters, type MovedLetter } from '../../client/operator/dead-letters.ts'
import { asked } from '../sessions/asked.ts'
import { CommandError, EXIT, usageError } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'

export interface DeadLetterMoveFlags {
  readonly endpoints: readonly string[]
  readonly move: 'redrive' | 'discard'
  readonly letters: readonly number[]
  readonly all: boolean
  /** With `all`: only those of that session; '': of every one. */
  readonly session: string
  readonly json: boolean
}

const WORDS: { readonly [outcome in MovedLetter['outcome']]: string } = {
  redriven: 'waits for its session again',
  discarded: 'is forgotten',
  unknown: 'is no dead letter (any more)',
  sessionEnded: 'stays: its session has ended',
  wasRedriven: 'was sent again before',
  wasDiscarded: 'was discarded before',
  newerWaits: 'stays: a newer request of its key waits',
  olderWaits: 'stays: an older one of its key, which was sent again, waits',
  outboxFull: 'stays: too much waits for its session',
}

/** `holdfast dead-letters redrive|discard`. Exit code 4 where one of those that were named was not moved. */
export async function moveLetters(flags: DeadLetterMoveFlags): Promise<void> {
  const { endpoints, move, json } = flags
  const moved = await asked(moveDeadLetters(endpoints, { move, letters: await wanted(flags) }))
  if (json) printJson({ move, letters: moved })
  else if (moved.length === 0) print('there are no dead letters')
  else for (const { letter, outcome } of moved) print(`${letter} ${WORDS[outcome]}`)
  // The second is what a call hears that was repeated because its answer was lost.
  const done = move === 'redrive' ? ['redriven', 'wasRedriven'] : ['discarded', 'wasDiscarded']
  const stuck = moved.filter(({ outcome }) => !done.includes(outcome))
  if (stuck.length === 0) return
  const [first] = stuck
  throw new CommandError(
    EXIT.refused,
    `${stuck.length} of ${moved.length} were not moved, the first is ${first?.letter}: it ${WORDS[first?.outcome ?? 'unknown']}`,
    'Look at `holdfast dead-letters list`; what cannot be sent any more can be discarded.',
  )
}

async function wanted({ endpoints, letters, all, session }: DeadLetterMoveFlags): Promise<readonly number[]> {
  if (all === letters.length > 0)
    throw usageError('Name dead letters, or give --all.', 'holdfast dead-letters list shows them.')
  if (!all && session !== '') throw usageError('--session goes with --all.', 'Numbers name letters of any session.')
  if (!all) return letters
  const found = await asked(fetchDeadLetters(endpoints, { limit: Number.MAX_SAFE_INTEGER, session }))
  return found.letters.map(({ letter }) => letter)
}
