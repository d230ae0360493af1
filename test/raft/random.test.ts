import fc from 'fast-check'
import { expect, test } from 'vitest'
import { logIndex } from '../../src/base/brand.ts'
import type { RaftConfig } from '../../src/raft/index.ts'
import { Cluster, type Packet, type TestNode } from './cluster.ts'

/** Packets beyond these are lost: a network does not keep everything for ever. */
const PACKETS_MAX = 60

/** Small windows, so that their edges are met. */
const SMALL: Partial<RaftConfig> = { inFlightMessagesMax: 2, inFlightBytesMax: 500, appendEntriesMax: 3 }

/** One random event, decoded from a number, so that a failing list shrinks by dropping events. */
function act(cluster: Cluster, number: number): void {
  const kind = number % 100
  const choice = Math.floor(number / 100)
  const nodes = [...cluster.nodes.values()]
  const node = nodes[choice % nodes.length] as TestNode
  const packet = cluster.packets[Math.floor(choice / 7) % Math.max(1, cluster.packets.length)]
  if (kind < 56) return packet === undefined ? undefined : travel(cluster, packet, kind)
  if (kind < 64) return nodes.forEach((each) => each.up && cluster.completeWrites(each.id))
  if (kind < 68) return node.up ? partialWrite(cluster, node, choice) : undefined
  if (kind < 78) return passTime(cluster, node, choice % 250)
  if (kind < 90) return propose(cluster, node, choice)
  if (kind < 93) return node.up ? cluster.crash(node.id, choice % 3) : undefined
  if (kind < 97) return nodes.forEach((each) => each.up || restart(cluster, each))
  if (kind < 98) return node.up ? void cluster.step(node.id, { kind: 'campaign' }) : undefined
  compact(cluster, node)
}

function travel(cluster: Cluster, packet: Packet, kind: number): void {
  if (kind < 44) return cluster.deliver(packet)
  if (kind < 49) return cluster.deliver(packet, { copy: true })
  if (kind < 52) return void cluster.packets.splice(cluster.packets.indexOf(packet), 1)
  // The driver may split a message by bytes: the first half of the entries arrives alone.
  const { message } = packet
  const run = message.kind === 'appendEntries' ? message.runs[0] : undefined
  if (message.kind !== 'appendEntries' || run === undefined) return
  const runs = [{ ...run, last: run.first }]
  cluster.deliver({ ...packet, message: { ...message, runs }, entries: packet.entries.slice(0, 1) }, { copy: true })
}

function partialWrite(cluster: Cluster, node: TestNode, choice: number): void {
  const write = node.queue[choice % Math.max(1, node.queue.length)]
  if (write !== undefined) cluster.completeWrites(node.id, write.write.write)
}

function passTime(cluster: Cluster, node: TestNode, ms: number): void {
  cluster.now += ms
  if (node.up) cluster.step(node.id, { kind: 'tick' })
}

function propose(cluster: Cluster, node: TestNode, choice: number): void {
  const target = choice % 5 === 0 ? node : (cluster.leader() ?? node)
  if (target.up) cluster.propose(target.id, 1 + (choice % 3))
}

function restart(cluster: Cluster, node: TestNode): void {
  cluster.restart(node.id)
  node.diskHeld = true
}

/** A snapshot of what every node has on disk and knows to be committed. */
function compact(cluster: Cluster, node: TestNode): void {
  const nodes = [...cluster.nodes.values()]
  const index = Math.min(...nodes.map(({ state, image }) => Math.min(state.commitIndex, image.log.length)))
  if (node.up) cluster.step(node.id, { kind: 'snapshotted', index: logIndex(index) })
}

/** All faults end; within four election timeouts a leader commits something new, and all nodes apply it. */
function heal(cluster: Cluster): void {
  for (const node of cluster.nodes.values()) {
    node.diskHeld = false
    if (!node.up) cluster.restart(node.id)
    cluster.completeWrites(node.id)
  }
  cluster.advance(4 * 600)
  const leader = cluster.leader()
  expect(leader, 'a leader exists').not.toBeNull()
  if (leader === null) return
  const effects = cluster.propose(leader.id)
  expect(effects.some(({ kind }) => kind === 'refused')).toBe(false)
  const { lastIndex } = leader.state
  cluster.advance(600)
  for (const node of cluster.nodes.values()) expect(node.state.commitIndex, node.id).toBe(lastIndex)
}

function run(config: Partial<RaftConfig>, ids: readonly string[], seed: number, numbers: readonly number[]): Cluster {
  const cluster = new Cluster(ids, { config, seed })
  for (const node of cluster.nodes.values()) node.diskHeld = true
  cluster.start()
  for (const number of numbers) {
    act(cluster, number)
    if (cluster.packets.length > PACKETS_MAX) cluster.packets.splice(0, cluster.packets.length - PACKETS_MAX)
  }
  heal(cluster)
  return cluster
}

const numbers = fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 700, size: 'max' })

const CONFIGS: readonly [string, Partial<RaftConfig>, readonly string[], number][] = [
  ['three nodes', {}, ['n1', 'n2', 'n3'], 80],
  ['three nodes with small windows', SMALL, ['n1', 'n2', 'n3'], 60],
  ['three nodes without pre-vote and check-quorum', { ...SMALL, preVote: false, checkQuorum: false }, ['n1', 'n2', 'n3'], 60],
  ['five nodes', SMALL, ['n1', 'n2', 'n3', 'n4', 'n5'], 30],
  ['two nodes', SMALL, ['n1', 'n2'], 30],
  ['one node', {}, ['n1'], 20],
]

for (const [name, config, ids, numRuns] of CONFIGS) {
  test(`INV: ${name}: under loss, duplicates, reordering, crashes and slow disks every step is safe, and a healed cluster commits`, () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), numbers, (seed, events) => void run(config, ids, seed, events)),
      { numRuns },
    )
  })
}

test('the random events elect leaders, commit and truncate: they reach what they check', () => {
  const reached = { committed: 0, aborts: 0, terms: 0 }
  fc.assert(
    fc.property(fc.nat(1_000_000), numbers, (seed, events) => {
      const cluster = run(SMALL, ['n1', 'n2', 'n3'], seed, events)
      reached.committed += cluster.safety.committedCount
      reached.terms += cluster.leader()?.state.currentTerm ?? 0
    }),
    { numRuns: 20, seed: 7 },
  )
  expect(reached.committed).toBeGreaterThan(200)
  expect(reached.terms).toBeGreaterThan(20)
})
