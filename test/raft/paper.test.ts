import { describe, expect, test } from 'vitest'
import { term } from '../../src/base/brand.ts'
import { leaderOf, type Message, progressOf } from '../../src/raft/index.ts'
import { appendEntries, matched, N1, N2, N3, refused, requestVote, Solo, THREE } from './solo.ts'

/** The paper without pre-vote and check-quorum, which are the thesis's. */
const PLAIN = { preVote: false, checkQuorum: false }

describe('Figure 2, State', () => {
  test('currentTerm is initialised to 0 on first boot, and votedFor to none', () => {
    const { state } = new Solo({ log: [], configuration: null })
    expect(state).toMatchObject({ currentTerm: 0, votedFor: null, commitIndex: 0, lastIndex: 0 })
  })

  test('persistent state is updated on stable storage before responding to RPCs', () => {
    const solo = new Solo({ config: PLAIN })
    solo.receive(N2, requestVote({ term: 2, last: [1, 1] }))
    expect(solo.write()).toMatchObject({ write: 1, hardState: { currentTerm: 2, votedFor: N2 } })
    expect(solo.sent('requestVoteResponse')[0]?.after).toBe(1)
    solo.receive(N2, appendEntries({ term: 2, prev: [1, 1], entries: [2] }))
    expect(solo.sent('appendEntriesResponse')[0]?.after).toBe(2)
  })

  test('nextIndex is initialised to the leader’s last log index + 1, matchIndex to 0', () => {
    const solo = new Solo({ log: [1, 1, 1], config: PLAIN }).lead()
    expect(progressOf(solo.state).get(N2)).toMatchObject({ nextIndex: 4, matchIndex: 0 })
    expect(progressOf(solo.state).get(N3)).toMatchObject({ nextIndex: 4, matchIndex: 0 })
  })

  test('the first index of the log is 1', () => {
    const solo = new Solo({ log: [], configuration: { ...THREE, voters: [N1] } })
    solo.persist()
    expect(solo.write()?.entries[0]).toMatchObject({ first: 1 })
  })

  test('commitIndex and matchIndex increase monotonically', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN }).lead()
    let [commit, match] = [0, 0]
    for (const acknowledged of [1, 3, 2, 3, 1]) {
      solo.receive(N2, matched({ term: 2, sequence: 1, match: acknowledged }))
      const known = progressOf(solo.state).get(N2)?.matchIndex ?? 0
      expect(solo.state.commitIndex).toBeGreaterThanOrEqual(commit)
      expect(known).toBeGreaterThanOrEqual(match)
      ;[commit, match] = [solo.state.commitIndex, known]
    }
    expect([commit, match]).toEqual([3, 3])
  })

  test('nextIndex and matchIndex are reinitialised after election', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.receive(N3, requestVote({ term: 3, last: [2, 2] }))
    solo.lead()
    expect(solo.state.currentTerm).toBe(4)
    expect(progressOf(solo.state).get(N2)).toMatchObject({ matchIndex: 0, nextIndex: 3 })
  })
})

describe('Figure 2, AppendEntries RPC, receiver', () => {
  const answer = (solo: Solo) => solo.sent('appendEntriesResponse')[0]?.message

  test('1. reply false if term < currentTerm', () => {
    const solo = new Solo({ log: [1, 1], term: 3 })
    solo.receive(N2, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    expect(answer(solo)).toMatchObject({ term: 3, result: { success: false } })
    expect(solo.state.lastIndex).toBe(2)
    expect(leaderOf(solo.state)).toBeNull()
  })

  test.each([
    ['is missing', [1, 1], [3, 2], [2, 1]],
    ['has another term', [1, 1, 2], [3, 3], [3, 2]],
    ['is of a whole other term', [1, 2, 2, 2], [4, 1], [1, 1]],
  ] as const)('2. reply false if the entry at prevLogIndex %s', (_case, log, prev, hint) => {
    const solo = new Solo({ log, term: 3 })
    solo.receive(N2, appendEntries({ term: 3, prev, entries: [3] }))
    const [hintIndex, hintTerm] = hint
    expect(answer(solo)).toMatchObject({ result: { success: false, rejectedIndex: prev[0], hintIndex, hintTerm } })
    expect(solo.write()).toBeNull()
  })

  test('3. an existing entry that conflicts with a new one is deleted with all that follow it', () => {
    const solo = new Solo({ log: [1, 1, 2, 2, 2], term: 3 })
    solo.receive(N2, appendEntries({ term: 3, prev: [1, 1], entries: [1, 3] }))
    expect(solo.write()).toMatchObject({ truncateFrom: 3, entries: [{ first: 3, last: 3, term: 3 }] })
    expect(solo.effects).toContainEqual({ kind: 'abort', from: 3 })
    expect(solo.state.lastIndex).toBe(3)
  })

  test('4. new entries that are not already in the log are appended, and only these', () => {
    const solo = new Solo({ log: [1, 1, 2], term: 2 })
    solo.receive(N2, appendEntries({ term: 2, prev: [1, 1], entries: [1, 2, 2, 2] }))
    expect(solo.write()).toMatchObject({
      truncateFrom: null,
      entries: [
        { first: 4, last: 4 },
        { first: 5, last: 5 },
      ],
    })
    expect(answer(solo)).toMatchObject({ result: { success: true, matchIndex: 5 } })
  })

  test('5. commitIndex becomes min(leaderCommit, index of last new entry)', () => {
    const solo = new Solo({ log: [1, 1, 1, 1], term: 1 })
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], entries: [1], commit: 4 }))
    expect(solo.state.commitIndex).toBe(2)
    solo.receive(N2, appendEntries({ term: 1, prev: [4, 1], commit: 3 }))
    expect(solo.state.commitIndex).toBe(3)
  })

  test('the sender is the leader to whom clients are redirected; a heartbeat has no entries, a message may have many', () => {
    const solo = new Solo()
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    expect(leaderOf(solo.state)).toBe(N2)
    expect(solo.write()).toBeNull()
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], entries: [1, 1, 1], sequence: 2 }))
    expect(solo.write()?.entries.at(-1)).toMatchObject({ last: 4 })
  })
})

describe('Figure 2, RequestVote RPC, receiver', () => {
  const verdict = (solo: Solo) => solo.sent('requestVoteResponse')[0]?.message.verdict

  test('1. reply false if term < currentTerm', () => {
    const solo = new Solo({ term: 3 })
    solo.receive(N2, requestVote({ term: 2, last: [9, 2] }))
    expect(verdict(solo)).toEqual({ granted: false, reason: 'staleTerm' })
  })

  test('2. the vote is granted if votedFor is none or the candidate: first come, first served (§5.2)', () => {
    const solo = new Solo()
    solo.receive(N2, requestVote({ term: 2, last: [1, 1] }))
    expect(verdict(solo)).toEqual({ granted: true })
    solo.receive(N3, requestVote({ term: 2, last: [1, 1] }))
    expect(verdict(solo)).toEqual({ granted: false, reason: 'votedForOther' })
    solo.receive(N2, requestVote({ term: 2, last: [1, 1] }))
    expect(verdict(solo)).toEqual({ granted: true })
    expect(solo.write()).toBeNull()
  })

  test.each([
    ['a higher last term, shorter log', [1, 3], true],
    ['the same last term, same length', [3, 2], true],
    ['the same last term, longer log', [4, 2], true],
    ['the same last term, shorter log', [2, 2], false],
    ['a lower last term, longer log', [9, 1], false],
  ] as const)('2. and if the candidate’s log is up to date (§5.4.1): %s', (_case, last, granted) => {
    const solo = new Solo({ log: [1, 1, 2] })
    solo.receive(N2, requestVote({ term: 9, last }))
    expect(verdict(solo)).toEqual(granted ? { granted } : { granted, reason: 'logBehind' })
  })
})

describe('Figure 2, Rules for All Servers', () => {
  test('if commitIndex rises, the entries up to it are applied', () => {
    const solo = new Solo({ log: [1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], commit: 2 }))
    expect(solo.applied()).toBe(2)
  })

  const messages: readonly Message[] = [
    appendEntries({ term: 9, prev: [1, 1] }),
    requestVote({ term: 9, last: [1, 1] }),
    matched({ term: 9, sequence: 1, match: 1 }),
    { kind: 'requestVoteResponse', term: term(9), verdict: { granted: false, reason: 'staleTerm' } },
    { kind: 'preVoteResponse', term: term(9), requestTerm: term(2), verdict: { granted: false, reason: 'staleTerm' } },
  ]
  for (const message of messages) {
    for (const from of ['follower', 'candidate', 'leader'] as const) {
      test(`a ${message.kind} of a higher term makes a ${from} adopt it and follow`, () => {
        const solo = new Solo({ config: PLAIN })
        if (from === 'candidate') solo.step({ kind: 'campaign' })
        if (from === 'leader') solo.lead()
        solo.receive(N3, message)
        expect(solo.state).toMatchObject({ currentTerm: 9, role: { kind: 'follower' } })
        expect(solo.write()?.hardState).toMatchObject({ currentTerm: 9 })
      })
    }
  }
})

describe('Figure 2, Rules for Followers', () => {
  test('a follower that hears nobody for an election timeout becomes a candidate', () => {
    const solo = new Solo({ config: PLAIN })
    solo.timeout()
    expect(solo.state).toMatchObject({ currentTerm: 2, role: { kind: 'candidate' } })
  })

  test.each([
    ['an AppendEntries of the current leader', appendEntries({ term: 1, prev: [1, 1] }), true],
    ['a vote granted', requestVote({ term: 2, last: [1, 1] }), true],
    ['a vote refused', requestVote({ term: 2, last: [0, 0] }), false],
    ['an AppendEntries of an older term', appendEntries({ term: 0, prev: [0, 0] }), false],
  ] as const)('the election timer after %s', (_case, message, reset) => {
    const solo = new Solo({ config: PLAIN })
    const before = solo.wakeAt
    solo.now = before - 1
    solo.receive(N2, message)
    if (reset) expect(solo.wakeAt).toBeGreaterThanOrEqual(solo.now + 300)
    else expect(solo.wakeAt).toBe(before)
  })
})

describe('Figure 2, Rules for Candidates', () => {
  const candidate = () => {
    const solo = new Solo({ config: PLAIN })
    solo.step({ kind: 'campaign' })
    return solo
  }

  test('on conversion: increment the term, vote for self, reset the timer, RequestVote to all others', () => {
    const solo = candidate()
    expect(solo.state).toMatchObject({ currentTerm: 2, votedFor: N1 })
    expect(solo.wakeAt).toBeGreaterThanOrEqual(solo.now + 300)
    expect(solo.sent('requestVote').map(({ to }) => to)).toEqual([N2, N3])
    expect(solo.sent('requestVote')[0]?.message).toMatchObject({ term: 2, lastLogIndex: 1, lastLogTerm: 1 })
  })

  test('votes of a majority make it leader; one node’s vote counts once', () => {
    const solo = new Solo({
      config: PLAIN,
      configuration: { voters: [...THREE.voters, 'n4', 'n5'] as never, learners: [], outgoing: [], promoting: [] },
    })
    solo.step({ kind: 'campaign' })
    solo.persist()
    const vote: Message = { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } }
    solo.receive(N2, vote)
    solo.receive(N2, vote)
    expect(solo.state.role.kind).toBe('candidate')
    solo.receive(N3, vote)
    expect(solo.state.role.kind).toBe('leader')
  })

  test('an AppendEntries of a new leader makes it follow; one of an older term does not (§5.2)', () => {
    const solo = candidate()
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    expect(solo.state.role.kind).toBe('candidate')
    solo.receive(N2, appendEntries({ term: 2, prev: [1, 1] }))
    expect(solo.state).toMatchObject({ currentTerm: 2, votedFor: N1, role: { kind: 'follower', leader: N2 } })
  })

  test('if the election timeout elapses it starts a new election', () => {
    const solo = candidate()
    solo.timeout()
    expect(solo.state).toMatchObject({ currentTerm: 3, role: { kind: 'candidate' } })
  })
})

describe('Figure 2, Rules for Leaders', () => {
  test('upon election: AppendEntries to each server; they are repeated while idle', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    expect(solo.sent('appendEntries', solo.leadership).map(({ to }) => to)).toEqual([N2, N3])
    const before = solo.now
    solo.timeout()
    expect(solo.now - before).toBeLessThanOrEqual(50)
    expect(solo.sent('appendEntries').map(({ to, message }) => [to, message.runs.length])).toEqual([
      [N2, 0],
      [N3, 0],
    ])
  })

  test('a command is appended to the local log, and applied once committed', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 1, bytes: 10 })
    expect(solo.write()).toMatchObject({ entries: [{ first: 3, last: 3, term: 2, source: { kind: 'proposed' } }] })
    expect(solo.applied()).toBeNull()
    solo.persist()
    solo.receive(N2, matched({ term: 2, sequence: 3, match: 3 }))
    expect(solo.applied()).toBe(3)
  })

  test('if last log index ≥ nextIndex: AppendEntries from nextIndex; success moves nextIndex and matchIndex', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    expect(progressOf(solo.state).get(N2)).toMatchObject({ matchIndex: 2, nextIndex: 3 })
    solo.step({ kind: 'propose', count: 2, bytes: 10 })
    expect(solo.sent('appendEntries').map(({ to, message }) => [to, message.prevLogIndex, message.runs])).toEqual([
      [N2, 2, [{ first: 3, last: 4, term: 2 }]],
    ])
  })

  test('if AppendEntries fails because of log inconsistency: decrease nextIndex and retry', () => {
    const solo = new Solo({ log: [1, 1, 1], config: PLAIN }).lead()
    solo.receive(N2, refused({ term: 2, sequence: 1, rejected: 3, hint: [1, 1] }))
    expect(progressOf(solo.state).get(N2)).toMatchObject({ nextIndex: 2, mode: 'probe' })
    expect(solo.sent('appendEntries')[0]?.message).toMatchObject({
      prevLogIndex: 1,
      runs: [{ first: 2 }, { first: 4 }],
    })
  })

  test('commitIndex moves to N if a majority has matchIndex ≥ N and log[N].term = currentTerm', () => {
    const solo = new Solo({ log: [1, 1, 1], config: { ...PLAIN, appendEntriesMax: 1 } }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 3 }))
    expect(solo.state.commitIndex).toBe(0)
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 4 }))
    expect(solo.state.commitIndex).toBe(4)
  })
})
