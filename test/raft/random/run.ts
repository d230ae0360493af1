import { assert } from '../../../src/base/assert.ts'
import { logIndex, type NodeId } from '../../../src/base/brand.ts'
import type { RaftConfig } from '../../../src/raft/index.ts'
import { peersOf } from '../../../src/raft/state.ts'
import { Cluster } from '../cluster.ts'
import { damage, type Packet, type TestNode } from '../test-node.ts'

/** Packets beyond these are lost: a network does not keep everything for ever. */
const PACKETS_MAX = 60

/** Clocks may be wrong by that many thousandths, say the terms of leases here. */
const DRIFT_PERMILLE = 100

/** One random event (faults.md §2.2), decoded from a number, so that a failing list shrinks by dropping events. */
function act(cluster: Cluster, number: number, { storm, spares, config, clocks }: Scenario): void {
  const kind = number % 125
  const choice = Math.floor(number / 125)
  const nodes = [...cluster.nodes.values()]
  const node = nodes[choice % nodes.length] as TestNode
  const packet = cluster.packets[Math.floor(choice / 7) % Math.max(1, cluster.packets.length)]
  if (kind >= 100) {
    if (!node.up) return restart(cluster, node)
    // Who is removed campaigns on: without pre-vote and check-quorum the others are disturbed for ever (thesis §4.2.3).
    if (kind < 107) return config.preVote === false || spares === undefined ? undefined : change(cluster, node, choice)
    if (clocks !== undefined && kind >= 107 && kind < 109) return lease(cluster, node, choice)
    return govern(cluster, node, { kind, choice })
  }
  if (storm === true && kind >= 68 && kind < 84) return stormy(cluster, node, kind)
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
  if (kind < 99 && choice % 3 === 1) return node.up ? void cluster.step(node.id, { kind: 'resumed' }) : undefined
  if (choice % 2 === 0) compact(cluster, node)
  else install(cluster, node, choice)
}

/** What the operator, readers, broken connections and hanging or damaged disks add. */
function govern(cluster: Cluster, node: TestNode, drawn: { kind: number; choice: number }): void {
  const { kind, choice } = drawn
  const ids = [...cluster.nodes.keys()]
  const other = ids[Math.floor(choice / 11) % ids.length] ?? node.id
  const leader = cluster.leader() ?? node
  if (kind < 115) return cluster.read(choice % 3 === 0 ? leader.id : node.id)
  if (kind < 118) {
    const to = choice % 2 === 0 ? null : other
    return void cluster.step(choice % 5 === 0 ? node.id : leader.id, { kind: 'transfer', to })
  }
  if (kind < 120) {
    const heard = choice % 3 === 0 ? 'reachable' : 'unreachable'
    return void cluster.step(node.id, { kind: heard, peer: other })
  }
  if (kind < 123) {
    const target = choice % 3 === 0 ? leader : node
    return void cluster.step(target.id, { kind: 'stalled', stalled: !target.state.stalled })
  }
  if (kind < 124) {
    const pulls = [...cluster.nodes.values()].find(({ up, pulling }) => up && pulling !== null)
    return pulls === undefined ? compact(cluster, leader) : install(cluster, pulls, choice)
  }
  damageOne(cluster, node, choice)
}

/** A leader has a lease before anything happens. */
function startWithLeases(cluster: Cluster): void {
  cluster.start()
  cluster.advance(1000)
  const leader = cluster.leader()
  assert(leader !== null, 'a leader is elected where nothing happens')
  cluster.step(leader.id, { kind: 'setLease', lease: { ms: 300, driftPermille: DRIFT_PERMILLE } })
  cluster.stabilize()
}

/** Leases on other terms now and then, of 300 ms as a rule; seldom none. */
function lease(cluster: Cluster, node: TestNode, choice: number): void {
  const target = choice % 5 === 0 ? node : (cluster.leader() ?? node)
  const terms = { ms: choice % 7 === 0 ? 200 : 300, driftPermille: DRIFT_PERMILLE }
  if (target.up) cluster.step(target.id, { kind: 'setLease', lease: choice % 11 === 0 ? null : terms })
}

/** The members that are wanted next: one node changes its place, or all do. */
function change(cluster: Cluster, node: TestNode, choice: number): void {
  const target = choice % 9 === 0 ? node : (cluster.leader() ?? node)
  const { configurations } = target.state
  const present = configurations.at(-1)?.configuration
  if (present === undefined) return
  const all = choice % 4 === 0
  const ids = [...cluster.nodes.keys()].sort()
  const one = ids[Math.floor(choice / 36) % ids.length]
  const wanted = { voters: [] as NodeId[], learners: [] as NodeId[], promoting: [] as NodeId[] }
  let bits = Math.floor(choice / 36 / 5)
  for (const id of ids) {
    const drawn = bits % 4
    bits = Math.floor(bits / 4)
    const votes = present.voters.includes(id)
    const learns = present.learners.includes(id)
    const place = all || id === one ? drawn : votes ? 0 : !learns ? 3 : present.promoting.includes(id) ? 2 : 1
    if (place === 0) wanted.voters.push(id)
    else if (place < 3) wanted.learners.push(id)
    if (place === 2) wanted.promoting.push(id)
  }
  if (wanted.voters.length > 0) cluster.change(target.id, wanted)
}

/** A disk loses the end of its log; never a second one before the first has it back, which loses what was committed. */
function damageOne(cluster: Cluster, node: TestNode, choice: number): void {
  const { image } = node
  if ([...cluster.nodes.values()].some((each) => each.image.owes !== null)) return
  if (cluster.nodes.size < 3 || image.log.length <= image.base) return
  cluster.crash(node.id)
  damage(node, image.base + (Math.floor(choice / 2) % (image.log.length - image.base)), choice % 2 === 0)
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
    if (source.up && source.state.commitIndex >= pulling.index)
      cluster.install(node.id, source.id, source.state.commitIndex)
  }
}

/**
 * All faults end, and halted nodes begin anew; within four election timeouts a leader commits something new, and all nodes
 * apply it.
 */
function heal(cluster: Cluster, changed: boolean): void {
  cluster.heal()
  for (const node of cluster.nodes.values()) {
    node.diskHeld = false
    if (node.up && node.state.halted) cluster.crash(node.id)
    if (!node.up) cluster.restart(node.id)
    cluster.completeWrites(node.id)
    if (node.state.stalled) cluster.step(node.id, { kind: 'stalled', stalled: false })
  }
  for (let round = 0; round < 3; round += 1) {
    cluster.advance((4 * 600) / 3)
    installAll(cluster)
  }
  const leader = cluster.leader()
  // A change may leave so few voters that the damaged one is needed: that cluster has lost its quorum.
  const lost = changed && [...cluster.nodes.values()].some(({ image }) => image.owes !== null)
  if (leader === null && lost) return
  assert(leader !== null, 'a leader exists')
  const effects = cluster.propose(leader.id)
  assert(!effects.some(({ kind }) => kind === 'refused'), 'a proposal is taken', { effects })
  const { lastIndex } = leader.state
  cluster.advance(600)
  const members = [leader.id, ...peersOf(leader.state)]
  for (const id of members) {
    const { commitIndex } = cluster.state(id)
    assert(commitIndex >= lastIndex, 'every member knows it is committed', { id, commitIndex, lastIndex })
  }
}

/** A cluster under random events. */
export interface Scenario {
  readonly name: string
  readonly ids: readonly string[]
  readonly config: Partial<RaftConfig>
  readonly storm?: boolean
  /** Nodes that are no members at first. */
  readonly spares?: readonly string[]
  /** There are leases: the clocks of the nodes, in order, go so many ms in one. */
  readonly clocks?: readonly number[]
}

/** What the numbers stand for happens to a cluster, which then heals. */
export function run(
  scenario: Scenario,
  seed: number,
  numbers: readonly number[],
  trace?: (line: string) => void,
): Cluster {
  const { config } = scenario
  const cluster = new Cluster(scenario.ids, trace === undefined ? { config, seed } : { config, seed, trace })
  for (const id of scenario.spares ?? []) cluster.join(id)
  const { clocks = [] } = scenario
  // Which of them is slow is the seed's to say.
  for (const [at, node] of [...cluster.nodes.values()].entries()) node.rate = clocks[(at + seed) % clocks.length] ?? 1
  if (clocks.length > 0) startWithLeases(cluster)
  for (const node of cluster.nodes.values()) node.diskHeld = true
  if (clocks.length === 0) cluster.start()
  for (const number of numbers) {
    act(cluster, number, scenario)
    if (cluster.packets.length > PACKETS_MAX) cluster.packets.splice(0, cluster.packets.length - PACKETS_MAX)
  }
  heal(cluster, scenario.spares !== undefined)
  return cluster
}
