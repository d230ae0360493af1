import type { EvictSessionPayload } from '../../../codec/entry/payload.ts'
import type { MachineRunner } from '../../run/machine-runner.ts'
import type { ReplicatedState } from '../../state/replicated-state.ts'
import type { Reply } from '../../state-machine.ts'
import { endSession } from '../end-session.ts'
import { refuseUnknown } from '../replies.ts'

/**
 * EvictSession: an operator ends a session, which for machines and its client is an expiry. No compare-and-set: the wish is of
 * the session, whatever its client has said since, and no other one ever has its id. Repeated it is refused as every entry of
 * a session that has ended.
 */
export function applyEvictSession(state: ReplicatedState, runner: MachineRunner, payload: EvictSessionPayload): Reply {
  const session = state.sessions.find(payload)
  if (session === null) return refuseUnknown(state, payload)
  endSession(state, runner, session, 'expired', payload.note)
  return { kind: 'closed' }
}
