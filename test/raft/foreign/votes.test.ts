import { describe, expect, test } from 'vitest'
import { term } from '../../../src/base/brand.ts'
import type { Message } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N1, N2, N3, requestVote, Solo } from '../solo.ts'

/** Without pre-vote and check-quorum, which would keep some of these situations from arising at all. */
const PLAIN = { preVote: false, checkQuorum: false }

const verdict = (solo: Solo) => solo.sent('requestVoteResponse')[0]?.message.verdict
const REFUSED = { granted: false, reason: 'votedForOther' } as const
const BEHIND = { granted: false, reason: 'logBehind' } as const

/** Published bugs of other systems in how votes are given, kept and counted (docs/testing.md). */
describe('votes', () => {
  test.each([
    ['before the vote is on disk', 0, { granted: true }],
    ['after it is', 1, REFUSED],
  ] as const)('hashicorp/raft #661: a crash %s leaves term and vote together', (_when, kept, expected) => {
    const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
    for (const id of ['n1', 'n2', 'n3']) cluster.setLog(id, [1], { currentTerm: 1 })
    cluster.start()
    cluster.node('n1').diskHeld = true
    cluster.step('n1', { kind: 'receive', from: N2, message: requestVote({ term: 2, last: [1, 1] }) })
    cluster.crash('n1', kept)
    // Never the term without the vote: that is what lets a node vote a second time.
    expect(cluster.node('n1').image).toMatchObject(
      kept === 1 ? { currentTerm: 2, votedFor: N2 } : { currentTerm: 1, votedFor: null },
    )
    cluster.restart('n1')
    cluster.step('n1', { kind: 'receive', from: N3, message: requestVote({ term: 2, last: [1, 1] }) })
    const answer = cluster.packets.map(({ message }) => message).find(({ kind }) => kind === 'requestVoteResponse')
    expect(answer).toMatchObject({ verdict: expected })
  })

  test('PySyncObj #202: the terms of a cluster go on when all of it is started again', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    for (const id of ['n1', 'n2', 'n3']) cluster.setLog(id, [1, 5, 5], { currentTerm: 5 })
    cluster.start()
    cluster.advance(2000)
    const leader = cluster.leader()
    expect(leader?.state.currentTerm).toBeGreaterThan(5)
    // What the new leader writes is newer than every log from before, so nobody can overwrite it.
    cluster.propose(leader?.id ?? 'n1')
    cluster.stabilize()
    expect(leader?.log.at(-1)?.term).toBeGreaterThan(5)
    for (const id of ['n1', 'n2', 'n3']) cluster.crash(id)
    const before = leader?.state.currentTerm ?? 0
    for (const id of ['n1', 'n2', 'n3']) cluster.restart(id)
    for (const id of ['n1', 'n2', 'n3']) expect(cluster.state(id).currentTerm).toBe(before)
  })

  test('PySyncObj #84: a vote survives a crash, and entries are on disk before they are acknowledged', () => {
    const voter = new Solo({ log: [1, 1], term: 2, vote: N2, config: PLAIN })
    voter.receive(N3, requestVote({ term: 2, last: [9, 1] }))
    expect(verdict(voter)).toEqual(REFUSED)
    voter.receive(N2, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    expect(voter.sent('appendEntriesResponse')[0]?.after).toBe(voter.write()?.write)
  })

  test('redpanda #19: a leader that steps down in its own term has not taken its vote back', () => {
    const solo = new Solo().lead()
    while (solo.state.role.kind === 'leader') solo.timeout()
    expect(solo.state).toMatchObject({ currentTerm: 2, votedFor: N1, role: { kind: 'follower' } })
    solo.receive(N3, requestVote({ term: 2, last: [9, 2] }))
    expect(verdict(solo)).toEqual(REFUSED)
  })

  test('eliben/raft #27: following the leader of a term does not free the vote given in it', () => {
    const solo = new Solo({ config: PLAIN })
    solo.receive(N2, requestVote({ term: 2, last: [1, 1] }))
    solo.receive(N2, appendEntries({ term: 2, prev: [1, 1] }))
    solo.receive(N3, requestVote({ term: 2, last: [1, 1] }))
    expect(verdict(solo)).toEqual(REFUSED)
    expect(solo.state).toMatchObject({ votedFor: N2, role: { kind: 'follower', leader: N2 } })
  })

  test('nebula #3415: a candidate’s own vote is given to itself, and to nobody else in that term', () => {
    const solo = new Solo({ config: PLAIN })
    solo.step({ kind: 'campaign' })
    expect(solo.write()?.hardState).toEqual({ currentTerm: 2, votedFor: N1 })
    solo.receive(N2, requestVote({ term: 2, last: [9, 1] }))
    expect(verdict(solo)).toEqual(REFUSED)
  })

  test('little-raft #44: a vote that was given in an earlier term does not count in this one', () => {
    const vote = (of: number): Message => ({
      kind: 'requestVoteResponse',
      term: term(of),
      verdict: { granted: true },
    })
    const solo = new Solo({ config: PLAIN })
    solo.step({ kind: 'campaign' })
    solo.timeout()
    solo.persist()
    expect(solo.state).toMatchObject({ currentTerm: 3, role: { kind: 'candidate' } })
    // n2 has voted for another in term 3 by now: its late vote of term 2 must not make a second leader.
    solo.receive(N2, vote(2))
    expect(solo.state.role.kind).toBe('candidate')
    solo.receive(N3, vote(3))
    expect(solo.state.role.kind).toBe('leader')
  })

  test('NATS #5021: a vote says the term that the voter adopted with the request', () => {
    const leader = new Solo({ config: PLAIN }).lead()
    leader.receive(N3, requestVote({ term: 3, last: [2, 2] }))
    expect(leader.state).toMatchObject({ currentTerm: 3, votedFor: N3, role: { kind: 'follower' } })
    expect(leader.sent('requestVoteResponse')[0]?.message).toMatchObject({ term: 3, verdict: { granted: true } })
  })

  test('async-raft #132: the newer last term wins, whatever the lengths of the logs', () => {
    const ask = (last: readonly [number, number]) => {
      const solo = new Solo({ log: [1, 1, 2, 2], config: PLAIN })
      solo.receive(N2, requestVote({ term: 9, last }))
      return verdict(solo)
    }
    expect(ask([2, 3])).toEqual({ granted: true })
    expect(ask([9, 1])).toEqual(BEHIND)
    expect(ask([3, 2])).toEqual(BEHIND)
    expect(ask([4, 2])).toEqual({ granted: true })
  })

  test('sofa-jraft #882: the log that a vote is weighed against is the newest, not one read a moment ago', () => {
    const voter = new Solo({ config: PLAIN })
    // Entry 2 is on its way to the disk: once its write is done, it is acknowledged and perhaps committed.
    voter.receive(N2, appendEntries({ term: 2, prev: [1, 1], entries: [2] }))
    expect(voter.state.disk.durableIndex).toBe(1)
    voter.receive(N3, requestVote({ term: 3, last: [1, 1] }))
    expect(verdict(voter)).toEqual(BEHIND)
    const leader = new Solo({ config: PLAIN }).lead()
    leader.step({ kind: 'propose', count: 1, bytes: 1 })
    leader.receive(N2, matched({ term: 2, sequence: 2, match: 2 }))
    leader.receive(N3, requestVote({ term: 3, last: [2, 2] }))
    expect(verdict(leader)).toEqual(BEHIND)
  })

  test('redpanda #45: whoever has just voted waits a whole election timeout before it campaigns', () => {
    const solo = new Solo({ config: PLAIN })
    solo.now = solo.wakeAt - 1
    solo.receive(N2, requestVote({ term: 2, last: [1, 1] }))
    expect(verdict(solo)).toEqual({ granted: true })
    expect(solo.wakeAt).toBeGreaterThanOrEqual(solo.now + 300)
  })

  test('graft #7: a refusal of an older term does not take a candidate back to it', () => {
    const solo = new Solo({ log: [1], term: 4, config: PLAIN })
    solo.step({ kind: 'campaign' })
    solo.receive(N2, {
      kind: 'requestVoteResponse',
      term: term(3),
      verdict: { granted: false, reason: 'logBehind' },
    })
    expect(solo.state).toMatchObject({ currentTerm: 5, role: { kind: 'candidate' } })
  })

  test.each(['candidate', 'leader'] as const)('barge #10: a %s learns of a newer term from an answer', (role) => {
    const solo = new Solo({ config: PLAIN })
    if (role === 'leader') solo.lead()
    else solo.step({ kind: 'campaign' })
    const refusal = { granted: false, reason: 'staleTerm' } as const
    solo.receive(
      N2,
      role === 'leader'
        ? matched({ term: 7, sequence: 1, match: 1 })
        : { kind: 'requestVoteResponse', term: term(7), verdict: refusal },
    )
    expect(solo.state).toMatchObject({ currentTerm: 7, votedFor: null, role: { kind: 'follower' } })
  })
})
