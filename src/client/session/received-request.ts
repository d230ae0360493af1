import type { Value } from '../../codec/value/value.ts'

/** A request from the server to this session (sessions.md §5). */
export interface ReceivedRequest<Type extends string = string, Payload = Value> {
  readonly serverRequestId: number
  /** `machine.type` of a machine's own; `task` and `notification` of the framework. */
  readonly type: Type
  readonly payload: Payload
  /** 1 for the first sending. */
  readonly attempt: number
  /** Log index and log time of the command that emitted it. */
  readonly index: number
  readonly now: number
}
