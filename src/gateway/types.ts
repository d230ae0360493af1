import type { GroupId, Millis, NodeId } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { SessionCodec } from '../codec/session-codec.ts'
import type { Value } from '../codec/value/value.ts'
import type { Outcome, ServerRequest } from '../session/user-machine.ts'
import type { RefusalCode, Reply } from '../session/state-machine.ts'
import type { SubmitRefusal } from '../node/api.ts'
import type { Clock } from '../node/ports/clock.ts'

/** Why the gateway itself refuses: nothing was appended. */
export type GatewayRefusal =
  | 'VALIDATION_ERROR'
  | 'UNKNOWN_MACHINE'
  | 'UNKNOWN_COMMAND'
  | 'UNKNOWN_QUERY'
  | 'COMMAND_TOO_LARGE'
  | 'PRINCIPAL_INVALID'
  | 'NOT_ATTACHED'
  | 'CLUSTER_CHANGED'
  | 'WRONG_GROUP'
  | 'TOO_MANY_CHANNELS'
  | 'BEHIND'
  | 'CONSISTENCY_UNAVAILABLE'

/** Every code that a client may see from the gateway; protocol/errors.ts explains each. */
export type GatewayCode = GatewayRefusal | SubmitRefusal | RefusalCode

/** What became of one copy of a command. */
export type GatewayAnswer =
  | Extract<Reply, { kind: 'outcome' }>
  /** Applied at `index`, not executed. */
  | { readonly kind: 'refused'; readonly index: number; readonly code: RefusalCode; readonly details: Value }
  /** Not appended. */
  | { readonly kind: 'notExecuted'; readonly code: GatewayCode; readonly details: Value }
  /** Appended, and this node cannot tell what became of it. */
  | { readonly kind: 'unknown'; readonly code: 'LEADER_LOST' }

export type QueryAnswer = Outcome | { readonly kind: 'refused'; readonly code: GatewayCode; readonly details: Value }

export type Subject = 'open' | 'attach' | 'ack' | 'ping' | 'close'

/**
 * What a gateway tells one connection; a method per message of the down stream. A sink may be called at any time, also
 * after its connection has ended, and must then ignore it.
 */
export interface ConnectionSink {
  opened(channel: number, session: SessionNumbers, existing: boolean): void
  attached(channel: number, reply: Extract<Reply, { kind: 'attached' }>): void
  responded(channel: number, requestId: number, answer: GatewayAnswer): void
  serverRequest(channel: number, request: ServerRequest): void
  acknowledged(channel: number, upTo: number): void
  pong(channel: number): void
  queried(correlationId: number, position: { index: number; incarnation: number }, answer: QueryAnswer): void
  closed(channel: number): void
  ended(channel: number, reason: 'expired' | 'closed'): void
  superseded(channel: number): void
  refused(channel: number, subject: Subject, refusal: { code: GatewayCode; details: Value }): void
  /** Who leads has changed; "" when this node knows none. */
  leaderChanged(leader: string, leaderAddress: string): void
  /** The node stops; nothing follows. */
  failed(code: string, message: string): void
}

export interface Greeting {
  readonly clusterId: string
  readonly group: GroupId
  readonly incarnation: number
  readonly node: NodeId
  readonly leader: string
  readonly leaderAddress: string
  readonly now: Millis
  readonly commandBytesMax: number
  readonly windowRequests: number
  readonly credit: number
}

export interface OpenRequest {
  readonly channel: number
  readonly secret: Uint8Array
  readonly principal: string
  readonly roles: readonly string[]
  readonly capabilities: Uint8Array
  readonly name: string
  readonly timeoutMs: Millis
  readonly validUntil: Millis
  readonly ordered: boolean
}

export interface AttachRequest extends SessionNumbers {
  readonly channel: number
  readonly secret: Uint8Array
  readonly replaces: number
  readonly nonce: Uint8Array
}

export interface CommandRequest {
  readonly channel: number
  readonly requestId: number
  readonly lowestPendingRequestId: number
  readonly ackServerRequests: number
  readonly machine: string
  readonly command: string
  /** The client's bytes; kept, not copied, until the command is answered. */
  readonly input: Uint8Array
}

export interface QueryRequest {
  readonly channel: number
  readonly correlationId: number
  readonly consistency: 'linearizable' | 'sequential' | 'stale'
  /** Incarnation that `minIndex` belongs to; 0: none. */
  readonly incarnation: number
  readonly minIndex: number
  readonly machine: string
  readonly query: string
  readonly input: Uint8Array
}

/** A refusal by the parser of a mounted machine (machine/parse/input-parser.ts). */
export interface ParseRefusal {
  readonly ok: false
  readonly code: 'UNKNOWN_MACHINE' | 'UNKNOWN_COMMAND' | 'UNKNOWN_QUERY' | 'VALIDATION_ERROR'
  readonly message: string
  readonly details: { readonly issues: readonly { readonly path: string; readonly message: string }[] }
}

/** Parses a command at the edge, under the machine version it names. */
export type CommandParser = (
  machine: string,
  command: string,
  bytes: Uint8Array,
) => { readonly ok: true; readonly input: Uint8Array; readonly version: number } | ParseRefusal

export type QueryParser = (
  machine: string,
  query: string,
  bytes: Uint8Array,
) => { readonly ok: true; readonly input: Value } | ParseRefusal

export interface GatewayOptions {
  readonly parse: CommandParser
  readonly parseQuery: QueryParser
  readonly codec: Pick<SessionCodec, 'sha256' | 'decodeInput'>
  readonly clock: Pick<Clock, 'setTimer'>
  /** How long a `sequential` query waits for its index before BEHIND. Default 5 s. */
  readonly queryWaitMs?: Millis
  /** Server requests beyond the last ack, per session. Default 1,024. */
  readonly credit?: number
  /** Sessions that one connection may hold. Default 100,000. */
  readonly channelsMax?: number
}
