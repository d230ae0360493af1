import { assert } from '../base/assert.ts'
import type { Millis } from '../base/brand.ts'
import type { Entry } from '../codec/entry/entry.ts'
import { fitsName } from '../codec/entry/names.ts'
import type { ClientRequestPayload, Limits, MachineAdvance, SessionNumbers } from '../codec/entry/payload.ts'
import type { SessionCodec } from '../codec/session-codec.ts'
import type { Value } from '../codec/value/value.ts'
import { ValueError } from '../codec/value/value-error.ts'
import { cachedResponse } from './clients/response-cache.ts'
import { sessionFacts } from './clients/session-facts.ts'
import { sessionOverview } from './clients/session-overview.ts'
import { applyEntry } from './entries/apply-entry.ts'
import { nextRetryOf } from './entries/retry-server-requests.ts'
import { binaryString } from './rows/binary-string.ts'
import { isText } from './rows/row-fields.ts'
import { StateView } from './rows/state-view.ts'
import { checkBuild, type WantedMachine } from './run/check-build.ts'
import { tryCommand } from './run/command-trial.ts'
import { EngineError, isEngineError } from './run/engine-error.ts'
import { fireTimers } from './run/fire-timers.ts'
import { ApplyHalt } from './run/halt.ts'
import { MachineRunner } from './run/machine-runner.ts'
import { checkReplicatedState } from './state/check.ts'
import { foldIndex, foldKind, foldReply } from './state/fold.ts'
import { ReplicatedState } from './state/replicated-state.ts'
import { Restore } from './state/restore.ts'
import type { MachineErrorReason, MachineFailure, MachineLine } from './machine-report.ts'
import { TASK_MACHINE } from './tables/tasks.ts'
import type {
  Applied,
  CachedOutcome,
  CommandTrial,
  DirtyRows,
  LeaderTime,
  MachineStatus,
  SessionEnd,
  SessionFacts,
  SessionOverview,
  StateMachine,
  TriedCommand,
} from './state-machine.ts'
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
  private readonly state: ReplicatedState
  private readonly runner: MachineRunner
  private readonly view: StateView
  private restore: Restore | null = null
  private stopped: EngineError | ApplyHalt | null = null

  constructor(user: UserStateMachine, codec: SessionCodec, options: SessionStateMachineOptions = {}) {
    this.state = new ReplicatedState(codec, {
      group: options.group ?? 0,
      report: options.report ?? (() => undefined),
    })
    this.runner = new MachineRunner(this.state, user, options.rehearse ?? false)
    this.view = new StateView(this.state.userRows)
  }

  get appliedIndex(): number {
    return this.state.index
  }

  get limits(): Limits {
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

  apply(entry: Entry, recordBytes: number): Applied {
    if (this.stopped !== null) throw this.stopped
    try {
      if (entry.kind === 'AdvanceVersion') this.checkAdvance(entry)
      else if (entry.kind === 'ClientRequest' && !this.activated) this.checkEarlier(entry)
      return this.applyNext(entry, recordBytes)
    } catch (error) {
      this.stopped = stopOf(error, entry)
      throw this.stopped ?? error
    }
  }

  /** Asserts the invariants of the state, reading all of it: for tests and the simulator, after an entry or a restore. */
  checkInvariants(): void {
    checkReplicatedState(this.state)
  }

  stateHash(): string {
    const { high, low } = this.state.hash
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

  overdueSessions(
    time: LeaderTime,
    limit: number,
  ): readonly { readonly index: number; readonly renewedAtIndex: number }[] {
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
    const tombstone = this.state.tombstones.find(numbers)
    return tombstone === null ? null : { at: tombstone.at, reason: tombstone.reason }
  }

  endedSession(numbers: SessionNumbers, secretHash: Uint8Array): SessionEnd | null {
    const tombstone = this.state.tombstones.find(numbers)
    if (tombstone === null || tombstone.secret !== binaryString(secretHash)) return null
    return { at: tombstone.at, reason: tombstone.reason }
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

  query(request: { machine: string; query: string; input: Value; session: number | null }): Outcome {
    const { machine, query, input } = request
    const { user } = this.runner
    if (user.query === undefined) return { kind: 'reject', code: 'UNKNOWN_QUERY', details: { machine, query } }
    const session = request.session === null ? null : (this.state.sessions.at(request.session)?.row.info ?? null)
    const { now, index, versions } = this.state
    const failed = (reason: MachineErrorReason, error: unknown): Outcome => {
      const part = { machine, kind: 'query', name: query } as const
      this.state.report({ kind: 'failure', part, index, session: session?.id ?? null, reason, error })
      return this.runner.machineError(machine, reason)
    }
    try {
      const outcome = user.query(
        { state: this.view, now, index, session, activeVersion: (name) => versions.active(name) },
        { machine, query, input },
      )
      const bytes = this.state.codec.walk(outcome.kind === 'value' ? outcome.value : outcome.details, {
        high: 0,
        low: 0,
      })
      // No frame could carry them, and its client would ask again and again.
      if (bytes > this.state.limits.responseBytesMax) return failed('RESPONSE_TOO_LARGE', null)
      const carried = outcome.kind === 'value' || (isText(outcome.code) && fitsName(outcome.code))
      return carried ? outcome : failed('INVALID_VALUE', null)
    } catch (error) {
      // A query changes nothing, so even an engine error ends with its caller.
      return failed(error instanceof ValueError ? 'INVALID_VALUE' : 'EXCEPTION', error)
    }
  }

  tryCommand(command: TriedCommand): CommandTrial {
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

  restored(position: { index: number; term: number; lease: Millis; now: Millis }): void {
    this.restore ??= new Restore(this.state)
    this.restore.finish(position)
    this.restore = null
    for (const [machine, { version, schema }] of this.state.versions.all()) {
      this.stopped ??= this.haltOf({ machine, version, schema }, position.index)
    }
    if (this.stopped !== null) throw this.stopped
  }

  activeVersion(machine: string): number {
    return this.state.versions.active(machine)
  }

  get activated(): boolean {
    return this.state.versions.size > 0
  }

  machines(): readonly MachineStatus[] {
    const { versions } = this.state
    const build = this.runner.user.machines ?? []
    const names = new Set([...build.map(({ name }) => name), ...[...versions.all()].map(([name]) => name)])
    return [...names].map((name) => ({
      name,
      active: versions.active(name),
      schema: versions.find(name)?.schema ?? null,
      supported: build.find((machine) => machine.name === name)?.versions ?? [],
    }))
  }

  /** Before the entry changes anything: throws when this build lacks what it switches to. */
  private checkAdvance(entry: Entry): void {
    const { codec, versions } = this.state
    for (const { machine, to, schema } of advancesOf(codec, entry)) {
      if (to <= (versions.find(machine)?.version ?? 0)) continue
      const halt = this.haltOf({ machine, version: to, schema }, entry.index)
      if (halt !== null) throw halt
    }
  }

  /**
   * In a log of an earlier build, which names no versions, a request still says by which one it was parsed. A build that has
   * only later ones, or not the machine at all (a leader logs no command of a machine that it lacks), must not answer it. One
   * of another version than the active one is not run by any build.
   */
  private checkEarlier(entry: Entry): void {
    const { machine, version } = requestOf(this.state.codec, entry) ?? {}
    if (machine === undefined || version !== this.activeVersion(machine)) return
    if (machine === TASK_MACHINE) return
    const halt = this.haltOf({ machine, version, schema: null }, entry.index)
    if (halt !== null) throw halt
  }

  private haltOf(wanted: WantedMachine, index: number): ApplyHalt | null {
    const { machines } = this.runner.user
    return machines === undefined ? null : checkBuild(machines, wanted, index)
  }

  /** Clocks, timers that are due, rows whose time is over, then the entry itself (sessions.md §1, §8). */
  private applyNext(entry: Entry, recordBytes: number): Applied {
    const { state } = this
    assert(entry.index === state.index + 1, 'entries are applied in order, each once', {
      index: entry.index,
      applied: state.index,
    })
    state.index = entry.index
    state.lease = Math.max(state.lease, entry.lease)
    const now = Math.max(state.now, entry.now)
    foldIndex(state)
    fireTimers(state, this.runner, now)
    state.now = now
    this.sweep(now)
    foldKind(state, entry.kind)
    const reply = applyEntry(state, this.runner, entry)
    foldReply(state, reply)
    const { deliver, ended } = state.finishEntry()
    return { index: entry.index, reply, deliver, ended, boundary: this.closesInterval(entry, recordBytes) }
  }

  /** Rows whose time has passed, a bounded number per family and entry. */
  private sweep(now: Millis): void {
    const { tombstones, once, tasks, deadLetters, principals } = this.state
    tombstones.sweep(now)
    once.sweep(now)
    tasks.sweep(now)
    deadLetters.sweep(now)
    principals.sweep(now)
  }

  /** Counts the record and tells whether this entry is a snapshot boundary (storage.md §4). */
  private closesInterval(entry: Entry, recordBytes: number): boolean {
    const { state } = this
    state.bytesSinceBoundary += recordBytes
    const boundary = entry.kind === 'Snapshot' || state.bytesSinceBoundary > state.limits.snapshotBytes
    if (boundary) state.bytesSinceBoundary = 0
    return boundary
  }
}

/** Why nothing more is applied after this error, or null for one that is a bug. */
function stopOf(error: unknown, entry: Entry): EngineError | ApplyHalt | null {
  if (error instanceof ApplyHalt || error instanceof EngineError) return error
  return isEngineError(error) ? new EngineError(entry.index, entry.kind, error) : null
}

/** A command as it was logged; null when it does not decode, which apply answers. */
function requestOf(codec: SessionCodec, entry: Entry): ClientRequestPayload | null {
  try {
    return codec.decodeClientRequest(entry.payload)
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

/** The machines of an AdvanceVersion entry; none when it does not decode, which apply answers like any such payload. */
function advancesOf(codec: SessionCodec, entry: Entry): readonly MachineAdvance[] {
  try {
    return codec.decodePayload('AdvanceVersion', entry.payload).machines
  } catch (error) {
    if (error instanceof ValueError) return []
    throw error
  }
}
