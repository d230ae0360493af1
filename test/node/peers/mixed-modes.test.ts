import { expect, test } from 'vitest'
import type { NodeEvent } from '../../../src/node/api.ts'
import { Cluster } from '../cluster.ts'
import { openSession, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'

/** Of the nodes, who is in development; asked at each start. */
function clusterWith(development: ReadonlySet<string>): Cluster {
  return new Cluster({}, ['n1', 'n2', 'n3'], (id) => ({ development: () => development.has(id) }))
}

function differing(node: TestNode): NodeEvent[] {
  const events: NodeEvent[] = []
  node.driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: () => undefined,
    noted: (event) => void (event.kind === 'modeDiffers' && events.push(event)),
  })
  return events
}

test('a node that comes back in the other mode is cut off, whoever leads, and the others serve', () => {
  const development = new Set<string>()
  const cluster = clusterWith(development)
  for (const node of cluster.nodes) node.start()
  const odd = cluster.elect()
  const others = cluster.followers
  const said = others.map(differing)
  development.add(odd.id)
  odd.restart()
  const before = odd.driver.raftState
  cluster.until(() => others.some((node) => node.driver.leading), 'another node leads')
  const { leader } = cluster
  submit(leader, openSession(leader), 1)
  cluster.clock.advance(5000)
  expect(odd.driver.raftState.lastIndex).toBe(before.lastIndex)
  expect(odd.driver.raftState.currentTerm).toBe(before.currentTerm)
  expect(said).toEqual(others.map(() => [{ kind: 'modeDiffers', peer: odd.id, development: true }]))
  expect(leader.driver.status().peerBuilds).toContainEqual(expect.objectContaining({ id: odd.id, development: true }))
  // It is a member again once it is like the others.
  development.delete(odd.id)
  odd.restart()
  cluster.until(() => odd.driver.status().appliedIndex === leader.driver.status().appliedIndex, 'it catches up')
})

test('a new cluster with a node of another mode elects nobody', () => {
  const cluster = clusterWith(new Set(['n2']))
  for (const node of cluster.nodes) node.start()
  cluster.clock.advance(10_000)
  expect(cluster.nodes.map((node) => node.driver.status().term)).toEqual([0, 0, 0])
  expect(cluster.node('n1').driver.status().awaited).toEqual(['n2'])
})
