import type { PayloadByKind } from '../../codec/entry/payload.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'

/** KeepAlive (sessions.md §4): renews the sessions whose clients have pinged, and tells which of them live. */
export function applyKeepAlive(state: ReplicatedState, { sessions }: PayloadByKind['KeepAlive']): Reply {
  const alive = sessions.map((named) => {
    const session = state.sessions.find(named)
    if (session !== null) state.renew(session)
    return session !== null
  })
  return { kind: 'keptAlive', alive }
}
