import type { NodeEvent } from '../../src/node/api.ts'
import type { TestNode } from './test-node.ts'

/** Every event that the node tells from now on. */
export function heard(node: TestNode): NodeEvent[] {
  const events: NodeEvent[] = []
  node.driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: () => undefined,
    noted: (event) => void events.push(event),
  })
  return events
}
