import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LogIndex, logIndex, type NodeId, nodeId } from '../../src/base/brand.ts'
import { hasMajority, majority, reachedByMajority } from '../../src/raft/quorum.ts'
import { sample } from '../effort.ts'

const ids = (count: number): NodeId[] => Array.from({ length: count }, (_, at) => nodeId(`n${at}`))

/** All subsets of the voters that are strictly more than a half. */
function majorities(voters: readonly NodeId[]): NodeId[][] {
  const subsets = Array.from({ length: 2 ** voters.length }, (_, mask) => voters.filter((_id, at) => (mask >> at) & 1))
  return subsets.filter((subset) => subset.length * 2 > voters.length)
}

test('raft.md §2.7 any two majorities share a voter, and one voter fewer is none', () => {
  for (let count = 1; count <= 99; count += 1) {
    expect(majority(count) * 2).toBeGreaterThan(count)
    expect((majority(count) - 1) * 2).toBeLessThanOrEqual(count)
  }
})

test('raft.md §2.7 the committed index is the highest that all members of some majority have reached', () => {
  const matches = fc.array(fc.nat(12), { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(matches, fc.nat(3), (indexes, unknown) => {
      const voters = ids(indexes.length)
      const known = voters.map((id, at) => [id, logIndex(indexes[at] ?? 0)] as const).slice(unknown)
      const matchIndexes = new Map<NodeId, LogIndex>([...known, [nodeId('stranger'), logIndex(99)]])
      const minimum = (subset: readonly NodeId[]) => Math.min(...subset.map((id) => matchIndexes.get(id) ?? 0))
      const oracle = Math.max(...majorities(voters).map(minimum))
      expect(reachedByMajority(voters, logIndex(0), (id) => matchIndexes.get(id) ?? logIndex(0))).toBe(oracle)
    }),
    { numRuns: sample(500) },
  )
})

test('raft.md §2.7 a majority has granted if and only if the voters who granted contain one of the majorities', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 7 }), (grants) => {
      const voters = ids(grants.length)
      const granted = new Set(voters.filter((_id, at) => grants[at]))
      const oracle = majorities(voters).some((subset) => subset.every((id) => granted.has(id)))
      expect(hasMajority(voters, (id) => granted.has(id))).toBe(oracle)
    }),
    { numRuns: sample(300) },
  )
})

test('no voters: nothing is committed and nobody is elected', () => {
  expect(reachedByMajority([], 0, () => 1)).toBe(0)
  expect(hasMajority([], () => true)).toBe(false)
})
