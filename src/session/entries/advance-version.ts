import type { PayloadByKind } from '../../codec/entry/payload.ts'
import { FAMILY } from '../rows/row-keys.ts'
import { foldVersion } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { NO_REPLY } from './replies.ts'

/**
 * AdvanceVersion (sessions.md §10): the version of a machine under which later entries are applied; it only rises. Nothing
 * proposes it yet, and `migrate` is not called.
 */
export function applyAdvanceVersion(state: ReplicatedState, { machine, to }: PayloadByKind['AdvanceVersion']): Reply {
  if (to <= state.activeVersion(machine)) return NO_REPLY
  state.versions.set(machine, to)
  state.dictionary.set(state.keys.row(FAMILY.version, machine), to)
  foldVersion(state, machine, to)
  return NO_REPLY
}
