import { describe, expect, test } from 'vitest'
import { nodeId, term } from '../../../src/base/brand.ts'
import { leaderOf, type Message } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N1, N2, N3, preVote, refused, requestVote, Solo, THREE } from '../solo.ts'

/** The paper without pre-vote and check-quorum, which are the thesis's. */
const PLAIN = { preVote: false, checkQuorum: false }
const GRANTED: Message = { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } }

/** A cluster that n1 leads in its first term, with two entries committed. */
function ledByN1(ids: readonly string[] = ['n1', 'n2', 'n3']): Cluster {
  const cluster = new Cluster(ids, { config: PLAIN })
  cluster.start()
  cluster.step('n1', { kind: 'campaign' })
  cluster.stabilize()
  cluster.advance(60)
  return cluster
}

const logsOf = (cluster: Cluster) => [...cluster.nodes.values()].map(({ log }) => log.map(({ payload }) => payload))

describe('§5.1 Raft basics', () => {
  test('§5.1 in normal operation there is exactly one leader, and all of the other servers are followers', () => {
    const cluster = ledByN1(['n1', 'n2', 'n3', 'n4', 'n5'])
    cluster.advance(5000)
    const roles = [...cluster.nodes.values()].map(({ state }) => state.role.kind)
    expect(roles).toEqual(['leader', 'follower', 'follower', 'follower', 'follower'])
  })

  test('§5.1 followers are passive: they issue no requests, and answer those of leaders and candidates', () => {
    const cluster = ledByN1()
    const said: string[] = []
    cluster.propose('n1')
    cluster.stabilize(({ from, message }) => {
      if (from !== 'n1') said.push(message.kind)
      return true
    })
    expect(new Set(said)).toEqual(new Set(['appendEntriesResponse']))
  })

  test('§5.1 if a client contacts a follower, the follower redirects it to the leader', () => {
    const solo = new Solo()
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    expect(solo.effects).toEqual([{ kind: 'refused', reason: 'NOT_LEADER', leader: N2 }])
    expect(leaderOf(solo.state)).toBe(N2)
  })

  test('§5.1 terms are numbered with consecutive integers, and each begins with an election', () => {
    const solo = new Solo({ config: PLAIN })
    for (let of = 2; of < 6; of += 1) {
      solo.timeout()
      expect(solo.state).toMatchObject({ currentTerm: of, role: { kind: 'candidate' } })
    }
  })

  test('§5.1 a term whose votes are split ends with no leader, and a new one begins shortly', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3', 'n4'], { config: PLAIN })
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.step('n4', { kind: 'campaign' })
    cluster.stabilize(({ from, to }) => !(from === 'n1' && to === 'n3') && !(from === 'n4' && to === 'n2'))
    cluster.stabilize()
    expect(cluster.leader()).toBeNull()
    cluster.advance(1200)
    expect(cluster.leader()?.state.currentTerm).toBeGreaterThan(1)
  })

  test('§5.1 current terms are exchanged whenever servers communicate: every message has one', () => {
    const cluster = ledByN1()
    const terms: number[] = []
    cluster.crash('n1')
    cluster.advance(0)
    cluster.step('n2', { kind: 'campaign' })
    cluster.stabilize(({ message }) => terms.push(message.term) > 0)
    expect(terms.length).toBeGreaterThan(2)
    expect(terms.filter((of) => of !== 2)).toEqual([])
  })

  test('§5.1 a server that receives a request with a stale term number rejects it', () => {
    const solo = new Solo({ log: [1, 1], term: 4 })
    solo.receive(N2, requestVote({ term: 3, last: [9, 3] }))
    expect(solo.sent('requestVoteResponse')[0]?.message).toMatchObject({ term: 4, verdict: { granted: false } })
    solo.receive(N2, appendEntries({ term: 3, prev: [2, 1], entries: [3] }))
    expect(solo.sent('appendEntriesResponse')[0]?.message).toMatchObject({ term: 4, result: { success: false } })
    solo.receive(N2, preVote({ term: 4, last: [9, 3] }))
    expect(solo.sent('preVoteResponse')[0]?.message).toMatchObject({ term: 4, verdict: { granted: false } })
    expect(solo.write()).toBeNull()
  })
})

describe('§5.2 Leader election', () => {
  test('§5.2 when servers start up, they begin as followers, whatever they were', () => {
    const solo = new Solo({ log: [1, 1], term: 3, vote: N1 })
    expect(solo.state).toMatchObject({ currentTerm: 3, votedFor: N1, role: { kind: 'follower', leader: null } })
  })

  test('§5.2 a server remains a follower as long as it receives valid RPCs from a leader or candidate', () => {
    const solo = new Solo({ config: PLAIN })
    for (let beat = 0; beat < 40; beat += 1) {
      solo.now += 50
      solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], sequence: beat + 1 }))
      solo.step({ kind: 'tick' })
      expect(solo.state.role.kind).toBe('follower')
    }
  })

  test('§5.2 a leader sends heartbeats to establish its authority, and prevents new elections', () => {
    const cluster = ledByN1()
    cluster.advance(20_000)
    for (const id of ['n1', 'n2', 'n3']) expect(cluster.state(id).currentTerm).toBe(1)
  })

  test('§5.2 a candidate needs the votes of a majority of the full cluster, for the same term', () => {
    const voters = [N1, N2, N3, nodeId('n4'), nodeId('n5')]
    const solo = new Solo({ config: PLAIN, configuration: { ...THREE, voters } })
    solo.step({ kind: 'campaign' })
    solo.persist()
    solo.receive(N2, GRANTED)
    for (const id of [N3, nodeId('n4')])
      solo.receive(id, { ...GRANTED, verdict: { granted: false, reason: 'votedForOther' } } as Message)
    expect(solo.state.role.kind).toBe('candidate')
    solo.receive(nodeId('n5'), GRANTED)
    expect(solo.state.role.kind).toBe('leader')
  })

  test('§5.2 a candidate rejects the AppendEntries of a smaller term, and continues in candidate state', () => {
    const solo = new Solo({ config: PLAIN })
    solo.step({ kind: 'campaign' })
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], entries: [1] }))
    expect(solo.sent('appendEntriesResponse')[0]?.message).toMatchObject({ term: 2, result: { success: false } })
    expect(solo.state).toMatchObject({ lastIndex: 1, role: { kind: 'candidate' } })
  })

  test('§5.2 each candidate restarts its randomized election timeout at the start of an election', () => {
    const solo = new Solo({ config: PLAIN })
    const first = solo.wakeAt
    solo.now = first - 100
    solo.step({ kind: 'campaign' })
    expect(solo.wakeAt).toBeGreaterThanOrEqual(solo.now + 300)
    expect(solo.wakeAt).toBeLessThanOrEqual(solo.now + 600)
  })

  test('§5.2 election timeouts are spread over the whole range', () => {
    const timeouts = Array.from({ length: 300 }, (_, seed) => new Solo({ seed, config: PLAIN }).wakeAt - 1000)
    expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(300)
    expect(Math.max(...timeouts)).toBeLessThanOrEqual(600)
    expect(new Set(timeouts).size).toBeGreaterThan(100)
    for (let from = 300; from < 600; from += 60) {
      expect(timeouts.filter((timeout) => timeout >= from && timeout < from + 60).length).toBeGreaterThan(30)
    }
  })

  test('§5.2 each election timeout is drawn anew', () => {
    const solo = new Solo({ config: PLAIN })
    const timeouts = new Set<number>()
    for (let round = 0; round < 20; round += 1) {
      const before = solo.now
      solo.timeout()
      timeouts.add(solo.now - before)
    }
    expect(timeouts.size).toBeGreaterThan(12)
  })
})

describe('§5.3 Log replication', () => {
  test('§5.3 the leader appends a command as a new entry, and issues AppendEntries in parallel to each other server', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    for (const id of [N2, N3]) solo.receive(id, matched({ term: 2, sequence: 1, match: 2 }))
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    expect(solo.write()).toMatchObject({ entries: [{ first: 3, last: 3, term: 2 }] })
    expect(solo.sent('appendEntries').map(({ to, after }) => [to, after])).toEqual([
      [N2, null],
      [N3, null],
    ])
  })

  test('§5.3 once an entry is safely replicated the leader applies it; followers learn of it with the next AppendEntries', () => {
    const cluster = ledByN1()
    cluster.propose('n1')
    cluster.stabilize(({ message }) => message.kind !== 'appendEntries' || message.runs.length > 0)
    expect(cluster.node('n1').applied).toBe(3)
    expect(cluster.node('n2').applied).toBe(2)
    cluster.stabilize()
    expect(cluster.node('n2').applied).toBe(3)
  })

  test('§5.3 committing an entry commits all preceding entries, also those of previous leaders', () => {
    const solo = new Solo({ log: [1, 1, 2, 2], config: PLAIN }).lead()
    solo.receive(N2, matched({ term: 3, sequence: 1, match: 5 }))
    expect(solo.effects).toContainEqual({ kind: 'apply', upTo: 5 })
  })

  test('§5.3 two entries in different logs with the same index and term store the same command, and so do all before them', () => {
    const cluster = ledByN1()
    cluster.propose('n1', 3)
    cluster.isolate('n1')
    cluster.step('n2', { kind: 'campaign' })
    cluster.stabilize()
    cluster.propose('n2', 2)
    cluster.heal()
    cluster.advance(1000)
    const [first, ...others] = logsOf(cluster)
    for (const log of others) expect(log).toEqual(first)
  })

  test('§5.3 conflicting entries in follower logs are overwritten with entries from the leader’s log', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
    cluster.setLog('n1', [1, 1, 4, 4], { currentTerm: 4 })
    cluster.setLog('n2', [1, 1, 2, 2, 2], { currentTerm: 4 })
    cluster.setLog('n3', [1, 3, 3], { currentTerm: 4 })
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    for (const id of ['n1', 'n2', 'n3'])
      expect(cluster.node(id).log.map((entry) => entry.term)).toEqual([1, 1, 4, 4, 5])
  })

  test('§5.3 new entries are accepted, replicated and applied as long as a majority is up; one slow follower does not matter', () => {
    const cluster = ledByN1(['n1', 'n2', 'n3', 'n4', 'n5'])
    cluster.crash('n5')
    cluster.node('n4').diskHeld = true
    for (let entry = 3; entry < 20; entry += 1) {
      cluster.propose('n1')
      cluster.stabilize()
      expect(cluster.state('n1').commitIndex).toBe(entry)
    }
    cluster.crash('n3')
    cluster.propose('n1')
    cluster.stabilize()
    expect(cluster.state('n1').commitIndex).toBe(19)
  })

  test('§5.3 the leader retries AppendEntries until every follower has every entry', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    cluster.propose('n1', 3)
    cluster.packets = []
    cluster.advance(500)
    expect(cluster.state('n2').commitIndex).toBe(5)
    expect(cluster.state('n3').commitIndex).toBe(5)
  })

  test('§5.3 a leader never overwrites or deletes entries in its own log', () => {
    const solo = new Solo({ log: [1, 1, 1], config: PLAIN }).lead()
    solo.receive(N2, refused({ term: 2, sequence: 1, rejected: 3, hint: [2, 0] }))
    expect(solo.write()).toBeNull()
    expect(solo.state.lastIndex).toBe(4)
  })
})

describe('§5.4 Safety', () => {
  test('§5.4.1 whoever wins has every committed entry, without being sent any after its election', () => {
    for (const down of ['n2', 'n3'] as const) {
      const cluster = ledByN1()
      cluster.isolate(down)
      cluster.propose('n1', 4)
      cluster.stabilize()
      cluster.crash('n1')
      cluster.heal()
      const other = down === 'n2' ? 'n3' : 'n2'
      cluster.step(down, { kind: 'campaign' })
      cluster.stabilize()
      expect(cluster.leader()).toBeNull()
      cluster.advance(3000)
      expect(cluster.leader()?.id).toBe(other)
    }
  })

  test('§5.4.2 entries retain their original term numbers when a leader replicates them from previous terms', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'], { config: PLAIN })
    cluster.setLog('n1', [1, 2, 3], { currentTerm: 3 })
    for (const id of ['n2', 'n3']) cluster.setLog(id, [1], { currentTerm: 3 })
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    expect(cluster.node('n2').log.map((entry) => entry.term)).toEqual([1, 2, 3, 4])
  })

  test('§5.4.3 a server never applies another entry at an index that one has applied', () => {
    const cluster = ledByN1()
    cluster.propose('n1', 2)
    cluster.isolate('n1')
    cluster.step('n2', { kind: 'campaign' })
    cluster.advance(500)
    cluster.heal()
    // `Safety` compares each applied entry with the first that was applied at its index.
    cluster.advance(2000)
    expect(cluster.node('n1').applied).toBe(cluster.safety.committedCount)
    expect(logsOf(cluster)[0]).toEqual(logsOf(cluster)[2])
  })
})

describe('§5.5 Follower and candidate crashes', () => {
  test('§5.5 a server that crashed gets what it missed when it has restarted: the leader retries indefinitely', () => {
    const cluster = ledByN1()
    cluster.crash('n3')
    cluster.propose('n1', 3)
    cluster.advance(10_000)
    cluster.restart('n3')
    cluster.advance(1000)
    expect(cluster.state('n3').commitIndex).toBe(5)
  })

  test('§5.5 a server that crashes after completing an RPC, but before responding, receives it again after it restarts', () => {
    const cluster = ledByN1()
    cluster.cut('n3', 'n1')
    cluster.propose('n1')
    cluster.stabilize()
    cluster.crash('n3')
    cluster.heal()
    cluster.restart('n3')
    const write = cluster.state('n3').disk.lastWrite
    cluster.advance(1000)
    expect(cluster.state('n3').commitIndex).toBe(3)
    expect(cluster.node('n3').log).toHaveLength(3)
    expect(cluster.state('n3').disk.lastWrite).toBe(write)
  })

  test('§5.5 a follower that gets AppendEntries it already has ignores the entries and answers again', () => {
    const solo = new Solo()
    const message = appendEntries({ term: 1, prev: [1, 1], entries: [1, 1] })
    solo.receive(N2, message)
    solo.persist()
    solo.receive(N2, message)
    expect(solo.write()).toBeNull()
    expect(solo.sent('appendEntriesResponse')[0]).toMatchObject({ after: null, message: { result: { matchIndex: 3 } } })
  })
})

describe('§5.6 Timing and availability', () => {
  test('§5.6 the heartbeat interval must be shorter than the election timeout', () => {
    expect(() => new Solo({ config: { heartbeatMs: 300 } })).toThrow('heartbeats')
  })
})
