import { assert } from '../../src/base/assert.ts'
import { logIndex, type NodeId, nodeId, term, writeNumber } from '../../src/base/brand.ts'
import {
  checkState,
  checkTransition,
  type Configuration,
  initialState,
  type Message,
  type RaftConfig,
  type RaftEvent,
  type RaftState,
  step,
} from '../../src/raft/index.ts'
import { atRest, NOW, shifted } from './at-rest.ts'
import { type Entry, type Image, type Node, NodeDraft, type Packet, written } from './node.ts'

/** A whole cluster, and of its past what safety is about. Immutable; what did not change is shared. */
export interface World {
  readonly nodes: readonly Node[]
  /** Link from node i to node j: `links[i * nodes + j]`, the oldest message first. */
  readonly links: readonly (readonly Packet[])[]
  readonly crashes: number
  readonly commands: number
  readonly heartbeats: number
  /** Entries that any node ever knew to be committed, in order. */
  readonly committed: readonly Entry[]
  /** In which term each of them was. */
  readonly committedIn: readonly number[]
  /** Who has led each term so far; −1: nobody. */
  readonly leaders: readonly number[]
}

/** What is explored: more of anything is outside. */
export interface Bounds {
  /** Terms of the entries of each node's log at first; entry 1 is the Configuration, of term 1. */
  readonly logs: readonly (readonly number[])[]
  /** Elections: terms above the highest of those. */
  readonly terms: number
  readonly commands: number
  readonly crashes: number
  /** Rounds of heartbeats, of whichever leaders: what was lost is sent again by nothing else. */
  readonly heartbeats: number
  /** Messages under way from one node to another; what does not fit is lost. */
  readonly messages: number
  /** Disks are done at once, which leaves room for more elections; else each write is an action of its own. */
  readonly promptDisks: boolean
  /** Actions from the first world; absent: as many as there are. */
  readonly actions?: number
}

export type Action =
  | {
      readonly kind: 'timeout' | 'heartbeat' | 'overdue' | 'write' | 'propose' | 'crash' | 'restart'
      readonly node: number
    }
  /** `late`: the receiver leads, and has waited for longer than an election timeout. */
  | { readonly kind: 'deliver' | 'late'; readonly node: number; readonly to: number }

const CONFIG: Omit<RaftConfig, 'self'> = {
  heartbeatMs: 50,
  electionTimeoutMinMs: 300,
  electionTimeoutMaxMs: 600,
  // Elections need no permission here: each is one action, and a deposed leader finds out by messages alone.
  preVote: false,
  checkQuorum: false,
  inFlightMessagesMax: 2,
  inFlightBytesMax: 1024 * 1024,
  // One at a time: an entry of an earlier term is acknowledged apart from what follows it (figure 8).
  appendEntriesMax: 1,
  uncommittedBytesMax: 1024 * 1024,
  commitNewsMs: 0,
}

export const idOf = (at: number): NodeId => nodeId(`n${at + 1}`)
export const placeOf = (id: NodeId): number => Number(id.slice(1)) - 1

/** The highest term that there may be. */
const lastTerm = ({ logs, terms }: Bounds): number => Math.max(...logs.flat()) + terms

/** Every node has just started. */
export function firstWorld(bounds: Bounds): World {
  const { logs } = bounds
  const nodes = logs.length
  const started = logs.map((terms, at) => {
    const log = terms.map((of, index) => ({ term: of, payload: index === 0 ? 0 : 100 * (index + 1) + of }))
    return open({ currentTerm: terms.at(-1) ?? 1, votedFor: null, log }, at, nodes)
  })
  return {
    nodes: started,
    links: Array.from({ length: nodes * nodes }, () => []),
    crashes: 0,
    commands: 0,
    heartbeats: 0,
    committed: [],
    committedIn: [],
    leaders: Array.from({ length: lastTerm(bounds) + 1 }, () => -1),
  }
}

function open(image: Image, at: number, nodes: number): Node {
  const configuration: Configuration = {
    voters: Array.from({ length: nodes }, (_, place) => idOf(place)),
    learners: [],
    outgoing: [],
    promoting: [],
  }
  const restored = initialState(
    { ...CONFIG, self: idOf(at) },
    {
      hardState: { currentTerm: term(image.currentTerm), votedFor: image.votedFor },
      snapshotIndex: logIndex(0),
      snapshotTerm: term(0),
      runs: image.log.map((entry, offset) => ({
        first: logIndex(offset + 1),
        last: logIndex(offset + 1),
        term: term(entry.term),
      })),
      configurations: [{ index: logIndex(1), configuration }],
      seed: 1,
      lastWrite: writeNumber(1),
      obligation: null,
    },
  )
  const { state } = step(restored, NOW, { kind: 'start' })
  return { state: atRest(state), log: image.log, image, queue: [], waiting: [] }
}

/** All that may happen next, within the bounds. */
export function actionsOf(world: World, bounds: Bounds): Action[] {
  const found: Action[] = []
  const { nodes, links } = world
  for (const [node, { state, queue }] of nodes.entries()) {
    if (state === null) {
      found.push({ kind: 'restart', node })
      continue
    }
    if (world.crashes < bounds.crashes) found.push({ kind: 'crash', node })
    if (queue.length > 0) found.push({ kind: 'write', node })
    if (state.role.kind === 'leader') {
      if (world.heartbeats < bounds.heartbeats) {
        found.push({ kind: 'heartbeat', node })
        const unanswered = [...state.role.progress.values()].some(({ inFlight }) => inFlight.length > 0)
        if (unanswered) found.push({ kind: 'overdue', node })
      }
      if (world.commands < bounds.commands) found.push({ kind: 'propose', node })
    } else if (state.currentTerm < lastTerm(bounds)) found.push({ kind: 'timeout', node })
  }
  for (const [at, link] of links.entries()) {
    const to = at % nodes.length
    const state = nodes[to]?.state
    if (link.length === 0 || state === null || state === undefined) continue
    const node = (at - to) / nodes.length
    found.push({ kind: 'deliver', node, to })
    if (state.role.kind === 'leader' && state.role.progress.get(idOf(node))?.inFlight.length !== 0)
      found.push({ kind: 'late', node, to })
  }
  return found
}

/** What that leads to; throws AssertionError when Raft's rules are broken. */
export function act(world: World, action: Action, bounds: Bounds): World {
  const draft = new Draft(world, bounds)
  draft.take(action)
  return draft.done()
}

/** The next world while it is being made. */
class Draft {
  private readonly bounds: Bounds
  private readonly nodes: Node[]
  private readonly links: (readonly Packet[])[]
  private crashes: number
  private commands: number
  private heartbeats: number
  private committed: readonly Entry[]
  private committedIn: readonly number[]
  private leaders: readonly number[]

  constructor(world: World, bounds: Bounds) {
    this.bounds = bounds
    this.nodes = [...world.nodes]
    this.links = [...world.links]
    this.crashes = world.crashes
    this.commands = world.commands
    this.heartbeats = world.heartbeats
    this.committed = world.committed
    this.committedIn = world.committedIn
    this.leaders = world.leaders
  }

  done(): World {
    const { nodes, links, crashes, commands, heartbeats, committed, committedIn, leaders } = this
    return { nodes, links, crashes, commands, heartbeats, committed, committedIn, leaders }
  }

  take(action: Action): void {
    const { node } = action
    switch (action.kind) {
      case 'timeout':
        return this.step(node, { kind: 'tick' }, { now: NOW + 10_000 })
      case 'heartbeat':
        this.heartbeats += 1
        return this.step(node, { kind: 'tick' }, { now: NOW + 50 })
      case 'overdue':
        this.heartbeats += 1
        return this.step(node, { kind: 'tick' }, { now: NOW + 50, overdue: true })
      case 'propose':
        this.commands += 1
        return this.step(node, { kind: 'propose', count: 1, bytes: 100 })
      case 'write':
        return this.write(node)
      case 'crash':
        return this.crash(node)
      case 'restart':
        this.nodes[node] = open(this.node(node).image, node, this.nodes.length)
        return
      case 'deliver':
      case 'late':
        return this.deliver(node, action.to, action.kind === 'late')
    }
  }

  private node(at: number): Node {
    const found = this.nodes[at]
    assert(found !== undefined, 'there is such a node', { at })
    return found
  }

  private deliver(from: number, to: number, overdue: boolean): void {
    const at = from * this.nodes.length + to
    const [packet, ...rest] = this.links[at] ?? []
    assert(packet !== undefined, 'a message is under way', { from, to })
    this.links[at] = rest
    const event = { kind: 'receive', from: idOf(from), message: this.configured(packet.message) } as const
    this.step(to, event, { received: packet.entries, overdue })
  }

  /** As the receiver's driver hands it on: the one Configuration is in every log already. */
  private configured(message: Message): Message {
    return message.kind === 'appendEntries' ? { ...message, configurations: [] } : message
  }

  /** The oldest write is on disk, and what waited for it leaves. */
  private write(at: number): void {
    const node = this.node(at)
    const [done, ...queue] = node.queue
    assert(done !== undefined, 'a write is under way', { at })
    const { write } = done.write
    const leaving = node.waiting.filter(({ send }) => (send.after ?? 0) <= write)
    const waiting = node.waiting.filter(({ send }) => (send.after ?? 0) > write)
    this.nodes[at] = { ...node, image: written(node.image, done), queue, waiting }
    for (const { send, packet } of leaving) this.put(at, send.to, packet)
    this.step(at, { kind: 'persisted', write })
  }

  /** What it had in memory is lost, and all that was on its way to it. */
  private crash(at: number): void {
    const { image } = this.node(at)
    this.crashes += 1
    this.nodes[at] = { state: null, log: [], image, queue: [], waiting: [] }
    for (let from = 0; from < this.nodes.length; from += 1) this.links[from * this.nodes.length + at] = []
  }

  private step(
    at: number,
    event: RaftEvent,
    {
      now = NOW,
      overdue = false,
      received = [],
    }: { now?: number; overdue?: boolean; received?: readonly Entry[] } = {},
  ): void {
    const node = this.node(at)
    assert(node.state !== null, 'the node is up', { at })
    const before = overdue ? shifted(node.state) : node.state
    const { state, effects } = step(before, now, event)
    checkState(state)
    checkTransition(before, state)
    const made = new NodeDraft(node, received, this.commands)
    for (const effect of effects) made.carryOut(effect)
    this.nodes[at] = made.done(state)
    for (const { to, packet } of made.sent) this.put(at, to, packet)
    this.elected(at, state)
    this.counted(at, before)
    for (const effect of effects) if (effect.kind === 'apply') this.apply(at, effect.upTo)
    if (this.bounds.promptDisks && this.node(at).queue.length > 0) this.write(at)
  }

  private put(from: number, to: NodeId, packet: Packet): void {
    const place = placeOf(to)
    const at = from * this.nodes.length + place
    const link = this.links[at] ?? []
    if (link.length < this.bounds.messages && this.nodes[place]?.state !== null) this.links[at] = [...link, packet]
  }

  /** Election Safety and Leader Completeness (paper Figure 3). */
  private elected(at: number, state: RaftState): void {
    if (state.role.kind !== 'leader') return
    const first = this.leaders[state.currentTerm] ?? -1
    if (first === at) return
    assert(first === -1, 'at most one leader is elected in a term', { term: state.currentTerm, first, at })
    this.leaders = this.leaders.map((known, index) => (index === state.currentTerm ? at : known))
    const { log } = this.node(at)
    this.committed.forEach((entry, index) => {
      const inTerm = this.committedIn[index] ?? 0
      if (inTerm < state.currentTerm)
        assert(log[index]?.payload === entry.payload, 'a leader has every committed entry', { at, index: index + 1 })
    })
  }

  /** A leader counts replicas of entries of its own term alone (paper §5.4.2). */
  private counted(at: number, before: RaftState): void {
    const { state, log } = this.node(at)
    if (state?.role.kind !== 'leader' || before.role.kind !== 'leader' || state.commitIndex === before.commitIndex)
      return
    const of = log[state.commitIndex - 1]?.term
    assert(of === state.currentTerm, 'a leader commits by counting what is of its own term', { at, of })
  }

  /** State Machine Safety, and that what is committed is on the disks of a quorum. */
  private apply(at: number, upTo: number): void {
    const { log, state } = this.node(at)
    for (let index = 0; index < upTo; index += 1) {
      const entry = log[index]
      const known = this.committed[index]
      assert(entry !== undefined, 'an applied entry is in the log', { at, index: index + 1 })
      if (known !== undefined) {
        assert(known.payload === entry.payload, 'all nodes apply the same entry at an index', { index: index + 1 })
        continue
      }
      const holders = this.nodes.filter(({ image }) => image.log[index]?.payload === entry.payload).length
      assert(2 * holders > this.nodes.length, 'a committed entry is on the disks of a quorum', {
        index: index + 1,
        holders,
      })
      this.committed = [...this.committed, entry]
      this.committedIn = [...this.committedIn, state?.currentTerm ?? 0]
    }
  }
}
