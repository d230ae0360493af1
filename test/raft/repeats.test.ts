import { describe, expect, test } from 'vitest'
import { nodeId, term } from '../../src/base/brand.ts'
import { type Message, progressOf } from '../../src/raft/index.ts'
import { appendEntries, matched, N1, N2, N3, requestVote, Solo } from './solo.ts'

const FIVE = { voters: [N1, N2, N3, nodeId('n4'), nodeId('n5')], learners: [], outgoing: [], promoting: [] }

describe('what comes twice', () => {
  test('a second copy of a RequestVote takes nothing from the leader that it made', () => {
    const solo = new Solo({ log: [1, 1] })
    const request = requestVote({ term: 2, last: [2, 1] })
    solo.receive(N2, request)
    solo.receive(N2, appendEntries({ term: 2, prev: [2, 1] }))
    const before = solo.state
    solo.now += 10
    solo.receive(N2, request)
    expect(solo.sent('requestVoteResponse')[0]?.message.verdict).toEqual({ granted: true })
    expect(solo.state).toEqual(before)
  })

  test('a second copy of a vote, or of a pre-vote, counts once', () => {
    const candidate = new Solo({ configuration: FIVE, config: { preVote: false } })
    candidate.step({ kind: 'campaign' })
    const vote: Message = { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } }
    for (const from of [N2, N2]) candidate.receive(from, vote)
    expect(candidate.state.role).toMatchObject({ kind: 'candidate', granted: [N2] })
    const asking = new Solo({ configuration: FIVE })
    asking.step({ kind: 'campaign' })
    const grant: Message = {
      kind: 'preVoteResponse',
      term: term(1),
      requestTerm: term(2),
      verdict: { granted: true },
    }
    for (const from of [N2, N2]) asking.receive(from, grant)
    expect(asking.state.role).toMatchObject({ kind: 'preCandidate', granted: [N1, N2] })
  })

  test('a configuration is agreed once: another bootstrap changes nothing', () => {
    const solo = new Solo()
    const before = solo.state
    solo.now += 10
    solo.step({ kind: 'bootstrapped', configuration: FIVE, advances: false })
    expect(solo.state).toEqual(before)
  })

  test('entries that come again in a newer term are acknowledged after the write of that term, not only their own', () => {
    const solo = new Solo({ log: [1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], entries: [1] }))
    solo.now += 1000
    solo.receive(N3, requestVote({ term: 5, last: [9, 4] }))
    solo.receive(N3, appendEntries({ term: 5, prev: [2, 1], entries: [1] }))
    expect(solo.sent('appendEntriesResponse')[0]).toMatchObject({ after: 2, message: { result: { matchIndex: 3 } } })
  })
})

describe('a heartbeat that is late', () => {
  test('by less than an interval keeps the beat, and is no absence', () => {
    const solo = new Solo().lead()
    const contacts = [...progressOf(solo.state).values()].map(({ lastContact }) => lastContact)
    const due = solo.wakeAt
    solo.now = due + 30
    solo.step({ kind: 'tick' })
    expect(solo.wakeAt).toBe(due + 50)
    expect([...progressOf(solo.state).values()].map(({ lastContact }) => lastContact)).toEqual(contacts)
  })

  test('by more dates no contact beyond now, also one from within the absence', () => {
    const solo = new Solo().lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.now = solo.wakeAt + 200
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    const { role } = solo.state
    const newest = role.kind === 'leader' ? role.sequence : 0
    solo.receive(N2, matched({ term: 2, sequence: newest, match: 3 }))
    solo.step({ kind: 'tick' })
    expect(progressOf(solo.state).get(N2)?.lastContact).toBe(solo.now)
  })
})
