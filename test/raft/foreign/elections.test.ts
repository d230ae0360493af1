import { describe, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { appendEntries, N2, N3, preVote, requestVote, Solo } from '../solo.ts'

const verdict = (solo: Solo) => solo.sent('preVoteResponse')[0]?.message.verdict

/** Three nodes whose log has one entry, led by n1. */
function ledByN1(ids: readonly string[] = ['n1', 'n2', 'n3']): Cluster {
  const cluster = new Cluster(ids)
  cluster.start()
  cluster.step('n1', { kind: 'campaign' })
  cluster.stabilize()
  expect(cluster.state('n1').role.kind).toBe('leader')
  return cluster
}

/** A leader is there, and commits what it is given. */
function commits(cluster: Cluster): void {
  const before = cluster.safety.committedCount
  cluster.propose(cluster.leader()?.id ?? 'n1')
  cluster.stabilize()
  expect(cluster.safety.committedCount).toBeGreaterThan(before)
}

/** Published bugs of other systems in pre-vote, check-quorum and the election timer (docs/testing.md). */
describe('elections', () => {
  test('etcd #8243: a node that is terms behind takes part in the next election', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    // n1 led and is gone; n3 was cut off since term 1.
    cluster.setLog('n1', [1, 5], { currentTerm: 5, votedFor: 'n1' })
    cluster.setLog('n2', [1, 5], { currentTerm: 5, votedFor: 'n1' })
    cluster.setLog('n3', [1], { currentTerm: 1 })
    cluster.start()
    cluster.crash('n1')
    cluster.step('n2', { kind: 'campaign' })
    cluster.stabilize()
    expect(cluster.leader()?.id).toBe('n2')
    commits(cluster)
  })

  test('etcd #8501: the highest term with a short log, the longest log with a low term: they do not block each other', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    cluster.setLog('n1', [1], { currentTerm: 7, votedFor: 'n1' })
    cluster.setLog('n2', [1, 2, 2], { currentTerm: 2 })
    cluster.start()
    cluster.crash('n3')
    cluster.advance(3000)
    expect(cluster.leader()?.id).toBe('n2')
    expect(cluster.leader()?.state.currentTerm).toBeGreaterThan(7)
    commits(cluster)
  })

  test('etcd #9586: two who lost their leader and ask at the same moment do not take the dead one for alive', () => {
    const cluster = ledByN1()
    cluster.isolate('n1')
    cluster.now += 600
    cluster.step('n2', { kind: 'campaign' })
    cluster.step('n3', { kind: 'campaign' })
    cluster.advance(2400)
    expect(['n2', 'n3']).toContain(cluster.leader()?.id)
    commits(cluster)
  })

  test('etcd #14893: a node that was cut off comes back in its old term and deposes nobody', () => {
    const cluster = ledByN1()
    cluster.isolate('n3')
    cluster.advance(10_000)
    expect(cluster.state('n3').currentTerm).toBe(1)
    cluster.heal()
    cluster.advance(2000)
    expect(cluster.leader()?.id).toBe('n1')
    expect(cluster.state('n1').currentTerm).toBe(1)
  })

  test('yugabyte-db #22914: a term that nobody was elected in does not leave the others without a leader', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    cluster.setLog('n1', [1, 1], { currentTerm: 3, votedFor: 'n2' })
    cluster.setLog('n2', [1, 1], { currentTerm: 3, votedFor: 'n2' })
    cluster.setLog('n3', [1, 1], { currentTerm: 4, votedFor: 'n3' })
    cluster.start()
    cluster.step('n2', { kind: 'campaign' })
    cluster.stabilize()
    cluster.advance(2400)
    expect(cluster.leader()).not.toBeNull()
    commits(cluster)
  })

  test('hashicorp/raft #606: a voter grants a pre-vote to the node that it still takes for its leader', () => {
    const voter = new Solo()
    voter.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    voter.now += 299
    voter.receive(N2, preVote({ term: 2, last: [1, 1] }))
    expect(verdict(voter)).toEqual({ granted: false, reason: 'leaderAlive' })
    voter.now += 1
    voter.receive(N2, preVote({ term: 2, last: [1, 1] }))
    expect(verdict(voter)).toEqual({ granted: true })
  })

  test('hashicorp/raft #609: pre-votes that are granted again and again keep no follower from campaigning', () => {
    const voter = new Solo()
    const deadline = voter.wakeAt
    for (let asked = 0; asked < 20; asked += 1) {
      voter.now = 1000 + asked * ((deadline - 1000) / 20)
      voter.receive(N2, preVote({ term: 2, last: [1, 1] }))
      expect(verdict(voter)).toEqual({ granted: true })
    }
    expect(voter.wakeAt).toBe(deadline)
    voter.timeout()
    expect(voter.state.role.kind).toBe('preCandidate')
  })

  test('redpanda #30817: a follower whose log does not fit yet hears its leader all the same', () => {
    const solo = new Solo({ config: { preVote: false } })
    solo.now = solo.wakeAt - 1
    solo.receive(N2, appendEntries({ term: 1, prev: [9, 1], entries: [1] }))
    expect(solo.sent('appendEntriesResponse')[0]?.message.result.success).toBe(false)
    expect(solo.wakeAt).toBeGreaterThanOrEqual(solo.now + 300)
    expect(solo.state.heardLeaderAt).toBe(solo.now)
  })

  test('redpanda #31547: a leader that a follower’s term has overtaken is told so by every refusal', () => {
    const follower = new Solo({ log: [1, 1], term: 3 })
    follower.receive(N2, appendEntries({ term: 2, prev: [2, 1] }))
    const refusal = follower.sent('appendEntriesResponse')[0]?.message
    expect(refusal).toMatchObject({ term: 3, result: { success: false } })
    const leader = new Solo().lead()
    if (refusal !== undefined) leader.receive(N2, refusal)
    expect(leader.state).toMatchObject({ currentTerm: 3, role: { kind: 'follower' } })
  })

  test('braft #366: a leader that its followers hear grants nobody a pre-vote', () => {
    const leader = new Solo().lead()
    leader.now += 10_000
    leader.receive(N3, preVote({ term: 3, last: [9, 2] }))
    expect(verdict(leader)).toEqual({ granted: false, reason: 'leaderAlive' })
  })

  test('sofa-jraft #15: a node deposes no living leader, although nothing was written for long and its log is as good', () => {
    const cluster = ledByN1()
    cluster.advance(10_000)
    cluster.step('n3', { kind: 'campaign' })
    cluster.advance(3000)
    expect(cluster.leader()?.id).toBe('n1')
    for (const id of ['n1', 'n2', 'n3']) expect(cluster.state(id).currentTerm).toBe(1)
  })

  test('LogCabin #56: a node that was removed, or cut off, does not depose a leader by asking for votes', () => {
    const follower = new Solo({ config: { preVote: false } })
    follower.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    follower.receive(N3, requestVote({ term: 9, last: [9, 1] }))
    expect(follower.state.currentTerm).toBe(1)
    const leader = new Solo({ config: { preVote: false } }).lead()
    leader.receive(N3, requestVote({ term: 9, last: [9, 2] }))
    expect(leader.state).toMatchObject({ currentTerm: 2, role: { kind: 'leader' } })
  })

  test('openraft #2080: a leader that reaches one follower only does not keep the majority from electing', () => {
    const cluster = ledByN1(['n1', 'n2', 'n3', 'n4', 'n5'])
    // n2 hears both sides; n5 is gone. n2, n3 and n4 are a majority whose links are whole.
    cluster.isolate('n5')
    for (const far of ['n3', 'n4']) {
      cluster.cut('n1', far)
      cluster.cut(far, 'n1')
    }
    cluster.advance(3000)
    expect(['n2', 'n3', 'n4']).toContain(cluster.leader()?.id)
    commits(cluster)
  })

  test('dragonboat #195: elections that are split, or lost to a better log, come to an end in a few timeouts', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const cluster = new Cluster(['n1', 'n2', 'n3', 'n4'], { seed })
      cluster.setLog('n1', [1, 2], { currentTerm: 2 })
      cluster.setLog('n2', [1, 2], { currentTerm: 3 })
      cluster.setLog('n3', [1], { currentTerm: 5 })
      cluster.setLog('n4', [1], { currentTerm: 4 })
      cluster.start()
      cluster.advance(2400)
      expect(cluster.leader()?.log[1]?.term, `seed ${seed}`).toBe(2)
    }
  })
})
