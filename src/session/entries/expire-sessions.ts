import type { ExpireSessionsPayload } from '../../codec/entry/payload.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { endSession } from './end-session.ts'
import { NO_REPLY } from './replies.ts'

/**
 * ExpireSessions: a compare-and-set (sessions.md §4). A session renewed since the leader looked is skipped, and so is one
 * that is not overdue at this entry's lease.
 */
export function applyExpireSessions(
  state: ReplicatedState,
  runner: MachineRunner,
  payload: ExpireSessionsPayload,
): Reply {
  for (const named of payload.sessions) {
    const session = state.sessions.find(named)
    if (session === null || session.row.renewedAtIndex !== named.renewedAtIndex) continue
    if (session.row.renewedLease + session.row.timeoutMs > state.lease) continue
    endSession(state, runner, session, 'expired')
  }
  return NO_REPLY
}
