import type { RawOutcome } from './raw-outcome.ts'

/** Outcomes that are kept. */
const KEPT_MAX = 1024

/** Outcomes that came after their command was reported unknown, kept for `resolve`: the newest 1,024. */
export class LateOutcomes {
  /** By request id, oldest first. */
  private readonly outcomes = new Map<number, RawOutcome>()

  /** Keeps an outcome, with bytes of its own. */
  keep(requestId: number, outcome: RawOutcome): void {
    this.outcomes.set(requestId, detached(outcome))
    if (this.outcomes.size <= KEPT_MAX) return
    for (const oldest of this.outcomes.keys()) {
      this.outcomes.delete(oldest)
      return
    }
  }

  /** Gives an outcome away; undefined when there is none. */
  take(requestId: number): RawOutcome | undefined {
    const outcome = this.outcomes.get(requestId)
    this.outcomes.delete(requestId)
    return outcome
  }
}

/** An outcome whose bytes do not keep a whole frame alive. */
function detached(outcome: RawOutcome): RawOutcome {
  if (outcome.kind === 'ok') return { ...outcome, value: Uint8Array.from(outcome.value) }
  if (outcome.kind === 'rejected') return { ...outcome, details: Uint8Array.from(outcome.details) }
  return outcome
}
