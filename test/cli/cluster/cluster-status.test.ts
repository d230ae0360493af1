import { describe, expect, test } from 'vitest'
import { clusterStatus, isHealthy, type NodeReport, statusText } from '../../../src/cli/cluster/cluster-status.ts'

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
  test('three healthy nodes can lose one', () => {
    const status = clusterStatus([node('n1', leading), node('n2'), node('n3', { appliedIndex: 48 })])
    expect(status).toMatchObject({ leader: 'n1', term: 3, canLose: 1 })
    expect(status.nodes.map((line) => [line.id, line.role, line.matchIndex, line.lagEntries, line.lagMs])).toEqual([
      ['n1', 'leader', 51, 0, 0],
      ['n2', 'follower', 51, 0, 4],
      ['n3', 'follower', 50, 2, 9],
    ])
    expect(isHealthy(status)).toBe(true)
  })

  test('with one node gone it can lose none, and is degraded', () => {
    const status = clusterStatus([node('n1', leading), node('n2'), gone('n3')])
    expect(status.canLose).toBe(0)
    expect(status.nodes[2]).toMatchObject({ id: 'n3', health: 'unreachable', matchIndex: 50, lagMs: 9 })
    expect(isHealthy(status)).toBe(false)
  })

  test('without a leader it serves nobody', () => {
    const status = clusterStatus([node('n1', { leader: null }), gone('n2'), gone('n3')])
    expect(status.leader).toBe(null)
    expect(status.canLose).toBe(-1)
    expect(statusText(status)).toContain('no quorum')
  })

  test('a leader of an older term is not believed', () => {
    const status = clusterStatus([
      node('n1', leading),
      node('n2', { ...leading, term: 4, leader: 'n2' }),
      node('n3', { term: 4 }),
    ])
    expect(status).toMatchObject({ leader: 'n2', term: 4 })
  })

  test('a node that does not apply what is committed is behind', () => {
    const status = clusterStatus([
      node('n1', { ...leading, commitIndex: 90_000, appliedIndex: 90_000 }),
      node('n2'),
      node('n3'),
    ])
    expect(status.nodes.map((line) => line.health)).toEqual(['ok', 'behind', 'behind'])
  })

  test('the text has one line per node', () => {
    const text = statusText(clusterStatus([node('n1', leading), node('n2'), gone('n3')]))
    expect(text.split('\n')).toHaveLength(6)
    expect(text).toContain('leader n1, term 3, can lose 0 more')
  })
})
