import type { AttachSessionPayload } from '../../codec/entry/payload.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { binaryString } from '../rows/binary-string.ts'
import { refused, refuseUnknown } from './replies.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'

/**
 * AttachSession (sessions.md §4): a connection takes the session over, a compare-and-set on the epoch it replaces. Its
 * index is the new epoch. A repeated nonce gets the same epoch; either renews. A wrong secret and an unknown session look
 * the same to a stranger, also where a tombstone stands.
 */
export function applyAttachSession(state: ReplicatedState, payload: AttachSessionPayload): Reply {
  const secret = binaryString(payload.secretHash)
  const session = state.sessions.find(payload)
  if (session === null) {
    const known = state.tombstones.find(payload)?.secret === secret
    return known ? refuseUnknown(state, payload) : refused('SESSION_UNKNOWN')
  }
  if (session.row.secret !== secret) return refused('SESSION_UNKNOWN')
  const nonce = binaryString(payload.nonce)
  const repeated = session.row.epoch > 0 && session.row.nonce === nonce
  if (!repeated && payload.replaces !== session.row.epoch) {
    return refused('ATTACH_CONFLICT', { current: session.row.epoch })
  }
  const row = state.renew(session)
  if (!repeated) {
    row.epoch = state.index
    row.nonce = nonce
  }
  // Everything waiting is sent again at once, so that is when the wait for acks starts anew.
  row.resentAt = state.now
  if (session.outbox.length > 0) state.listForDelivery(session)
  return attached(session)
}

function attached(session: SessionRecord): Reply {
  const { info, terms, epoch, highest, floor, acknowledged } = session.row
  const nextRequestId = Math.max(highest + 1, floor)
  return { kind: 'attached', sessionId: info.id, epoch, nextRequestId, acknowledged, timeoutMs: terms.timeoutMs }
}
