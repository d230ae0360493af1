import type { NodeId } from '../../base/brand.ts'
import type { RaftNode } from '../api.ts'
import type { Clock } from '../ports/clock.ts'

/**
 * Calls back once, as soon as a leader is known to this node, at once when one is; with null after `withinMs` at the latest,
 * and when the node stops before.
 */
export function whenLed(
  node: RaftNode,
  { clock, withinMs }: { readonly clock: Clock; readonly withinMs: number },
  done: (leader: NodeId | null) => void,
): void {
  let told = false
  const tell = (leader: NodeId | null): void => {
    if (told) return
    told = true
    timer.cancel()
    done(leader)
  }
  const timer = clock.setTimer(withinMs, () => tell(null))
  const check = (): void => {
    if (node.leader !== null) tell(node.leader)
  }
  node.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: check,
    stopped: () => tell(null),
  })
  check()
}
