import type { RaftNode } from '../api.ts'
import type { Clock } from '../ports/clock.ts'
import { whenLed } from './when-led.ts'

/**
 * A leader that is to close hands over first (raft.md §4): what was proposed is answered, and its clients are told of the next
 * leader while it still serves them; it waits for `withinMs` to hear who that is. It closes all the same where nobody takes
 * over. Resolves at once on any other node.
 */
export function handOver(node: RaftNode, parts: { readonly clock: Clock; readonly withinMs: number }): Promise<void> {
  return new Promise((resolve) =>
    node.transferLeadership(null, (outcome) => {
      if (outcome !== 'handedOver') resolve()
      else whenLed(node, parts, () => resolve())
    }),
  )
}
