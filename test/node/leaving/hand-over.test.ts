import { expect, test } from 'vitest'
import { handOver } from '../../../src/node/leaving/hand-over.ts'
import { Cluster } from '../cluster.ts'
import type { TestNode } from '../test-node.ts'

/** The drivers' defaults. */
const ELECTION_MIN_MS = 300
const HEARTBEAT_MS = 50

/** A leader that has heard nobody for longer than a target may be silent, and leads still. */
function unheard(cluster: Cluster): TestNode {
  const { leader } = cluster
  cluster.network.isolate(leader.driver.id)
  cluster.clock.advance(ELECTION_MIN_MS + 2 * HEARTBEAT_MS)
  expect(leader.driver.role).toBe('leader')
  return leader
}

/** Begins to hand over; says whether that is over. */
function leaving(cluster: Cluster, leader: TestNode, reachable: () => boolean): () => Promise<boolean> {
  const parts = { clock: cluster.clock, withinMs: ELECTION_MIN_MS, againMs: HEARTBEAT_MS, reachable }
  let over = false
  void handOver(leader.driver, parts).then(() => {
    over = true
  })
  return async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return over
  }
}

test('a leader that closes and has heard nobody lately asks again, and hands over as soon as it hears somebody', async () => {
  const cluster = Cluster.started()
  const leader = unheard(cluster)
  const isOver = leaving(cluster, leader, () => true)
  cluster.clock.advance(1)
  expect(await isOver()).toBe(false)
  cluster.network.heal()
  cluster.clock.advance(3 * HEARTBEAT_MS)
  expect(await isOver()).toBe(true)
  expect([leader.driver.role, leader.driver.leader]).toEqual(['follower', cluster.leader.driver.id])
})

test('who listens is told once that a transfer has begun, while the node still leads, and not of one that is refused', () => {
  const cluster = Cluster.started()
  const { leader } = cluster
  const told: string[] = []
  for (const { driver } of [leader, ...cluster.followers])
    driver.listen({
      applied: () => undefined,
      batchApplied: () => undefined,
      roleChanged: () => undefined,
      stopped: () => undefined,
      handingOver: () => told.push(`${driver.id} ${driver.role}`),
    })
  const outcomes: string[] = []
  leader.driver.transferLeadership(leader.driver.id, (outcome) => outcomes.push(outcome))
  cluster.clock.advance(1)
  expect([told, outcomes]).toEqual([[], ['alreadyLeads']])
  leader.driver.transferLeadership(null, (outcome) => outcomes.push(outcome))
  leader.driver.transferLeadership(null, (outcome) => outcomes.push(outcome))
  cluster.clock.advance(3 * HEARTBEAT_MS)
  expect(outcomes).toEqual(['alreadyLeads', 'handedOver', 'handedOver'])
  expect(told).toEqual([`${leader.driver.id} leader`])
})

test('it closes at once where no other voter can be reached', async () => {
  const cluster = Cluster.started()
  const isOver = leaving(cluster, unheard(cluster), () => false)
  cluster.clock.advance(1)
  expect(await isOver()).toBe(true)
})

test('where nobody takes over, it closes after three times what a transfer may take', async () => {
  const cluster = Cluster.started()
  const { leader } = cluster
  for (const other of cluster.followers) other.holdDisk()
  const isOver = leaving(cluster, leader, () => true)
  cluster.clock.advance(2 * ELECTION_MIN_MS)
  expect(await isOver()).toBe(false)
  cluster.clock.advance(3 * ELECTION_MIN_MS)
  expect(await isOver()).toBe(true)
})
