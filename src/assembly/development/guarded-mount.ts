import type { Mount } from '../../machine/index.ts'
import { withDeterminismGuard } from './determinism-guard.ts'

/** Mounted machines under the determinism guard, for a node with `development`. */
export function guardedMount<Mounted extends Pick<Mount, 'userMachine'>>(machines: Mounted): Mounted {
  return { ...machines, userMachine: withDeterminismGuard(machines.userMachine) }
}
