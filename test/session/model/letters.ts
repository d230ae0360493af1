import type { LetterOutcome } from '../../../src/session/dead-letter.ts'
import type { Session, Waiting } from './types.ts'

/** What moving letters needs of the model. */
interface Outboxes {
  readonly all: { readonly sessions: ReadonlyMap<number, Session> }
  readonly limits: { readonly outboxCountMax: number }
  readonly versions: { readonly remembers: boolean }
  /** `emitted`: with the entry that has emitted it. */
  appendAgain(letter: Waiting & { to: number }, emitted: boolean): void
}

/** What the reference model knows of dead letters (sessions.md §5). */
export class ModelLetters {
  /** By number, with the session that each was for. */
  readonly dead = new Map<number, Waiting & { to: number }>()
  /** What was done to each that was moved. */
  private readonly moved = new Map<number, 'wasRedriven' | 'wasDiscarded'>()
  private soFar = 0

  bury(request: Waiting, to: number): void {
    this.soFar += 1
    this.dead.set(this.soFar, { ...request, to })
  }

  move({ move, letters }: { move: 'redrive' | 'discard'; letters: number[] }, outboxes: Outboxes): LetterOutcome[] {
    return letters.map((letter) =>
      move === 'discard' ? this.discard(letter, outboxes) : this.redrive(letter, outboxes),
    )
  }

  private discard(letter: number, { versions }: Outboxes): LetterOutcome {
    if (!this.dead.delete(letter)) return this.moved.get(letter) ?? 'unknown'
    if (versions.remembers) this.moved.set(letter, 'wasDiscarded')
    return 'discarded'
  }

  private redrive(letter: number, outboxes: Outboxes): LetterOutcome {
    const found = this.dead.get(letter)
    if (found === undefined) return this.moved.get(letter) ?? 'unknown'
    const { to, type, key } = found
    const outbox = outboxes.all.sessions.get(to)?.outbox
    if (outbox === undefined) return 'sessionEnded'
    const same = key === null ? undefined : outbox.find((other) => other.key === key && other.type === type)
    const { remembers } = outboxes.versions
    if (same !== undefined) return !remembers || same.emitted > found.emitted ? 'newerWaits' : 'olderWaits'
    if (outbox.length >= outboxes.limits.outboxCountMax) return 'outboxFull'
    this.dead.delete(letter)
    if (remembers) this.moved.set(letter, 'wasRedriven')
    outboxes.appendAgain(found, remembers)
    return 'redriven'
  }
}
