import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { Value } from '../codec/value/value.ts'
import type { RefusedSubject } from '../protocol/down-message.ts'
import type { RefusalCode, Reply } from '../session/state-machine.ts'
import type { Outcome, ServerRequest } from '../session/user-machine.ts'
import type { GatewayCode, Refusal } from './refusal.ts'

/** What became of one copy of a command (wire.md §4, step 5). */
export type GatewayAnswer =
  | Extract<Reply, { kind: 'outcome' }>
  /** Applied at `index`, not executed. */
  | { readonly kind: 'refused'; readonly index: number; readonly code: RefusalCode; readonly details: Value }
  /** Not appended. */
  | { readonly kind: 'notExecuted'; readonly code: GatewayCode; readonly details: Value }
  /** Appended, and this node cannot tell what became of it. */
  | { readonly kind: 'unknown'; readonly code: 'LEADER_LOST' }

/** What a query returned, or why it did not run. */
export type QueryAnswer = Outcome | ({ readonly kind: 'refused' } & Refusal)

/** Why a subscription is over: rejected by the machine, or the query did not run. */
export type SubscriptionEnd =
  | { readonly reason: 'rejected'; readonly code: string; readonly details: Value }
  | ({ readonly reason: 'refused' } & Refusal)

/**
 * What a gateway tells one connection; a method per message of the down stream (protocol/down-message.ts). A sink may be
 * called at any time, also after its connection has ended, and must then ignore it.
 */
export interface ConnectionSink {
  /** Bytes that were told and are not on their way yet, as far as the carrier knows. */
  readonly unsentBytes: number
  opened(channel: number, session: SessionNumbers, existing: boolean): void
  attached(channel: number, reply: Extract<Reply, { kind: 'attached' }>): void
  responded(channel: number, requestId: number, answer: GatewayAnswer): void
  serverRequest(channel: number, request: ServerRequest): void
  acknowledged(channel: number, upTo: number): void
  pong(channel: number): void
  queried(correlationId: number, position: { index: number; incarnation: number }, answer: QueryAnswer): void
  /** The encoded value is gone once this returns. */
  changed(subscriptionId: number, position: { index: number; compacted: boolean }, value: Uint8Array): void
  subscriptionEnded(subscriptionId: number, end: SubscriptionEnd): void
  closed(channel: number): void
  ended(channel: number, reason: 'expired' | 'closed'): void
  superseded(channel: number): void
  refused(channel: number, subject: RefusedSubject, refusal: Refusal): void
  /** Who leads has changed; "" when this node knows none. This node again, which leads already: it hands over. */
  leaderChanged(leader: string, leaderAddress: string): void
  /** The node stops; nothing follows. */
  failed(code: string, message: string): void
}
