import type { Limits } from '../../codec/entry/payload.ts'
import { FAMILY } from '../rows/row-keys.ts'
import { rowValue } from '../rows/dictionary.ts'
import { foldLimits } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { NO_REPLY } from './replies.ts'

/** Limits (sessions.md §9): all of them, from this entry on. */
export function applyLimits(state: ReplicatedState, limits: Limits): Reply {
  foldLimits(state, limits)
  state.limits = limits
  state.dictionary.set(FAMILY.limits, rowValue(limits))
  return NO_REPLY
}
