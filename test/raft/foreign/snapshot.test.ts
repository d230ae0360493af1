import { describe, expect, test } from 'vitest'
import { type LogIndex, logIndex, type Term, term } from '../../../src/base/brand.ts'
import { type Configuration, configurationOf, type Message, progressOf } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N1, N2, N3, refused, Solo, THREE } from '../solo.ts'

const PLAIN = { preVote: false, checkQuorum: false }
const FOUR: Configuration = { ...THREE, voters: [N1, N2, N3, 'n4' as never] }

const answer = (solo: Solo) => solo.sent('appendEntriesResponse')[0]?.message.result
const offers = (solo: Solo) => solo.sent('installSnapshot').map(({ to }) => to)

function offer(of: number, index: number, at: number): Message {
  return {
    kind: 'installSnapshot',
    term: term(of),
    lastIncludedIndex: logIndex(index),
    lastIncludedTerm: term(at),
    sequence: 1,
  }
}

function told(of: number, matchIndex: number, sequence: number): Message {
  return { kind: 'installSnapshotResponse', term: term(of), sequence, matchIndex: logIndex(matchIndex) }
}

/** A snapshot that ends with that entry has been pulled. */
function install(solo: Solo, index: number, at: number): void {
  const last: { index: LogIndex; term: Term } = { index: logIndex(index), term: term(at) }
  solo.step({ kind: 'snapshotInstalled', ...last, configurations: [{ index: logIndex(1), configuration: THREE }] })
}

/** A leader of term 2 whose log begins behind entry 4, with n3 far behind. */
function leaderAhead(): Solo {
  const solo = new Solo({ log: [1, 1, 1], config: PLAIN }).lead()
  solo.receive(N2, matched({ term: 2, sequence: 1, match: 4 }))
  solo.step({ kind: 'snapshotted', index: logIndex(4) })
  solo.receive(N3, refused({ term: 2, sequence: 2, rejected: 3, hint: [0, 0] }))
  expect(progressOf(solo.state).get(N3)?.mode).toBe('snapshot')
  return solo
}

const sequenceOf = (solo: Solo) => (solo.state.role.kind === 'leader' ? solo.state.role.sequence : 0)

/** Published bugs of other systems in the installation of snapshots (docs/testing.md). */
describe('snapshots', () => {
  test('hashicorp/raft #697: where the snapshot ends, an own entry of another term goes, and all with it', () => {
    const solo = new Solo({ log: [1, 1, 2, 2, 2, 2] })
    solo.receive(N2, offer(3, 4, 3))
    expect(solo.effects).toContainEqual({ kind: 'pullSnapshot', from: N2, index: 4, term: 3 })
    install(solo, 4, 3)
    expect(solo.state).toMatchObject({ lastIndex: 4, commitIndex: 4, trail: { snapshotTerm: 3, runs: [] } })
    // The entry that follows fits: else another snapshot would be sent, and so for ever.
    solo.receive(N2, appendEntries({ term: 3, prev: [4, 3], entries: [3] }))
    expect(answer(solo)).toEqual({ success: true, matchIndex: 5 })
  })

  test.each([true, false])(
    'etcd #10358: entries of an old leader behind the snapshot are gone after it (core lives: %s)',
    (lives) => {
      const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
      cluster.setLog('n1', [1, 1, 1, 1, 1], { currentTerm: 1, votedFor: 'n1' })
      for (const id of ['n2', 'n3']) cluster.setLog(id, [1, 1], { currentTerm: 1, votedFor: 'n1' })
      cluster.start()
      cluster.isolate('n1')
      cluster.step('n2', { kind: 'campaign' })
      cluster.stabilize()
      cluster.propose('n2')
      cluster.stabilize()
      expect(cluster.state('n2').commitIndex).toBe(4)
      // Or n1 dies right after it has switched to the snapshot, before its core hears of it.
      cluster.install('n1', 'n2', 4, lives)
      if (!lives) {
        cluster.crash('n1')
        cluster.restart('n1')
      }
      cluster.heal()
      expect(cluster.state('n1')).toMatchObject({ lastIndex: 4, commitIndex: 4 })
      cluster.advance(100)
      expect(cluster.node('n1').log.map(({ term: of }) => of)).toEqual([1, 1, 2, 2])
    },
  )

  test('camunda #6092: a snapshot that ends within the log takes away nothing behind it', () => {
    const solo = new Solo({ log: [1, 1, 1, 1, 1, 1] })
    install(solo, 4, 1)
    expect(solo.state).toMatchObject({ lastIndex: 6, commitIndex: 4 })
    expect(solo.write()).toBeNull()
  })

  test('camunda #10202: a log that ends before the snapshot goes on behind it', () => {
    const solo = new Solo({ log: [1] })
    install(solo, 3, 1)
    expect(solo.effects).toContainEqual({ kind: 'restartLog', write: 1, hardState: null, index: 3, term: 1 })
    solo.receive(N2, appendEntries({ term: 1, prev: [3, 1], entries: [1] }))
    expect(answer(solo)).toEqual({ success: true, matchIndex: 4 })
  })

  test('openraft #1808: a configuration that was never committed gives way to the snapshot’s', () => {
    const solo = new Solo({ log: [1, 1], term: 2 })
    solo.receive(
      N2,
      appendEntries({ term: 2, prev: [2, 1], entries: [2, 2], configuration: { index: 4, configuration: FOUR } }),
    )
    expect(configurationOf(solo.state)).toEqual(FOUR)
    install(solo, 6, 3)
    expect(configurationOf(solo.state)).toEqual(THREE)
    expect(solo.state.configurations).toHaveLength(1)
  })

  test('openraft #1930: a snapshot that ends at or below what is committed changes nothing', () => {
    const solo = new Solo({ log: [1, 1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [3, 1], commit: 3 }))
    const before = solo.state
    install(solo, 3, 1)
    install(solo, 2, 1)
    expect(solo.state).toBe(before)
  })

  test('dgraph #2707: a follower that dies while it takes a snapshot is offered one again', () => {
    const solo = leaderAhead()
    for (let beat = 0; beat < 5; beat += 1) {
      solo.timeout()
      expect(offers(solo)).toEqual([N3])
    }
  })

  test('redpanda #3245: an answer without progress is no reason to offer the snapshot in a tight loop', () => {
    const solo = leaderAhead()
    for (let round = 0; round < 5; round += 1) {
      solo.receive(N3, told(2, 0, sequenceOf(solo)))
      expect(offers(solo)).toEqual([])
    }
  })

  test('etcd #10308: a follower that a snapshot has brought to the end of the log does not stay in probe mode', () => {
    const solo = leaderAhead()
    solo.receive(N3, told(2, 4, sequenceOf(solo)))
    expect(progressOf(solo.state).get(N3)).toMatchObject({ mode: 'probe', matchIndex: 4, nextIndex: 5 })
    solo.timeout()
    solo.receive(N3, matched({ term: 2, sequence: sequenceOf(solo), match: 4 }))
    expect(progressOf(solo.state).get(N3)).toMatchObject({ mode: 'replicate', nextIndex: 5 })
  })
})
