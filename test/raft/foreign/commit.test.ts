import { describe, expect, test } from 'vitest'
import { nodeId, term } from '../../../src/base/brand.ts'
import { type Message, progressOf } from '../../../src/raft/index.ts'
import { hasMajority, majority, reachedByMajority } from '../../../src/raft/quorum.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N1, N2, N3, refused, Solo } from '../solo.ts'

/** Without pre-vote and check-quorum: elections by command, leaders that stay. */
const PLAIN = { preVote: false, checkQuorum: false }
const vote = (of: number): Message => ({ kind: 'requestVoteResponse', term: term(of), verdict: { granted: true } })
const FIVE = [N1, N2, N3, nodeId('n4'), nodeId('n5')] as const

/** What a leader of term 3 with log 1 1 2 and its own 4@3 sends, as far as a test needs it. */
function leaderWithOlderTail(): Solo {
  return new Solo({ log: [1, 1, 2], config: { ...PLAIN, appendEntriesMax: 1 } }).lead()
}

/** Published bugs of other systems in what counts as committed (docs/testing.md). */
describe('what a leader commits', () => {
  test('LogCabin #44: an entry of an earlier term is not committed by counting its copies', () => {
    const solo = leaderWithOlderTail()
    solo.receive(N2, matched({ term: 3, sequence: 1, match: 3 }))
    solo.receive(N3, matched({ term: 3, sequence: 2, match: 3 }))
    expect(solo.state.commitIndex).toBe(0)
    solo.receive(N2, matched({ term: 3, sequence: 2, match: 4 }))
    expect(solo.applied()).toBe(4)
  })

  test('PySyncObj #169: a new leader commits what it inherited only together with an entry of its own', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
    cluster.setLog('n1', [1, 1, 1], { currentTerm: 1, votedFor: 'n1' })
    cluster.setLog('n2', [1, 1, 1], { currentTerm: 1, votedFor: 'n1' })
    cluster.setLog('n3', [1], { currentTerm: 1, votedFor: 'n1' })
    cluster.start()
    cluster.step('n2', { kind: 'campaign' })
    cluster.stabilize(({ message }) => message.kind !== 'appendEntries')
    // The no-op is lost; the heartbeat after it finds that n1 holds [1, 3], as n2 does: two of three.
    cluster.packets = []
    cluster.now += 50
    cluster.step('n2', { kind: 'tick' })
    cluster.stabilize(({ to, message }) => to === 'n1' && message.kind === 'appendEntries')
    cluster.stabilize(({ from }) => from === 'n1')
    expect(cluster.state('n2')).toMatchObject({ role: { kind: 'leader' }, commitIndex: 0 })
    cluster.stabilize()
    expect(cluster.state('n2').commitIndex).toBe(4)
  })

  test('NATS #7955: acknowledgements up to the end of an earlier term commit nothing, from however many', () => {
    const solo = new Solo({
      log: [1, 2, 2],
      config: { ...PLAIN, appendEntriesMax: 1 },
      configuration: { voters: FIVE, learners: [], outgoing: [], promoting: [] },
    })
    solo.step({ kind: 'campaign' })
    solo.persist()
    for (const id of [N2, N3]) solo.receive(id, vote(3))
    solo.persist()
    for (const id of FIVE.slice(1)) solo.receive(id, matched({ term: 3, sequence: 1, match: 3 }))
    expect(solo.state.commitIndex).toBe(0)
  })

  test('async-raft #108: the leader compares the entry that is counted with its own term', () => {
    const solo = leaderWithOlderTail()
    solo.receive(N2, matched({ term: 3, sequence: 1, match: 2 }))
    solo.receive(N3, matched({ term: 3, sequence: 2, match: 2 }))
    expect(solo.state.commitIndex).toBe(0)
    expect(solo.state.role).toMatchObject({ firstOwnIndex: 4 })
  })

  test('CCF #5325: the hint of a refusal is no match, and commits nothing', () => {
    const solo = new Solo({ log: [1, 1, 3, 3, 3], config: PLAIN }).lead()
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    solo.persist()
    solo.receive(N3, matched({ term: 4, sequence: 2, match: 2 }))
    // n2 has five entries of another history; its hint names index 5, where the leader has one of its own.
    solo.receive(N2, refused({ term: 4, sequence: 1, rejected: 5, hint: [5, 2] }))
    expect(progressOf(solo.state).get(N2)?.matchIndex).toBe(0)
    expect(solo.state.commitIndex).toBe(0)
  })

  test('PySyncObj #167: an acknowledgement that was overtaken takes no match index back', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.step({ kind: 'propose', count: 3, bytes: 3 })
    solo.persist()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 5 }))
    expect(solo.state.commitIndex).toBe(5)
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    expect(progressOf(solo.state).get(N2)).toMatchObject({ matchIndex: 5, nextIndex: 6 })
    expect(solo.state.commitIndex).toBe(5)
  })

  test('openraft #1802: in whatever order five voters advance, what two have reached is not committed', () => {
    const solo = new Solo({ config: PLAIN, configuration: { voters: FIVE, learners: [], outgoing: [], promoting: [] } })
    solo.step({ kind: 'campaign' })
    solo.persist()
    for (const id of [N2, N3]) solo.receive(id, vote(2))
    solo.persist()
    // The leader's own disk stays at its no-op, so that the others reach more than it in all orders.
    solo.step({ kind: 'propose', count: 8, bytes: 8 })
    const reached = new Map([['n1', 2]])
    const advances = ['n2 3', 'n3 4', 'n4 5', 'n5 6', 'n2 7', 'n4 6', 'n3 9', 'n2 8', 'n5 9', 'n4 10']
    for (const advance of advances) {
      const [id = '', match = ''] = advance.split(' ')
      solo.receive(nodeId(id), matched({ term: 2, sequence: 1, match: Number(match) }))
      reached.set(id, Number(match))
      const third = [...reached.values()].sort((a, b) => b - a)[2] ?? 0
      expect(solo.state.commitIndex, advance).toBe(third)
    }
  })

  test('async-raft #143: a majority of an odd number of voters is more than the leader alone', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(majority)).toEqual([1, 2, 2, 3, 3, 4, 4])
    const solo = new Solo({ config: PLAIN }).lead()
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    solo.persist()
    expect(solo.state.commitIndex).toBe(0)
  })

  test('ravendb #14231: where there is no voter, there is no majority', () => {
    expect(hasMajority([], () => true)).toBe(false)
    expect(reachedByMajority([], 0, () => 9)).toBe(0)
    const solo = new Solo({ log: [], configuration: null })
    solo.step({ kind: 'campaign' })
    solo.persist(0)
    expect(solo.state).toMatchObject({ role: { kind: 'follower' }, commitIndex: 0 })
  })

  test('redpanda #3003: what a new leader truncates is told as aborted, and was not told as committed', () => {
    const solo = new Solo().lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 2, bytes: 2 })
    // Its own disk has them, and the message of the next leader comes before any acknowledgement.
    solo.persist()
    solo.receive(N3, appendEntries({ term: 3, prev: [2, 2], entries: [3], commit: 3 }))
    expect(solo.effects).toContainEqual({ kind: 'abort', from: 3 })
    expect(solo.state.commitIndex).toBe(3)
    solo.receive(N2, matched({ term: 2, sequence: 3, match: 4 }))
    expect(solo.effects).toEqual([])
  })
})

/** A follower that has entries 3 and 4 of a leader of term 2 which nobody else has. */
function withForeignTail(): Solo {
  return new Solo({ log: [1, 1, 2, 2], term: 3 })
}

describe('what a follower takes for committed', () => {
  test('copycat #265: an empty message that matches below a foreign tail commits nothing of the tail', () => {
    const solo = withForeignTail()
    solo.receive(N2, appendEntries({ term: 3, prev: [2, 1], commit: 4 }))
    expect(solo.state.commitIndex).toBe(2)
    solo.receive(N2, appendEntries({ term: 3, prev: [2, 1], entries: [3, 3], commit: 4, sequence: 2 }))
    expect(solo.write()).toMatchObject({ truncateFrom: 3 })
    expect(solo.applied()).toBe(4)
  })

  test('scylladb #9965: a probe that is refused commits nothing, and one that matches commits up to there', () => {
    const solo = withForeignTail()
    solo.receive(N2, appendEntries({ term: 3, prev: [4, 3], commit: 4 }))
    expect(solo.sent('appendEntriesResponse')[0]?.message.result.success).toBe(false)
    expect(solo.state.commitIndex).toBe(0)
    solo.receive(N2, appendEntries({ term: 3, prev: [1, 1], entries: [1], commit: 4, sequence: 2 }))
    expect(solo.state.commitIndex).toBe(2)
  })

  test('CCF #8172: entries that are there already commit up to their end, whatever lies behind them', () => {
    const solo = new Solo({ log: [1, 3, 3, 3, 3], term: 4 })
    solo.receive(N2, appendEntries({ term: 4, prev: [1, 1], entries: [3, 3], commit: 5 }))
    expect(solo.write()).toBeNull()
    expect(solo.state.commitIndex).toBe(3)
  })

  test('camunda #30354: a heartbeat does not commit what is not in the log yet', () => {
    const solo = new Solo({ log: [1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], commit: 9 }))
    expect(solo.state).toMatchObject({ commitIndex: 2, lastIndex: 2 })
  })

  test('PySyncObj #166: a new leader that knows of less takes no commit index back', () => {
    const solo = new Solo({ log: [1, 1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [3, 1], commit: 3 }))
    expect(solo.state.commitIndex).toBe(3)
    solo.receive(N3, appendEntries({ term: 2, prev: [3, 1], commit: 1 }))
    expect(solo.state.commitIndex).toBe(3)
    expect(solo.applied()).toBeNull()
  })

  test('Ratis RATIS-2605: a heartbeat is acknowledged up to what it verified, not up to the end of the log', () => {
    const solo = withForeignTail()
    solo.receive(N2, appendEntries({ term: 3, prev: [2, 1] }))
    expect(solo.sent('appendEntriesResponse')[0]?.message.result).toEqual({ success: true, matchIndex: 2 })
  })
})
