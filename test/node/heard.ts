import type { NodeEvent } from '../../src/node/api.ts'
import type { TestNode } from './test-node.ts'

/** Every event that the node tells from now on; `told` hears each at once. */
export function heard(node: TestNode, told: (event: NodeEvent) => void = () => undefined): NodeEvent[] {
  const events: NodeEvent[] = []
  node.driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: () => undefined,
    noted: (event) => {
      events.push(event)
      told(event)
    },
  })
  return events
}
