import type { Value } from '../../codec/value/value.ts'

/**
 * Ids in [from, to] of server requests that this session was given and that never reach it; `from` ≤ `to`. Each was
 * dropped for want of room (`dropOldest`), replaced by a newer one of its type and key (`coalesce`), or moved to the dead
 * letters. In a session that was taken up, its earlier holder may have handled some of them.
 */
export interface LeftOut {
  readonly from: number
  readonly to: number
}

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
  /** What was left out just before this one; null: nothing. Whoever keeps what hints say must then ask for the whole of it. */
  readonly leftOut: LeftOut | null
}
