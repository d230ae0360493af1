import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { logIndex, nodeId, term } from '../../src/base/brand.ts'
import { type Configuration, configurationOf, type Message, progressOf } from '../../src/raft/index.ts'
import { appendEntries, matched, N1, N2, N3, preVote, refused, requestVote, Solo, THREE } from './solo.ts'
import { sample } from '../effort.ts'

const PLAIN = { preVote: false, checkQuorum: false }

describe('what waits for the disk', () => {
  test('raft.md §2.1 term and vote are one record in one write, and RequestVote waits for it', () => {
    const solo = new Solo({ config: PLAIN })
    const effects = solo.step({ kind: 'campaign' })
    expect(effects.filter(({ kind }) => kind === 'persist')).toHaveLength(1)
    expect(solo.write()).toMatchObject({ hardState: { currentTerm: 2, votedFor: N1 }, truncateFrom: null, entries: [] })
    expect(solo.sent('requestVote').map(({ after }) => after)).toEqual([1, 1])
  })

  test('raft.md §2.1 a candidate does not lead before its own vote is durable', () => {
    const solo = new Solo({ config: PLAIN })
    solo.step({ kind: 'campaign' })
    const vote: Message = { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } }
    solo.receive(N2, vote)
    solo.receive(N3, vote)
    expect(solo.state.role.kind).toBe('candidate')
    solo.persist()
    expect(solo.state.role.kind).toBe('leader')
  })

  test('raft.md §2.1 rejections wait for the term they speak of, too; what is durable waits for nothing', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN })
    solo.receive(N2, requestVote({ term: 5, last: [0, 0] }))
    expect(solo.sent('requestVoteResponse')[0]?.after).toBe(1)
    solo.receive(N3, requestVote({ term: 4, last: [9, 9] }))
    expect(solo.sent('requestVoteResponse')[0]?.after).toBe(1)
    solo.receive(N3, appendEntries({ term: 4, prev: [2, 1] }))
    expect(solo.sent('appendEntriesResponse')[0]?.after).toBe(1)
    solo.receive(N3, preVote({ term: 5, last: [9, 9] }))
    expect(solo.sent('preVoteResponse')[0]?.after).toBe(1)
    solo.persist()
    solo.receive(N3, requestVote({ term: 4, last: [9, 9] }))
    expect(solo.sent('requestVoteResponse')[0]?.after).toBeNull()
  })

  test('a reply that acknowledges durable entries does not wait for a later write of others', () => {
    const solo = new Solo({ log: [1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1] }))
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], sequence: 2 }))
    expect(solo.sent('appendEntriesResponse')[0]).toMatchObject({ after: null, message: { result: { matchIndex: 2 } } })
    solo.receive(N2, appendEntries({ term: 1, prev: [3, 1], entries: [1], sequence: 3 }))
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1], sequence: 4 }))
    expect(solo.sent('appendEntriesResponse')[0]).toMatchObject({ after: 1, message: { result: { matchIndex: 3 } } })
  })

  test('AppendEntries, heartbeats and pre-vote requests wait for nothing', () => {
    const solo = new Solo()
    solo.step({ kind: 'campaign' })
    expect(solo.sent('preVoteRequest').map(({ after }) => after)).toEqual([null, null])
    solo.lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    expect(solo.write()).not.toBeNull()
    expect(solo.sent('appendEntries').map(({ after }) => after)).toEqual([null])
    solo.timeout()
    expect(solo.sent('appendEntries').map(({ after }) => after)).toEqual([null, null])
  })

  test('hard state, truncation and entries of one step travel in one write', () => {
    const solo = new Solo({ log: [1, 1, 1] })
    const effects = solo.receive(N2, appendEntries({ term: 2, prev: [1, 1], entries: [2, 2] }))
    expect(effects.filter(({ kind }) => kind === 'persist')).toEqual([
      {
        kind: 'persist',
        write: 1,
        hardState: { currentTerm: 2, votedFor: null },
        truncateFrom: 2,
        entries: [
          { first: 2, last: 2, term: 2, source: { kind: 'received' } },
          { first: 3, last: 3, term: 2, source: { kind: 'received' } },
        ],
      },
    ])
  })

  test('raft.md §2.8 the completion of an old write never makes a newer, different entry durable', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1, 1] }))
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    expect(solo.sent('appendEntriesResponse')[0]?.after).toBe(2)
    solo.persist(1)
    expect(solo.state.disk.durableIndex).toBe(2)
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2], sequence: 2 }))
    expect(solo.sent('appendEntriesResponse')[0]?.after).toBe(2)
    solo.persist(2)
    expect(solo.state.disk.durableIndex).toBe(3)
  })

  test('raft.md §2.8 a completion that is old, or comes twice, changes nothing', () => {
    const solo = new Solo({ log: [1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], entries: [1] }))
    solo.persist(1)
    const before = solo.state
    solo.persist(1)
    expect(solo.state).toBe(before)
    expect(() => solo.persist(2)).toThrow('only writes that were issued')
  })
})

describe('commit', () => {
  test('raft.md §2.2 an earlier-term entry on a majority is not reported committed', () => {
    const solo = new Solo({ log: [1, 1, 2], config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 3, sequence: 1, match: 3 }))
    solo.receive(N3, matched({ term: 3, sequence: 2, match: 3 }))
    expect(solo.applied()).toBeNull()
    solo.receive(N3, matched({ term: 3, sequence: 2, match: 4 }))
    expect(solo.applied()).toBe(4)
  })

  test('raft.md §2.10 a leader counts itself for an entry only once its own write is durable', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    solo.receive(N2, matched({ term: 2, sequence: 3, match: 3 }))
    expect(solo.state.commitIndex).toBe(2)
    solo.persist()
    expect(solo.applied()).toBe(3)
  })

  test('raft.md §2.10 a single voter commits no more than what is durable, by the same code', () => {
    const solo = new Solo({ log: [], configuration: { voters: [N1], learners: [], outgoing: [], promoting: [] } })
    expect(solo.state.role.kind).toBe('candidate')
    solo.persist()
    expect(solo.write()).toMatchObject({
      entries: [
        { first: 1, source: { entryKind: 'configuration' } },
        { first: 2, source: { entryKind: 'limits' } },
      ],
    })
    solo.step({ kind: 'propose', count: 2, bytes: 2 })
    expect(solo.state.commitIndex).toBe(0)
    solo.persist(2)
    expect(solo.applied()).toBe(2)
    solo.persist(3)
    expect(solo.applied()).toBe(4)
    expect(solo.wakeAt).toBe(Number.POSITIVE_INFINITY)
  })

  test('raft.md §2.4 heartbeats carry min(matchIndex, commitIndex)', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 3, bytes: 3 })
    solo.persist()
    solo.receive(N3, matched({ term: 2, sequence: 2, match: 5 }))
    expect(solo.state.commitIndex).toBe(5)
    solo.timeout()
    const heartbeats = solo
      .sent('appendEntries')
      .map(({ to, message }) => [to, message.prevLogIndex, message.leaderCommit])
    expect(heartbeats).toEqual([
      [N2, 2, 2],
      [N3, 5, 5],
    ])
  })

  test('raft.md §2.4 a follower never learns a commit index beyond what it verified', () => {
    const solo = new Solo({ log: [1, 1, 1, 1], term: 2 })
    solo.receive(N2, appendEntries({ term: 2, prev: [2, 1], commit: 4 }))
    expect(solo.state.commitIndex).toBe(2)
  })
})

describe('the log', () => {
  test('raft.md §2.3 an old or reordered AppendEntries never removes matching entries', () => {
    const solo = new Solo({ log: [1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], entries: [1, 1, 1] }))
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], entries: [1] }))
    expect(solo.write()).toBeNull()
    expect(solo.state.lastIndex).toBe(4)
    expect(solo.sent('appendEntriesResponse')[0]?.message.result).toEqual({ success: true, matchIndex: 2 })
  })

  test('raft.md §2.3 a truncation at or below the commit index fails loudly', () => {
    const solo = new Solo({ log: [1, 1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [3, 1], commit: 3 }))
    expect(() => solo.receive(N3, appendEntries({ term: 2, prev: [1, 1], entries: [2] }))).toThrow('never truncated')
  })

  test('raft.md §2.5 a leader that sees AppendEntries of its own term from another node fails loudly', () => {
    const leader = new Solo({ config: PLAIN }).lead()
    expect(() => leader.receive(N2, appendEntries({ term: 2, prev: [1, 1] }))).toThrow('two leaders')
    const follower = new Solo()
    follower.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    expect(() => follower.receive(N3, appendEntries({ term: 1, prev: [1, 1] }))).toThrow('two leaders')
  })

  test('raft.md §2.6 the effective configuration always equals the one recomputed from the log', () => {
    const change = fc.record({ keep: fc.nat(8), entries: fc.array(fc.boolean(), { maxLength: 4 }) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const solo = new Solo({ log: [1] })
        let model: (Configuration | null)[] = [THREE]
        changes.forEach(({ keep, entries }, at) => {
          const kept = Math.max(1, Math.min(keep, model.length))
          const prevTerm = solo.state.trail.runs.find(({ first, last }) => first <= kept && kept <= last)?.term ?? 0
          const message = appendEntries({ term: at + 2, prev: [kept, prevTerm], entries: entries.map(() => at + 2) })
          const added = entries.map((is, offset) =>
            is ? { voters: [N1, nodeId(`v${at}-${offset}`)], learners: [], outgoing: [], promoting: [] } : null,
          )
          const configurations = added.flatMap((configuration, offset) =>
            configuration === null ? [] : [{ index: logIndex(kept + 1 + offset), configuration }],
          )
          solo.receive(N2, { ...message, configurations })
          if (entries.length > 0) model = [...model.slice(0, kept), ...added]
          expect(configurationOf(solo.state)).toEqual(model.findLast((configuration) => configuration !== null))
        })
      }),
      { numRuns: sample(200) },
    )
  })

  test('raft.md §2.11 a node that is not in its own configuration still answers, and never campaigns', () => {
    const solo = new Solo({ configuration: { voters: [N2, N3], learners: [], outgoing: [], promoting: [] } })
    expect(solo.wakeAt).toBe(Number.POSITIVE_INFINITY)
    solo.step({ kind: 'campaign' })
    expect(solo.state.role.kind).toBe('follower')
    solo.receive(N2, requestVote({ term: 2, last: [1, 1] }))
    expect(solo.sent('requestVoteResponse')[0]?.message.verdict).toEqual({ granted: true })
    solo.receive(N2, appendEntries({ term: 2, prev: [1, 1], entries: [2] }))
    expect(solo.sent('appendEntriesResponse')[0]?.message.result).toEqual({ success: true, matchIndex: 2 })
  })

  test('raft.md §2.11 a node without a configuration neither campaigns nor grants to its like, but accepts entries', () => {
    const solo = new Solo({ log: [], configuration: null })
    expect(solo.wakeAt).toBe(Number.POSITIVE_INFINITY)
    solo.receive(N2, requestVote({ term: 1, last: [0, 0] }))
    expect(solo.sent('requestVoteResponse')[0]?.message.verdict).toEqual({ granted: false, reason: 'notBootstrapped' })
    const configuration = { index: 1, configuration: THREE }
    solo.receive(N2, appendEntries({ term: 1, prev: [0, 0], entries: [1, 1], configuration }))
    expect(configurationOf(solo.state)).toEqual(THREE)
    expect(Number.isFinite(solo.wakeAt)).toBe(true)
  })

  test('raft.md §2.12 what arrived during a stall counts before the timer that fires late', () => {
    const solo = new Solo({ config: PLAIN })
    solo.now = solo.wakeAt + 5000
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    solo.step({ kind: 'tick' })
    expect(solo.state.role.kind).toBe('follower')
    expect(solo.wakeAt).toBeGreaterThan(solo.now)
  })
})

describe('elections and check-quorum', () => {
  test('a pre-vote changes neither term nor vote nor last contact, on either side', () => {
    const voter = new Solo()
    const before = voter.state
    voter.receive(N2, preVote({ term: 2, last: [1, 1] }))
    expect(voter.state).toBe(before)
    const asking = new Solo()
    asking.timeout()
    expect(asking.write()).toBeNull()
    expect(asking.state).toMatchObject({ currentTerm: 1, votedFor: null, heardLeaderAt: null })
  })

  test('a stale grant is ignored: only one for the term now asked for counts', () => {
    const solo = new Solo({ term: 4 })
    solo.timeout()
    const verdict = { granted: true } as const
    solo.receive(N2, { kind: 'preVoteResponse', term: term(3), requestTerm: term(4), verdict })
    expect(solo.state.role.kind).toBe('preCandidate')
    solo.receive(N2, { kind: 'preVoteResponse', term: term(3), requestTerm: term(5), verdict })
    expect(solo.state).toMatchObject({ currentTerm: 5, role: { kind: 'candidate' } })
  })

  test('a vote of an older election does not count in the next one', () => {
    const solo = new Solo({ config: PLAIN })
    solo.timeout()
    solo.timeout()
    solo.persist()
    expect(solo.state).toMatchObject({ currentTerm: 3, role: { kind: 'candidate' } })
    solo.receive(N2, { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } })
    expect(solo.state.role.kind).toBe('candidate')
    solo.receive(N2, { kind: 'requestVoteResponse', term: term(3), verdict: { granted: true } })
    expect(solo.state.role.kind).toBe('leader')
  })

  test('votes and acknowledgements of an older term are ignored', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.timeout()
    const before = solo.state
    solo.receive(N2, matched({ term: 1, sequence: 1, match: 2 }))
    solo.receive(N2, { kind: 'requestVoteResponse', term: term(1), verdict: { granted: true } })
    expect(solo.state).toBe(before)
  })

  test('contact is dated by when the answered request was sent, not by when the answer came', () => {
    const solo = new Solo().lead()
    const led = solo.now
    for (let beat = 0; beat < 4; beat += 1) solo.timeout()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    expect(progressOf(solo.state).get(N2)?.lastContact).toBe(led)
    solo.receive(N2, matched({ term: 2, sequence: 4, match: 2 }))
    expect(progressOf(solo.state).get(N2)?.lastContact).toBe(led + 50)
  })

  test('a leader without a quorum refuses proposals after the minimum, steps down after the maximum timeout', () => {
    const solo = new Solo().lead()
    const led = solo.now
    const propose = () => solo.step({ kind: 'propose', count: 1, bytes: 1 }).find(({ kind }) => kind === 'refused')
    while (solo.now < led + 300) solo.timeout()
    expect(propose()).toBeUndefined()
    solo.timeout()
    expect(propose()).toEqual({ kind: 'refused', reason: 'NO_QUORUM', leader: N1 })
    while (solo.state.role.kind === 'leader') solo.timeout()
    expect(solo.now - led).toBe(600)
    expect(propose()).toEqual({ kind: 'refused', reason: 'NOT_LEADER', leader: null })
  })

  test('every late, doubled or foreign answer leaves a leader’s progress sane', () => {
    const solo = new Solo({ log: [1, 1, 1], config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 4 }))
    const before = progressOf(solo.state).get(N2)
    solo.receive(N2, refused({ term: 2, sequence: 1, rejected: 3, hint: [1, 1] }))
    expect(progressOf(solo.state).get(N2)).toEqual(before)
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    expect(progressOf(solo.state).get(N2)?.matchIndex).toBe(4)
    solo.receive(N2, matched({ term: 2, sequence: 999, match: 2 }))
    solo.receive(nodeId('stranger'), matched({ term: 2, sequence: 1, match: 2 }))
    expect(progressOf(solo.state).get(N2)?.matchIndex).toBe(4)
  })
})

describe('windows', () => {
  test('entry bytes in flight to one follower stay within the window, but one entry always goes', () => {
    const solo = new Solo({ config: { ...PLAIN, inFlightBytesMax: 1000 } }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    const carried = (): number[] => solo.sent('appendEntries').map(({ message }) => message.runs[0]?.first ?? 0)
    solo.step({ kind: 'propose', count: 1, bytes: 5000 })
    expect(carried()).toEqual([3])
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    expect(carried()).toEqual([])
    solo.receive(N2, matched({ term: 2, sequence: 3, match: 3 }))
    expect(carried()).toEqual([4])
  })
})
