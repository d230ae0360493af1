import type { SessionRecord } from './session-record.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { CachedResponse } from '../rows/session-rows.ts'

/** The response cached under a request id, or null (FR-007). Ids above the highest executed one cost nothing. */
export function cachedResponse(session: SessionRecord, requestId: number): CachedResponse | null {
  if (requestId > session.row.highest) return null
  const found = session.responses[session.responsePosition(requestId)]
  return found !== undefined && found.requestId === requestId ? found : null
}

/** Caches what a request was answered with (FR-008). */
export function cacheResponse(state: ReplicatedState, session: SessionRecord, response: CachedResponse): void {
  const row = state.draft(session)
  if (response.requestId > row.highest) row.highest = response.requestId
  row.cachedBytes += response.bytes
  session.page.addResponse(response)
  state.heldRows += 1
}

/**
 * Raises the floor and drops the cached responses below it (LR-003: exclusive). A lower floor is ignored (LR-004). The
 * only way by which a response leaves while its session lives. Cost is the number dropped.
 */
export function raiseFloor(state: ReplicatedState, session: SessionRecord, floor: number): void {
  const row = state.draft(session)
  if (floor <= row.floor) return
  row.floor = floor
  dropResponses(state, session, session.responsePosition(floor))
}

/** Drops the first `count` cached responses of a session that this entry has drafted. */
export function dropResponses(state: ReplicatedState, session: SessionRecord, count: number): void {
  if (count === 0) return
  session.row.cachedBytes -= session.page.dropResponses(count, state.dictionary.swappedAt)
  state.heldRows -= count
}
