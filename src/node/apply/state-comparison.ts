import type { NodeId } from '../../base/brand.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { AppliedRecord } from '../ports/applied-trail.ts'
import { ApplyHalt } from '../../session/run/halt.ts'
import type { StateMachine } from '../../session/state-machine.ts'
import { verdictOf } from './state-verdict.ts'

/** Every node notes its state at the multiples of this: indexes at which all can be compared while they are busy. */
const SAMPLE_EVERY_ENTRIES = 64
/** Own samples that are kept: 65,536 entries that a peer may be behind. 16 digits each: less than 100 KiB. */
const OWN_MAX = 1024
/** Samples kept of each peer: what it says in 3 s of load, and this node may be behind by. */
const HEARD_MAX = 64

/** Other members whose state differs from this node's, and the first index at which that was seen. */
export interface StateDifference {
  readonly index: number
  readonly nodes: readonly NodeId[]
}

export interface StateComparisonPorts {
  readonly self: NodeId
  readonly clock: Clock
  readonly machine: Pick<StateMachine, 'appliedIndex' | 'stateHash'>
  /** Samples go out this often while something is applied, ms. */
  readonly everyMs: number
  voters(): readonly NodeId[]
  /** What this process has made of the log may still turn out to be wrong: nobody is told of it. */
  replaying(): boolean
  /** Sends a sample to one other voter, or to all of them (null); it may be lost. */
  tell(sample: AppliedRecord, to: NodeId | null): void
  /** Another member, not heard to differ before, does. `decided`: a majority of the voters agrees, with this node. */
  differs(difference: StateDifference & { readonly decided: boolean }): void
  /** A majority of all voters, with this node, had this state at `agreedTo`. */
  agreed(): void
}

/**
 * Compares what the replicas make of the log (sessions.md §10): each tells the others (index, running hash) about once per
 * heartbeat interval while it applies, and once when it has come to rest. Hashes are compared at equal indexes alone. Whoever
 * differs from what a majority of all voters has halts itself; without a majority nobody does, and all say so.
 */
export class StateComparison {
  /** Index of the next entry after which `reached` must be asked. PERF: all that an entry costs. */
  nextIndex: number
  /** Highest index at which a majority of the voters, this node among them, had this state; null: none yet. */
  agreedTo: number | null = null
  private readonly ports: StateComparisonPorts
  private readonly own = new Map<number, string>()
  private readonly heard = new Map<NodeId, Map<number, string>>()
  /** Indexes whose samples all have been told. */
  private readonly told = new Set<number>()
  private readonly differing = new Map<NodeId, number>()
  private timer: Timer | null = null
  /** Last applied index when the timer rang last. */
  private seenIndex = -1
  private over = false

  constructor(ports: StateComparisonPorts) {
    this.ports = ports
    this.nextIndex = this.nextAfter(ports.machine.appliedIndex)
  }

  /** Members that are known to have another state than this node; null: none. */
  get difference(): StateDifference | null {
    if (this.differing.size === 0) return null
    return { index: Math.min(...this.differing.values()), nodes: [...this.differing.keys()].sort() }
  }

  /** The entry at `nextIndex` was applied, and nobody was told. Why this node must go no further, or null. */
  reached(): ApplyHalt | null {
    const index = this.note()
    this.nextIndex = this.nextAfter(index)
    return this.judge(index)
  }

  /** A run of entries was applied, and more may follow at once. */
  batchApplied(): void {
    if (this.timer === null && !this.over) this.wait()
  }

  /** What a peer says of itself. Why this node must go no further, or null. */
  hear(from: NodeId, { index, hash }: AppliedRecord): ApplyHalt | null {
    const { voters, machine } = this.ports
    if (this.over || !voters().includes(from)) return null
    keep(this.heardOf(from), [index, hash], HEARD_MAX)
    if (index > machine.appliedIndex) {
      this.nextIndex = Math.min(this.nextIndex, index)
      return null
    }
    if (index === machine.appliedIndex) this.note()
    return this.own.has(index) ? this.judge(index) : null
  }

  /**
   * The connection to a peer is open: it is told the state here, for it may be a new process that has said and heard nothing,
   * in a cluster that is at rest.
   */
  connected(to: NodeId): void {
    if (this.over || this.ports.replaying() || this.ports.machine.appliedIndex === 0) return
    const index = this.note()
    this.ports.tell({ index, hash: this.own.get(index) ?? '' }, to)
  }

  /** Another process of that peer has introduced itself: what the one before made of the log says nothing about it. */
  forget(peer: NodeId): void {
    this.heard.delete(peer)
  }

  /** Compares and tells nothing more. */
  halt(): void {
    this.over = true
    this.nextIndex = Number.POSITIVE_INFINITY
    this.timer?.cancel()
    this.timer = null
  }

  private wait(): void {
    const { clock, everyMs } = this.ports
    this.timer = clock.setTimer(everyMs, () => {
      this.timer = null
      this.beat()
    })
  }

  /** Busy: tells the newest sample that others can have too. At rest, as long as one interval: where it rests. */
  private beat(): void {
    if (this.over || this.ports.replaying()) return
    const { appliedIndex } = this.ports.machine
    const rests = appliedIndex === this.seenIndex
    this.seenIndex = appliedIndex
    if (rests) {
      this.say(this.note())
      return
    }
    this.say(appliedIndex - (appliedIndex % SAMPLE_EVERY_ENTRIES))
    this.wait()
  }

  /** Tells all others the state at that index, once. */
  private say(index: number): void {
    const hash = this.own.get(index)
    if (hash === undefined || this.told.has(index)) return
    this.told.add(index)
    for (const oldest of this.told) {
      if (this.told.size <= HEARD_MAX) break
      this.told.delete(oldest)
    }
    this.ports.tell({ index, hash }, null)
  }

  /** Notes the state as it is now; returns its index. */
  private note(): number {
    const { machine } = this.ports
    const index = machine.appliedIndex
    if (!this.own.has(index)) keep(this.own, [index, machine.stateHash()], OWN_MAX)
    return index
  }

  /** Compares at an index whose own sample is kept. */
  private judge(index: number): ApplyHalt | null {
    const { self, voters } = this.ports
    const states = new Map<NodeId, string>()
    for (const voter of voters()) {
      const hash = voter === self ? this.own.get(index) : this.heard.get(voter)?.get(index)
      if (hash !== undefined) states.set(voter, hash)
    }
    const own = this.own.get(index) ?? ''
    const { majority, others } = verdictOf(own, states, voters().length)
    for (const [voter, hash] of states) {
      const since = this.differing.get(voter)
      if (hash === own && since !== undefined && since <= index) this.differing.delete(voter)
    }
    if (majority === own && (this.agreedTo ?? 0) < index) {
      this.agreedTo = index
      this.ports.agreed()
    }
    if (others.length === 0) return null
    // The peers at that index may have said other ones: with this, everybody can count.
    if (!this.ports.replaying()) this.say(index)
    if (majority !== null && majority !== own)
      return this.diverged(
        index,
        [...states].filter(([, hash]) => hash === majority),
      )
    this.alarm(index, others, majority !== null)
    return null
  }

  /**
   * Two voters that differ, or three that all do, go on: nothing says which of them is right, so a halt would be a coin's
   * choice, or the end of the service. While one leader stays, all clients see one history; the alarm asks people to look.
   */
  private alarm(index: number, nodes: readonly NodeId[], decided: boolean): void {
    const fresh = nodes.filter((node) => !this.differing.has(node))
    for (const node of fresh) this.differing.set(node, index)
    if (fresh.length > 0) this.ports.differs({ index, nodes: fresh, decided })
  }

  private diverged(index: number, right: readonly (readonly [NodeId, string])[]): ApplyHalt {
    const equal =
      this.agreedTo === null ? 'no earlier entry was compared' : `at entry ${this.agreedTo} it was still equal`
    const message =
      `at entry ${index} the state here is another than that of ${right.map(([id]) => id).join(' and ')}, which are a ` +
      `majority; ${equal}. This node runs other code than they do, or a machine's code depends on its process. Its data ` +
      'is kept. Compare build and runtime with those of the other nodes, and start it again with theirs.'
    return new ApplyHalt('DIVERGED', index, message)
  }

  private heardOf(peer: NodeId): Map<number, string> {
    const known = this.heard.get(peer) ?? new Map<number, string>()
    this.heard.set(peer, known)
    return known
  }

  private nextAfter(index: number): number {
    let next = index - (index % SAMPLE_EVERY_ENTRIES) + SAMPLE_EVERY_ENTRIES
    for (const samples of this.heard.values()) {
      for (const heard of samples.keys()) if (heard > index && heard < next) next = heard
    }
    return next
  }
}

/** Adds a sample as the newest; the oldest beyond `max` go. */
function keep(samples: Map<number, string>, [index, hash]: readonly [number, string], max: number): void {
  samples.delete(index)
  samples.set(index, hash)
  for (const oldest of samples.keys()) {
    if (samples.size <= max) return
    samples.delete(oldest)
  }
}
