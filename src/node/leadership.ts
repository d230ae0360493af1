import { logIndex, type LogIndex, type Millis, type NodeId } from '../base/brand.ts'
import { configurationOf, leaderOf, type RaftState } from '../raft/index.ts'
import type { NodeEvent, RaftNode } from './api.ts'
import type { Clock } from './ports/clock.ts'
import type { Peers } from './peers/peers.ts'
import { dutyPayloads } from './propose/created-payload.ts'
import { LeaseSwitch, type LeaseSwitchParts } from './propose/lease-switch.ts'
import { DUTY_INTERVAL_MS, LeaderDuties } from './propose/leader-duties.ts'
import type { ClockReading, LogClock } from './propose/log-clock.ts'
import type { Pending } from './propose/pending.ts'
import type { Proposals } from './propose/proposals.ts'

/** What beginning and ending to lead touches. */
export interface LeadershipParts extends LeaseSwitchParts {
  readonly clock: Clock
  readonly logClock: LogClock
  readonly pending: Pending
  readonly proposals: Proposals
  /** This process's clocks at this moment. */
  time(): ClockReading
  readonly peers: Pick<Peers, 'sayHello' | 'builds'>
  /** The log has grown so long since the last boundary that a snapshot is due, whatever its records come to. */
  logIsLong(): boolean
  /** The other initial voters were told who this node is; the first election may begin once all have. */
  greeted(): void
  note(event: NodeEvent): void
}

/** What a node does by itself: its duties while it leads, and greeting the other voters before there is a Configuration. */
export class Leadership {
  readonly duties: LeaderDuties
  private readonly parts: LeadershipParts
  private readonly leaseSwitch: LeaseSwitch
  /** Last of the entries with which this node began its term: a no-op, or all of a new cluster's first. */
  private ownTermIndex: LogIndex = logIndex(0)
  /**
   * Leader time since which this node can answer; null: it cannot yet, or not now. Sessions get their chance to reach it
   * from then on: it may have led for longer than that while an entry was applied that took long, or had halted meanwhile.
   */
  private readySince: Millis | null = null
  /** Voters of the effective configuration, as of the newest duty. */
  private voters: readonly NodeId[] = []
  /** Monotonic ms at which duties or a greeting are due next. */
  private dutyAt = 0

  constructor(node: RaftNode, parts: LeadershipParts) {
    this.parts = parts
    this.leaseSwitch = new LeaseSwitch(parts)
    this.duties = new LeaderDuties({
      machine: node.machine,
      encode: dutyPayloads,
      submit: (kind, payload, sink) => node.submit(kind, payload, sink),
      numbersOf: (index) => ({ group: node.group, incarnation: node.incarnation, index }),
      attachedSessions: node.attachedSessions,
      logIsLong: () => parts.logIsLong(),
      voterBuilds: () => parts.peers.builds.current(this.voters),
      note: (event) => parts.note(event),
    })
  }

  /** A leader may answer and deliver once it has applied what it began its term with (paper §8). */
  isReady(applied: LogIndex): boolean {
    return applied >= this.ownTermIndex
  }

  /** The core has become leader in this step and appended the first entries of its term. */
  begin(raft: RaftState): void {
    const now = this.parts.clock.monotonicMs()
    this.dutyAt = now
    this.ownTermIndex = raft.lastIndex
    this.parts.logClock.lead(now)
    this.readySince = null
  }

  /** The core has stepped down: whoever waits for an entry that is not committed is told. */
  end(raft: RaftState): void {
    const { logClock, proposals, pending } = this.parts
    logClock.follow()
    proposals.refuse('NOT_LEADER', leaderOf(raft))
    this.duties.refuse('NOT_LEADER')
    // What is committed is applied here as well. The rest may still commit under the next leader: unknown, and the client
    // asks there with the same ids.
    pending.abort(raft.commitIndex + 1)
  }

  /** Once per turn: does what is due. `leading`: this node leads and is ready. */
  run(raft: RaftState, leading: boolean): void {
    const now = this.parts.clock.monotonicMs()
    if (configurationOf(raft) === null && now >= this.dutyAt) {
      this.dutyAt = now + DUTY_INTERVAL_MS
      this.parts.peers.sayHello()
      this.parts.greeted()
      return
    }
    // A leader that has halted in office, and goes on, could not be reached in between.
    if (!leading) this.readySince = null
    if (!leading || now < this.dutyAt) return
    this.voters = configurationOf(raft)?.voters ?? []
    this.dutyAt = now + DUTY_INTERVAL_MS
    const { logClock } = this.parts
    const lease = logClock.currentLease()
    this.readySince ??= lease
    this.duties.run({
      lease,
      now: logClock.currentNow(this.parts.time()),
      lastLease: logClock.lastLease,
      readySince: this.readySince,
    })
    this.leaseSwitch.run(raft, raft.config.self)
  }

  /** Monotonic ms at which `run` has something to do again; infinite: only an event changes that. */
  dueAt(raft: RaftState, leading: boolean): number {
    return leading || configurationOf(raft) === null ? this.dutyAt : Number.POSITIVE_INFINITY
  }
}
