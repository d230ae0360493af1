import type { Value } from '../codec/value/value.ts'
import type { InProcessServer } from './connection/in-process.ts'
import type { ClientEnvironment } from './connection/ports.ts'
import type { ReceivedRequest } from './session/received-request.ts'
import type { LostReason } from './session/session-events.ts'
import type { SessionToken } from './session/session-settings.ts'
import type { MachineLike } from './session/typed-machines.ts'

/**
 * How to connect and whom the session is for; all but `principal` and one of `endpoints` and `embedded` may be left out. What
 * a callback throws, or a promise of it rejects with, is warned about and harms nothing.
 */
export interface ConnectOptions<Machines extends readonly MachineLike[]> {
  /** Addresses `host:port` or `[v6]:port` of any nodes, 1 to 64; the leader is found from there. */
  readonly endpoints?: readonly string[]
  /** A node in this process, instead of endpoints. */
  readonly embedded?: InProcessServer
  /** Who acts, `kind:id`, e.g. `user:42`. */
  readonly principal: string
  /** At most 64, of 1 to 128 printable ASCII characters. */
  readonly roles?: readonly string[]
  /** Plain data, at most 16 KiB when encoded; what is set later does not count. */
  readonly capabilities?: { readonly [name: string]: Value }
  /** Shown to operators; at most 512 characters. */
  readonly name?: string
  /**
   * The server ends the session after this long without a sign of life: 1 ms to ten years, of which it grants what its
   * limits allow. Default 30 s.
   */
  readonly timeoutMs?: number
  /** The server refuses a command whose predecessor is missing. Default false. */
  readonly ordered?: boolean
  /** Takes up a session instead of opening one (`session.token` of its last holder). */
  readonly resume?: SessionToken
  /** Definitions whose commands and queries become typed methods. */
  readonly machines?: Machines
  /** Default deadline of commands and queries, from 0 to 2^31 − 1 ms. Default 10 s. */
  readonly deadlineMs?: number
  /** Time for connecting and opening, from 0 to 2^31 − 1 ms. Default 10 s. */
  readonly connectDeadlineMs?: number
  /** The session is no more; a new one is never opened silently. */
  readonly onSessionLost?: (reason: LostReason) => void
  readonly onSuspended?: () => void
  readonly onResumed?: () => void
  /** A handler of a server request failed; the request comes again. Absent: a warning, once per type. */
  readonly onHandlerError?: (error: unknown, request: Pick<ReceivedRequest, 'serverRequestId' | 'type'>) => void
  /**
   * A server request has waited 250 ms and nothing handles its type: no handler, no `*`, no iterator. It goes on waiting, and
   * those behind it too, because acknowledgements are cumulative, until `on` or `serverRequests` takes it. Once per type.
   * Absent: a warning.
   */
  readonly onUnhandledRequest?: (request: Pick<ReceivedRequest, 'serverRequestId' | 'type'>) => void
  /** Replaces sockets, clocks and randomness: the simulator's. */
  readonly environment?: ClientEnvironment
}
