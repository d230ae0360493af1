import { describe, expect, test } from 'vitest'
import { clusterStatus, exitCodeOf, type NodeReport } from '../../../src/cli/cluster/cluster-status.ts'
import { statusText } from '../../../src/cli/cluster/status-text.ts'
import { EXIT } from '../../../src/cli/terminal/exit.ts'

type Known = NonNullable<NodeReport['status']>

const node = (id: string, over: Partial<Known> = {}): NodeReport => ({
  endpoint: `${id}:1`,
  status: {
    id,
    role: 'follower',
    leader: 'n1',
    term: 3,
    commitIndex: 50,
    appliedIndex: 50,
    lastIndex: 50,
    stateHash: 'abcdefabcdefabcd',
    syncP99Ms: 0.5,
    followers: [],
    voters: ['n1', 'n2', 'n3'],
    refusals: [],
    awaited: [],
    halted: null,
    differs: null,
    leaseMs: 0,
    leaseHeld: false,
    readRounds: 0,
    failures: null,
    pull: null,
    owes: null,
    machines: [],
    runtime: '',
    holdfast: '',
    development: false,
    peerBuilds: [],
    ...over,
  },
})
const leading: Partial<Known> = {
  role: 'leader',
  lastIndex: 51,
  followers: [
    { id: 'n2', matchIndex: 51, contactMs: 4 },
    { id: 'n3', matchIndex: 50, contactMs: 9 },
  ],
}
const gone = (id: string): NodeReport => ({ endpoint: `${id}:1`, status: null })

describe('the status of a cluster', () => {
  test('a leader with another state than both followers is the odd one, and every node says who differs', () => {
    const differs = { nodes: ['n1'], index: 40 }
    const reports = [
      node('n1', { ...leading, stateHash: '0000000000000000' }),
      node('n2', { differs }),
      node('n3', { differs }),
    ]
    const status = clusterStatus(reports)
    expect(status.nodes.map((line) => line.health)).toEqual(['diverged', 'ok', 'ok'])
    expect(status.differs.map((line) => line.node)).toEqual(['n2', 'n3'])
    expect(statusText(status)).toContain('n2: n1 made another state of the log at entry 40')
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
  })

  test('a node whose log was damaged does not vote, so it counts for nothing, and what it waits for is said', () => {
    const reach = { kind: 'reach', term: 2, index: 80, told: [] }
    const status = clusterStatus([node('n1', leading), node('n2', { owes: reach }), node('n3')])
    expect(status.nodes.map((line) => line.health)).toEqual(['ok', 'owes', 'ok'])
    expect([status.canLose, exitCodeOf(status)]).toEqual([0, EXIT.degraded])
    expect(statusText(status)).toContain(
      'n2 does not vote, for its log was damaged: it must reach entry 80 of term 2 again, from the others',
    )
    const census = { kind: 'census', term: 0, index: 0, told: ['n1'] }
    const asking = statusText(clusterStatus([node('n1', leading), node('n2', { owes: census }), gone('n3')]))
    expect(asking).toContain('not heard yet: n3')
  })

  test('a node that takes a snapshot is behind, and how far it is is said', () => {
    const pull = { from: 'n1', index: 40, rows: 1200, total: 40_000 }
    const status = clusterStatus([node('n1', leading), node('n2', { pull }), node('n3')])
    expect(status.nodes[1]).toMatchObject({ id: 'n2', health: 'behind' })
    expect(status.pulls).toEqual([{ node: 'n2', ...pull }])
    expect(statusText(status)).toContain('n2 takes the snapshot of n1 at entry 40: 1,200 of 40,000 rows are here')
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
  })

  test('three healthy nodes can lose one', () => {
    const status = clusterStatus([node('n1', leading), node('n2'), node('n3', { appliedIndex: 48 })])
    expect(status).toMatchObject({ leader: 'n1', term: 3, canLose: 1 })
    expect(status.nodes.map((line) => [line.id, line.role, line.matchIndex, line.lagEntries, line.lagMs])).toEqual([
      ['n1', 'leader', 51, 0, 0],
      ['n2', 'follower', 51, 0, 4],
      ['n3', 'follower', 50, 2, 9],
    ])
    expect(exitCodeOf(status)).toBe(EXIT.ok)
  })

  test('with one node gone it can lose none, and is degraded', () => {
    const status = clusterStatus([node('n1', leading), node('n2'), gone('n3')])
    expect(status.canLose).toBe(0)
    expect(status.nodes[2]).toMatchObject({ id: 'n3', health: 'unreachable', matchIndex: 50, lagMs: 9 })
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
  })

  test('without a leader it serves nobody', () => {
    const status = clusterStatus([node('n1', { leader: null }), gone('n2'), gone('n3')])
    expect(status.leader).toBe(null)
    expect(status.canLose).toBe(-1)
    expect(statusText(status)).toContain('no quorum')
    expect(exitCodeOf(status)).toBe(EXIT.notServing)
  })

  test('a leader of an older term is not believed', () => {
    const status = clusterStatus([
      node('n1', leading),
      node('n2', { ...leading, term: 4, leader: 'n2' }),
      node('n3', { term: 4 }),
    ])
    expect(status).toMatchObject({ leader: 'n2', term: 4 })
  })

  test('a leader that cannot be reached does not count in what can be lost, though others name it', () => {
    const status = clusterStatus([gone('n1'), node('n2', { leader: 'n1' }), node('n3', { leader: 'n1' })])
    expect(status.canLose).toBe(0)
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
  })

  test('a node that does not apply what is committed is behind', () => {
    const status = clusterStatus([
      node('n1', { ...leading, commitIndex: 90_000, appliedIndex: 90_000 }),
      node('n2'),
      node('n3'),
    ])
    expect(status.nodes.map((line) => line.health)).toEqual(['ok', 'behind', 'behind'])
    expect(status.canLose).toBe(0)
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
  })

  test('a node that its peers refuse is named so, with the code, and the cluster can lose none', () => {
    const refusals = [{ peer: 'n3', code: 'WRONG_INSTANCE' }]
    const status = clusterStatus([
      node('n1', { ...leading, refusals }),
      node('n2'),
      node('n3', { leader: null, term: 0, appliedIndex: 0, voters: [] }),
    ])
    expect(status.nodes.map((line) => line.health)).toEqual(['ok', 'ok', 'refused'])
    expect(status.canLose).toBe(0)
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
    expect(statusText(status)).toContain('n3 is refused: holdfast explain WRONG_INSTANCE')
  })

  test('a node that answers here but that the leader does not hear is silent', () => {
    const followers = [
      { id: 'n2', matchIndex: 51, contactMs: 4 },
      { id: 'n3', matchIndex: 7, contactMs: 9_000 },
    ]
    const status = clusterStatus([node('n1', { ...leading, followers }), node('n2'), node('n3')])
    expect(status.nodes.map((line) => line.health)).toEqual(['ok', 'ok', 'silent'])
    expect(status.canLose).toBe(0)
  })

  test('a leader that hears no majority does not serve', () => {
    const followers = ['n2', 'n3'].map((id) => ({ id, matchIndex: 7, contactMs: 9_000 }))
    const status = clusterStatus([node('n1', { ...leading, followers }), gone('n2'), gone('n3')])
    expect(status.canLose).toBe(-1)
    expect(exitCodeOf(status)).toBe(EXIT.notServing)
  })

  test('another state hash at an equal index is a node that went another way, and it does not count', () => {
    const status = clusterStatus([node('n1', leading), node('n2'), node('n3', { stateHash: 'ffff' })])
    expect(status.nodes.map((line) => line.health)).toEqual(['ok', 'ok', 'diverged'])
    expect(status.canLose).toBe(0)
    const elsewhere = clusterStatus([
      node('n1', leading),
      node('n2'),
      node('n3', { stateHash: 'ffff', appliedIndex: 49 }),
    ])
    expect(elsewhere.nodes.map((line) => line.health)).toEqual(['ok', 'ok', 'ok'])
  })

  test('without a leader to ask, the hash of the most is right, and of two that differ neither is', () => {
    const healths = (hashes: readonly string[]): string[] =>
      clusterStatus(hashes.map((stateHash, at) => node(`n${at + 1}`, { leader: null, stateHash }))).nodes.map(
        (line) => line.health,
      )
    expect(healths(['a', 'b', 'a'])).toEqual(['ok', 'diverged', 'ok'])
    expect(healths(['a', 'b'])).toEqual(['diverged', 'diverged', 'unreachable'])
  })

  test('of a leader and a follower that differ neither is right: the leader may be the odd one', () => {
    const status = clusterStatus([node('n1', leading), node('n2', { stateHash: 'ffff' }), gone('n3')])
    expect(status.nodes.map((line) => line.health).slice(0, 2)).toEqual(['diverged', 'diverged'])
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
  })

  test('nodes that were not asked are judged by the leader that hears them', () => {
    const status = clusterStatus([node('n1', leading)])
    expect(status.nodes.map((line) => [line.id, line.health])).toEqual([
      ['n1', 'ok'],
      ['n2', 'heard'],
      ['n3', 'heard'],
    ])
    expect(exitCodeOf(status)).toBe(EXIT.ok)
  })

  test('a follower that has a leader is enough to say that the cluster serves', () => {
    const status = clusterStatus([node('n2'), gone('n1')])
    expect(status).toMatchObject({ leader: 'n1', canLose: 0 })
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
  })

  test('before the first election it says for whom it waits', () => {
    const fresh = { leader: null, term: 0, lastIndex: 0, appliedIndex: 0, commitIndex: 0, voters: [] }
    const status = clusterStatus([node('n1', { ...fresh, awaited: ['n3'] }), node('n2', { ...fresh, awaited: ['n3'] })])
    expect(exitCodeOf(status)).toBe(EXIT.notServing)
    expect(statusText(status)).toContain('the first election needs all initial nodes; not heard yet: n3')
  })

  test('the text has one line per node', () => {
    const text = statusText(clusterStatus([node('n1', leading), node('n2'), gone('n3')]))
    expect(text.split('\n')).toHaveLength(8)
    expect(text).toContain('leader n1, term 3, can lose 0 more')
  })

  test('the leader’s way of answering linearizable reads is shown: its lease, held or not, and rounds of reads', () => {
    const said = (over: Partial<Known>) => {
      const status = clusterStatus([node('n1', { ...leading, ...over }), node('n2', { readRounds: 9 }), node('n3')])
      return [status.reads, statusText(status).split('\n').at(-1)]
    }
    const none = { leaseMs: 0, leaseHeld: false, readRounds: 1 }
    const held = { leaseMs: 300, leaseHeld: true, readRounds: 2 }
    expect(said(none)).toEqual([none, 'reads: without a lease, 1 round of reads in this term'])
    expect(said(held)).toEqual([held, 'reads: a lease of 300 ms, held, 2 rounds of reads in this term'])
    expect(said({ ...held, leaseHeld: false })[1]).toContain('a lease of 300 ms, not held until somebody reads')
    const unknown = clusterStatus([gone('n1'), node('n2', held), node('n3', held)])
    expect([unknown.reads, statusText(unknown)]).toEqual([null, expect.not.stringContaining('reads:')])
  })

  const halted = { code: 'MACHINE_MISSING', message: 'this build has no machine stock', index: 41 }

  test('a node that has halted is no node that may be lost, and its sentence is shown', () => {
    const status = clusterStatus([node('n1', leading), node('n2'), node('n3', { halted })])
    expect(status).toMatchObject({ leader: 'n1', canLose: 0, halted: [{ node: 'n3', ...halted }] })
    expect(status.nodes.map((line) => line.health)).toEqual(['ok', 'ok', 'halted'])
    expect(exitCodeOf(status)).toBe(EXIT.degraded)
    expect(statusText(status)).toContain('n3 has halted, MACHINE_MISSING: this build has no machine stock')
  })

  test('a cluster whose leader has halted does not serve', () => {
    const status = clusterStatus([node('n1', { ...leading, halted }), node('n2'), node('n3')])
    expect(exitCodeOf(status)).toBe(EXIT.notServing)
    expect(statusText(status)).toContain('the leader has halted: the cluster does not serve')
  })

  test('a node whose machine failed is named with the last function, entry and reason', () => {
    const last = { machine: 'stock', kind: 'command', name: 'reserve', index: 42, reason: 'EXCEPTION' }
    const hook = { ...last, machine: '', kind: 'hook', name: 'onDeadLetter' }
    const status = clusterStatus([
      node('n1', { ...leading, failures: { total: 3, last } }),
      node('n2', { failures: { total: 1, last: hook } }),
      node('n3', { failures: { total: 0, last: null } }),
    ])
    expect(exitCodeOf(status)).toBe(EXIT.ok)
    expect(status.nodes.map(({ failures }) => failures?.total)).toEqual([3, 1, 0])
    const text = statusText(status)
    expect(text).toContain(
      'machines failed 3 times on n1, last command stock.reserve at index 42 (EXCEPTION): see its log',
    )
    expect(text).toContain('machines failed once on n2, last onDeadLetter at index 42 (EXCEPTION): see its log')
    expect(text).not.toContain('on n3')
  })
})
