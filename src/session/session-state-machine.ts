import type { DirtyRows } from './dirty-rows.ts'
import { assert } from '../base/assert.ts'
import type { Millis } from '../base/brand.ts'
import type { Entry } from '../codec/entry/entry.ts'
import type { LimitsRow, SessionNumbers } from '../codec/entry/payload.ts'
import type { SessionCodec } from '../codec/session-codec.ts'
import type { Value } from '../codec/value/value.ts'
import type { DeadLetter } from './dead-letter.ts'
import { Applier } from './applier.ts'
import { cachedResponse } from './clients/response-cache.ts'
import { sessionFacts } from './clients/session-facts.ts'
import { sessionOverview } from './clients/session-overview.ts'
import { nextRetryOf } from './entries/retry-server-requests.ts'
import { OverlayTrial } from './limbo/limbo-trial.ts'
import { OWN_MACHINE } from './own-versions.ts'
import { Queries } from './queries/queries.ts'
import { BARE_VALUE } from './rows/bare-keys.ts'
import type { RowWatch } from './rows/row-watches.ts'
import { tryCommand } from './run/command-trial.ts'
import type { Position } from './run/underway.ts'
import { MachineRunner } from './run/machine-runner.ts'
import { checkReplicatedState } from './state/check.ts'
import { ReplicatedState } from './state/replicated-state.ts'
import { Restore } from './state/restore.ts'
import type { MachineFailure, MachineLine } from './machine-report.ts'
import type {
  Applied,
  CachedOutcome,
  CommandTrial,
  EntryUnderway,
  LeaderTime,
  LimboRows,
  LimboTrial,
  MachineStatus,
  QueryRequest,
  RestoredPosition,
  SessionEnd,
  SessionFacts,
  SessionOverview,
  StateMachine,
  StateSuccessor,
  TriedCommand,
} from './state-machine.ts'
import type { ScheduleReader } from './schedule.ts'
import type { Outcome, ServerRequest, UserStateMachine } from './user-machine.ts'

/** What a host may say beside machine and codec. */
export interface SessionStateMachineOptions {
  /** Number of the Raft group, part of every session id. Default 0; the same on every replica. */
  readonly group?: number
  /**
   * Hears of every function of a machine that failed and of every `ctx.log`, on each replica and also on replay: the host
   * decides what it tells (sessions.md §3). What it throws is dropped. Default: nobody.
   */
  readonly report?: (report: MachineFailure | MachineLine) => void
  /**
   * For development (machines.md §2): every function of the machine runs twice, the first time for nothing; one that does
   * different things is MACHINE_ERROR with NONDETERMINISTIC. The same on every replica. Default false.
   */
  readonly rehearse?: boolean
}

/**
 * The session layer around one user machine (FR-001…FR-027, architecture.md §5): a pure function of the log. `apply` takes
 * committed entries in order and never throws for bad input; an error of the engine leaves it as EngineError, an entry
 * that this build must not apply as ApplyHalt, and it then refuses to go on (sessions.md §10).
 */
export class SessionStateMachine implements StateMachine {
  private state: ReplicatedState
  private runner: MachineRunner
  private queries: Queries
  private applier: Applier
  private readonly anew: () => SessionStateMachine
  private restore: Restore | null = null

  constructor(user: UserStateMachine, codec: SessionCodec, options: SessionStateMachineOptions = {}) {
    this.anew = () => new SessionStateMachine(user, codec, options)
    this.state = new ReplicatedState(codec, { group: options.group ?? 0, report: options.report ?? (() => undefined) })
    this.runner = new MachineRunner(this.state, user, options.rehearse ?? false)
    this.applier = new Applier(this.state, this.runner)
    this.queries = new Queries(this.state, this.runner)
  }

  get appliedIndex(): number {
    return this.seen.index
  }

  get limits(): LimitsRow {
    return this.state.limits
  }

  /** 0 before the Configuration entry. */
  get incarnation(): number {
    return this.state.incarnation
  }

  get counts(): { sessions: number; rows: number; tasks: number; timers: number } {
    const { sessions, rows, tasks, timers } = this.state
    return { sessions: sessions.size, rows, tasks: tasks.open, timers: timers.size }
  }

  get underway(): boolean {
    return this.applier.begun
  }

  get readable(): boolean {
    return this.applier.readable
  }

  apply(entry: Entry, recordBytes: number, skipped?: readonly string[]): Applied {
    return this.applier.apply(entry, recordBytes, skipped)
  }

  begin(entry: Entry, recordBytes: number, skipped?: readonly string[]): Applied | EntryUnderway {
    return this.applier.begin(entry, recordBytes, skipped)
  }

  /** Asserts the invariants of the state, reading all of it: for tests and the simulator, after an entry or a restore. */
  checkInvariants(): void {
    checkReplicatedState(this.state)
  }

  /** Every row of the user machines, under its key without `user/`: for the simulator, between two entries. */
  *userRows(): Generator<readonly [string, Value]> {
    const { userRows } = this.state
    const all = { from: '', to: '\uffff', limit: Number.MAX_SAFE_INTEGER, reverse: false }
    for (const key of userRows.range(all)) yield [key, userRows.get(key) as Value]
    for (const key of userRows.bare.range(all)) yield [key, BARE_VALUE]
  }

  stateHash(): string {
    const { high, low } = this.seen.hash
    return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
  }

  nextTimerDue(): Millis | null {
    return this.state.timers.nextDue()
  }

  nextExpiry(): Millis | null {
    return this.state.expiry.next()
  }

  shortestTimeout(): Millis | null {
    return this.state.sessions.shortestTimeout()
  }

  overdueSessions(time: LeaderTime, limit: number): ReturnType<StateMachine['overdueSessions']> {
    return this.state.expiry.overdue(time, limit)
  }

  retriesDue(now: Millis, sessions: Iterable<number>): boolean {
    const next = this.nextRetryDue(sessions)
    return next !== null && next <= now
  }

  nextRetryDue(sessions: Iterable<number>): Millis | null {
    let earliest: Millis | null = null
    for (const index of sessions) {
      const session = this.state.sessions.at(index)
      const due = session === null ? null : nextRetryOf(this.state, session)
      if (due !== null && (earliest === null || due < earliest)) earliest = due
    }
    return earliest
  }

  sessionFacts(index: number): SessionFacts | null {
    const session = this.state.sessions.at(index)
    return session === null ? null : sessionFacts(session)
  }

  sessionsAfter(index: number, limit: number): readonly SessionOverview[] {
    const { sessions, expiry } = this.state
    return sessions.after(index, limit).map((session) => sessionOverview(session, expiry.dueOf(session.row)))
  }

  sessionOverview(numbers: SessionNumbers): SessionOverview | null {
    const session = this.state.sessions.find(numbers)
    return session === null ? null : sessionOverview(session, this.state.expiry.dueOf(session.row))
  }

  sessionEnd(numbers: SessionNumbers): SessionEnd | null {
    return this.state.tombstones.endOf(numbers)
  }

  endedSession(numbers: SessionNumbers, secretHash: Uint8Array): SessionEnd | null {
    return this.state.tombstones.endFor(numbers, secretHash)
  }

  get schedules(): ScheduleReader {
    return this.state.schedules
  }

  deadLetters(after: number, limit: number): readonly DeadLetter[] {
    return this.state.deadLetters.after(after, limit)
  }

  forgotten(subject: string): number | null {
    return this.state.subjects.forgotten(subject)
  }

  outbox(index: number, after: number, limit: number): readonly ServerRequest[] {
    const session = this.state.sessions.at(index)
    if (session === null) return []
    const from = session.positionAfter(after)
    return session.outbox.slice(from, from + limit)
  }

  cached(index: number, requestId: number): CachedOutcome | null {
    const session = this.state.sessions.at(index)
    const found = session === null ? null : cachedResponse(session, requestId)
    if (found === null) return null
    const { outcome, hashHigh, hashLow } = found
    return { outcome, entryIndex: found.index, hashHigh, hashLow }
  }

  query(request: QueryRequest, watch: RowWatch | null = null): Outcome {
    return this.queries.run(request, this.seen, watch)
  }

  watch(touched: () => void): RowWatch {
    return this.runner.writes.watch(touched)
  }

  tryLimbo(): LimboTrial {
    assert(!this.underway, 'entries are tried between two entries', { index: this.state.index })
    return new OverlayTrial(this.state, this.runner)
  }

  queryInLimbo(request: QueryRequest, limbo: LimboRows): Outcome | null {
    const { seen } = this
    assert(seen.index + 1 >= limbo.first, 'all before limbo is applied', { applied: seen.index, first: limbo.first })
    if (seen.index >= limbo.last) return this.queries.run(request, seen)
    return this.queries.runInLimbo(request, seen, limbo)
  }

  tryCommand(command: TriedCommand): CommandTrial {
    assert(!this.underway, 'a command is tried between two entries', { index: this.state.index })
    return tryCommand(this.state, this.runner.user, command)
  }

  swapDirty(): DirtyRows {
    return this.state.swap()
  }

  restoreRow(key: string, value: Value): void {
    assert(this.state.index === 0, 'rows are restored into an empty machine', { index: this.state.index })
    this.restore ??= new Restore(this.state)
    this.restore.row(key, value)
  }

  restored(position: RestoredPosition): void {
    let more = true
    while (more) more = this.restoreNext(position)
  }

  restoreNext(position: RestoredPosition): boolean {
    this.restore ??= new Restore(this.state)
    if (this.restore.next(position)) return true
    this.restore = null
    this.applier.checkRestored(position.index)
    return false
  }

  successor(): StateSuccessor {
    const next = this.anew()
    return Object.assign(next, {
      takeOver: () => {
        const between = !this.underway || this.applier.stopped !== null
        assert(between, 'a state is replaced between two entries', { index: this.state.index })
        const { state, runner, queries, applier } = next
        runner.writes.takeWatches(this.runner.writes)
        this.state = state
        this.runner = runner
        this.queries = queries
        this.applier = applier
      },
    })
  }

  activeVersion(machine: string): number {
    return this.state.versions.active(machine)
  }

  get activated(): boolean {
    return this.state.versions.activated
  }

  get own(): MachineStatus {
    const { versions } = this.state
    const { name, versions: supported } = OWN_MACHINE
    return { name, active: versions.active(name), schema: versions.find(name)?.schema ?? null, supported }
  }

  machines(): readonly MachineStatus[] {
    const { versions } = this.state
    const build = this.runner.user.machines ?? []
    const names = new Set([...build.map(({ name }) => name), ...[...versions.all()].map(([name]) => name)])
    names.delete(OWN_MACHINE.name)
    return [...names].map((name) => ({
      name,
      active: versions.active(name),
      schema: versions.find(name)?.schema ?? null,
      supported: build.find((machine) => machine.name === name)?.versions ?? [],
    }))
  }

  /** What everybody sees. */
  private get seen(): Position {
    return this.applier.seen
  }
}
