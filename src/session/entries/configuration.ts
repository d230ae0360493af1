import type { PayloadByKind } from '../../codec/entry/payload.ts'
import { foldIncarnation } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { NO_REPLY } from './replies.ts'

/** Configuration: of it, the session layer needs the incarnation alone, a part of every session's id (sessions.md §2). */
export function applyConfiguration(state: ReplicatedState, { incarnation }: PayloadByKind['Configuration']): Reply {
  state.incarnation = incarnation
  foldIncarnation(state)
  return NO_REPLY
}
