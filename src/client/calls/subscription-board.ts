import { isRetryable } from '../../protocol/errors.ts'
import type { ChangeMessage, SubscriptionEndedMessage } from '../../protocol/down-message.ts'
import type { UpMessage } from '../../protocol/up-frame.ts'
import type { ClientClock } from '../connection/ports.ts'

/** What a subscribed query answers, still encoded. */
export interface RawChange {
  /** `compacted`: there may have been other answers between the one before and this one; `value`: there were none. */
  readonly kind: 'value' | 'compacted'
  readonly value: Uint8Array
  /** Log index after which it was the answer; it rises. */
  readonly index: number
}

/** Why a subscription is over, still encoded. */
export interface RawSubscriptionEnd {
  /** `failed`: the query could not be asked, or the session is over; no details then. */
  readonly kind: 'rejected' | 'failed'
  readonly code: string
  readonly details: Uint8Array | null
}

/** Who hears of a subscription; `onEnd` once, the last call. Neither throws. */
export interface SubscriptionListener {
  onChange(change: RawChange): void
  onEnd(end: RawSubscriptionEnd): void
}

/** One query to subscribe to, with its input encoded. */
export interface SubscribeRequest {
  /** The session that asks, by its channel. */
  readonly channel: number
  /** Token of an earlier answer: the first value is not older. Zeros: none. */
  readonly incarnation: number
  readonly minIndex: number
  readonly machine: string
  readonly query: string
  readonly input: Uint8Array
}

interface Open {
  readonly request: SubscribeRequest
  readonly listener: SubscriptionListener
  /** Of the copy that was sent last: what others bring is of an earlier attachment. 0: none is sent. */
  id: number
  /** The last answer; null: none yet. */
  last: { readonly value: Uint8Array; readonly index: number } | null
  /** The next change is the first of its copy: the answer of then, whatever was before. */
  resumes: boolean
  /** Answers may have been left out since the last one that was told. */
  skipped: boolean
  retry: boolean
}

/** A subscription that was refused for now is sent again after this long. */
const RETRY_MS = 50

/**
 * Subscriptions of sessions (docs/decisions/subscriptions.md): each is sent with every attach of its session, from the index it
 * has seen, so that its changes rise over any number of connections and leaders.
 */
export class SubscriptionBoard {
  private readonly clock: ClientClock
  private readonly sendMessage: (message: UpMessage) => void
  private readonly subscriptions = new Set<Open>()
  private readonly byId = new Map<number, Open>()
  private nextId = 1
  private retryTimer: { cancel(): void } | null = null

  constructor(options: { clock: ClientClock; sendMessage(message: UpMessage): void }) {
    this.clock = options.clock
    this.sendMessage = options.sendMessage
  }

  /** Subscribes, when the session is `attached` at once. Returns what ends it, without a further call of the listener. */
  subscribe(request: SubscribeRequest, listener: SubscriptionListener, attached: boolean): () => void {
    const open: Open = { request, listener, id: 0, last: null, resumes: true, skipped: false, retry: false }
    this.subscriptions.add(open)
    if (attached) this.send(open)
    return () => {
      if (!this.subscriptions.has(open)) return
      const { id } = open
      this.remove(open)
      if (id !== 0) this.sendMessage({ kind: 'unsubscribe', channel: request.channel, subscriptionId: id })
    }
  }

  /** A session is attached, where nothing is known of its subscriptions. */
  attached(channel: number): void {
    for (const open of this.subscriptions) if (open.request.channel === channel) this.send(open)
  }

  /** The connection is gone; what it brought is not the newest any more. */
  disconnected(): void {
    this.byId.clear()
    for (const open of this.subscriptions) open.id = 0
  }

  changed({ subscriptionId, index, compacted, value }: ChangeMessage): void {
    const open = this.byId.get(subscriptionId)
    if (open === undefined) return
    const { last, resumes } = open
    open.resumes = false
    if (compacted || (resumes && last !== null)) open.skipped = true
    const equal = last !== null && Buffer.compare(last.value, value) === 0
    // The message is a view of its frame.
    open.last = { index, value: equal ? last.value : Uint8Array.from(value) }
    // Nothing is new, and whatever was between is said with the next change.
    if (equal) return
    const kind = open.skipped ? 'compacted' : 'value'
    open.skipped = false
    open.listener.onChange({ kind, ...open.last })
  }

  ended({ subscriptionId, reason, code, details }: SubscriptionEndedMessage): void {
    const open = this.byId.get(subscriptionId)
    if (open === undefined) return
    // A session that attaches again is there in a moment. A node that is full may stay so, and that is to be heard.
    const passes = (isRetryable('query', code) && code !== 'OVERLOADED') || code === 'NOT_ATTACHED'
    if (reason === 'refused' && passes) {
      open.retry = true
      this.retryTimer ??= this.clock.setTimer(RETRY_MS, () => this.retry())
      return
    }
    this.end(open, { kind: reason === 'rejected' ? 'rejected' : 'failed', code, details: Uint8Array.from(details) })
  }

  /** A session is over, with that code; null: all of them. */
  stop(channel: number | null, code: string): void {
    if (channel === null) this.retryTimer?.cancel()
    for (const open of [...this.subscriptions])
      if (channel === null || open.request.channel === channel) this.end(open, { kind: 'failed', code, details: null })
  }

  private send(open: Open): void {
    const { request, last } = open
    this.byId.delete(open.id)
    open.id = this.nextId
    this.nextId += 1
    this.byId.set(open.id, open)
    open.resumes = true
    open.retry = false
    const minIndex = Math.max(request.minIndex, last?.index ?? 0)
    this.sendMessage({ kind: 'subscribe', ...request, subscriptionId: open.id, minIndex })
  }

  private retry(): void {
    this.retryTimer = null
    for (const open of this.subscriptions) if (open.retry && open.id !== 0) this.send(open)
  }

  private end(open: Open, end: RawSubscriptionEnd): void {
    this.remove(open)
    open.listener.onEnd(end)
  }

  private remove(open: Open): void {
    this.subscriptions.delete(open)
    this.byId.delete(open.id)
    open.id = 0
  }
}
