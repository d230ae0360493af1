import type { CachedResponse, ClientSession } from './client-session.ts'
import { rowValue } from './dictionary.ts'
import type { ReplicatedState } from './replicated-state.ts'
import { FAMILY } from './row-keys.ts'

/** The response cached under a request id, or null (FR-007). Ids above the highest executed one cost nothing. */
export function cachedResponse(session: ClientSession, requestId: number): CachedResponse | null {
  if (requestId > session.row.highest) return null
  const found = session.responses[session.responsePosition(requestId)]
  return found !== undefined && found.requestId === requestId ? found : null
}

/** Caches what a request was answered with (FR-008). */
export function cacheResponse(state: ReplicatedState, session: ClientSession, response: CachedResponse): void {
  const row = state.draft(session)
  if (response.requestId > row.highest) row.highest = response.requestId
  row.cachedBytes += response.bytes
  session.addResponse(response)
  state.dictionary.setUnordered(responseKey(state, session, response.requestId), rowValue(response))
}

/**
 * Raises the floor and drops the cached responses below it (LR-003: exclusive). A lower floor is ignored (LR-004). The
 * only way by which a response leaves while its session lives. Cost is the number dropped.
 */
export function raiseFloor(state: ReplicatedState, session: ClientSession, floor: number): void {
  const row = state.draft(session)
  if (floor <= row.floor) return
  row.floor = floor
  const first = session.responses[0]
  if (first === undefined || first.requestId >= floor) return
  for (const response of session.responses.splice(0, session.responsePosition(floor))) {
    row.cachedBytes -= response.bytes
    state.dictionary.deleteUnordered(responseKey(state, session, response.requestId), response.index)
  }
}

export function responseKey(state: ReplicatedState, session: ClientSession, requestId: number): string {
  session.responsePrefix ??= state.keys.row(FAMILY.response, session.row.index)
  return state.keys.numbered(session.responsePrefix, requestId)
}
