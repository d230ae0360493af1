import type { Value } from '../../codec/value/value.ts'

/** A request from the server to this session (sessions.md §5). */
export interface ReceivedRequest {
  readonly serverRequestId: number
  readonly type: string
  readonly payload: Value
  /** 1 for the first sending. */
  readonly attempt: number
  /** Log index and log time of the command that emitted it. */
  readonly index: number
  readonly now: number
}
