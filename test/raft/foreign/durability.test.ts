import { describe, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N1, N2, N3, Solo } from '../solo.ts'

const PLAIN = { preVote: false, checkQuorum: false }

const answer = (solo: Solo) => solo.sent('appendEntriesResponse')[0]

/** Published bugs of other systems between the log in memory and the one on disk (docs/testing.md). */
describe('durability', () => {
  test('etcd #14370: a single node tells nobody of a command that its disk does not have', () => {
    const solo = new Solo({ log: [1], configuration: { voters: [N1], learners: [], outgoing: [], promoting: [] } })
    solo.persist()
    solo.persist()
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    expect(solo.applied()).toBeNull()
    const first = solo.write()?.write
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    solo.persist(first)
    expect(solo.applied()).toBe(solo.state.lastIndex - 1)
    solo.persist()
    expect(solo.applied()).toBe(solo.state.lastIndex)
  })

  test('yugabyte-db #32875: an empty request does not acknowledge what only memory holds', () => {
    const solo = new Solo({ log: [1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1, 1] }))
    const write = solo.write()?.write
    solo.receive(N2, appendEntries({ term: 1, prev: [4, 1], sequence: 2 }))
    // At once, by what the disk holds.
    expect(answer(solo)).toMatchObject({ after: null, message: { result: { success: true, matchIndex: 2 } } })
    // Nor does a retransmission of entries that are in memory already.
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1, 1], sequence: 3 }))
    expect(answer(solo)?.after).toBe(write)
    solo.persist()
    solo.receive(N2, appendEntries({ term: 1, prev: [4, 1], sequence: 4 }))
    expect(answer(solo)).toMatchObject({ after: null, message: { result: { success: true, matchIndex: 4 } } })
  })

  test('c5 #263: a follower answers heartbeats while its disk hangs, and a leader commits nothing on that', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    const before = cluster.state('n1').commitIndex
    cluster.crash('n3')
    cluster.node('n2').diskHeld = true
    cluster.propose('n1', 2)
    cluster.advance(2000)
    expect(cluster.state('n2').lastIndex).toBe(before + 2)
    expect(cluster.state('n1').commitIndex).toBe(before)
    cluster.completeWrites('n2')
    cluster.stabilize()
    expect(cluster.state('n1').commitIndex).toBe(before + 2)
  })

  test('redpanda #3114: a flush that ends after a truncation proves nothing of what was cut off', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1, 1, 1] }))
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    solo.persist(1)
    expect(solo.state.disk.durableIndex).toBe(2)
  })

  test('redpanda #16105: a flush that ends after a truncation proves nothing of what was appended in its place', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1, 1, 1] }))
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2, 2, 2, 2] }))
    solo.persist(1)
    expect(solo.state).toMatchObject({ lastIndex: 6, disk: { durableIndex: 2 } })
    solo.receive(N3, appendEntries({ term: 2, prev: [6, 2], sequence: 2 }))
    expect(answer(solo)?.after).toBe(2)
  })

  test('ra #637: a follower whose log was cut off reports no more than what is left of it on disk', () => {
    const solo = new Solo({ log: [1, 1, 1, 1], config: PLAIN })
    expect(solo.state.disk.durableIndex).toBe(4)
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2, 2] }))
    expect(solo.state.disk.durableIndex).toBe(2)
    solo.receive(N3, appendEntries({ term: 2, prev: [4, 2], sequence: 2 }))
    expect(answer(solo)?.after).toBe(1)
  })

  test('ra #516: a late completion confirms no entry of a higher term', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1] }))
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    solo.receive(N2, appendEntries({ term: 3, prev: [2, 1], entries: [3] }))
    for (const write of [1, 2]) {
      solo.persist(write)
      expect(solo.state.disk.durableIndex).toBe(2)
    }
    solo.persist(3)
    expect(solo.state.disk.durableIndex).toBe(3)
  })

  test('openraft #1960: completions that arrive in the wrong order take nothing back', () => {
    const solo = new Solo().lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    const first = solo.state.disk.lastWrite
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    solo.persist()
    const newest = solo.state
    solo.persist(first)
    expect(solo.state).toBe(newest)
    solo.receive(N2, matched({ term: 2, sequence: 4, match: 4 }))
    expect(solo.applied()).toBe(4)
  })

  test('d-engine #351: an entry that comes back to an index which once was durable has to be written again', () => {
    const solo = new Solo({ log: [1, 1, 1, 1, 1], config: PLAIN })
    solo.receive(N2, appendEntries({ term: 2, prev: [2, 1], entries: [2, 2] }))
    solo.persist()
    solo.receive(N2, appendEntries({ term: 2, prev: [4, 2], entries: [2], sequence: 2 }))
    expect(solo.write()).toMatchObject({ entries: [{ first: 5, last: 5, term: 2 }] })
    expect(answer(solo)?.after).toBe(2)
  })

  test('willemt/raft #47: a term that is adopted and the vote that is dropped with it are one record', () => {
    const solo = new Solo({ term: 3, vote: N2, config: PLAIN })
    const effects = solo.receive(N3, appendEntries({ term: 4, prev: [1, 1] }))
    const writes = effects.filter(({ kind }) => kind === 'persist')
    expect(writes).toMatchObject([{ hardState: { currentTerm: 4, votedFor: null } }])
  })
})
