import { expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'

const IDLE_MS = 10_000

test('a node of a new cluster takes its wall clock for now, not the empty log', () => {
  const cluster = new Cluster()
  for (const node of cluster.nodes) node.start()
  expect(cluster.clock.wallMs()).toBeGreaterThan(IDLE_MS)
  for (const node of cluster.nodes) expect(node.driver.logNow()).toBe(cluster.clock.wallMs())
})

test("a follower's now goes on while an idle cluster writes nothing", () => {
  const cluster = Cluster.started()
  const [follower] = cluster.followers
  const before = follower?.driver.logNow() ?? 0
  const { lastIndex } = cluster.leader.driver.status()
  cluster.clock.advance(IDLE_MS)
  expect(cluster.leader.driver.status().lastIndex).toBe(lastIndex)
  expect(follower?.driver.logNow()).toBeGreaterThanOrEqual(before + IDLE_MS - 1000)
  expect(follower?.driver.logNow()).toBeLessThanOrEqual(before + IDLE_MS + 1000)
})
