import { unreachable } from '../../base/assert.ts'
import { BEFORE_LOG, type LogIndex, type NodeId, type WriteNumber } from '../../base/brand.ts'
import type { Random } from '../../base/random.ts'
import {
  type Agreed,
  type Effect,
  initialState,
  type Message,
  type RaftConfig,
  type RaftEvent,
  type RaftState,
  step,
} from '../../raft/index.ts'
import { Violation } from '../checkers/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import { CoreAlarm } from './core-alarm.ts'
import { CoreDisk } from './core-disk.ts'
import { configurationsAfter, type CoreEntry, type EntryBook, entriesUpTo } from './core-entry.ts'
import type { CoreInvariants } from './core-invariants.ts'
import type { CoreNetwork } from './core-network.ts'
import { type CorePacket, firstPartOf, packetOf, received } from './core-packet.ts'
import type { CoreDiskWeather } from './core-swarm.ts'

type Persist = Extract<Effect, { kind: 'persist' }>
type Send = Extract<Effect, { kind: 'send' }>
type ReadReady = Extract<Effect, { kind: 'readReady' }>

/** A message that waits for a write, and the entry that it says is durable by then. */
interface HeldMessage {
  readonly send: Send
  readonly packet: CorePacket
  readonly acknowledged: CoreEntry | null
}

/** What a node has around it. */
export interface CoreSurroundings {
  readonly scheduler: Scheduler
  readonly network: CoreNetwork
  readonly book: EntryBook
  readonly invariants: CoreInvariants
  /** Its number by its id. */
  readonly numbers: ReadonlyMap<NodeId, number>
  readonly config: Omit<RaftConfig, 'self'>
  /** What the voters of the first configuration have agreed on. */
  readonly agreed: Agreed
  /** Chance that a message with several entries is sent as two. */
  readonly split: number
  /** Told of each step. */
  readonly stepped: (node: CoreNode, event: RaftEvent, effects: readonly Effect[]) => void
  /** The process of that node runs. */
  readonly started: (node: CoreNode) => void
  /** A failed sync has stopped that node. */
  readonly stopped: (node: CoreNode) => void
  /** The node is to have a snapshot of another one. */
  readonly pull: (node: CoreNode, wanted: Extract<Effect, { kind: 'pullSnapshot' }>) => void
}

/**
 * One node over its processes: the core's state, the log as its process knows it, and its disk, which stays. It does what the
 * core's driver owes it (src/raft/README.md), in simulated time and with entries in place of bytes.
 */
export class CoreNode {
  readonly id: NodeId
  readonly number: number
  readonly disk = new CoreDisk()
  /** Of the process that runs, or ran last. */
  state: RaftState
  /** Its log, the first entry at 0. */
  entries: CoreEntry[] = []
  applied: LogIndex = BEFORE_LOG
  up = false
  /** Processes that have been started. */
  life = 0
  /** A pull is under way. */
  pulling = false
  /** Disks are well from now on. */
  healthy = false
  private readonly weather: CoreDiskWeather
  private readonly rate: number
  private readonly random: Random
  private readonly around: CoreSurroundings
  private readonly seed: number
  private held: HeldMessage[] = []
  private syncing = false
  private alarm: CoreAlarm
  /** The newest read that was answered. */
  readsAnswered = 0
  private reads: { readonly id: number; readonly floor: number }[] = []
  private readsAsked = 0
  /** Entries that the message which is being received carries end with it. */
  private arrived: CoreEntry | null = null

  constructor(parts: {
    id: NodeId
    /** Its place among the nodes. */
    number: number
    seed: number
    weather: CoreDiskWeather
    /** How many ms its clock goes in one. */
    rate: number
    random: Random
    around: CoreSurroundings
  }) {
    this.id = parts.id
    this.seed = parts.seed
    this.weather = parts.weather
    this.rate = parts.rate
    this.random = parts.random
    this.around = parts.around
    this.number = parts.number
    this.alarm = this.newAlarm()
    this.state = this.opened()
  }

  get leads(): boolean {
    return this.up && this.state.role.kind === 'leader'
  }

  start(): void {
    if (this.up) return
    this.up = true
    this.life += 1
    this.alarm = this.newAlarm()
    this.state = this.opened()
    this.entries = this.disk.entries.slice()
    this.applied = this.state.commitIndex
    this.step({ kind: 'start' })
    const { agreed } = this.around
    // The handshake holds over restarts (raft.md §1, Bootstrap).
    if (this.disk.owes === null && agreed.configuration.voters.includes(this.id))
      this.step({ kind: 'bootstrapped', ...agreed })
    this.around.started(this)
  }

  /** The process is gone: of its writes under way a random part, from the oldest on, is found at the next start. */
  crash(): void {
    this.disk.crash(this.random.below(this.disk.queue.length + 1))
    this.up = false
    this.held = []
    this.reads = []
    this.syncing = false
    this.pulling = false
    this.alarm.stop()
  }

  /** Its process takes nothing in for so long. */
  pause(micros: number): void {
    this.alarm.pause(micros)
  }

  /** A message has come by the network. */
  receive(packet: CorePacket): void {
    if (!this.up) return
    this.alarm.after(0, () => {
      this.arrived = packet.last
      this.step({ kind: 'receive', from: packet.from, message: received(packet) })
      this.arrived = null
    })
  }

  /** Asks for a read, and returns its number. */
  read(): number {
    this.readsAsked += 1
    this.reads.push({ id: this.readsAsked, floor: this.around.invariants.committed.length })
    const id = this.readsAsked
    this.step({ kind: 'read', id })
    return id
  }

  /** All that is committed and durable here is in a snapshot, which is durable too: the log before it goes. Whether it is. */
  snapshot(): boolean {
    const { commitIndex, disk } = this.state
    const index = commitIndex < disk.durableIndex ? commitIndex : disk.durableIndex
    if (index <= this.disk.base) return false
    this.disk.base = index
    this.step({ kind: 'snapshotted', index })
    return true
  }

  /** A snapshot that ends with that entry is there: the next process begins with it. False: it tells nothing new. */
  switchTo(last: CoreEntry | null): boolean {
    if (last === null || last.index <= this.state.commitIndex) return false
    this.disk.snapshot = last
    return true
  }

  /** The core hears of the snapshot. */
  installed(): void {
    const { snapshot } = this.disk
    if (snapshot === null) return
    const { index, term } = snapshot
    this.step({ kind: 'snapshotInstalled', index, term, configurations: configurationsAfter(index, snapshot) })
  }

  /** Gives the core one input and does what it says. */
  step(event: RaftEvent): void {
    const before = this.state
    const { state, effects, wakeAt } = step(before, this.alarm.now(), event)
    this.state = state
    for (const effect of effects) this.carryOut(effect, before)
    this.around.stepped(this, event, effects)
    this.around.invariants.stepped(this, before)
    this.alarm.set(wakeAt)
    if (!this.syncing && this.disk.queue.length > 0) this.sync()
  }

  private opened(): RaftState {
    // The number of a process names it to others: no two of them have the same.
    const seed = this.seed * 65_536 + this.life * 16 + this.number
    return initialState({ ...this.around.config, self: this.id }, this.disk.restored(seed))
  }

  private carryOut(effect: Effect, before: RaftState): void {
    switch (effect.kind) {
      case 'send':
        return this.send(effect)
      case 'persist':
        return this.persist(effect)
      case 'apply':
        this.around.invariants.applied(this, effect.upTo, before)
        this.applied = effect.upTo
        return
      case 'readReady':
        return this.readReady(effect)
      case 'readFailed':
        this.reads = this.reads.filter(({ id }) => id > effect.id)
        return
      case 'restartLog':
        return this.restartLog(effect)
      case 'pullSnapshot':
        if (!this.pulling) this.around.pull(this, effect)
        return
      case 'obligationMet':
        this.disk.owes = null
        return
      case 'entriesLost':
        throw new Violation('what one disk lost is on another', { id: this.id, effect })
      case 'abort':
      case 'refused':
      case 'changeRefused':
      case 'transferEnded':
        return
      default:
        return unreachable(effect)
    }
  }

  private restartLog({ write, hardState, index, term }: Extract<Effect, { kind: 'restartLog' }>): void {
    const { id, disk } = this
    const { snapshot } = disk
    if (snapshot?.index !== index || snapshot.term !== term)
      throw new Violation('a log goes on behind the snapshot that is there', { id, index, term })
    this.entries = entriesUpTo(snapshot)
    this.applied = index
    disk.queue.push({ write, hardState, truncateFrom: null, entries: [], restart: snapshot })
  }

  private readReady({ id, index, limboFrom }: ReadReady): void {
    let floor = 0
    while (this.reads[0] !== undefined && this.reads[0].id <= id) floor = this.reads.shift()?.floor ?? 0
    this.readsAnswered = id
    this.around.invariants.answered(this, { floor, index, limboFrom })
  }

  private persist({ write, hardState, truncateFrom, entries }: Persist): void {
    const log = this.entries
    if (truncateFrom !== null) log.length = truncateFrom - 1
    const fresh: CoreEntry[] = []
    for (const { source, first, last, term } of entries) {
      if (source.kind === 'received') break
      for (let index: number = first; index <= last; index += 1) {
        const created = source.kind === 'created' && source.entryKind === 'configuration'
        const known = created ? this.state.configurations.find((each) => each.index === index) : undefined
        const entry = this.around.book.make(this.id, term, log.at(-1) ?? null, known?.configuration ?? null)
        log.push(entry)
        fresh.push(entry)
      }
    }
    if (entries[0]?.source.kind === 'received') this.append(this.receivedEntries(entries), fresh)
    this.disk.queue.push({ write, hardState, truncateFrom, entries: fresh, restart: null })
  }

  /** The newest entries of the message, as many as the runs name, the newest first. */
  private receivedEntries(runs: Persist['entries']): readonly CoreEntry[] {
    const found: CoreEntry[] = []
    let entry = this.arrived
    for (let at = runs.length - 1; at >= 0; at -= 1) {
      const run = runs[at]
      if (run === undefined) break
      for (let index: number = run.last; index >= run.first; index -= 1) {
        if (entry === null || entry.index !== index || entry.term !== run.term)
          throw new Violation('what is written is what came', { id: this.id, index, term: run.term })
        found.push(entry)
        entry = entry.previous
      }
    }
    return found
  }

  /** Log matching (paper §5.3): each entry comes behind the one that it was made behind. */
  private append(newestFirst: readonly CoreEntry[], fresh: CoreEntry[]): void {
    const log = this.entries
    for (let at = newestFirst.length - 1; at >= 0; at -= 1) {
      const entry = newestFirst[at]
      if (entry === undefined) break
      if (entry.previous !== (log.at(-1) ?? null))
        throw new Violation('log matching', { id: this.id, index: entry.index, term: entry.term })
      log.push(entry)
      fresh.push(entry)
    }
  }

  private send(send: Send): void {
    const { message, after } = send
    const acknowledged = this.acknowledged(message)
    const packet = packetOf(this.id, message, this.entries)
    if (after === null) this.dispatch({ send, packet, acknowledged })
    else this.held.push({ send, packet, acknowledged })
  }

  private acknowledged(message: Message): CoreEntry | null {
    if (message.kind === 'installSnapshotResponse') return this.entries[message.matchIndex - 1] ?? null
    if (message.kind !== 'appendEntriesResponse' || !message.result.success) return null
    const { matchIndex } = message.result
    const entry = this.entries[matchIndex - 1] ?? null
    if (entry === null && matchIndex > 0)
      throw new Violation('an acknowledged entry is in the log', { id: this.id, matchIndex })
    return entry
  }

  private dispatch({ send, packet, acknowledged }: HeldMessage): void {
    const { around } = this
    around.invariants.sent(this, send.to, send.message, acknowledged)
    const to = around.numbers.get(send.to)
    if (to === undefined) return
    // PERF: of the messages with entries few are split, and of the others none.
    if (packet.last !== null && around.split > 0 && this.random.chance(around.split)) {
      const part = firstPartOf(packet)
      if (part !== null) around.network.send(this.number, to, part)
    }
    around.network.send(this.number, to, packet)
  }

  /** The disk makes writes durable, one sync after the other. */
  private sync(): void {
    const { weather, random, alarm } = this
    const covered = (weather.grouped ? this.disk.queue.at(-1) : this.disk.queue[0])?.write
    if (covered === undefined) return
    this.syncing = true
    const stalls = weather.stallChance > 0 && random.chance(weather.stallChance) && !this.healthy
    const took = random.between(weather.syncMin, weather.syncMax) + (stalls ? weather.stall : 0)
    const fails = weather.failure > 0 && random.chance(weather.failure) && !this.healthy
    const patience = this.around.config.electionTimeoutMaxMs * 1000
    if (took > patience) alarm.after(patience, () => this.step({ kind: 'stalled', stalled: true }))
    alarm.after(took, () => {
      if (!fails) return this.synced(covered)
      this.crash()
      this.around.stopped(this)
    })
  }

  private synced(covered: WriteNumber): void {
    for (let next = this.disk.queue[0]; next !== undefined && next.write <= covered; next = this.disk.queue[0]) {
      this.disk.complete()
      this.release(next.write)
    }
    this.syncing = false
    this.step({ kind: 'persisted', write: covered })
    if (this.state.stalled) this.step({ kind: 'stalled', stalled: false })
  }

  /** What waited for that write leaves. */
  private release(write: WriteNumber): void {
    if (this.held.length === 0) return
    const kept: HeldMessage[] = []
    for (const each of this.held) {
      if ((each.send.after ?? 0) > write) kept.push(each)
      else this.dispatch(each)
    }
    this.held = kept
  }

  private newAlarm(): CoreAlarm {
    return new CoreAlarm(this.around.scheduler, this.rate, () => this.step({ kind: 'tick' }))
  }
}
