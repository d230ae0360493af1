import type { LimitsPayload, LimitsRow } from '../../codec/entry/payload.ts'
import { FAMILY } from '../rows/row-keys.ts'
import { rowValue } from '../rows/dictionary.ts'
import { assignAll } from '../run/task-assignment.ts'
import { foldLimits } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { NO_REPLY, refused } from './replies.ts'

/**
 * Limits (sessions.md §9): all of them, from this entry on. A change is a compare-and-set on the entry that made those it was
 * made of: of two operators who looked at the same ones, the second is refused with LIMITS_CHANGED and the entry that made
 * the present ones. What is above a lowered limit stays; what would add to it is refused.
 */
export function applyLimits(state: ReplicatedState, payload: LimitsPayload): Reply {
  const { basedOn, ...limits } = payload
  const present = state.limits.changedAt ?? 0
  if (basedOn !== undefined && basedOn !== present) return refused('LIMITS_CHANGED', { index: present })
  const row: LimitsRow = basedOn === undefined ? payload : { ...limits, changedAt: state.index }
  foldLimits(state, row)
  state.limits = row
  state.dictionary.set(FAMILY.limits, rowValue(row))
  assignAll(state)
  return NO_REPLY
}
