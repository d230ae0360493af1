import type { Millis } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'

/** First message of every connection. */
export interface GreetingMessage {
  readonly kind: 'greeting'
  readonly clusterId: string
  readonly group: number
  /** 0 until the node knows its Configuration. */
  readonly incarnation: number
  readonly node: string
  /** Leader as this node knows it and its client address; "" when it knows none. */
  readonly leader: string
  readonly leaderAddress: string
  /** The log's clock here: `validUntil` of an open is this + 2 min. */
  readonly now: Millis
  readonly commandBytesMax: number
  readonly windowRequests: number
  /** Server requests that are sent beyond the last ack. */
  readonly credit: number
}

/** Answer to one copy of a command (sessions.md §7). */
export type ResponseMessage = {
  readonly kind: 'response'
  readonly channel: number
  readonly requestId: number
  readonly answer: ResponseAnswer
}

export type ResponseAnswer =
  /** Executed: the encoded value. `replayed`: from the response cache. `invalidAck`: the riding ack was refused. */
  | {
      readonly kind: 'ok'
      readonly index: number
      readonly replayed: boolean
      readonly invalidAck: boolean
      readonly value: Uint8Array
    }
  /** Executed and refused by the machine: its code and encoded details. */
  | {
      readonly kind: 'rejected'
      readonly index: number
      readonly replayed: boolean
      readonly invalidAck: boolean
      readonly code: string
      readonly details: Uint8Array
    }
  /** Applied, but not executed (sessions.md §3, steps 1, 2, 5–10). */
  | { readonly kind: 'refused'; readonly index: number; readonly code: string; readonly details: Uint8Array }
  /** This copy was not appended. */
  | { readonly kind: 'notExecuted'; readonly code: string; readonly details: Uint8Array }
  /** This copy was appended, and this node cannot tell what became of it. */
  | { readonly kind: 'unknown'; readonly code: string }

export interface ServerRequestMessage {
  readonly kind: 'serverRequest'
  readonly channel: number
  readonly serverRequestId: number
  /** Id of the one before it in the outbox; 0: none. Greater than the last one received means a gap. */
  readonly previousId: number
  readonly attempt: number
  /** Log index and `now` of the entry that emitted it. */
  readonly index: number
  readonly now: Millis
  readonly type: string
  readonly payload: Uint8Array
}

export interface QueryResultMessage {
  readonly kind: 'queryResult'
  readonly correlationId: number
  /** Applied index at which the query ran: the token for `sequential`. */
  readonly index: number
  readonly incarnation: number
  readonly answer:
    | { readonly kind: 'ok'; readonly value: Uint8Array }
    /** The machine's own rejection of the query. */
    | { readonly kind: 'rejected'; readonly code: string; readonly details: Uint8Array }
    /** The query did not run. */
    | { readonly kind: 'refused'; readonly code: string; readonly details: Uint8Array }
}

/** What a subscribed query answers from `index` on. */
export interface ChangeMessage {
  readonly kind: 'change'
  readonly subscriptionId: number
  /** Log index of the entry after which it was the answer; it rises from one change of a subscription to the next. */
  readonly index: number
  /** Answers between the one before and this one may have been left out. */
  readonly compacted: boolean
  readonly value: Uint8Array
}

/** The last message of a subscription. */
export interface SubscriptionEndedMessage {
  readonly kind: 'subscriptionEnded'
  readonly subscriptionId: number
  /** `rejected` by the machine at an index that it applied; `refused`: the query did not run. */
  readonly reason: 'rejected' | 'refused'
  readonly code: string
  readonly details: Uint8Array
}

/** What was refused, where the answer is not a `response`. */
export type RefusedSubject = 'open' | 'attach' | 'ack' | 'ping' | 'close'

/** What a server says on the stream. */
export type DownMessage =
  | GreetingMessage
  | ({ readonly kind: 'opened'; readonly channel: number; readonly existing: boolean } & SessionNumbers)
  | {
      readonly kind: 'attached'
      readonly channel: number
      readonly epoch: number
      readonly nextRequestId: number
      readonly acknowledged: number
      readonly timeoutMs: Millis
    }
  | ResponseMessage
  | ServerRequestMessage
  | { readonly kind: 'acknowledged'; readonly channel: number; readonly upTo: number }
  | { readonly kind: 'pong'; readonly channel: number }
  | QueryResultMessage
  | ChangeMessage
  | SubscriptionEndedMessage
  | { readonly kind: 'closed'; readonly channel: number }
  /** The session is over: expired or closed by somebody. */
  | { readonly kind: 'ended'; readonly channel: number; readonly reason: 'expired' | 'closed' }
  /** Another connection took the session over. */
  | { readonly kind: 'superseded'; readonly channel: number }
  | {
      readonly kind: 'refused'
      readonly channel: number
      readonly subject: RefusedSubject
      readonly code: string
      readonly details: Uint8Array
    }
  /**
   * Who leads has changed, as this node knows it; it may be this node itself. "" when it knows none. A leader that names itself
   * once more hands over: another one leads soon, and until then it answers as before.
   */
  | { readonly kind: 'leaderChanged'; readonly leader: string; readonly leaderAddress: string }
  /** Last message before the server ends the connection. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
