import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LogIndex, logIndex, type NodeId, nodeId } from '../../src/base/brand.ts'
import { hasMajority, hasQuorum, majority, reachedByMajority, reachedByQuorum } from '../../src/raft/quorum.ts'
import type { Configuration } from '../../src/raft/types.ts'
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

/** A configuration over seven nodes, joint or not, and of each node a number. */
const joint = fc
  .record({
    voters: fc.subarray(ids(7), { minLength: 1 }),
    outgoing: fc.subarray(ids(7)),
    learners: fc.subarray(ids(7)),
    numbers: fc.array(fc.nat(12), { minLength: 7, maxLength: 7 }),
  })
  .map(({ numbers, ...lists }) => {
    const configuration: Configuration = { ...lists, promoting: [] }
    const numberOf = (id: NodeId): number => numbers[ids(7).indexOf(id)] ?? 0
    return { configuration, numberOf }
  })

/** All sets of nodes that hold a majority of the voters and, where there are any, one of the outgoing ones. */
function quorums({ voters, outgoing }: Configuration): NodeId[][] {
  const all = Array.from({ length: 2 ** 7 }, (_, mask) => ids(7).filter((_id, at) => (mask >> at) & 1))
  const holds = (set: readonly NodeId[], group: readonly NodeId[]): boolean =>
    group.length === 0 || group.filter((id) => set.includes(id)).length * 2 > group.length
  return all.filter((set) => holds(set, voters) && holds(set, outgoing))
}

test('raft.md §2.7 a joint configuration elects with both majorities, and learners count for nothing', () => {
  fc.assert(
    fc.property(joint, ({ configuration, numberOf }) => {
      const granted = (id: NodeId): boolean => numberOf(id) > 4
      const oracle = quorums(configuration).some((set) => set.every(granted))
      expect(hasQuorum(configuration, granted)).toBe(oracle)
    }),
    { numRuns: sample(300) },
  )
})

test('raft.md §2.7 a joint configuration commits what all members of some set with both majorities have reached', () => {
  fc.assert(
    fc.property(joint, ({ configuration, numberOf }) => {
      const oracle = Math.max(...quorums(configuration).map((set) => Math.min(...set.map(numberOf))))
      expect(reachedByQuorum(configuration, 0, numberOf)).toBe(oracle)
    }),
    { numRuns: sample(300) },
  )
})

test('raft.md §2.7 any two quorums of neighbouring configurations share a voter: old and joint, joint and new', () => {
  fc.assert(
    fc.property(joint, ({ configuration }) => {
      fc.pre(configuration.outgoing.length > 0)
      const before = { ...configuration, voters: configuration.outgoing, outgoing: [] }
      const after = { ...configuration, outgoing: [] }
      for (const neighbour of [before, after, configuration]) {
        const others = quorums(neighbour)
        expect(
          quorums(configuration).every((set) => others.every((other) => other.some((id) => set.includes(id)))),
        ).toBe(true)
      }
    }),
    { numRuns: sample(30) },
  )
})

test('before bootstrap nobody is a quorum', () => {
  expect(hasQuorum(null, () => true)).toBe(false)
  expect(reachedByQuorum(null, 0, () => 1)).toBe(0)
})
