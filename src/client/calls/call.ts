import { unreachable } from '../../base/assert.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Refusal } from '../../machine/index.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import type { Consistency } from '../../protocol/up-frame.ts'
import type { RawOutcome } from './raw-outcome.ts'
import type { RawQueryOutcome } from './query-board.ts'

/** How one command is called. */
export interface CallOptions {
  /** Time for all attempts together, from 0 to 2^31 − 1 ms. Default the session's. */
  readonly deadlineMs?: number
  /** Stops waiting; the outcome is then notExecuted or unknown, as far as can be told. */
  readonly signal?: AbortSignal
}

/** How one query is asked. */
export interface QueryOptions {
  /**
   * Default `linearizable`: sees everything that anybody was told before the query was asked. `sequential` sees at least
   * what this session has seen, and asks no other node; `stale` sees what the node that answers happens to have applied.
   */
  readonly consistency?: Consistency
  /**
   * Program order while commands are under way: the query waits for the outcome of this command (`session.lastRequestId`,
   * say) and sees what it did, unless it is `stale`. It fails with the command's code when that outcome is unknown, and with
   * UNKNOWN_REQUEST for an id that was not given yet. A command that has ended for good is not waited for, whatever is known
   * of it: one that was abandoned, or whose response was evicted, or of an earlier holder of the session.
   */
  readonly after?: number
  /**
   * Refused where this session is gone as of what the answer would show: `failed` with SESSION_EXPIRED or SESSION_UNKNOWN, and
   * as soon as this process knows that the session is over, with why it is. Default false: then a query that has waited may be
   * answered although its session ended meanwhile.
   */
  readonly sessionBound?: boolean
  /** Time for all attempts together, from 0 to 2^31 − 1 ms. Default the session's. */
  readonly deadlineMs?: number
}

/**
 * What any machine may refuse with without saying so. MACHINE_ERROR: its handler failed. OUTBOX_FULL: a session that it sends
 * to does not take its requests.
 */
export type FrameworkRefusal = MachineErrorRefusal | Refusal<'OUTBOX_FULL', { readonly session: string }>

/** The same of a query, which sends nothing. */
export type MachineErrorRefusal = Refusal<
  'MACHINE_ERROR',
  { readonly machine: string; readonly index: number; readonly reason: string }
>

/** A command that the machine refused; one member per code, so that `code` tells the details. */
export type RejectedCommand<Refused extends Refusal<string, unknown>> =
  Refused extends Refusal<infer Code, infer Details>
    ? {
        readonly kind: 'rejected'
        readonly requestId: number
        readonly code: Code
        readonly details: Details
        readonly index: number
        readonly replayed: boolean
      }
    : never

/** A query that the machine refused; one member per code. */
export type RejectedQuery<Refused extends Refusal<string, unknown>> =
  Refused extends Refusal<infer Code, infer Details>
    ? { readonly kind: 'rejected'; readonly code: Code; readonly details: Details }
    : never

/** What became of a command (sessions.md §7). */
export type CommandOutcome<Output = Value, Refused extends Refusal<string, unknown> = Refusal> =
  /** Executed. `replayed`: an earlier copy was, and this is its answer. */
  | {
      readonly kind: 'ok'
      readonly requestId: number
      readonly value: Output
      readonly index: number
      readonly replayed: boolean
    }
  /** Executed, and refused by the machine: nothing was changed. */
  | RejectedCommand<Refused>
  /** Definite: not executed, and it will not be. `details` of INVALID: `{ field, problem }`. */
  | { readonly kind: 'notExecuted'; readonly requestId: number; readonly code: string; readonly details: Value }
  /** It may have been executed or may still be: `session.resolve(requestId)` asks, `session.abandon(requestId)` ends it. */
  | { readonly kind: 'unknown'; readonly requestId: number; readonly code: string }

/**
 * What a query gave (sessions.md §6). `failed`: it did not run, or nobody answered in time; `details` are `{ field, problem }`
 * where something that was handed over cannot be used.
 */
export type QueryOutcome<Output = Value, Refused extends Refusal<string, unknown> = Refusal> =
  | { readonly kind: 'ok'; readonly value: Output; readonly index: number }
  | RejectedQuery<Refused>
  | { readonly kind: 'failed'; readonly code: string; readonly details?: Value }

/** The outcome as users see it: its bytes decoded. */
export function commandOutcome(raw: RawOutcome, requestId: number): CommandOutcome {
  switch (raw.kind) {
    case 'ok':
      return { kind: 'ok', requestId, value: decodeValue(raw.value), index: raw.index, replayed: raw.replayed }
    case 'rejected':
      return {
        kind: 'rejected',
        requestId,
        code: raw.code,
        details: decodeValue(raw.details),
        index: raw.index,
        replayed: raw.replayed,
      }
    case 'notExecuted':
      return { kind: 'notExecuted', requestId, code: raw.code, details: decodeValue(raw.details) }
    case 'unknown':
      return { kind: 'unknown', requestId, code: raw.code }
    default:
      return unreachable(raw)
  }
}

/** The outcome of a query as users see it. */
export function queryOutcome(raw: RawQueryOutcome): QueryOutcome {
  switch (raw.kind) {
    case 'ok':
      return { kind: 'ok', value: decodeValue(raw.value), index: raw.index }
    case 'rejected':
      return { kind: 'rejected', code: raw.code, details: decodeValue(raw.details) }
    case 'failed':
      return raw
    default:
      return unreachable(raw)
  }
}
