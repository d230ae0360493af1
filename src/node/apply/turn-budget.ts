import type { Clock } from '../ports/clock.ts'

/** What can wait works so long in one turn of the loop, all of it together (architecture.md §6). */
export const TURN_BUDGET_MS = 5

/**
 * The one budget, for each turn of the loop, of all that can wait: entries to apply, and rows of a snapshot to sort and encode.
 * With a budget each they would add up, and a heartbeat would wait for the sum of them.
 *
 * Who asks first in a turn has all of it, and may leave some; who finds it used up comes first in the next turn, so that two
 * that always have something to do take turns.
 */
export class TurnBudget {
  /** Monotonic ms at which the loop is to turn; in the past: it is used up, or nobody has begun in this turn. */
  until = Number.NEGATIVE_INFINITY
  private readonly clock: Clock
  /** Those who have asked, each with a deferred callback on its way, which takes the first of them. */
  private readonly waiting: (() => void)[] = []
  /** Rises in each turn in which somebody's time has come. */
  private turn = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Runs it in a later turn of the loop, in the order in which it was asked, as soon as there is time left in one. */
  later(run: () => void): void {
    this.waiting.push(run)
    this.defer()
  }

  /** For who begins without having asked (bytes have come from the disk): what is left of the turn, or a budget of its own. */
  begin(): void {
    if (this.isOver()) this.until = this.clock.monotonicMs() + TURN_BUDGET_MS
  }

  /** Nothing more in this turn. */
  end(): void {
    this.until = Number.NEGATIVE_INFINITY
  }

  private defer(): void {
    const asked = this.turn
    this.clock.defer(() => {
      // Whoever asked in this turn is heard in the next one: the first callback with the present number is the first of a turn.
      if (asked === this.turn) {
        this.turn += 1
        this.until = this.clock.monotonicMs() + TURN_BUDGET_MS
      } else if (this.isOver()) {
        this.defer()
        return
      }
      this.waiting.shift()?.()
    })
  }

  private isOver(): boolean {
    return this.clock.monotonicMs() >= this.until
  }
}
