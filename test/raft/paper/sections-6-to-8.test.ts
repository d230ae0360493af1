import { describe, expect, test } from 'vitest'
import { logIndex, nodeId, term } from '../../../src/base/brand.ts'
import {
  type Configuration,
  configurationOf,
  type Message,
  progressOf,
  type RaftEvent,
} from '../../../src/raft/index.ts'
import { appendEntries, matched, N1, N2, N3, refused, requestVote, Solo, THREE } from '../solo.ts'

/** The paper without pre-vote and check-quorum, which are the thesis's. */
const PLAIN = { preVote: false, checkQuorum: false }
const [N4, N5] = [nodeId('n4'), nodeId('n5')]
/** From n1 n2 n3 to n1 n4 n5: only n1 is in both. */
const NEW: Configuration = { ...THREE, voters: [N1, N4, N5] }
const JOINT: Configuration = { ...NEW, outgoing: THREE.voters }

const sequenceOf = (solo: Solo) => (solo.state.role.kind === 'leader' ? solo.state.role.sequence : 0)
const change = (configuration: Configuration): RaftEvent => ({
  kind: 'changeMembership',
  configuration,
  basedOn: logIndex(1),
})

/** n1 leads term 2 and its no-op, entry 2, is committed. */
function leading(): Solo {
  const solo = new Solo({ config: PLAIN }).lead()
  for (const id of [N2, N3]) solo.receive(id, matched({ term: 2, sequence: sequenceOf(solo), match: 2 }))
  return solo
}

function acknowledge(solo: Solo, ids: readonly (typeof N1)[]): void {
  solo.persist()
  for (const id of ids) solo.receive(id, matched({ term: 2, sequence: sequenceOf(solo), match: solo.state.lastIndex }))
  solo.persist()
}

describe('§6 Cluster membership changes', () => {
  test('§6 the leader stores a change as a joint configuration, of the old and the new one', () => {
    const solo = leading()
    solo.step(change(NEW))
    expect(solo.write()).toMatchObject({ entries: [{ first: 3, source: { entryKind: 'configuration' } }] })
    expect(configurationOf(solo.state)).toEqual(JOINT)
  })

  test('§6 while it is joint, entries are replicated to all servers in both configurations', () => {
    const solo = leading()
    solo.step(change(NEW))
    expect([...progressOf(solo.state).keys()].sort()).toEqual([N2, N3, N4, N5])
  })

  test.each([
    ['the old one alone', [N2, N3], false],
    ['the new one alone', [N4, N5], false],
    ['one server of each, and the leader, which is in both', [N3, N4], true],
  ] as const)('§6 agreement on entries requires separate majorities of both: %s', (_whose, ids, committed) => {
    const solo = leading()
    solo.step(change(NEW))
    acknowledge(solo, ids)
    expect(solo.state.commitIndex >= 3).toBe(committed)
  })

  test.each([
    [[N2, N3], false],
    [[N4, N5], false],
    [[N2, N5], true],
  ] as const)('§6 and so does an election: votes of %s', (ids, elected) => {
    const solo = new Solo({ config: PLAIN, configuration: JOINT })
    solo.step({ kind: 'campaign' })
    solo.persist()
    for (const id of ids) solo.receive(id, { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } })
    expect(solo.state.role.kind).toBe(elected ? 'leader' : 'candidate')
  })

  test('§6 any server of either configuration may serve as leader', () => {
    for (const voters of [
      [N1, N2, N3],
      [N3, N4, N5],
    ]) {
      const configuration = { ...THREE, voters, outgoing: voters[0] === N1 ? [N3, N4, N5] : [N1, N2, N3] }
      const solo = new Solo({ config: PLAIN, configuration })
      solo.step({ kind: 'campaign' })
      solo.persist()
      for (const id of [N2, N3, N4, N5])
        solo.receive(id, { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } })
      expect(solo.state.role.kind).toBe('leader')
    }
  })

  test('§6 once the joint configuration is committed, the leader creates the entry of the new one', () => {
    const solo = leading()
    solo.step(change(NEW))
    expect(configurationOf(solo.state)).toEqual(JOINT)
    acknowledge(solo, [N2, N4])
    expect(configurationOf(solo.state)).toEqual(NEW)
    expect(solo.state.lastIndex).toBe(4)
  })

  test('§6 new servers join as non-voting members: they are sent entries, and count for no majority', () => {
    const solo = leading()
    solo.step(change({ ...THREE, learners: [N4] }))
    acknowledge(solo, [N4])
    expect(progressOf(solo.state).has(N4)).toBe(true)
    expect(solo.state.commitIndex).toBe(2)
    acknowledge(solo, [N2])
    expect(solo.state.commitIndex).toBe(3)
  })

  test('§6 a leader outside the new configuration replicates without counting itself, and steps down once that is committed', () => {
    const solo = leading()
    solo.step(change({ ...THREE, voters: [N2, N3, N4] }))
    acknowledge(solo, [N2, N3])
    expect(configurationOf(solo.state)?.voters).toEqual([N2, N3, N4])
    acknowledge(solo, [N2])
    expect(solo.state).toMatchObject({ commitIndex: 3, role: { kind: 'leader' } })
    acknowledge(solo, [N3])
    expect(solo.state).toMatchObject({ commitIndex: 4, role: { kind: 'follower' } })
  })

  test('§6 a server uses the latest configuration in its log, committed or not, and goes back when it is truncated', () => {
    const solo = new Solo({ log: [1, 1] })
    const configuration = { voters: [N1, N2], learners: [], outgoing: [], promoting: [] }
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1], configuration: { index: 3, configuration } }))
    expect(configurationOf(solo.state)).toEqual(configuration)
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    expect(configurationOf(solo.state)).toEqual(THREE)
  })

  test('§6 a server that hears a leader disregards RequestVote: no vote, and its term stays', () => {
    const solo = new Solo()
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    solo.now += 299
    solo.receive(N3, requestVote({ term: 5, last: [1, 1] }))
    expect(solo.state.currentTerm).toBe(1)
    solo.now += 1
    solo.receive(N3, requestVote({ term: 5, last: [1, 1] }))
    expect(solo.state).toMatchObject({ currentTerm: 5, votedFor: N3 })
  })
})

describe('§7 Log compaction', () => {
  const offer: Message = {
    kind: 'installSnapshot',
    term: term(3),
    lastIncludedIndex: logIndex(4),
    lastIncludedTerm: term(3),
    sequence: 1,
  }
  const install = (solo: Solo): void => {
    const configurations = [{ index: logIndex(3), configuration: NEW }]
    solo.step({ kind: 'snapshotInstalled', index: logIndex(4), term: term(3), configurations })
  }

  test('§7 each server takes snapshots independently: the leader’s log and the followers’ need not begin at one index', () => {
    const solo = leading()
    solo.step({ kind: 'snapshotted', index: logIndex(2) })
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    expect(solo.sent('appendEntries').map(({ message }) => [message.prevLogIndex, message.prevLogTerm])).toEqual([
      [2, 2],
      [2, 2],
    ])
  })

  test('§7 a leader that has discarded the next entry a follower needs has it get a snapshot', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 3 }))
    solo.step({ kind: 'snapshotted', index: logIndex(3) })
    solo.receive(N3, refused({ term: 2, sequence: 2, rejected: 2, hint: [0, 0] }))
    const [sent] = solo.sent('installSnapshot')
    expect(sent).toMatchObject({ to: N3, message: { lastIncludedIndex: 3, lastIncludedTerm: 2 } })
  })

  test('§7 InstallSnapshot, receiver, 1: reply immediately if term < currentTerm', () => {
    const solo = new Solo({ log: [1, 4] })
    solo.receive(N2, offer)
    expect(solo.sent('installSnapshotResponse')[0]?.message).toMatchObject({ term: 4, matchIndex: 0 })
    expect(solo.effects.some(({ kind }) => kind === 'pullSnapshot')).toBe(false)
  })

  test('§7 InstallSnapshot resets the election timer, as AppendEntries does', () => {
    const solo = new Solo({ config: PLAIN })
    solo.now = solo.wakeAt - 1
    solo.receive(N2, offer)
    expect(solo.wakeAt).toBeGreaterThanOrEqual(solo.now + 300)
  })

  test('§7 a snapshot with news: the follower discards its entire log, which it supersedes', () => {
    const solo = new Solo({ log: [1, 1, 2, 2, 2, 2], term: 3 })
    install(solo)
    expect(solo.state).toMatchObject({
      lastIndex: 4,
      commitIndex: 4,
      trail: { snapshotIndex: 4, snapshotTerm: 3, runs: [] },
    })
  })

  test('§7 a snapshot of a prefix of its log: what it covers is committed, and entries behind it are retained', () => {
    const solo = new Solo({ log: [1, 3, 3, 3, 3, 3] })
    install(solo)
    expect(solo.state).toMatchObject({ lastIndex: 6, commitIndex: 4 })
    expect(solo.write()).toBeNull()
  })

  test('§7 a snapshot includes the latest configuration as of its last index', () => {
    const solo = new Solo({ log: [1] })
    expect(configurationOf(solo.state)).toEqual(THREE)
    install(solo)
    expect(configurationOf(solo.state)).toEqual(NEW)
  })

  test('§7 behind a snapshot, the consistency check uses its last index and term; what it covers matches', () => {
    const solo = new Solo({ log: [1, 1, 1] })
    solo.receive(N2, appendEntries({ term: 2, prev: [3, 1], entries: [2, 2], commit: 4 }))
    solo.persist()
    solo.step({ kind: 'snapshotted', index: logIndex(4) })
    expect(solo.state.trail).toMatchObject({ snapshotIndex: 4, snapshotTerm: 2, runs: [{ first: 5, last: 5 }] })
    solo.receive(N2, appendEntries({ term: 2, prev: [1, 1], entries: [1, 1, 2, 2, 2] }))
    expect(solo.write()).toMatchObject({ truncateFrom: null, entries: [{ first: 6, last: 6 }] })
    solo.receive(N2, appendEntries({ term: 2, prev: [4, 2], entries: [2] }))
    expect(solo.sent('appendEntriesResponse')[0]?.message.result).toEqual({ success: true, matchIndex: 5 })
  })

  test('§7 a snapshot never covers what is not committed', () => {
    const solo = new Solo({ log: [1, 1, 1] })
    solo.step({ kind: 'snapshotted', index: logIndex(2) })
    expect(solo.state.trail.snapshotIndex).toBe(0)
  })
})

describe('§8 Client interaction', () => {
  test('§8 a client that asks any other server is told of the most recent leader it has heard from', () => {
    const solo = new Solo()
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    solo.receive(N3, appendEntries({ term: 2, prev: [1, 1] }))
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    expect(solo.effects).toContainEqual({ kind: 'refused', reason: 'NOT_LEADER', leader: N3 })
  })

  test('§8 a leader exchanges heartbeats with a majority before it responds to a read-only request', () => {
    const solo = leading()
    solo.step({ kind: 'read', id: 1 })
    expect(solo.effects.map(({ kind }) => kind)).toEqual(['send', 'send'])
    solo.receive(N3, matched({ term: 2, sequence: sequenceOf(solo), match: 2 }))
    expect(solo.effects).toContainEqual({ kind: 'readReady', id: 1, index: 2, limboFrom: null })
  })

  test('§8 a leader begins its term with a no-op', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN }).lead()
    const [effect] = solo.leadership
    expect(effect).toMatchObject({
      kind: 'persist',
      hardState: null,
      entries: [{ first: 3, last: 3, term: 2, source: { kind: 'created', entryKind: 'noop' } }],
    })
  })
})
