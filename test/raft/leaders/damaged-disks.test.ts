import { expect, test } from 'vitest'
import { Random } from '../../../src/base/random.ts'
import { sample } from '../../effort.ts'
import { Cluster } from '../cluster.ts'
import { damage, type TestNode } from '../test-node.ts'

const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5']

/** Elections, entries and cuts, so that logs of several terms part, and then all processes are gone. */
function history(cluster: Cluster, random: Random): void {
  const ids = [...cluster.nodes.keys()]
  cluster.start()
  cluster.advance(1500)
  for (let act = 0; act < 12; act += 1) {
    const leader = cluster.leader()
    if (leader !== null) cluster.propose(leader.id, random.between(1, 4))
    cluster.advance(random.between(1, 400))
    if (random.chance(0.4)) cluster.isolate(random.pick(ids))
    else if (random.chance(0.5)) cluster.heal()
  }
  for (const node of cluster.nodes.values()) if (node.up) cluster.crash(node.id, random.below(3))
}

/** How many committed entries, from the first on, that disk still has. */
function intact(cluster: Cluster, { image }: TestNode): number {
  const kept = cluster.safety.committedPayloads.findIndex((payload, at) => image.log[at]?.payload !== payload)
  return kept === -1 ? cluster.safety.committedCount : kept
}

/** Processes start, die and start again, and messages are lost, while some have not answered yet. */
function unrest(cluster: Cluster, random: Random, nodes: readonly TestNode[]): void {
  for (let act = 0; act < 16; act += 1) {
    const node = random.pick(nodes)
    if (!node.up) cluster.restart(node.id)
    else if (random.chance(0.3)) cluster.crash(node.id, random.below(3))
    const drawn = random.below(10)
    if (drawn < 4) cluster.isolate(random.pick(nodes).id)
    else if (drawn < 7) cluster.heal()
    cluster.advance(random.between(1, 700))
  }
}

function settle(cluster: Cluster): void {
  cluster.heal()
  for (const node of cluster.nodes.values()) if (!node.up) cluster.restart(node.id)
  for (let waited = 0; waited < 40 && cluster.leader() === null; waited += 1) cluster.advance(500)
  cluster.advance(2000)
}

interface Begun {
  readonly seed: number
  readonly cluster: Cluster
  readonly random: Random
  readonly nodes: readonly TestNode[]
}

function begin(seed: number): Begun {
  const random = new Random(seed)
  const cluster = new Cluster(NAMES.slice(0, random.chance(0.7) ? 3 : 5), { seed })
  history(cluster, random)
  return { seed, cluster, random, nodes: [...cluster.nodes.values()] }
}

/** All lead on from one log again, and owe nothing. */
function expectWhole({ cluster, nodes, seed }: Begun): void {
  const leader = cluster.leader()
  expect(leader, `seed ${seed}`).not.toBeNull()
  if (leader === null) return
  cluster.propose(leader.id)
  cluster.advance(1000)
  const { lastIndex } = leader.state
  const ends = nodes.map(({ state }) => [state.commitIndex, state.obligation])
  expect(ends, `seed ${seed}`).toEqual(nodes.map(() => [lastIndex, null]))
}

const SEEDS = 25

test('whatever voters have lost, what one of them still has is kept, and the cluster goes on', () => {
  let lost = 0
  for (let seed = 1; seed <= sample(SEEDS); seed += 1) {
    const begun = begin(seed)
    const { cluster, random, nodes } = begun
    const whole = random.chance(0.3) ? random.pick(nodes) : null
    for (const node of nodes)
      if (node !== whole) damage(node, random.between(1, node.image.log.length), random.chance(0.7))
    const before = cluster.safety.committedCount
    const kept = Math.max(...nodes.map((node) => intact(cluster, node)))
    cluster.safety.lose(kept)
    lost += before - kept
    unrest(cluster, random, nodes)
    settle(cluster)
    expectWhole(begun)
  }
  expect(lost).toBeGreaterThan(sample(SEEDS) / 4)
})

test('while a voter is away that has lost nothing, nothing is given up that it may have', () => {
  for (let seed = 1; seed <= sample(SEEDS); seed += 1) {
    const begun = begin(seed)
    const { cluster, random, nodes } = begun
    const whole = nodes.find((node) => intact(cluster, node) === cluster.safety.committedCount)
    for (const node of nodes)
      if (node !== whole) damage(node, random.between(1, node.image.log.length), random.chance(0.7))
    // The checks of the cluster let nothing go.
    unrest(
      cluster,
      random,
      nodes.filter((node) => node !== whole),
    )
    settle(cluster)
    expectWhole(begun)
  }
})
