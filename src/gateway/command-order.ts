import type { RequestMessage } from '../protocol/up-frame.ts'
import type { SessionFacts } from '../session/state-machine.ts'
import { type Refusal, refusal } from './refusal.ts'

/**
 * Which command of an ordered session the log will take next, once everything that this attachment proposed is applied. A
 * command above it is refused here: proposed, it would be refused by apply, at the price of an entry for each copy.
 *
 * A guess, and never the last word. Too high, and apply refuses; too low, and the command comes again, by when less is in
 * flight: with nothing in flight it is what apply itself will say, because an attach is an entry, so that nothing of an
 * older epoch can follow.
 */
export class CommandOrder {
  /** Highest id proposed since, with everything before it, or 0. */
  private highest = 0

  /** OUT_OF_ORDER for a command whose predecessor is neither executed nor on its way; null when it may be proposed. */
  check(facts: SessionFacts | null, request: RequestMessage): Refusal | null {
    if (facts === null) return null
    const { requestId, lowestPendingRequestId } = request
    const floor = Math.max(facts.floor, Math.min(lowestPendingRequestId, requestId))
    const expected = Math.max(facts.highest + 1, this.highest + 1, floor)
    return requestId > expected ? refusal('OUT_OF_ORDER', { expected }) : null
  }

  proposed(requestId: number): void {
    this.highest = Math.max(this.highest, requestId)
  }

  /** It was not executed: nothing behind it will be, until it comes again or the client's floor has passed it. */
  failed(requestId: number): void {
    this.highest = Math.min(this.highest, requestId - 1)
  }

  /** What another attachment of the same epoch has in flight is this one's now. */
  adopt(other: CommandOrder): void {
    this.highest = Math.max(this.highest, other.highest)
  }
}
