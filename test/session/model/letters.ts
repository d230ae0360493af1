import type { Value } from '../../../src/codec/value/value.ts'
import type { LetterOutcome } from '../../../src/session/dead-letter.ts'
import type { Session, Waiting } from './types.ts'

/** What moving letters needs of the model. */
interface Outboxes {
  readonly all: { readonly sessions: ReadonlyMap<number, Session> }
  readonly limits: { readonly outboxCountMax: number }
  append(to: number, type: string, payload: Value, droppable: boolean, key: string | null): void
}

/** What the reference model knows of dead letters (sessions.md §5). */
export class ModelLetters {
  /** By number, with the session that each was for. */
  readonly dead = new Map<number, Waiting & { to: number }>()
  private soFar = 0

  bury(request: Waiting, to: number): void {
    this.soFar += 1
    this.dead.set(this.soFar, { ...request, to })
  }

  move({ move, letters }: { move: 'redrive' | 'discard'; letters: number[] }, outboxes: Outboxes): LetterOutcome[] {
    return letters.map((letter) => (move === 'discard' ? this.discard(letter) : this.redrive(letter, outboxes)))
  }

  private discard(letter: number): LetterOutcome {
    return this.dead.delete(letter) ? 'discarded' : 'unknown'
  }

  private redrive(letter: number, outboxes: Outboxes): LetterOutcome {
    const found = this.dead.get(letter)
    if (found === undefined) return 'unknown'
    const { to, type, payload, droppable, key } = found
    const outbox = outboxes.all.sessions.get(to)?.outbox
    if (outbox === undefined) return 'sessionEnded'
    if (key !== null && outbox.some((other) => other.key === key && other.type === type)) return 'newerWaits'
    if (outbox.length >= outboxes.limits.outboxCountMax) return 'outboxFull'
    this.dead.delete(letter)
    outboxes.append(to, type, payload, droppable, key)
    return 'redriven'
  }
}
