import { describe, expect, test } from 'vitest'
import { term } from '../../../src/base/brand.ts'
import type { Effect, Message } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N2, N3, Solo } from '../solo.ts'

const PLAIN = { preVote: false, checkQuorum: false }

const sequenceOf = (solo: Solo) => (solo.state.role.kind === 'leader' ? solo.state.role.sequence : 0)
const read = (solo: Solo, id: number) => solo.step({ kind: 'read', id })
const ready = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'readReady' ? [[effect.id, effect.index]] : []))

function readIndex(id: number): Message {
  return { kind: 'readIndex', term: term(2), life: 7, id }
}

/** A leader of term 2 that has committed its no-op, entry 2. */
function leading(): Solo {
  const solo = new Solo({ config: PLAIN }).lead()
  solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
  return solo
}

/** Published bugs of other systems in linearizable reads (docs/testing.md). */
describe('reads', () => {
  test('etcd #7331: a new leader answers no read before it has committed an entry of its own term', () => {
    const solo = new Solo({ log: [1, 1, 1], config: PLAIN }).lead()
    read(solo, 1)
    expect(ready(solo.effects)).toEqual([])
    solo.timeout()
    expect(ready(solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 3 })))).toEqual([])
    // Entries 2 and 3 may have been answered by the leader before: the read is told an index above them.
    solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 4 }))
    expect(ready(solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 4 })))).toEqual([[1, 4]])
  })

  test('TiKV #9208: the index that is checked is the one that is answered', () => {
    const solo = leading()
    solo.step({ kind: 'propose', count: 3, bytes: 3 })
    solo.persist()
    solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 5 }))
    expect(solo.state.commitIndex).toBe(5)
    read(solo, 1)
    expect(ready(solo.receive(N3, matched({ term: 2, sequence: sequenceOf(solo), match: 2 })))).toEqual([[1, 5]])
  })

  test('etcd #20418: a request that comes twice is not confirmed by answers from before it came', () => {
    const solo = leading()
    solo.receive(N3, readIndex(1))
    const round = sequenceOf(solo)
    solo.receive(N2, matched({ term: 2, sequence: round, match: 2 }))
    expect(solo.sent('readIndexResponse').map(({ to, message }) => [to, message.id])).toEqual([[N3, 1]])
    // The leader is frozen, others elect another; then the copy of the request arrives, and old answers do.
    solo.now += 10_000
    solo.receive(N3, readIndex(1))
    for (const sequence of [1, round - 1, round]) {
      solo.receive(N2, matched({ term: 2, sequence, match: 2 }))
      expect(solo.sent('readIndexResponse')).toEqual([])
    }
    solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 2 }))
    expect(solo.sent('readIndexResponse')).toHaveLength(1)
  })

  test('TiKV #4680: a read that comes while another is being confirmed waits for a round of its own', () => {
    const solo = leading()
    read(solo, 1)
    const first = sequenceOf(solo)
    read(solo, 2)
    expect(ready(solo.receive(N2, matched({ term: 2, sequence: first, match: 2 })))).toEqual([[1, 2]])
    expect(sequenceOf(solo)).toBeGreaterThan(first)
    expect(ready(solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 2 })))).toEqual([[2, 2]])
  })

  test('etcd #741: a leader that has been replaced, and does not know it, answers no read', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    cluster.isolate('n1')
    cluster.step('n2', { kind: 'campaign' })
    cluster.stabilize()
    cluster.propose('n2')
    cluster.stabilize()
    expect(cluster.state('n1').role.kind).toBe('leader')
    const effects = [...cluster.step('n1', { kind: 'read', id: 1 })]
    for (let beat = 0; beat < 20; beat += 1) {
      cluster.now += 50
      effects.push(...cluster.step('n1', { kind: 'tick' }))
      cluster.stabilize()
    }
    expect(ready(effects)).toEqual([])
  })

  test('etcd #21386: a read that waits when the leader changes is not answered by what comes after', () => {
    const solo = leading()
    read(solo, 1)
    solo.receive(N3, appendEntries({ term: 3, prev: [2, 2] }))
    expect(solo.effects).toContainEqual({ kind: 'readFailed', id: 1, reason: 'leaderChanged' })
    const follower = new Solo({ log: [1, 1] })
    follower.receive(N2, appendEntries({ term: 1, prev: [2, 1] }))
    read(follower, 1)
    follower.receive(N3, appendEntries({ term: 2, prev: [2, 1] }))
    expect(follower.effects).toContainEqual({ kind: 'readFailed', id: 1, reason: 'leaderChanged' })
  })

  test('sofa-jraft #1049: a node that was just started has no index to answer with', () => {
    const solo = new Solo({ log: [1, 1, 1] })
    expect(solo.state.commitIndex).toBe(0)
    expect(read(solo, 1)).toEqual([{ kind: 'readFailed', id: 1, reason: 'noLeader' }])
  })

  test('async-raft #143 (reads): a leader alone is no quorum for a read either', () => {
    const solo = leading()
    read(solo, 1)
    for (let beat = 0; beat < 10; beat += 1) expect(ready(solo.timeout())).toEqual([])
  })
})
