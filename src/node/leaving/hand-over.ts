import type { RaftNode } from '../api.ts'
import type { Clock } from '../ports/clock.ts'
import { whenLed } from './when-led.ts'

/** How long a node that closes waits to hear who leads in its place, ms: a minimum election timeout. */
const LEADER_KNOWN_MS = 300

/**
 * A leader that is to close hands over first (raft.md §4): what was proposed is answered, and its clients are told of the next
 * leader while it still serves them. It closes all the same where nobody takes over. Resolves at once on any other node.
 */
export function handOver(node: RaftNode, clock: Clock): Promise<void> {
  return new Promise((resolve) =>
    node.transferLeadership(null, (outcome) => {
      if (outcome !== 'handedOver') resolve()
      else whenLed(node, { clock, withinMs: LEADER_KNOWN_MS }, () => resolve())
    }),
  )
}
