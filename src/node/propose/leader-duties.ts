import type { Millis } from '../../base/brand.ts'
import type { MachineAdvance, ScheduleStep, SessionNumbers } from '../../codec/entry/payload.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import type { Reply, StateMachine } from '../../session/state-machine.ts'
import type { NodeEvent, ProposalSink, SubmitRefusal } from '../api.ts'
import { MachineAdvances, type VoterBuilds } from './machine-advances.ts'
import { SchedulePlans } from './schedule-plans.ts'

/** How often a leader looks for what is due, ms of its monotonic clock. */
export const DUTY_INTERVAL_MS = 50

/**
 * Longest time between two looks at what attached sessions wait for, ms of the log's `now`. What is known to be due sooner
 * is looked at then; only a request emitted since, with a deadline nearer than this, waits the rest of it.
 */
export const RETRY_SCAN_MS = 250

/** Sessions named by one ExpireSessions, KeepAlive or RetryServerRequests entry. */
const SESSIONS_PER_ENTRY = 1024
/** Schedules of which one ScheduleNext entry says something. */
const SCHEDULES_PER_ENTRY = 64

export interface DutyPorts {
  readonly machine: StateMachine
  readonly encode: {
    keepAlive(sessions: readonly SessionNumbers[]): Uint8Array
    expire(sessions: readonly (SessionNumbers & { readonly renewedAtIndex: number })[]): Uint8Array
    retry(sessions: readonly SessionNumbers[]): Uint8Array
    advance(machines: readonly MachineAdvance[]): Uint8Array
    schedules(steps: readonly ScheduleStep[]): Uint8Array
  }
  submit(kind: EntryKind, payload: Uint8Array, sink: ProposalSink): void
  numbersOf(sessionIndex: number): SessionNumbers
  readonly attachedSessions: ReadonlySet<number>
  voterBuilds(): VoterBuilds
  /** The log here takes more of the disk since the last boundary than it may (storage.md §2.7). */
  logIsLong(): boolean
  note(event: NodeEvent): void
}

/** The log's clocks as the leader reads them at one duty, and the newest entry's lease. */
export interface DutyTime {
  readonly lease: Millis
  readonly now: Millis
  readonly lastLease: Millis
  /** Leader time when this node could first answer in its term. */
  readonly readySince: Millis
}

const EMPTY = new Uint8Array(0)
const NO_STEPS: readonly ScheduleStep[] = []

interface Ping {
  readonly session: SessionNumbers
  readonly sink: ProposalSink
}

/**
 * What a leader appends by itself: ticks, expiries, coalesced keep-alives, redeliveries, occurrences of schedules, new versions
 * (sessions.md §1, §4, §5, §10), and snapshots where the log grows by more than its records. The leader only hints: every one
 * of them is judged again when it is applied. An idle cluster writes nothing.
 */
export class LeaderDuties {
  private readonly ports: DutyPorts
  private pings: Ping[] = []
  /** At most one of each kind is in flight. */
  private readonly inFlight = new Set<EntryKind>()
  /** The last look at the attached sessions' server requests; null: none yet as this leader. */
  private scan: { readonly at: Millis; readonly until: Millis; readonly attached: number } | null = null

  private advances: MachineAdvances
  private readonly plans = new SchedulePlans()
  /** The newest `versionAwaited` that was noted; '': none, or it is not awaited any more. */
  private awaited = ''

  constructor(ports: DutyPorts) {
    this.ports = ports
    this.advances = this.newAdvances()
  }

  keepAlive(session: SessionNumbers, sink: ProposalSink): void {
    this.pings.push({ session, sink })
  }

  /** Leadership is gone: who pinged is told, by the sink, that nothing was appended. */
  refuse(code: SubmitRefusal): void {
    const pings = this.pings
    this.pings = []
    for (const ping of pings) ping.sink.refused(code, null)
    this.inFlight.clear()
    this.scan = null
    this.advances = this.newAdvances()
  }

  run(time: DutyTime): void {
    this.flushPings()
    this.expire(time)
    this.retry(time)
    this.tick(time)
    this.schedule(time)
    this.advance()
    this.snapshot()
  }

  private flushPings(): void {
    while (this.pings.length > 0) {
      const pings = this.pings.splice(0, SESSIONS_PER_ENTRY)
      const payload = this.ports.encode.keepAlive(pings.map((ping) => ping.session))
      this.ports.submit('KeepAlive', payload, new PingSink(pings))
    }
  }

  private expire(time: DutyTime): void {
    const { machine } = this.ports
    if (this.inFlight.has('ExpireSessions')) return
    const overdue = machine.overdueSessions(time, SESSIONS_PER_ENTRY)
    if (overdue.length === 0) return
    const sessions = overdue.map((session) => ({
      ...this.ports.numbersOf(session.index),
      renewedAtIndex: session.renewedAtIndex,
    }))
    this.propose('ExpireSessions', this.ports.encode.expire(sessions))
  }

  private retry(time: DutyTime): void {
    const { machine, attachedSessions } = this.ports
    if (attachedSessions.size === 0 || this.inFlight.has('RetryServerRequests')) return
    if (this.scanHolds(time.now)) return
    // A dirty read first: an entry is written only when something is due (FR-027).
    const due: SessionNumbers[] = []
    let until = time.now + RETRY_SCAN_MS
    for (const session of attachedSessions) {
      const next = machine.nextRetryDue([session])
      if (next === null) continue
      if (next <= time.now && due.length < SESSIONS_PER_ENTRY) due.push(this.ports.numbersOf(session))
      until = Math.min(until, next)
    }
    this.scan = { at: time.now, until, attached: attachedSessions.size }
    if (due.length > 0) this.propose('RetryServerRequests', this.ports.encode.retry(due))
  }

  /** True while the last scan says that nothing is due. */
  private scanHolds(now: Millis): boolean {
    const { scan } = this
    if (scan === null || now < scan.at || now >= scan.until) return false
    return scan.attached === this.ports.attachedSessions.size
  }

  private tick(time: DutyTime): void {
    const { machine } = this.ports
    if (this.inFlight.has('Tick')) return
    const timer = machine.nextTimerDue()
    const timeout = machine.shortestTimeout()
    const timerDue = timer !== null && timer <= time.now
    // While sessions live, leader changes must not be able to freeze the lease (sessions.md §1).
    const leaseDue = timeout !== null && time.lease - time.lastLease >= timeout / 4
    if (timerDue || leaseDue) this.propose('Tick', EMPTY)
  }

  /** Occurrences of schedules: computed here, and judged again where they are applied (docs/concepts/schedules.md). */
  private schedule(time: DutyTime): void {
    const { machine } = this.ports
    // In the middle of an entry a schedule may have been put, and be put again with another expression: both at one revision.
    if (this.inFlight.has('ScheduleNext') || machine.underway) return
    const awaited = machine.schedules.awaited(SCHEDULES_PER_ENTRY)
    const steps = awaited.length === 0 ? NO_STEPS : this.plans.steps(awaited, time.now)
    if (steps.length > 0) this.propose('ScheduleNext', this.ports.encode.schedules(steps))
  }

  /** Versions that every voter has by now (sessions.md §10); one entry at a time, so that each is judged by what is applied. */
  private advance(): void {
    if (this.inFlight.has('AdvanceVersion')) return
    const { advances } = this
    const next = advances.next()
    if (next !== null) this.propose('AdvanceVersion', this.ports.encode.advance(next), () => advances.applied(next))
    else this.noteAwaited()
  }

  /** Records alone do not tell how long a log is: one that is written alone takes two sectors, whatever its size. */
  private snapshot(): void {
    if (!this.inFlight.has('Snapshot') && this.ports.logIsLong()) this.propose('Snapshot', EMPTY)
  }

  private noteAwaited(): void {
    const awaited = this.advances.awaited()
    const text = awaited === null ? '' : JSON.stringify(awaited)
    if (text !== this.awaited && awaited !== null) this.ports.note({ kind: 'versionAwaited', ...awaited })
    this.awaited = text
  }

  private newAdvances(): MachineAdvances {
    return new MachineAdvances(this.ports.machine, () => this.ports.voterBuilds())
  }

  private propose(kind: EntryKind, payload: Uint8Array, applied: () => void = () => undefined): void {
    this.inFlight.add(kind)
    this.ports.submit(kind, payload, new DutySink(this.inFlight, kind, applied))
  }
}

class DutySink implements ProposalSink {
  private readonly inFlight: Set<EntryKind>
  private readonly kind: EntryKind
  private readonly applied: () => void

  constructor(inFlight: Set<EntryKind>, kind: EntryKind, applied: () => void) {
    this.inFlight = inFlight
    this.kind = kind
    this.applied = applied
  }

  settled(): void {
    this.inFlight.delete(this.kind)
    this.applied()
  }

  refused(): void {
    this.inFlight.delete(this.kind)
  }

  lost(): void {
    this.inFlight.delete(this.kind)
  }
}

/** Hands each pinging session its own part of a KeepAlive entry's reply. */
class PingSink implements ProposalSink {
  private readonly pings: readonly Ping[]

  constructor(pings: readonly Ping[]) {
    this.pings = pings
  }

  settled(reply: Reply, index: number, now: number): void {
    this.pings.forEach((ping, position) => {
      const alive = reply.kind === 'keptAlive' && reply.alive[position] === true
      ping.sink.settled({ kind: 'keptAlive', alive: [alive] }, index, now)
    })
  }

  refused(code: SubmitRefusal, leader: Parameters<ProposalSink['refused']>[1]): void {
    for (const ping of this.pings) ping.sink.refused(code, leader)
  }

  lost(): void {
    for (const ping of this.pings) ping.sink.lost()
  }
}
