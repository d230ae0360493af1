import type { SessionNumbers } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { RefusalCode, Reply } from '../state-machine.ts'

/** The answer to an entry that nobody waits for. */
export const NO_REPLY: Reply = { kind: 'none' }

export type Refused = Extract<Reply, { kind: 'refused' }>

export function refused(code: RefusalCode, details: Value = null): Refused {
  return { kind: 'refused', code, details }
}

/** sessions.md §3, step 1: an ended session is told apart from one that never was while its tombstone stands. */
export function refuseUnknown(state: ReplicatedState, numbers: SessionNumbers): Refused {
  const tombstone = state.tombstones.find(numbers)
  if (tombstone === null) return refused('SESSION_UNKNOWN')
  return refused('SESSION_EXPIRED', { at: tombstone.at, reason: tombstone.reason })
}

/** sessions.md §3, step 2: an old epoch is fenced; one that was never given is invalid. Null when it is the current one. */
export function checkEpoch(session: SessionRecord, epoch: number): Refused | null {
  const current = session.row.epoch
  if (epoch === current) return null
  return epoch < current ? refused('FENCED', { current }) : refused('INVALID', { reason: 'EPOCH' })
}
