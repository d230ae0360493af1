import { assert } from '../../src/base/assert.ts'
import { logIndex, type NodeId, nodeId, type Term, term, type WriteNumber } from '../../src/base/brand.ts'
import {
  checkState,
  checkTransition,
  type Configuration,
  describeEffect,
  describeMessage,
  type Effect,
  initialState,
  type RaftConfig,
  type RaftEvent,
  type RaftState,
  step,
} from '../../src/raft/index.ts'
import { Safety } from './safety.ts'
import {
  configurationsIn,
  emptyImage,
  type Entry,
  globalTime,
  localTime,
  newTestNode,
  type Packet,
  applyWrite,
  restartImage,
  type Send,
  type TestNode,
  withConfigurations,
  type Write,
} from './test-node.ts'

export interface ClusterOptions {
  readonly config?: Partial<RaftConfig>
  readonly seed?: number
  readonly trace?: (line: string) => void
}

export const DEFAULT_CONFIG: Omit<RaftConfig, 'self'> = {
  heartbeatMs: 50,
  electionTimeoutMinMs: 300,
  electionTimeoutMaxMs: 600,
  preVote: true,
  checkQuorum: true,
  inFlightMessagesMax: 8,
  inFlightBytesMax: 16 * 1024 * 1024,
  appendEntriesMax: 8192,
  uncommittedBytesMax: 64 * 1024 * 1024,
  commitNewsMs: 0,
}

const STEPS_MAX = 100_000

/**
 * A whole cluster in one process without a clock: the test says when time passes, a disk answers, a message arrives, is
 * lost or comes twice. After every step it checks the state, the transition and the safety of the cluster.
 */
export class Cluster {
  readonly nodes = new Map<NodeId, TestNode>()
  readonly configuration: Configuration
  readonly safety = new Safety()
  packets: Packet[] = []
  now = 1000
  private readonly cuts = new Set<string>()
  private readonly options: ClusterOptions
  private commands = 0
  private reads = 0
  /** The handshake holds over restarts: a node that lost its first writes agrees again (raft.md §1, Bootstrap). */
  private bootstrapped = false

  constructor(ids: readonly string[], options: ClusterOptions = {}) {
    this.options = options
    this.configuration = { voters: ids.map(nodeId).sort(), learners: [], outgoing: [], promoting: [] }
    for (const id of this.configuration.voters) this.nodes.set(id, this.newNode(id))
  }

  node(id: string): TestNode {
    const found = this.nodes.get(nodeId(id))
    assert(found !== undefined, 'there is such a node', { id })
    return found
  }

  state(id: string): RaftState {
    return this.node(id).state
  }

  leader(): TestNode | null {
    let newest: TestNode | null = null
    for (const node of this.nodes.values()) {
      if (!node.up || node.state.role.kind !== 'leader') continue
      if (newest === null || node.state.currentTerm > newest.state.currentTerm) newest = node
    }
    return newest
  }

  /** Gives a node a log of entries of these terms before it starts; entry 1 is the Configuration. */
  setLog(id: string, terms: readonly number[], hardState: { currentTerm: number; votedFor?: string }): void {
    const { image } = this.node(id)
    image.log = terms.map((value, at) => ({
      term: term(value),
      payload: `${at + 1}@${value}`,
      configuration: at === 0 ? this.configuration : null,
    }))
    image.currentTerm = term(hardState.currentTerm)
    image.votedFor = hardState.votedFor === undefined ? null : nodeId(hardState.votedFor)
  }

  /** Starts every node; the bootstrap handshake is agreed unless told otherwise. */
  start(bootstrapped = true): void {
    this.bootstrapped = bootstrapped
    for (const node of this.nodes.values()) {
      this.open(node)
      if (bootstrapped) this.step(node.id, { kind: 'bootstrapped', configuration: this.configuration, advances: false })
    }
  }

  step(id: string, event: RaftEvent): readonly Effect[] {
    const node = this.node(id)
    assert(node.up, 'the node is up', { id })
    const before = node.state
    const { state, effects, wakeAt } = step(before, localTime(node, this.now), event)
    node.state = state
    node.wakeAt = globalTime(node, wakeAt)
    this.traceRole(node, before)
    const received = event.kind === 'receive' ? this.receivedEntries : []
    for (const effect of effects) this.carryOut(node, effect, received)
    checkState(state)
    checkTransition(before, state)
    this.safety.check(this, node, before)
    if (!node.diskHeld) this.completeWrites(id)
    return effects
  }

  propose(id: string, count = 1, bytes = 100 * count): readonly Effect[] {
    return this.step(id, { kind: 'propose', count, bytes })
  }

  /** A read arrives; ids rise over all nodes, so that a transcript tells reads apart. */
  read(id: string): void {
    this.reads += 1
    this.trace(`${id} gets read ${this.reads}`)
    this.safety.readArrives(this.reads)
    this.step(id, { kind: 'read', id: this.reads })
  }

  /** Completes the node's writes up to `upTo` (default: all of them) in one go. */
  completeWrites(id: string, upTo?: number): void {
    const node = this.node(id)
    const last = upTo ?? node.queue.at(-1)?.write.write
    if (last === undefined) return
    let done: WriteNumber | null = null
    while (node.queue[0] !== undefined && node.queue[0].write.write <= last) {
      const next = node.queue.shift()
      if (next === undefined) break
      applyWrite(node, next)
      done = next.write.write
    }
    if (done === null) return
    if (node.diskHeld) this.trace(`${id} has written ${done}`)
    const leaving = node.waiting.filter(({ send }) => (send.after ?? 0) <= last)
    node.waiting.splice(0, node.waiting.length, ...node.waiting.filter(({ send }) => (send.after ?? 0) > last))
    for (const { send, entries } of leaving)
      this.packets.push({ from: node.id, to: send.to, message: send.message, entries })
    this.step(id, { kind: 'persisted', write: done })
  }

  /** Takes a packet out of the network (or leaves a copy there) and hands it to its receiver. */
  deliver(packet: Packet, options: { copy?: boolean } = {}): void {
    if (options.copy !== true) this.packets.splice(this.packets.indexOf(packet), 1)
    const line = `${packet.from} → ${packet.to} ${describeMessage(packet.message)}`
    const node = this.node(packet.to)
    if (this.isCut(packet.from, packet.to) || !node.up) return this.trace(`lost: ${line}`)
    this.trace(line)
    this.receivedEntries = packet.entries
    this.step(packet.to, { kind: 'receive', from: packet.from, message: withConfigurations(packet) })
  }

  private receivedEntries: readonly Entry[] = []

  /** Delivers everything that is under way, and what that leads to, without time passing. */
  stabilize(only: (packet: Packet) => boolean = () => true): void {
    for (let steps = 0; steps < STEPS_MAX; steps += 1) {
      const packet = this.packets.find(only)
      if (packet === undefined) return
      this.deliver(packet)
    }
    assert(false, 'the cluster comes to rest', { packets: this.packets.length })
  }

  /** Lets time pass: every node's timer fires when it is due, and messages arrive at once. */
  advance(ms: number): void {
    const end = this.now + ms
    this.stabilize()
    for (let steps = 0; steps < STEPS_MAX; steps += 1) {
      const due = [...this.nodes.values()].filter((node) => node.up && node.wakeAt <= end)
      const next = due.sort((left, right) => left.wakeAt - right.wakeAt)[0]
      if (next === undefined) break
      this.now = Math.max(this.now, next.wakeAt)
      this.step(next.id, { kind: 'tick' })
      this.stabilize()
    }
    this.now = end
  }

  /**
   * The node has pulled a snapshot of `source` that ends at `upTo`, and switched to it: a process that dies from now on begins
   * with it. The core hears of it, unless the process dies before (`told`).
   */
  install(id: string, source: string, upTo: number, told = true): void {
    const node = this.node(id)
    const entries = this.node(source).log.slice(0, upTo)
    const last = entries.at(-1)
    assert(last !== undefined && this.node(source).state.commitIndex >= upTo, 'a snapshot is of committed entries')
    if (upTo <= node.state.commitIndex) return
    node.image.snapshot = entries
    node.pulling = null
    this.trace(`${id} has the snapshot ${upTo}@${last.term} of ${source}`)
    if (!told) return
    node.applied = Math.max(node.applied, upTo)
    const configurations = configurationsIn(entries, 1).slice(-1)
    this.step(id, { kind: 'snapshotInstalled', index: logIndex(upTo), term: last.term, configurations })
  }

  /** Stops a node: what it holds in memory and its unfinished writes, but for the first `kept`, are lost. */
  crash(id: string, kept = 0): void {
    const node = this.node(id)
    for (const written of node.queue.slice(0, kept)) applyWrite(node, written)
    node.queue.length = 0
    node.waiting.length = 0
    node.up = false
  }

  restart(id: string): void {
    const node = this.node(id)
    node.diskHeld = false
    this.open(node)
    if (this.bootstrapped && node.image.owes === null && this.configuration.voters.includes(node.id))
      this.step(id, { kind: 'bootstrapped', configuration: this.configuration, advances: false })
  }

  /** A node with an empty disk that is no member, as it is before it is added, or that takes the id of a lost one. */
  join(id: string): void {
    const node = this.newNode(nodeId(id))
    this.nodes.set(node.id, node)
    this.open(node)
  }

  /** A change of the members, based on the newest configuration that node knows unless told otherwise. */
  change(id: string, wanted: Partial<Configuration>, basedOn = this.state(id).configurations.at(-1)?.index): void {
    const configuration = { voters: [], learners: [], outgoing: [], promoting: [], ...wanted }
    this.step(id, { kind: 'changeMembership', configuration, basedOn: basedOn ?? logIndex(0) })
  }

  cut(from: string, to: string): void {
    this.cuts.add(`${from} ${to}`)
  }

  isolate(id: string): void {
    for (const other of this.nodes.keys()) {
      if (other === id) continue
      this.cut(id, other)
      this.cut(other, id)
    }
  }

  heal(): void {
    this.cuts.clear()
  }

  isCut(from: string, to: string): boolean {
    return this.cuts.has(`${from} ${to}`)
  }

  trace(line: string): void {
    this.options.trace?.(line)
  }

  private newNode(id: NodeId): TestNode {
    const image = emptyImage()
    return newTestNode(id, this.restored(id, image), image)
  }

  private open(node: TestNode): void {
    const { image } = node
    const last = image.snapshot.at(-1)
    if (last !== undefined && image.log[image.snapshot.length - 1]?.term !== last.term) restartImage(image)
    node.up = true
    node.pulling = null
    node.log = [...image.log]
    node.applied = 0
    node.state = this.restored(node.id, node.image)
    this.step(node.id, { kind: 'start' })
  }

  private restored(id: NodeId, image: TestNode['image']): RaftState {
    const { votedFor, log, base, lastWrite } = image
    const snapshotTerm = term(log[base - 1]?.term ?? 0)
    const currentTerm = term(Math.max(image.currentTerm, snapshotTerm))
    const known = [...this.nodes.keys()].indexOf(id)
    const at = known < 0 ? this.nodes.size : known
    const restored = {
      hardState: { currentTerm, votedFor },
      snapshotIndex: logIndex(base),
      snapshotTerm,
      runs: log
        .map((entry, offset) => ({ first: logIndex(offset + 1), last: logIndex(offset + 1), term: entry.term }))
        .slice(base),
      configurations: configurationsIn(log, 1),
      seed: (this.options.seed ?? 1) * 100 + at + this.commands,
      lastWrite,
      obligation: image.owes,
    }
    return initialState({ ...DEFAULT_CONFIG, ...this.options.config, self: id }, restored)
  }

  private carryOut(node: TestNode, effect: Effect, received: readonly Entry[]): void {
    switch (effect.kind) {
      case 'persist':
        return this.persist(node, effect, received)
      case 'restartLog':
        this.trace(`${node.id} ${describeEffect(effect)}`)
        node.log = [...node.image.snapshot]
        node.queue.push({ write: effect, entries: [] })
        return
      case 'pullSnapshot':
        if (node.pulling === null) this.trace(`${node.id} ${describeEffect(effect)}`)
        node.pulling = effect
        return
      case 'send':
        return this.send(node, effect)
      case 'apply':
        this.safety.apply(this, node, effect.upTo)
        return this.trace(`${node.id} applies up to ${effect.upTo}`)
      case 'readReady':
        this.safety.readIsReady(node, effect)
        return this.trace(`${node.id} ${describeEffect(effect)}`)
      case 'obligationMet':
        node.image.owes = null
        return this.trace(`${node.id} ${describeEffect(effect)}`)
      case 'entriesLost':
      case 'readFailed':
      case 'abort':
      case 'refused':
      case 'changeRefused':
      case 'transferEnded':
        return this.trace(`${node.id} ${describeEffect(effect)}`)
    }
  }

  private persist(node: TestNode, write: Extract<Write, { kind: 'persist' }>, received: readonly Entry[]): void {
    this.trace(`${node.id} ${describeEffect(write)}`)
    if (write.truncateFrom !== null) node.log.length = write.truncateFrom - 1
    const fresh: Entry[] = []
    const count = write.entries.reduce((sum, run) => sum + run.last - run.first + 1, 0)
    const tail = received.slice(received.length - count)
    for (const run of write.entries) {
      for (let index = run.first as number; index <= run.last; index += 1) {
        const { source } = run
        const copied = source.kind === 'received' ? tail[fresh.length] : undefined
        if (copied !== undefined) assert(copied.term === run.term, 'the record is the one named', { run })
        const kind = source.kind === 'created' ? source.entryKind : 'command'
        fresh.push(copied ?? this.newEntry(node, { term: run.term, index, kind }))
      }
    }
    node.log.push(...fresh)
    node.queue.push({ write, entries: fresh })
  }

  private newEntry(node: TestNode, at: { term: Term; index: number; kind: string }): Entry {
    this.commands += 1
    const { configurations } = node.state
    const known = at.kind === 'configuration' ? configurations.find(({ index }) => index === at.index) : undefined
    const payload = `${at.kind} ${this.commands} by ${node.id}`
    return { term: at.term, payload, configuration: known?.configuration ?? null }
  }

  private send(node: TestNode, send: Send): void {
    const { message } = send
    const entries =
      message.kind === 'appendEntries'
        ? node.log.slice(message.prevLogIndex, message.runs.at(-1)?.last ?? message.prevLogIndex)
        : []
    if (send.after === null) this.packets.push({ from: node.id, to: send.to, message, entries })
    else {
      node.waiting.push({ send, entries })
      if (node.diskHeld) this.trace(`${node.id} holds back until write ${send.after}: ${describeMessage(message)}`)
    }
  }

  private traceRole(node: TestNode, before: RaftState): void {
    const { role, currentTerm } = node.state
    if (role.kind === before.role.kind && currentTerm === before.currentTerm) return
    this.trace(`${node.id} is ${role.kind} in term ${currentTerm}`)
  }
}
