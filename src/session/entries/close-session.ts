import type { CloseSessionPayload } from '../../codec/entry/payload.ts'
import { binaryString } from '../rows/binary-string.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { endSession } from './end-session.ts'
import { checkEpoch, refused, refuseUnknown } from './replies.ts'

/** CloseSession (sessions.md §4): with the current epoch, or with the secret when no connection is attached. */
export function applyCloseSession(state: ReplicatedState, runner: MachineRunner, payload: CloseSessionPayload): Reply {
  const session = state.sessions.find(payload)
  if (session === null) return refuseUnknown(state, payload)
  if (payload.secretHash.length > 0) {
    if (binaryString(payload.secretHash) !== session.row.secret) return refused('SESSION_UNKNOWN')
  } else {
    const refusal = checkEpoch(session, payload.epoch)
    if (refusal !== null) return refusal
  }
  endSession(state, runner, session, 'closed')
  return { kind: 'closed' }
}
