import fc from 'fast-check'
import { expect, test } from 'vitest'
import { logIndex } from '../../src/base/brand.ts'
import type { RaftConfig } from '../../src/raft/index.ts'
import { Cluster } from './cluster.ts'
import type { Packet, TestNode } from './test-node.ts'
import { sample } from '../effort.ts'

/** Packets beyond these are lost: a network does not keep everything for ever. */
const PACKETS_MAX = 60

/** Small windows, so that their edges are met. */
const SMALL: Partial<RaftConfig> = { inFlightMessagesMax: 2, inFlightBytesMax: 500, appendEntriesMax: 3 }

/** One random event (faults.md §2.2), decoded from a number, so that a failing list shrinks by dropping events. */
function act(cluster: Cluster, number: number, storm: boolean): void {
  const kind = number % 100
  const choice = Math.floor(number / 100)
  const nodes = [...cluster.nodes.values()]
  const node = nodes[choice % nodes.length] as TestNode
  const packet = cluster.packets[Math.floor(choice / 7) % Math.max(1, cluster.packets.length)]
  if (storm && kind >= 68 && kind < 84) return stormy(cluster, node, kind)
  if (kind < 56) return packet === undefined ? undefined : travel(cluster, packet, kind)
  if (kind < 64) return completeAllWrites(cluster)
  if (kind < 68) return node.up ? partialWrite(cluster, node, choice) : undefined
  if (kind < 78) return passTime(cluster, node, choice % 250)
  if (kind < 90) return propose(cluster, node, choice)
  if (kind < 93) return node.up ? cluster.crash(node.id, choice % 3) : undefined
  if (kind < 96) return restartAll(cluster)
  if (kind < 97) return choice % 2 === 0 ? cluster.isolate(node.id) : cluster.heal()
  if (kind < 98) return node.up ? void cluster.step(node.id, { kind: 'campaign' }) : undefined
  if (kind < 99 && choice % 3 === 0) return node.up ? void cluster.step(node.id, { kind: 'halted' }) : undefined
  if (choice % 2 === 0) compact(cluster, node)
  else install(cluster, node, choice)
}

/** Instead of time and proposals: one election after the other, and crashes in the midst of them. */
function stormy(cluster: Cluster, node: TestNode, kind: number): void {
  if (!node.up) restart(cluster, node)
  else if (kind < 76) cluster.step(node.id, { kind: 'campaign' })
  else if (kind < 79) cluster.crash(node.id)
  else cluster.completeWrites(node.id)
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

function completeAllWrites(cluster: Cluster): void {
  for (const node of cluster.nodes.values()) if (node.up) cluster.completeWrites(node.id)
}

function restartAll(cluster: Cluster): void {
  for (const node of cluster.nodes.values()) if (!node.up) restart(cluster, node)
}

function restart(cluster: Cluster, node: TestNode): void {
  cluster.restart(node.id)
  node.diskHeld = true
}

/** A snapshot of what the node has on disk and knows to be committed: others may lag behind what its log then holds. */
function compact(cluster: Cluster, node: TestNode): void {
  const index = Math.min(node.state.commitIndex, node.state.disk.durableIndex)
  if (node.up) cluster.step(node.id, { kind: 'snapshotted', index: logIndex(index) })
}

/** A pull ends: with a snapshot of the node asked, or of another one; now and then the process dies as it has switched. */
function install(cluster: Cluster, node: TestNode, choice: number): void {
  if (!node.up || node.pulling === null) return
  const nodes = [...cluster.nodes.values()]
  const source = choice % 4 === 0 ? nodes[choice % nodes.length] : cluster.node(node.pulling.from)
  if (source === undefined || source === node || source.state.commitIndex < node.pulling.index) return
  const { index } = node.pulling
  const upTo = choice % 3 === 0 ? index : source.state.commitIndex
  cluster.install(node.id, source.id, upTo, choice % 5 !== 0)
  if (choice % 5 === 0) cluster.crash(node.id)
}

/** Every pull that is wanted ends well. */
function installAll(cluster: Cluster): void {
  for (const node of cluster.nodes.values()) {
    const { pulling } = node
    if (pulling === null) continue
    const source = cluster.node(pulling.from)
    if (source.up) cluster.install(node.id, source.id, source.state.commitIndex)
  }
}

/**
 * All faults end, and halted nodes begin anew; within four election timeouts a leader commits something new, and all nodes
 * apply it.
 */
function heal(cluster: Cluster): void {
  cluster.heal()
  for (const node of cluster.nodes.values()) {
    node.diskHeld = false
    if (node.up && node.state.halted) cluster.crash(node.id)
    if (!node.up) cluster.restart(node.id)
    cluster.completeWrites(node.id)
  }
  for (let round = 0; round < 3; round += 1) {
    cluster.advance((4 * 600) / 3)
    installAll(cluster)
  }
  const leader = cluster.leader()
  expect(leader, 'a leader exists').not.toBeNull()
  if (leader === null) return
  const effects = cluster.propose(leader.id)
  expect(effects.some(({ kind }) => kind === 'refused')).toBe(false)
  const { lastIndex } = leader.state
  cluster.advance(600)
  for (const node of cluster.nodes.values()) expect(node.state.commitIndex, node.id).toBe(lastIndex)
}

interface Scenario {
  readonly name: string
  readonly ids: readonly string[]
  readonly config: Partial<RaftConfig>
  readonly storm?: boolean
  readonly numRuns: number
}

function run(scenario: Scenario, seed: number, numbers: readonly number[], trace?: (line: string) => void): Cluster {
  const { config } = scenario
  const cluster = new Cluster(scenario.ids, trace === undefined ? { config, seed } : { config, seed, trace })
  for (const node of cluster.nodes.values()) node.diskHeld = true
  cluster.start()
  for (const number of numbers) {
    act(cluster, number, scenario.storm ?? false)
    if (cluster.packets.length > PACKETS_MAX) cluster.packets.splice(0, cluster.packets.length - PACKETS_MAX)
  }
  heal(cluster)
  return cluster
}

const numbers = fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 700, size: 'max' })

const THREE = ['n1', 'n2', 'n3']
const BARE: Partial<RaftConfig> = { preVote: false, checkQuorum: false }

const SCENARIOS: readonly Scenario[] = [
  { name: 'three nodes', ids: THREE, config: {}, numRuns: sample(40) },
  { name: 'three nodes with small windows', ids: THREE, config: SMALL, numRuns: sample(40) },
  {
    name: 'three nodes without pre-vote and check-quorum',
    ids: THREE,
    config: { ...SMALL, ...BARE },
    numRuns: sample(40),
  },
  {
    name: 'three nodes in a storm of elections',
    ids: THREE,
    config: { ...SMALL, ...BARE },
    storm: true,
    numRuns: sample(120),
  },
  { name: 'five nodes', ids: [...THREE, 'n4', 'n5'], config: SMALL, numRuns: sample(20) },
  { name: 'two nodes', ids: ['n1', 'n2'], config: SMALL, numRuns: sample(20) },
  { name: 'one node', ids: ['n1'], config: {}, numRuns: sample(20) },
]

for (const scenario of SCENARIOS) {
  const { name, numRuns } = scenario
  test(`${name}: whatever is lost, doubled, late or crashed, every step is safe and the healed cluster commits`, () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), numbers, (seed, events) => void run(scenario, seed, events)),
      // A counterexample is shrunk for so long only; the seed it is reported with is what counts.
      { numRuns, interruptAfterTimeLimit: sample(40_000) },
    )
  })
}

test('the random events reach what they check: elections, truncations, refusals, losses', () => {
  const seen = new Set<string>()
  const scenario: Scenario = { name: 'coverage', ids: THREE, config: SMALL, numRuns: 30 }
  const note = (line: string): void => {
    for (const word of ['is leader', 'abort', 'truncate', 'NO_QUORUM', 'NOT_LEADER', 'hint'])
      if (line.includes(word)) seen.add(word)
  }
  let committed = 0
  for (const [at, events] of fc.sample(numbers, { seed: 7, numRuns: scenario.numRuns }).entries()) {
    committed += run(scenario, at, events, note).safety.committedCount
  }
  expect([...seen].sort()).toEqual(['NOT_LEADER', 'NO_QUORUM', 'abort', 'hint', 'is leader', 'truncate'])
  expect(committed).toBeGreaterThan(300)
})
