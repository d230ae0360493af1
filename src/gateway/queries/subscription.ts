import { SUBSCRIBED_UNSENT_BYTES_MAX } from '../../protocol/limits.ts'
import type { SubscribeMessage } from '../../protocol/up-frame.ts'
import type { ConnectionSink, SubscriptionEnd } from '../connection-sink.ts'

/** What a query that is subscribed to gave. */
export type Answer =
  | {
      /** Encoded. */
      readonly value: Uint8Array
      /** Equal answers have equal prints: the value itself, or its SHA-256. */
      readonly print: Uint8Array
      readonly index: number
    }
  /** It cannot be asked any more. */
  | { readonly end: SubscriptionEnd }

/** The connection that it belongs to. */
export interface SubscriptionOwner {
  readonly sink: ConnectionSink
  /** Too much is unsent to tell it anything; it is resumed when that is sent. */
  heldBack(subscription: Subscription): void
  /** It ends by itself. */
  ended(subscription: Subscription): void
}

/** What a session has asked for. */
export interface Subscribed {
  readonly request: SubscribeMessage
  /** The session, by index. */
  readonly session: number
}

/** One query that a session has subscribed to, told when its answer is another; `SharedQuery` asks. */
export class Subscription {
  readonly request: SubscribeMessage
  readonly session: number
  readonly owner: SubscriptionOwner
  /** The print of what was told last; null: nothing yet. */
  private told: Uint8Array | null = null
  /** The answer was another one, perhaps, that nobody was told. */
  private skipped = false

  constructor(owner: SubscriptionOwner, { request, session }: Subscribed) {
    this.owner = owner
    this.session = session
    // The input is a view of its frame.
    this.request = { ...request, input: Uint8Array.from(request.input) }
  }

  /** Whether too much is unsent to tell it anything now; then what it is not told counts as left out. */
  holdsBack(): boolean {
    if (this.owner.sink.unsentBytes <= SUBSCRIBED_UNSENT_BYTES_MAX) return false
    this.skipped = true
    this.owner.heldBack(this)
    return true
  }

  /** Changes were passed over. */
  skip(): void {
    this.skipped = true
  }

  /** Tells the answer, if it is another than the one before. */
  tell(answer: Answer): void {
    const { sink } = this.owner
    if ('end' in answer) {
      this.owner.ended(this)
      return sink.subscriptionEnded(this.request.subscriptionId, answer.end)
    }
    const { value, print, index } = answer
    // What was passed over stays untold, and the next change says so.
    if (this.told !== null && (this.told === print || Buffer.compare(this.told, print) === 0)) return
    const compacted = this.skipped && this.told !== null
    this.told = print
    this.skipped = false
    sink.changed(this.request.subscriptionId, { index, compacted }, value)
  }
}
