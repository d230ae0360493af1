import type { MoveDeadLettersPayload } from '../../../codec/entry/payload.ts'
import { MOVED_LETTERS_SINCE } from '../../own-versions.ts'
import type { LetterOutcome } from '../../dead-letter.ts'
import { appendRequest, coalesced, hasRoom } from '../../clients/outbox.ts'
import type { OutboxRow } from '../../rows/session-rows.ts'
import { foldDeadLetter } from '../../state/fold.ts'
import type { ReplicatedState } from '../../state/replicated-state.ts'
import type { Reply } from '../../state-machine.ts'

/**
 * MoveDeadLetters: each letter is moved once, because it leaves the table in the entry that moves it; a copy of the entry is
 * told what was done. One that cannot be redriven stays a dead letter, and does not keep the others from being.
 */
export function applyMoveDeadLetters(state: ReplicatedState, { move, letters }: MoveDeadLettersPayload): Reply {
  const outcomes = letters.map((letter) => {
    const outcome = move === 'redrive' ? redrive(state, letter) : discard(state, letter)
    foldDeadLetter(state, letter, outcome)
    return outcome
  })
  return { kind: 'moved', outcomes }
}

function discard(state: ReplicatedState, letter: number): LetterOutcome {
  const { deadLetters } = state
  if (deadLetters.find(letter) === null) return deadLetters.movedBefore(letter) ?? 'unknown'
  deadLetters.take(letter, remembers(state) ? 'wasDiscarded' : null)
  return 'discarded'
}

/**
 * Appends it under the session's next id, with all its attempts, and without the deadline that has passed. The machine is not
 * asked: it has said once what it wants sent.
 */
function redrive(state: ReplicatedState, letter: number): LetterOutcome {
  const found = state.deadLetters.find(letter)
  if (found === null) return state.deadLetters.movedBefore(letter) ?? 'unknown'
  const session = state.sessions.findById(found.target.id)
  if (session === null) return 'sessionEnded'
  const { request } = found
  const emittedIndex = emittedBy(request)
  const waiting = request.key === null ? null : coalesced(session, request.type, request.key)
  // What replaced it is newer, and must not come before it. An older one was redriven: both are to come, one after the other.
  if (waiting !== null) return !remembers(state) || emittedBy(waiting) > emittedIndex ? 'newerWaits' : 'olderWaits'
  // One that may be dropped makes no room either: what waits is newer, or a letter that was redriven just before it.
  if (!hasRoom(state, session, 1, request.bytes)) return 'outboxFull'
  state.deadLetters.take(letter, remembers(state) ? 'wasRedriven' : null)
  const { type, payload, bytes, key, attemptsMax, droppable } = request
  const overflow = droppable ? 'dropOldest' : 'reject'
  const emitted = remembers(state) ? { emittedIndex } : {}
  appendRequest(state, session, { type, payload, bytes, key, attemptsMax, overflow, deadlineAt: null, ...emitted })
  return 'redriven'
}

/** Builds of before have no rows of what was moved, and say otherwise what came of a copy (docs/decisions/own-versions.md). */
function remembers({ versions }: ReplicatedState): boolean {
  return versions.hasOwn(MOVED_LETTERS_SINCE)
}

/** The entry that has emitted it, however often it was redriven since. */
function emittedBy({ emittedIndex, createdIndex }: OutboxRow): number {
  return emittedIndex ?? createdIndex
}
