import type { ServerRequestAckPayload } from '../../codec/entry/payload.ts'
import { acknowledge } from '../clients/outbox.ts'
import { assignToRolesOf } from '../run/task-assignment.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { checkEpoch, refused, refuseUnknown } from './replies.ts'

/**
 * ServerRequestAck (sessions.md §5): a cumulative ack that rides on no command. It renews, and makes room in the outbox,
 * which a waiting task may take at once. One beyond the last id, or below 1, changes nothing.
 */
export function applyServerRequestAck(state: ReplicatedState, payload: ServerRequestAckPayload): Reply {
  const session = state.sessions.find(payload)
  if (session === null) return refuseUnknown(state, payload)
  const refusal = checkEpoch(session, payload.epoch)
  if (refusal !== null) return refusal
  const upTo = payload.serverRequestId
  if (!Number.isSafeInteger(upTo) || upTo < 1 || upTo > session.row.lastId) {
    return refused('INVALID_ACK', { last: session.row.lastId })
  }
  state.renew(session)
  acknowledge(state, session, upTo)
  assignToRolesOf(state, session)
  return { kind: 'acknowledged', upTo: session.row.acknowledged }
}
