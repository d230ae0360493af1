import type { Value } from '../../codec/value/value.ts'
import type { ServerRequestMessage } from '../../protocol/down-message.ts'
import type { InboxHandler } from './request-inbox.ts'

/** Why a session is no more. */
export type LostReason =
  | 'SESSION_EXPIRED'
  | 'SESSION_UNKNOWN'
  | 'SUPERSEDED'
  | 'CLUSTER_CHANGED'
  | 'WRONG_GROUP'
  | 'SESSION_CLOSED'

/**
 * How a session stands: not attached for the first time yet, attached, suspended (nothing was confirmed for its timeout: it may
 * have expired, and only the server can tell), or over (lost, closed, detached or refused).
 */
export type ClientSessionState = 'opening' | 'attached' | 'suspended' | 'over'

/** What becomes of a session. Exactly one of `onRefused` and `onLost` is the last call, unless it is closed. */
export interface SessionEvents {
  /** Attached for the first time: commands reach the log. */
  onReady(): void
  /** It cannot be opened or taken up: the code of the refusal. */
  onRefused(code: string, details: Value): void
  /** Nothing was heard for the session's timeout: it may have expired, and only the server can tell. */
  onSuspended(): void
  /** Something was heard after all: the session lives. */
  onResumed(): void
  /** The session is no more; every command has been given its outcome. */
  onLost(reason: LostReason): void
  /** A handler of a server request failed; the request is tried again. */
  onHandlerError(error: unknown, request: ServerRequestMessage): void
  readonly onServerRequest: InboxHandler
}
