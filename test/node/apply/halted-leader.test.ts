import { describe, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { openSession, submit } from '../commands.ts'
import { TestClock } from '../test-clock.ts'
import { TestNode } from '../test-node.ts'

/** The election timeout's maximum. */
const TIMEOUT_MS = 600

describe('a leader that has halted', () => {
  test('hands over within an election timeout, and the next one serves', () => {
    const cluster = Cluster.started()
    const halting = cluster.leader
    const session = openSession(halting)
    halting.haltsAt = session + 1
    const lost = submit(halting, session, 1)
    cluster.clock.settle()
    expect(lost.told).toBe('lost')
    const began = cluster.clock.monotonicMs()
    cluster.until(() => cluster.running.some(({ driver }) => driver.leading), 'another node leads')
    expect(cluster.clock.monotonicMs() - began).toBeLessThanOrEqual(TIMEOUT_MS + 100)
    const next = cluster.leader
    expect(next).not.toBe(halting)
    const told = submit(next, session, 2)
    cluster.clock.advance(200)
    expect(told.told).toBe('settled')
    // It follows, and stays what it is: nobody else has to be elected any more.
    const { term } = next.driver.status()
    cluster.clock.advance(20 * TIMEOUT_MS)
    expect(halting.driver.status()).toMatchObject({ role: 'follower', leader: next.id, term })
    expect(halting.driver.status().halted).not.toBeNull()
  })

  test('leads again where nobody else has its log, and hands over once somebody has', () => {
    const cluster = Cluster.started()
    const halting = cluster.leader
    const session = openSession(halting)
    cluster.clock.advance(200)
    const [behind, other] = cluster.followers
    if (behind === undefined || other === undefined) throw new Error('three nodes')
    behind.crash()
    submit(halting, session, 1)
    cluster.clock.advance(200)
    other.crash()
    halting.haltsAt = session + 2
    halting.restart()
    behind.start()
    cluster.until(() => behind.driver.leading, 'the node that was behind leads')
    expect(behind.driver.status().commitIndex).toBeGreaterThan(session + 1)
    expect(halting.driver.status()).toMatchObject({ role: 'follower', halted: { index: session + 2 } })
  })

  test('is replaced by nobody where all have halted: nobody serves, and terms do not race', () => {
    const cluster = Cluster.started()
    const { leader } = cluster
    const session = openSession(leader)
    for (const node of cluster.nodes) node.haltsAt = session + 1
    submit(leader, session, 1)
    cluster.clock.advance(5000)
    expect(cluster.nodes.map(({ driver }) => driver.halted?.index)).toEqual([session + 1, session + 1, session + 1])
    const before = leader.driver.status().term
    cluster.clock.advance(60_000)
    // At most one election in the two timeouts that everybody is reluctant for.
    expect(leader.driver.status().term - before).toBeLessThanOrEqual(60_000 / (2 * TIMEOUT_MS))
    expect(cluster.nodes.map(({ driver }) => driver.leading)).toEqual([false, false, false])
    expect(submit(leader, session, 2).told).toBe('refused HALTED')
  })

  test('stays leader where it is the only voter: there is nobody to hand over to', () => {
    const node = new TestNode({ clock: new TestClock() }).start()
    const session = openSession(node)
    node.haltsAt = session + 1
    submit(node, session, 1)
    const { term } = node.driver.status()
    node.options.clock.advance(60_000)
    expect(node.driver.status()).toMatchObject({ role: 'leader', term, leader: null })
    expect(node.stopped).toEqual([])
  })
})
