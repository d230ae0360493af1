import type { Millis, ServerRequestId, SessionId } from '../base/brand.ts'
import type { Value } from '../codec/value/value.ts'
import type { ScheduleCalls, ScheduleRun } from './schedule.ts'

/** Everything a machine may know of a client session; it never changes while the session lives (sessions.md §4). */
export interface SessionInfo {
  readonly id: SessionId
  readonly principal: string
  readonly roles: readonly string[]
  readonly capabilities: { readonly [name: string]: Value }
  readonly name: string
}

/** Byte-ordered view of the rows under `user/`; keys are binary strings (codec keyPart). */
export interface StateReader {
  get(key: string): Value | undefined
  has(key: string): boolean
  /** Rows with from ≤ key < to in byte order, at most `limit` (mandatory), from the end when `reverse`. */
  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): (readonly [string, Value])[]
  /** Number of rows in [from, to). */
  count(bounds: { from: string; to: string }): number
  /** The rows that are their keys alone; what else is here does not show them. */
  readonly bare: KeyReader
}

/**
 * Rows that are their keys alone, those under `<name>/.`: entries of indexes. In snapshots and wherever changes are told their
 * value is true.
 */
export interface KeyReader {
  /** Keys with from ≤ key < to in byte order, at most `limit` (mandatory), from the end when `reverse`. */
  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): readonly string[]
  /** Number of keys in [from, to). */
  count(bounds: { from: string; to: string }): number
}

/** The rows as the running transaction sees and changes them. */
export interface StateStore extends StateReader {
  readonly bare: KeyStore
  /** Validates and freezes the value. Throws ValueError for what is not plain data, TypeError for a key that is not binary. */
  set(key: string, value: Value): void
  /** False when there is no such row. */
  delete(key: string): boolean
}

/**
 * Keys that the running transaction adds and takes away. PERF: one that is added is not looked for, so that it is the caller's
 * part to know which are there; where it is wrong, replicas may differ.
 */
export interface KeyStore extends KeyReader {
  /** Adds a key that is not there. Throws TypeError for one that does not lie under `<name>/.` or is not binary. */
  add(key: string): void
  /**
   * Takes a key away that is there. Throws TypeError likewise. Where it is not there, the transaction fails as a whole as it
   * is committed: MACHINE_ERROR with INTERNAL_INVARIANT.
   */
  delete(key: string): void
}

/** How a server request waits for its client (sessions.md §5). */
export interface EmitOptions {
  /** What a full outbox does. Default reject. */
  readonly overflow?: 'reject' | 'coalesce' | 'dropOldest'
  /** Key for `coalesce`: replaces the waiting request of the same type and key. */
  readonly key?: string
  /** Times it is sent before it is a dead letter. Default: the limit of that name. */
  readonly attemptsMax?: number
  /** On the `now` clock: from then on it is a dead letter, however often it was sent. Default: none. */
  readonly deadlineAt?: Millis
}

/** A kind of task as its owner declares it (domain.md §0.7). Not replicated: part of the machine's code. */
export interface TaskKind {
  readonly kind: string
  readonly role: string
  readonly leaseMs: Millis
  readonly maxAttempts: number
  /** Wait before attempt 2, 3, …; the last one repeats. */
  readonly backoffMs: readonly Millis[]
}

/** A task as it stands in its table (domain.md §0.7). Times are on the `now` clock. */
export interface TaskRecord {
  /** `<incarnation>-task-<n>`. */
  readonly taskId: string
  readonly kind: string
  readonly machine: string
  readonly role: string
  /** The owner's reference, e.g. an attempt id. */
  readonly ref: string
  readonly payload: Value
  /** The one that waits or runs, from 1 on; the last one of a closed task. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly leaseMs: Millis
  readonly backoffMs: readonly Millis[]
  /** The worker's session while it is leased, with the time that its lease ends; else null. */
  readonly assignedTo: SessionId | null
  readonly leaseUntil: Millis | null
  readonly everLeased: boolean
  readonly status: 'QUEUED' | 'LEASED' | 'DONE' | 'FAILED' | 'CANCELLED'
  readonly createdAt: Millis
  readonly closedAt: Millis | null
  /** Hash of the accepted result and who gave it, for the identical repeat. */
  readonly result: { readonly by: string; readonly hash: string } | null
}

/** A task that is not ended, as its owner sees it. */
export interface OpenTask {
  readonly taskId: string
  readonly ref: string
  /** Was a worker ever given it? Then it may be done already, though nobody has said so. */
  readonly given: boolean
}

/** What `apply` returns (machines.md §1); a throw is a bug and becomes MACHINE_ERROR. */
export type Outcome<Response = Value> =
  | { readonly kind: 'value'; readonly value: Response }
  | { readonly kind: 'reject'; readonly code: string; readonly details: Value }

/** How a wait is stored (docs/waits.md). */
export interface WaitOptions {
  /** It ends timed out after so long, on the `now` clock; at least 1 ms, at most ten years. Default: never. */
  readonly timeoutMs?: Millis | null
  /** It ends with this session. Default: none. */
  readonly owner?: SessionId | null
  /** Its owner hears of the end by a server request of this type, with a `WaitNotice`. Default: `onWait` does. */
  readonly deliver?: { readonly type: string } | null
}

/** How a signal that nobody waits for is kept (docs/waits.md). */
export interface SignalOptions {
  /** How long, on the `now` clock; the limit of that name at most, and by default. */
  readonly retentionMs?: Millis
  /** Signals of the key that are kept at most, from 1; the limit of that name at most, and by default. */
  readonly keptMax?: number
  /**
   * What happens when so many are kept: it is refused, the oldest one goes, or it takes the place of the newest. Default
   * reject.
   */
  readonly overflow?: 'reject' | 'dropOldest' | 'coalesce'
}

/** What became of a signal: a waiter has it, it is kept, or there was no room for it. */
export type SignalFate = 'taken' | 'kept' | 'refused'

/** How a wait ended. */
export type WaitEnd =
  | { readonly kind: 'signalled'; readonly value: Value }
  | { readonly kind: 'timedOut' }
  /** Its owner has expired or closed, or was no live session when it began. */
  | { readonly kind: 'ownerEnded' }

/** Payload of the server request that tells a session of the end of its wait. */
export interface WaitNotice {
  readonly waitId: string
  readonly key: string
  readonly end: WaitEnd
}

/** What `onWait` is told, once for each wait that ended and was not cancelled. */
export interface EndedWaitNotice extends WaitNotice {
  readonly machine: string
  readonly owner: SessionId | null
  /** It was to go to its owner, which has ended or has no room in its outbox. */
  readonly undelivered: boolean
}

/** A command as it comes to `apply`: decoded, under the version that is active. */
export interface MachineCommand<Name extends string = string, Input = Value> {
  readonly machine: string
  readonly command: Name
  readonly input: Input
}

/** The only window a machine has (machines.md §1). Valid during the call it was given to. */
export interface MachineContext {
  /** Wall clock of the entry, or of the timer that fires; never falls. */
  readonly now: Millis
  /** Log index of the entry. */
  readonly index: number
  /** Of the cluster; part of every session's id. */
  readonly incarnation: number
  /** The issuing session; null in timers. */
  readonly session: SessionInfo | null
  readonly state: StateStore
  /**
   * Adds a server request to a session's outbox; false when the target is unknown, when a `dropOldest` one finds nothing to
   * drop and is dropped itself, or, in timers and hooks, when it is full.
   */
  emit(target: SessionId, type: string, payload: Value, options?: EmitOptions): boolean
  /** Notification to a principal: one copy per live session, else its mailbox. */
  notify(principal: string, topic: string, body: Value): void
  /** Queues a task and returns its id, `<incarnation>-task-<n>`. */
  task(machine: string, kind: TaskKind, ref: string, payload: Value): string
  /** Closes an open task as CANCELLED; false when there is no such task. */
  cancelTask(taskId: string): boolean
  /**
   * A machine's open tasks of a kind as they were before this call, oldest first: those of one reference, or all.
   * PERF: all of them looks at every task there is.
   */
  openTasks(machine: string, kind: string, ref: string | null): readonly OpenTask[]
  /** Durable timer, one per (machine, name); due at least at logical now + 1 ms. Re-scheduling replaces it. */
  schedule(machine: string, name: string, dueAt: Millis, payload: Value): void
  /** False when there is no such timer. */
  cancel(machine: string, name: string): boolean
  /**
   * Waits for a signal of a machine's key and returns the wait's id, `<incarnation>-wait-<n>`. A signal that is kept ends it at
   * once. Its end comes exactly once, after the running function and in the same entry at the earliest. Null, and nothing is
   * stored, where there are as many waits as the limits allow. Not in migrations.
   */
  wait(machine: string, key: string, options?: WaitOptions): string | null
  /** Ends the wait of that key that has lasted longest, or is kept for the next one. Not in migrations. */
  signal(machine: string, key: string, value: Value, options?: SignalOptions): SignalFate
  /** Removes a machine's wait, of which nothing more is heard; false when there is no such wait (any more). */
  cancelWait(machine: string, waitId: string): boolean
  /** Recurring runs by the wall clock of a zone (docs/concepts/schedules.md). */
  readonly schedules: ScheduleCalls
  /** Idempotency key that outlives sessions (sessions.md §8). */
  once<Result extends Value>(
    scope: string,
    key: string,
    fingerprint: string,
    retentionMs: Millis,
    run: () => Result,
  ): { readonly kind: 'fresh' | 'replayed'; readonly value: Result } | { readonly kind: 'conflict' }
  /** Append-only record that survives a rejection; stored bounded under `session/audit/`. */
  audit(record: Value): void
  /** Raises an alert: a counter per kind and a notification `admin.alert` to every admin principal known. */
  alert(kind: string, details?: Value): void
  /** Runs after the rollback of a rejected command, in a write buffer of its own. */
  afterReject(run: (context: MachineContext) => void): void
  /** Principals of that kind prefix ("admin:") that a session was ever bound to, sorted. */
  principalsKnown(prefix: string): readonly string[]
  /** SHA-256, 32 bytes. */
  hash(bytes: Uint8Array): Uint8Array
  /** SHA-256 of a text's UTF-8, as 64 hex digits. */
  hashHex(text: string): string
  /** Unique for ever: incarnation, index and a counter, after `prefix`. */
  id(prefix: string): string
  /** Uniform in [0, 1), seeded by incarnation, index and a counter. */
  random(): number
  /**
   * Version of a machine that the entry is applied under (sessions.md §10); 0 when the log has not switched to it yet.
   */
  activeVersion(machine: string): number
  /**
   * Whether the log does what session layer and kit do since that version of their own. One that names no versions of machines
   * does all that this build does.
   */
  hasOwn(since: number): boolean
  /** A line for the node's log: of the leader alone, and never for an entry of an earlier term (sessions.md §3). */
  log(message: string, fields?: { readonly [name: string]: Value }): void
}

/** One version of a machine as a build has it (docs/decisions/machine-identity.md). */
export interface MachineVersion {
  readonly version: number
  /** Fingerprint of what it declares, 64 hex digits or ''; binding. */
  readonly schema: string
  /** Fingerprint of its code, of the same form: shown, never binding. */
  readonly code: string
}

/** A machine of a build, with every version that it can run, lowest first, at least one. */
export interface BuildMachine {
  readonly name: string
  readonly versions: readonly MachineVersion[]
}

/**
 * The three functions of the session framework (FR-001); everything else is optional. A hook that returns a rejection is rolled
 * back as a rejected command is, audit records and alerts stay, and nobody is told; a run of a schedule has failed then, and so
 * has a migration.
 */
export interface UserStateMachine<Command = MachineCommand, Response = Value> {
  /** Of several machines in one, the one whose function runs, or ran last: for reports to people, never replicated. */
  readonly running?: string | null
  /** Runs a command inside a transaction that stands only if it returns a value (sessions.md §3, step 11). */
  apply(context: MachineContext, command: Command): Outcome<Response>
  /** A rejection refuses the session: nothing is stored, nothing emitted. */
  onSessionCreated(context: MachineContext, session: SessionInfo): void | Outcome
  /** The session ended: it receives nothing any more, and `pending` is what it never acknowledged. */
  onSessionExpired(
    context: MachineContext,
    session: SessionInfo,
    pending: readonly ServerRequest[],
    reason: 'expired' | 'closed',
  ): void | Outcome
  /** A durable timer of the machine fires, at its own logical time (sessions.md §8). */
  onTimer?(context: MachineContext, timer: { machine: string; name: string; payload: Value }): void | Outcome
  /** A wait of the machine has ended (docs/waits.md). */
  onWait?(context: MachineContext, ended: EndedWaitNotice): void | Outcome
  /** An occurrence of a schedule runs (docs/concepts/schedules.md). `open`: the run goes on until `schedules.end` of it. */
  onSchedule?(context: MachineContext, run: ScheduleRun): void | 'open' | Outcome
  /** A server request ran out of attempts or time (sessions.md §5). */
  onDeadLetter?(context: MachineContext, request: ServerRequest, target: SessionInfo): void | Outcome
  /**
   * A worker's result for an open task. `invalid`: does not fit the kind's schema, counts as a failed attempt.
   * `done`: accepted, what it wrote is committed, the task is closed.
   */
  onTaskResult?(
    context: MachineContext,
    task: TaskRecord,
    result: Value,
  ): { kind: 'done'; value: Value } | { kind: 'invalid'; details: Value }
  /** The kind's fallback, when the task has failed for good. */
  onTaskFailed?(context: MachineContext, task: TaskRecord, reason: string): void
  /**
   * Changes a machine's rows from one version to a later one, inside the entry that switches to it (sessions.md §10). One that
   * throws is rolled back, and the machine stays at `from`. One that has many rows to change returns steps (a generator does):
   * after each the host may serve others for a while, who see the state as it was before. Where a step ends is part of what
   * it does, like all else the same on every replica; how many are run at a time is not.
   */
  migrate?(
    context: MachineContext,
    machine: string,
    versions: { readonly from: number; readonly to: number },
  ): void | Iterator<unknown, unknown, undefined>
  /** Answers a query, which changes nothing (sessions.md §6); without it, every query is UNKNOWN_QUERY. */
  query?(view: QueryView, request: { machine: string; query: string; input: Value }): Outcome
  /**
   * What this build has. Where it is given, the machine is never run under a version that it lacks: apply halts instead.
   * Without it, whatever version the log names is taken for this machine's own.
   */
  readonly machines?: readonly BuildMachine[]
}

/** The only window of a query, as of the entry applied last. */
export interface QueryView {
  readonly state: StateReader
  readonly now: Millis
  readonly index: number
  /** Who asks; null for an unbound query. */
  readonly session: SessionInfo | null
  /** As in `MachineContext`. */
  activeVersion(machine: string): number
}

/** One server request as it waits in an outbox (sessions.md §5). */
export interface ServerRequest {
  readonly serverRequestId: ServerRequestId
  /** Id of the one before it that still waits or was acknowledged, or 0: what a client must have before it takes this. */
  readonly previousId: number
  readonly type: string
  readonly payload: Value
  readonly key: string | null
  readonly attempt: number
  /** `now` of the last sending that the log knows. */
  readonly lastSentAt: Millis
  readonly createdAt: Millis
  readonly createdIndex: number
  readonly attemptsMax: number
  readonly deadlineAt: Millis | null
  /** Payload, type and a fixed overhead: what counts against the outbox. */
  readonly bytes: number
}
