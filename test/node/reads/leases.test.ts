import { describe, expect, test } from 'vitest'
import { DEFAULT_RAFT } from '../../../src/node/options.ts'
import { Cluster } from '../cluster.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'
import { Read } from './a-read.ts'

const TERMS = { ms: 300, driftPermille: 100 }
/** Δ · (1 + ε), in which a new leader commits nothing of its own. */
const DEFERRAL_MS = 330

function withLeases(leases: () => typeof TERMS | null = () => TERMS): Cluster {
  const cluster = Cluster.started({ leases })
  cluster.until(() => cluster.nodes.every(({ driver }) => driver.status().leaseMs === TERMS.ms), 'leases are in force')
  return cluster
}

/** A first read makes the leader append an entry that is a ground for a lease. */
function warm(cluster: Cluster): void {
  const read = new Read(cluster.leader)
  cluster.clock.settle()
  expect(read.servedAt).not.toBeNull()
}

function servedNow(cluster: Cluster, node: TestNode): boolean {
  const read = new Read(node)
  cluster.clock.settle()
  return read.servedAt !== null
}

const roundsOf = (node: TestNode): number => node.driver.status().readRounds

describe('leases', () => {
  test('a leader answers reads without a message, and another node with its question and the answer', () => {
    const cluster = withLeases()
    warm(cluster)
    // What it has appended is known to be committed everywhere.
    cluster.clock.advance(DEFAULT_RAFT.commitNewsMs)
    const { network, leader } = cluster
    const rounds = roundsOf(leader)
    const [follower] = cluster.followers
    if (follower === undefined) throw new Error('there are followers')
    const before = network.sent.length
    expect(servedNow(cluster, leader)).toBe(true)
    expect(network.sent.length).toBe(before)
    expect(servedNow(cluster, follower)).toBe(true)
    expect(network.sent.slice(before).map(({ body }) => body.kind === 'raft' && body.message.kind)).toEqual([
      'readIndex',
      'readIndexResponse',
    ])
    // Later an entry renews the lease now and then, while somebody reads.
    for (let at = 0; at < 20; at += 1) {
      cluster.clock.advance(20)
      expect(servedNow(cluster, leader)).toBe(true)
    }
    expect(roundsOf(leader)).toBe(rounds)
    expect([leader, follower].map(({ driver }) => driver.status().leaseHeld)).toEqual([true, false])
    cluster.clock.advance(TERMS.ms)
    expect(leader.driver.status().leaseHeld).toBe(false)
  })

  test('without them each read asks the others', () => {
    const cluster = Cluster.started()
    expect(cluster.leader.driver.status()).toMatchObject({ leaseMs: 0, leaseHeld: false })
    const rounds = roundsOf(cluster.leader)
    for (let at = 0; at < 5; at += 1) warm(cluster)
    expect(roundsOf(cluster.leader)).toBe(rounds + 5)
  })

  test('wait for a member whose build does not know them, and are put in force once it does', () => {
    const cluster = new Cluster({ leases: () => TERMS })
    const [old] = cluster.nodes
    if (old === undefined) throw new Error('there are nodes')
    cluster.network.leaseless.add(old.id)
    for (const node of cluster.nodes) node.start()
    // Not the old one: the others’ view of it counts.
    const leader = cluster.elect()
    if (leader === old) cluster.network.leaseless.clear()
    else {
      cluster.clock.advance(2000)
      expect(leader.driver.status().leaseMs).toBe(0)
      cluster.network.leaseless.clear()
    }
    cluster.until(() => leader.driver.status().leaseMs === TERMS.ms, 'leases are in force')
  })

  test('are ended by a leader that is started to', () => {
    let leases: typeof TERMS | null = TERMS
    const cluster = withLeases(() => leases)
    leases = null
    for (const node of cluster.nodes) node.restart()
    cluster.elect()
    cluster.until(() => cluster.nodes.every(({ driver }) => driver.status().leaseMs === 0), 'there are none')
  })

  test('after an election without a hand-over a write waits for the lease before to be over, and a read does not', () => {
    const cluster = withLeases()
    warm(cluster)
    const session = openSession(cluster.leader)
    cluster.clock.advance(100)
    const applied = cluster.leader.machine.appliedIndex
    const next = successorOf(cluster)
    const read = new Read(next)
    cluster.clock.settle()
    expect(read.servedAt).toBeGreaterThanOrEqual(applied)
    expect([next.driver.leading, next.driver.status().leaseHeld]).toEqual([false, true])
    cluster.clock.advance(DEFERRAL_MS - 20)
    expect(next.driver.leading).toBe(false)
    cluster.clock.advance(30)
    expect(next.driver.leading).toBe(true)
    const write = submit(next, session, 1)
    cluster.clock.settle()
    expect(resultOf(write)).toBe(1)
  })

  test('a leader that is asked to hand over before that does so then, and its successor defers to nobody', () => {
    const cluster = withLeases()
    warm(cluster)
    const next = successorOf(cluster)
    const told: { readonly outcome: string; readonly at: number }[] = []
    const askedAt = cluster.clock.monotonicMs()
    next.driver.transferLeadership(null, (outcome) => told.push({ outcome, at: cluster.clock.monotonicMs() - askedAt }))
    cluster.clock.advance(2 * DEFERRAL_MS)
    expect(told).toMatchObject([{ outcome: 'handedOver' }])
    expect(told[0]?.at).toBeLessThan(DEFERRAL_MS + 30)
    expect(next.driver.role).toBe('follower')
    cluster.until(() => cluster.nodes.some((node) => node !== next && node.driver.leading), 'the third one leads')
    expect(cluster.clock.monotonicMs() - askedAt).toBeLessThanOrEqual(2 * DEFERRAL_MS)
  })
})

/** Whoever is elected once the leader is cut off from all, as soon as it leads. */
function successorOf(cluster: Cluster): TestNode {
  const old = cluster.leader
  cluster.network.isolate(old.driver.id)
  const leads = (): TestNode | undefined => cluster.nodes.find((node) => node !== old && node.driver.role === 'leader')
  cluster.until(() => leads() !== undefined, 'another one is elected')
  const next = leads()
  if (next === undefined) throw new Error('it leads')
  return next
}
