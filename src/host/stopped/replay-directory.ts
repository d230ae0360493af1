import { replayHistory, type ReplayReport } from '../../assembly/replay/replay-history.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mountable } from '../../machine/index.ts'
import { withStoppedNode } from './open-stopped.ts'

/**
 * Applies the history in a stopped node's data directory again, with these machines, and with `against` beside them if given.
 * The directory is only read. Rejects with StartError, as `withStoppedNode` does.
 */
export function replayDirectory(
  path: string,
  machines: readonly Mountable[],
  against: readonly Mountable[] | null,
): Promise<ReplayReport> {
  return withStoppedNode(path, (node) =>
    replayHistory(node, mount(machines, sessionCodec), against === null ? null : mount(against, sessionCodec)),
  )
}
