import type { ExpireSessionsPayload } from '../../codec/entry/payload.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { endSession } from './end-session.ts'
import { NO_REPLY } from './replies.ts'

/** Waits that sessions of one entry may have ended with them, before it leaves the others to the next one: each is a hook. */
const WAITS_PER_ENTRY = 1024

/**
 * ExpireSessions: a compare-and-set (sessions.md §4), a step for each session that ends. A session renewed since the leader
 * looked is skipped, and so is one that is not overdue at this entry's lease. Sessions behind too many waits stay overdue, so
 * that the leader names them again.
 */
export function* applyExpireSessions(
  state: ReplicatedState,
  runner: MachineRunner,
  payload: ExpireSessionsPayload,
): Generator<void, Reply> {
  let waits = 0
  for (const named of payload.sessions) {
    if (waits >= WAITS_PER_ENTRY) break
    const session = state.sessions.find(named)
    if (session === null || session.row.renewedAtIndex !== named.renewedAtIndex) continue
    if (session.row.renewedLease + session.row.terms.timeoutMs > state.lease) continue
    waits += state.waits.ownedBy(session.row.info.id)
    endSession(state, runner, session, 'expired')
    yield
  }
  return NO_REPLY
}
