import { describe, expect, test } from 'vitest'
import { Cluster, raftOf } from '../cluster.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import { Read, WAIT_MS } from './a-read.ts'

describe('a linearizable read', () => {
  test('Q-007 Q-013 is served at every node from a state that holds the newest write', () => {
    const cluster = Cluster.started()
    const session = openSession(cluster.leader)
    const write = submit(cluster.leader, session, 1)
    cluster.clock.settle()
    expect(resultOf(write)).toBe(1)
    const reads = cluster.nodes.map((node) => new Read(node))
    cluster.clock.settle()
    for (const read of reads) expect(read.servedAt).toBeGreaterThanOrEqual(write.index)
  })

  test('shares its round with all that arrive in the same turn: two messages to each follower, not two a read', () => {
    const cluster = Cluster.started()
    const { network, leader } = cluster
    cluster.clock.settle()
    const before = network.sent.length
    const reads = Array.from({ length: 500 }, () => new Read(leader))
    cluster.clock.settle()
    expect(reads.every((read) => read.servedAt !== null)).toBe(true)
    expect(network.sent.length - before).toBe(4)
  })

  test('at a sole voter sends nothing and waits for nothing', () => {
    const cluster = Cluster.started({}, ['n1'])
    const before = cluster.network.sent.length
    const read = new Read(cluster.leader)
    expect(read.servedAt).toBeNull()
    cluster.clock.settle()
    expect(read.servedAt).not.toBeNull()
    expect(cluster.network.sent.length).toBe(before)
  })

  test('at a leader that is cut off is not served from what it holds: it waits, and its time runs out', () => {
    const cluster = Cluster.started()
    const old = cluster.leader
    const session = openSession(old)
    cluster.network.isolate(old.id)
    const read = new Read(old)
    const next = cluster.elect([old])
    const write = submit(next, session, 1)
    cluster.clock.settle()
    expect([resultOf(write), read.servedAt]).toEqual([1, null])
    cluster.clock.advance(WAIT_MS)
    expect([read.servedAt, read.failure]).toEqual([null, 'READ_UNCONFIRMED'])
  })

  test('that waits while leaders change is asked of the next one, and sees what that one has written', () => {
    const cluster = Cluster.started()
    const old = cluster.leader
    const session = openSession(old)
    cluster.network.isolate(old.id)
    const read = new Read(old, 60_000)
    const next = cluster.elect([old])
    const write = submit(next, session, 1)
    cluster.clock.settle()
    cluster.network.heal()
    cluster.until(() => read.servedAt !== null, 'the read is served')
    expect(read.servedAt).toBeGreaterThanOrEqual(write.index)
    expect(read.begins).toBeGreaterThan(1)
  })

  test('of a follower whose question, or its answer, was lost is asked again', () => {
    const cluster = Cluster.started()
    const [follower] = cluster.followers
    if (follower === undefined) throw new Error('there are followers')
    for (const kind of ['readIndex', 'readIndexResponse'] as const) {
      let lost = 0
      cluster.network.script = (frame) => {
        if (raftOf(frame, kind) === null || lost > 0) return frame
        lost += 1
        return null
      }
      const read = new Read(follower)
      cluster.clock.settle()
      expect(read.servedAt).toBeNull()
      cluster.clock.advance(150)
      expect([lost, read.servedAt === null]).toEqual([1, false])
    }
  })

  test('waits at a follower until it has applied the index', () => {
    const cluster = Cluster.started()
    const [follower] = cluster.followers
    if (follower === undefined) throw new Error('there are followers')
    const session = openSession(cluster.leader)
    cluster.clock.advance(100)
    // It gets the index, and of the entries up to there nothing.
    cluster.network.script = (frame) =>
      frame.recipient === follower.id && raftOf(frame, 'appendEntries') !== null ? null : frame
    const write = submit(cluster.leader, session, 1)
    cluster.clock.settle()
    const read = new Read(follower)
    cluster.clock.advance(50)
    expect([resultOf(write), read.servedAt]).toEqual([1, null])
    cluster.network.script = (frame) => frame
    cluster.until(() => read.servedAt !== null, 'it catches up')
    expect(read.servedAt).toBeGreaterThanOrEqual(write.index)
  })

  test('is refused when the node halts or closes, and a closed node takes none', () => {
    const cluster = Cluster.started()
    const [halts, closes] = cluster.followers
    if (halts === undefined || closes === undefined) throw new Error('there are followers')
    cluster.network.isolate(cluster.leader.id)
    const reads = [halts, closes].map((node) => new Read(node))
    halts.haltsAt = 0
    closes.close()
    expect(reads[1]?.failure).toBe('SHUTTING_DOWN')
    expect(new Read(closes).failure).toBe('SHUTTING_DOWN')
    cluster.network.heal()
    openSession(cluster.elect([closes]))
    cluster.until(() => halts.driver.halted !== null, 'it halts')
    expect(new Read(halts).failure).toBe('HALTED')
  })
})
