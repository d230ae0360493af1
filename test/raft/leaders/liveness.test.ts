import { describe, expect, test } from 'vitest'
import { Cluster } from '../cluster.ts'
import { sample } from '../../effort.ts'

/** Four election timeouts: within that, a leader is there after the last fault (raft.md §3). */
const RECOVERY_MS = 4 * 600

type Cut = readonly [from: string, to: string]

const THREE = ['n1', 'n2', 'n3'] as const
const ONE_WAY: readonly Cut[] = THREE.flatMap((from) => THREE.filter((to) => to !== from).map((to): Cut => [from, to]))
const both = (a: string, b: string): readonly Cut[] => [
  [a, b],
  [b, a],
]
const LINKS = [both('n1', 'n2'), both('n1', 'n3'), both('n2', 'n3')]

/** Every set of one-way links of a cluster of three that may be cut, by what it cuts. */
const named = (cuts: readonly (readonly Cut[])[]): [name: string, cut: readonly Cut[]][] =>
  cuts.map((cut) => [cut.map(([from, to]) => `${from}→${to}`).join(' '), cut])

/** A cluster of three that n1 leads in term 1. */
function ledByN1(seed = 1): Cluster {
  const cluster = new Cluster(THREE, { seed })
  cluster.start()
  cluster.step('n1', { kind: 'campaign' })
  cluster.stabilize()
  expect(cluster.state('n1')).toMatchObject({ currentTerm: 1, role: { kind: 'leader' } })
  return cluster
}

function cutAll(cluster: Cluster, cut: readonly Cut[]): void {
  for (const [from, to] of cut) cluster.cut(from, to)
}

/** The newest leader's next entry is committed. */
function writes(cluster: Cluster): void {
  const before = cluster.safety.committedCount
  cluster.propose(cluster.leader()?.id ?? 'n1')
  cluster.stabilize()
  expect(cluster.safety.committedCount).toBe(before + 1)
}

describe('cuts of a cluster of three', () => {
  const isolated = [0, 1, 2].map((alone) => LINKS.filter((link) => link.flat().includes(THREE[alone] ?? '')).flat())

  test.each(named([...ONE_WAY.map((cut) => [cut]), ...LINKS, ...isolated]))(
    'raft.md §3.1 the cut %s costs at most one leader change, and writes go on',
    (_name, cut) => {
      for (let seed = 1; seed <= sample(2); seed += 1) {
        const cluster = ledByN1(seed)
        cutAll(cluster, cut)
        cluster.advance(5000)
        expect(cluster.leader()?.state.currentTerm, `seed ${seed}`).toBeLessThanOrEqual(2)
        writes(cluster)
        const term = cluster.leader()?.state.currentTerm
        cluster.advance(5000)
        expect(cluster.leader()?.state.currentTerm, `seed ${seed}`).toBe(term)
        writes(cluster)
      }
    },
  )

  const twoOneWay = ONE_WAY.flatMap((first, at) => ONE_WAY.slice(at + 1).map((second): Cut[] => [first, second]))

  test('raft.md §3.1 where two can still hear each other, any two one-way cuts leave a leader that writes', () => {
    for (const [name, cut] of named(twoOneWay)) {
      const cluster = ledByN1()
      cutAll(cluster, cut)
      cluster.advance(5000)
      const before = cluster.safety.committedCount
      cluster.propose(cluster.leader()?.id ?? 'n1')
      cluster.advance(300)
      const mutual = LINKS.some((link) => !link.some(([from, to]) => cluster.isCut(from, to)))
      if (mutual) expect(cluster.safety.committedCount, name).toBeGreaterThan(before)
    }
  })

  test('raft.md §3.5 after every cut, and every pair of cuts, has healed, a leader writes within four election timeouts', () => {
    for (const [name, cut] of named([...ONE_WAY.map((only) => [only]), ...LINKS, ...twoOneWay, LINKS.flat()])) {
      const cluster = ledByN1()
      cutAll(cluster, cut)
      cluster.advance(3000)
      cluster.heal()
      cluster.advance(RECOVERY_MS)
      expect(cluster.leader(), name).not.toBeNull()
      writes(cluster)
      cluster.advance(100)
      for (const id of THREE)
        expect(cluster.state(id).commitIndex, `${name}: ${id}`).toBe(cluster.safety.committedCount)
    }
  })
})

describe('who is behind', () => {
  test.each([
    ['the highest term has the shortest log', [1, 1, 1], [1, 1], [1], [2, 3, 9]],
    ['the longest log has the lowest term', [1, 2, 2], [1], [1], [2, 5, 5]],
    ['all terms differ and all logs are the same', [1, 1], [1, 1], [1, 1], [3, 7, 5]],
  ] as const)('raft.md §3.2 nobody is stuck where %s', (_case, n1, n2, n3, terms) => {
    const logs = { n1, n2, n3 }
    for (const down of [null, ...THREE]) {
      const cluster = new Cluster(THREE)
      for (const [at, id] of THREE.entries()) cluster.setLog(id, logs[id], { currentTerm: terms[at] ?? 0 })
      cluster.start()
      if (down !== null) cluster.crash(down)
      cluster.advance(RECOVERY_MS)
      expect(cluster.leader(), `without ${down}`).not.toBeNull()
      writes(cluster)
    }
  })

  test('raft.md §3.2 a candidate that was cut off while it campaigned is taken back without an election', () => {
    const cluster = ledByN1()
    cluster.isolate('n3')
    cluster.step('n3', { kind: 'campaign' })
    cluster.advance(3000)
    cluster.heal()
    cluster.advance(1000)
    expect(cluster.leader()?.id).toBe('n1')
    expect(cluster.state('n3')).toMatchObject({ currentTerm: 1, role: { kind: 'follower', leader: 'n1' } })
  })

  test('raft.md §3.4 a follower whose disk hangs holds nobody up, and catches up when it answers', () => {
    const cluster = ledByN1()
    cluster.node('n3').diskHeld = true
    for (let round = 0; round < 50; round += 1) {
      cluster.propose('n1', 10)
      cluster.stabilize()
      expect(cluster.state('n1').commitIndex).toBe(cluster.state('n1').lastIndex)
    }
    expect(cluster.node('n3').image.log.length).toBeLessThan(10)
    cluster.node('n3').diskHeld = false
    cluster.completeWrites('n3')
    cluster.advance(1000)
    expect(cluster.state('n3').commitIndex).toBe(cluster.state('n1').commitIndex)
  })

  test('raft.md §3.4 a follower that was away until the log had gone on gets a snapshot, and then every entry', () => {
    const cluster = ledByN1()
    cluster.crash('n3')
    cluster.propose('n1', 20)
    cluster.stabilize()
    cluster.step('n1', { kind: 'snapshotted', index: cluster.state('n1').commitIndex })
    cluster.propose('n1', 5)
    cluster.stabilize()
    cluster.restart('n3')
    cluster.advance(200)
    const pulling = cluster.node('n3').pulling
    expect(pulling).toMatchObject({ from: 'n1' })
    // Writes go on while it pulls.
    writes(cluster)
    cluster.install('n3', 'n1', pulling?.index ?? 0)
    cluster.advance(500)
    expect(cluster.state('n3').commitIndex).toBe(cluster.safety.committedCount)
  })
})
