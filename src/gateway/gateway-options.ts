import type { Millis } from '../base/brand.ts'
import type { SessionCodec } from '../codec/session-codec.ts'
import type { Value } from '../codec/value/value.ts'
import type { Clock } from '../node/ports/clock.ts'
import type { PersonalKeys, SealRefusal } from './personal/personal-keys.ts'

/** A refusal by the parser of a mounted machine (machine/parse/input-parser.ts). */
export interface ParseRefusal {
  readonly ok: false
  readonly code:
    | 'UNKNOWN_MACHINE'
    | 'MACHINE_NOT_ACTIVE'
    | 'UNKNOWN_COMMAND'
    | 'UNKNOWN_QUERY'
    | 'VALIDATION_ERROR'
    | SealRefusal
  readonly message: string
  readonly details: { readonly issues: readonly { readonly path: string; readonly message: string }[] }
}

/**
 * Parses a command before it is proposed, by the version of the machine that is `active`, or the highest there is; `version` is
 * the one whose schema it fits.
 */
export type CommandParser = (
  machine: string,
  command: string,
  bytes: Uint8Array,
  active?: number,
) => { readonly ok: true; readonly input: Uint8Array; readonly version: number } | ParseRefusal

/** Parses a query's input before it runs, likewise. */
export type QueryParser = (
  machine: string,
  query: string,
  bytes: Uint8Array,
  active?: number,
) => { readonly ok: true; readonly input: Value } | ParseRefusal

/** What was thrown in an entry, or in a query at it, as this process saw it; null when it is not known here. */
export type ErrorAt = (index: number, kind: 'entry' | 'query') => string | null

export interface GatewayOptions {
  readonly parse: CommandParser
  readonly parseQuery: QueryParser
  /** Keys of the subjects of personal fields, and which commands have such fields; null: no machine here has any. */
  readonly personal?: {
    readonly keys: PersonalKeys
    readonly holdsPersonal: ((machine: string, command: string) => boolean) | null
  }
  readonly codec: Pick<SessionCodec, 'sha256' | 'decodeInput'>
  readonly clock: Pick<Clock, 'setTimer'>
  /** In development: what a machine threw, for the client that is told MACHINE_ERROR. Default: nobody is told. */
  readonly errorAt?: ErrorAt
  /** How long a `sequential` query waits for its index before BEHIND, a `linearizable` one before READ_UNCONFIRMED; 5 s. */
  readonly queryWaitMs?: Millis
  /** Server requests beyond the last ack, per session. Default `SERVER_REQUEST_CREDIT`. */
  readonly credit?: number
  /** Subscriptions of one connection, and of all. Default `SUBSCRIPTIONS_MAX` and `NODE_SUBSCRIPTIONS_MAX`. */
  readonly subscriptionsMax?: number
  readonly nodeSubscriptionsMax?: number
  /** Sessions that one connection may hold. Default `CHANNELS_MAX`. */
  readonly channelsMax?: number
}
