import { describe, expect, test } from 'vitest'
import { logIndex } from '../../../src/base/brand.ts'
import { progressOf } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N2, N3, refused, Solo } from '../solo.ts'

const PLAIN = { preVote: false, checkQuorum: false }

const answer = (solo: Solo) => solo.sent('appendEntriesResponse')[0]?.message.result
const carrying = (solo: Solo) => solo.sent('appendEntries').filter(({ message }) => message.runs.length > 0)

/** A cluster of three in which n1 leads and n3 has a log of its own; how many messages it takes until n3 has all. */
function repair(leaders: readonly number[], follower: readonly number[]): { rounds: number; cluster: Cluster } {
  const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
  const highest = Math.max(...leaders, ...follower)
  for (const id of ['n1', 'n2']) cluster.setLog(id, leaders, { currentTerm: highest })
  cluster.setLog('n3', follower, { currentTerm: highest })
  cluster.start()
  cluster.step('n1', { kind: 'campaign' })
  let rounds = 0
  cluster.stabilize((packet) => {
    if (packet.to === 'n3' && packet.message.kind === 'appendEntries') rounds += 1
    return true
  })
  return { rounds, cluster }
}

/** Published bugs of other systems in how a follower's log is brought in line with the leader's (docs/testing.md). */
describe('log repair', () => {
  test.each([
    ['an older leader had', [1, 1, 2, 2, 2]],
    ['a newer leader wrote', [1, 1, 2, 5, 5]],
  ])(
    'yugabyte-db #32876: a follower that led a term for a moment is offered the index where %s another entry',
    (_whose, log) => {
      // n3 won term 3, wrote its no-op 4@3 and lost.
      const { rounds, cluster } = repair(log, [1, 1, 2, 3])
      const last = Math.max(3, ...log) + 1
      expect(cluster.node('n3').log.map(({ term }) => term)).toEqual([...log, last])
      expect(rounds).toBeLessThanOrEqual(4)
    },
  )

  test('async-raft #132 (3): hundreds of conflicting entries cost a round per term of theirs, not per entry', () => {
    const foreign = Array.from({ length: 400 }, () => 2)
    const { rounds, cluster } = repair([1, ...Array.from({ length: 300 }, () => 3)], [1, ...foreign])
    expect(cluster.state('n3')).toMatchObject({ lastIndex: 302, commitIndex: 302 })
    expect(rounds).toBeLessThanOrEqual(8)
  })

  test('little-raft #18: a refusal that comes twice moves a probe back once', () => {
    const solo = new Solo({ log: [1, 1, 1, 1], config: PLAIN }).lead()
    const late = refused({ term: 2, sequence: 1, rejected: 4, hint: [3, 1] })
    solo.receive(N2, late)
    const once = progressOf(solo.state).get(N2)
    solo.receive(N2, late)
    solo.receive(N2, refused({ term: 2, sequence: 1, rejected: 0, hint: [0, 0] }))
    expect(progressOf(solo.state).get(N2)).toMatchObject({ nextIndex: 4, matchIndex: 0 })
    expect(progressOf(solo.state).get(N2)?.nextIndex).toBe(once?.nextIndex)
  })

  test('etcd #7037: to a follower that does not answer, its entries go once and not with every heartbeat', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    let sent = solo
      .sent('appendEntries', solo.leadership)
      .filter(({ to, message }) => to === N3 && message.runs.length > 0).length
    for (let beat = 0; beat < 20; beat += 1) {
      solo.step({ kind: 'propose', count: 1, bytes: 10 })
      sent += carrying(solo).filter(({ to }) => to === N3).length
      solo.timeout()
      sent += carrying(solo).filter(({ to }) => to === N3).length
    }
    expect(sent).toBe(1)
  })

  test('etcd-io/raft #52: a follower whose probe was lost leaves the probe with its answers to heartbeats', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    // n2 was away: the entry and the probe that followed it are lost. Now it answers heartbeats again.
    while (progressOf(solo.state).get(N2)?.mode === 'replicate') solo.timeout()
    let sent = 0
    for (let beat = 0; beat < 10; beat += 1) {
      solo.timeout()
      const { role } = solo.state
      solo.receive(N2, matched({ term: 2, sequence: role.kind === 'leader' ? role.sequence : 0, match: 2 }))
      sent += carrying(solo).filter(({ to }) => to === N2).length
    }
    expect(sent).toBe(1)
    expect(progressOf(solo.state).get(N2)).toMatchObject({ mode: 'replicate', inFlight: [{ lastIndex: 3 }] })
  })

  test('hashicorp/raft #612: a follower that failed to store a batch gets it again', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 3, bytes: 3 })
    solo.step({ kind: 'propose', count: 3, bytes: 3 })
    // The first batch never reached the log; the second is refused, for nothing lies before it.
    solo.receive(N2, refused({ term: 2, sequence: 4, rejected: 5, hint: [2, 2] }))
    expect(carrying(solo).map(({ to, message }) => [to, message.prevLogIndex])).toEqual([[N2, 2]])
  })

  test('scylladb #9552: a leader that knows less of a follower than its snapshot covers is answered with a match', () => {
    const solo = new Solo({ log: [1, 1, 1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [4, 1], commit: 4 }))
    solo.step({ kind: 'snapshotted', index: logIndex(4) })
    // The acknowledgement was lost: the leader sends entry 3 again, whose previous entry is below the snapshot.
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1, 1], sequence: 2 }))
    expect(answer(solo)).toEqual({ success: true, matchIndex: 4 })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1, 1, 1], sequence: 3 }))
    expect(solo.write()).toMatchObject({ truncateFrom: null, entries: [{ first: 5, last: 5 }] })
  })

  test('hashicorp/raft #205: entries that follow right behind a snapshot are matched against its last', () => {
    const solo = new Solo({ log: [1, 1, 2] })
    solo.receive(N2, appendEntries({ term: 2, prev: [3, 2], commit: 3 }))
    solo.step({ kind: 'snapshotted', index: logIndex(3) })
    solo.receive(N2, appendEntries({ term: 2, prev: [3, 2], entries: [2], sequence: 2 }))
    expect(answer(solo)).toEqual({ success: true, matchIndex: 4 })
  })

  test('async-raft #132 (2): entries that are there already are not deleted behind the previous one', () => {
    const solo = new Solo({ log: [1, 1, 1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [4, 1], commit: 4 }))
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], entries: [1], sequence: 2 }))
    expect(solo.write()).toBeNull()
    expect(solo.state.lastIndex).toBe(4)
  })

  test('NATS #5957: an entry without quorum gives way to the new leader’s at the very same index', () => {
    const solo = new Solo({ log: [1, 1, 2], term: 3 })
    solo.receive(N3, appendEntries({ term: 3, prev: [3, 3] }))
    expect(answer(solo)).toMatchObject({ success: false, rejectedIndex: 3 })
    solo.receive(N3, appendEntries({ term: 3, prev: [2, 1], entries: [3], sequence: 2 }))
    expect(solo.write()).toMatchObject({ truncateFrom: 3, entries: [{ first: 3, last: 3, term: 3 }] })
  })

  test('etcd #10167: a bound on what is uncommitted stops neither a leader’s no-op nor the first proposal', () => {
    const solo = new Solo({ config: { ...PLAIN, uncommittedBytesMax: 1 } }).lead()
    expect(solo.state.lastIndex).toBe(2)
    const propose = () => solo.step({ kind: 'propose', count: 1, bytes: 5000 }).find(({ kind }) => kind === 'refused')
    expect(propose()).toBeUndefined()
    expect(propose()).toMatchObject({ reason: 'OVERLOADED' })
    solo.persist()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 3 }))
    expect(propose()).toBeUndefined()
  })
})
