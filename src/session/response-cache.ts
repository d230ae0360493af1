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
  session.responsePrefix ??= state.keys.row(FAMILY.response, row.index)
  const key = state.keys.numbered(session.responsePrefix, response.requestId)
  session.addResponse(response, key)
  state.dictionary.setUnordered(key, rowValue(response))
}

/**
 * Raises the floor and drops the cached responses below it (LR-003: exclusive). A lower floor is ignored (LR-004). The
 * only way by which a response leaves while its session lives. Cost is the number dropped.
 */
export function raiseFloor(state: ReplicatedState, session: ClientSession, floor: number): void {
  const row = state.draft(session)
  if (floor <= row.floor) return
  row.floor = floor
  dropResponses(state, session, session.responsePosition(floor))
}

/** Drops the first `count` cached responses. */
export function dropResponses(state: ReplicatedState, session: ClientSession, count: number): void {
  const { responses, responseKeys, row } = session
  if (count === 0) return
  for (let at = 0; at < count; at += 1) {
    const response = responses[at] as CachedResponse
    row.cachedBytes -= response.bytes
    state.dictionary.deleteUnordered(responseKeys[at] as string, response.index)
  }
  if (count === responses.length) {
    responses.length = 0
    responseKeys.length = 0
    return
  }
  responses.splice(0, count)
  responseKeys.splice(0, count)
}
