import type { Millis, SessionId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { fitsName, NAME_BYTES_MAX } from '../../codec/entry/names.ts'
import type { Value } from '../../codec/value/value.ts'
import { REQUEST_OVERHEAD_BYTES } from '../clients/outbox.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import {
  foldEmission,
  foldNotification,
  foldOnce,
  foldTask,
  foldTaskCancelled,
  foldTimerArmed,
  foldTimerCancelled,
  foldSignal,
  foldWait,
  foldWaitCancelled,
} from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { STORABLE_ROWS_SINCE } from '../own-versions.ts'
import { isInteger, isText } from '../rows/row-fields.ts'
import { TASK_MACHINE } from '../tables/tasks.ts'
import { waitLimits } from '../tables/wait-rows.ts'
import { TransactionSchedules } from '../schedules/schedule-calls.ts'
import type { ScheduleCalls } from '../schedule.ts'
import { principalsKnown } from './notify.ts'
import type { Transaction } from './transaction.ts'
import type {
  EmitOptions,
  MachineContext,
  OpenTask,
  SessionInfo,
  SignalFate,
  SignalOptions,
  StateStore,
  TaskKind,
  WaitOptions,
} from '../user-machine.ts'

/** Ten years, as of the limits that are times: sums with a clock stay far below 2^53 ms. */
const TIMEOUT_MS_MAX = 10 * 365 * 24 * 3_600_000
/** Half of the integers that rows hold: 140,000 years; clocks have the other half. */
const DURATION_MS_MAX = 2 ** 52
const OVERFLOWS: readonly string[] = ['reject', 'dropOldest', 'coalesce']

/** The machine's window on the running transaction. One object per state machine: a command allocates none. */
export class Context implements MachineContext {
  private readonly owner: ReplicatedState
  private readonly transaction: Transaction
  private readonly running: () => string | null
  /** How many ids and random numbers the entry at `index` was given. */
  numbered = { index: 0, count: 0 }
  /** What the machine says is not told. */
  private readonly silent: () => boolean
  readonly schedules: ScheduleCalls

  /** `teller`: the machine whose function runs, for what it logs, and whether that is silent now. */
  constructor(
    owner: ReplicatedState,
    transaction: Transaction,
    teller: { readonly running: () => string | null; readonly silent: () => boolean },
  ) {
    this.running = teller.running
    this.silent = teller.silent
    this.owner = owner
    this.transaction = transaction
    this.schedules = new TransactionSchedules(owner, transaction)
  }

  get now(): Millis {
    return this.owner.now
  }

  get index(): number {
    return this.owner.index
  }

  get incarnation(): number {
    return this.owner.incarnation
  }

  get session(): SessionInfo | null {
    return this.transaction.session?.row.info ?? null
  }

  get state(): StateStore {
    this.assertRunning()
    return this.transaction.writes
  }

  emit(target: SessionId, type: string, payload: Value, options?: EmitOptions): boolean {
    this.assertRunning()
    this.requireText(type, 'the type of a server request')
    // A frame could not carry it, and the session would wait behind it for ever.
    if (!fitsName(type)) this.refuse(`the type of a server request has at most ${NAME_BYTES_MAX} bytes`)
    if (options !== undefined) this.requireOptions(options)
    const { owner, transaction } = this
    const issuer = transaction.session
    const session = issuer !== null && issuer.row.info.id === target ? issuer : owner.sessions.findById(target)
    if (session === null || !session.live) return false
    foldEmission(owner, session, type)
    const bytes = transaction.walk(payload) + type.length + REQUEST_OVERHEAD_BYTES
    return transaction.emit(session, {
      type,
      payload,
      bytes,
      overflow: options?.overflow ?? 'reject',
      key: options?.key ?? null,
      attemptsMax: options?.attemptsMax ?? owner.limits.attemptsMax,
      deadlineAt: options?.deadlineAt ?? null,
    })
  }

  notify(principal: string, topic: string, body: Value): void {
    this.assertRunning()
    this.requireText(principal, 'a principal')
    this.requireText(topic, 'a topic')
    foldNotification(this.owner, principal, topic)
    const bytes = this.transaction.walk(body) + topic.length
    this.transaction.notify({ kind: 'notify', principal, topic, body, bytes })
  }

  task(machine: string, kind: TaskKind, ref: string, payload: Value): string {
    this.assertRunning()
    this.requireText(ref, 'the ref of a task')
    this.requireKind(kind)
    const { owner, transaction } = this
    if (owner.versions.hasOwn(STORABLE_ROWS_SINCE)) this.requireText(machine, 'the machine of a task')
    foldTask(owner, machine, kind, ref)
    const bytes = transaction.walk(payload)
    const number = transaction.nextTaskNumber()
    const taskId = `${owner.incarnation}-task-${number}`
    transaction.createTask({
      taskId,
      kind: kind.kind,
      machine,
      role: kind.role,
      ref,
      payload,
      attempt: 1,
      maxAttempts: kind.maxAttempts,
      leaseMs: kind.leaseMs,
      backoffMs: [...kind.backoffMs],
      assignedTo: null,
      leaseUntil: null,
      everLeased: false,
      status: 'QUEUED',
      createdAt: owner.now,
      closedAt: null,
      result: null,
      number,
      backingOff: false,
      bytes,
      until: null,
    })
    return taskId
  }

  cancelTask(taskId: string): boolean {
    this.assertRunning()
    foldTaskCancelled(this.owner, taskId)
    return this.transaction.cancelTask(taskId)
  }

  openTasks(machine: string, kind: string, ref: string | null): readonly OpenTask[] {
    this.assertRunning()
    const open = this.owner.tasks.openOf({ machine, kind, ref })
    return open.map(({ taskId, ref: of, everLeased: given }) => ({ taskId, ref: of, given }))
  }

  schedule(machine: string, name: string, dueAt: Millis, payload: Value): void {
    this.assertRunning()
    if (machine === TASK_MACHINE) throw new TypeError(`the machine name ${TASK_MACHINE} is reserved`)
    if (!Number.isSafeInteger(dueAt)) throw new TypeError(`a timer is due at an integer of milliseconds, not ${dueAt}`)
    this.requireText(machine, 'the machine of a timer')
    this.requireText(name, 'the name of a timer')
    const { owner } = this
    const due = Math.max(dueAt, owner.now + 1)
    foldTimerArmed(owner, machine, name, due)
    this.transaction.walk(payload)
    owner.timers.stage({ machine, name, dueAt: due, payload })
  }

  cancel(machine: string, name: string): boolean {
    this.assertRunning()
    if (machine === TASK_MACHINE) throw new TypeError(`the machine name ${TASK_MACHINE} is reserved`)
    foldTimerCancelled(this.owner, machine, name)
    return this.owner.timers.stageRemoval(machine, name)
  }

  wait(machine: string, key: string, options: WaitOptions = {}): string | null {
    this.assertWaiting(machine, key)
    const { owner } = this
    const { timeoutMs = null, owner: session = null, deliver = null } = options
    if (timeoutMs !== null) this.requireInteger(timeoutMs, 'timeoutMs')
    if (timeoutMs !== null && timeoutMs > TIMEOUT_MS_MAX) this.refuse(`timeoutMs is at most ${TIMEOUT_MS_MAX}`)
    if (session !== null) this.requireText(session, 'the owner of a wait')
    if (deliver !== null) this.requireDelivery(deliver.type, session)
    const dueAt = timeoutMs === null ? null : owner.now + Math.max(timeoutMs, 1)
    const type = deliver?.type ?? null
    const live = session === null ? null : this.liveSession(session)
    foldWait(owner, { machine, key, owner: session, deliver: type, dueAt })
    return owner.waits.wait(
      // By its own id: a text with zeros before the numbers names the same session.
      { machine, key, owner: live?.row.info.id ?? session, deliver: type, dueAt, createdAt: owner.now },
      {
        incarnation: owner.incarnation,
        limits: waitLimits(owner.limits),
        ownerGone: session !== null && live === null,
      },
    )
  }

  signal(machine: string, key: string, value: Value, options: SignalOptions = {}): SignalFate {
    this.assertWaiting(machine, key)
    const { owner } = this
    const limits = waitLimits(owner.limits)
    const {
      retentionMs = limits.signalRetentionMaxMs,
      keptMax = limits.signalsPerKeyMax,
      overflow = 'reject',
    } = options
    this.requireInteger(retentionMs, 'retentionMs')
    this.requireInteger(keptMax, 'keptMax')
    if (!OVERFLOWS.includes(overflow)) this.refuse(`overflow is one of ${OVERFLOWS.join(', ')}`)
    const keeping = {
      now: owner.now,
      until: owner.now + Math.min(Math.max(retentionMs, 1), limits.signalRetentionMaxMs),
      keptMax: Math.max(1, Math.min(keptMax, limits.signalsPerKeyMax)),
      overflow,
    }
    foldSignal(owner, { machine, key }, keeping)
    this.transaction.walk(value)
    return owner.waits.signal(machine, key, value, keeping)
  }

  cancelWait(machine: string, waitId: string): boolean {
    this.assertWaiting(machine, waitId)
    foldWaitCancelled(this.owner, machine, waitId)
    return this.owner.waits.cancel(machine, waitId)
  }

  once<Result extends Value>(
    scope: string,
    key: string,
    fingerprint: string,
    retentionMs: Millis,
    run: () => Result,
  ): { readonly kind: 'fresh' | 'replayed'; readonly value: Result } | { readonly kind: 'conflict' } {
    this.assertRunning()
    this.requireText(scope, 'a scope')
    this.requireText(key, 'a key')
    this.requireText(fingerprint, 'a fingerprint')
    this.requireDuration(retentionMs, 'a retention')
    const { once, now } = this.owner
    const row = once.key(scope, key)
    const kept = once.find(row, now)
    if (kept !== null && kept.fingerprint !== fingerprint) return { kind: 'conflict' }
    // The row holds what this scope's own code returned earlier, so its type is the caller's.
    if (kept !== null) return { kind: 'replayed', value: kept.value as Result }
    const value = run()
    foldOnce(this.owner, row, fingerprint)
    this.transaction.walk(value)
    once.stage(row, { fingerprint, value, until: now + retentionMs })
    return { kind: 'fresh', value }
  }

  audit(record: Value): void {
    this.assertRunning()
    this.transaction.audit(record)
  }

  alert(kind: string, details: Value = null): void {
    this.assertRunning()
    this.requireText(kind, 'the kind of an alert')
    this.transaction.alert(kind, details)
  }

  afterReject(run: (context: MachineContext) => void): void {
    this.assertRunning()
    this.transaction.afterReject.push(run)
  }

  principalsKnown(prefix: string): readonly string[] {
    return principalsKnown(this.owner, prefix)
  }

  activeVersion(machine: string): number {
    return this.owner.versions.active(machine)
  }

  hasOwn(since: number): boolean {
    return this.owner.versions.hasOwn(since)
  }

  hash(bytes: Uint8Array): Uint8Array {
    return this.owner.codec.sha256(bytes)
  }

  hashHex(text: string): string {
    return this.owner.codec.sha256Hex(text)
  }

  id(prefix: string): string {
    return `${prefix}${this.owner.incarnation}-${this.owner.index}-${this.nextCounter()}`
  }

  random(): number {
    return new Random(this.owner.incarnation, this.owner.index, this.nextCounter()).float()
  }

  log(message: string, fields: { readonly [name: string]: Value } = {}): void {
    if (this.silent()) return
    const { owner } = this
    owner.report({ kind: 'line', machine: this.running(), index: owner.index, message, fields })
  }

  /** Counts over all transactions of an entry, so that ids differ between a command and the timers before it. */
  private nextCounter(): number {
    const { index } = this.owner
    const count = this.numbered.index === index ? this.numbered.count + 1 : 1
    this.numbered = { index, count }
    return count
  }

  private assertWaiting(machine: string, name: string): void {
    this.assertRunning()
    if (this.transaction.inSteps) throw new TypeError('a migration neither waits nor signals')
    this.requireText(machine, 'the machine of a wait')
    this.requireText(name, 'the key or id of a wait')
  }

  /** A frame could not carry another type, as with `emit`. */
  private requireDelivery(type: string, owner: SessionId | null): void {
    this.requireText(type, 'the type of a server request')
    if (!fitsName(type)) this.refuse(`the type of a server request has at most ${NAME_BYTES_MAX} bytes`)
    if (owner === null) this.refuse('a wait that is delivered by a server request has an owner')
  }

  private liveSession(session: SessionId): SessionRecord | null {
    const issuer = this.transaction.session
    const found = issuer !== null && issuer.row.info.id === session ? issuer : this.owner.sessions.findById(session)
    return found?.live === true ? found : null
  }

  private requireOptions({ key, attemptsMax, deadlineAt }: EmitOptions): void {
    if (key !== undefined && key !== null) this.requireText(key, 'the key of a server request')
    if (attemptsMax !== undefined) this.requireInteger(attemptsMax, 'attemptsMax')
    if (deadlineAt !== undefined && deadlineAt !== null) this.requireInteger(deadlineAt, 'deadlineAt')
  }

  private requireKind({ kind, role, leaseMs, maxAttempts, backoffMs }: TaskKind): void {
    this.requireText(kind, 'the kind of a task')
    this.requireText(role, 'the role of a task')
    this.requireDuration(leaseMs, 'leaseMs')
    this.requireInteger(maxAttempts, 'maxAttempts')
    for (const wait of backoffMs) this.requireDuration(wait, 'backoffMs')
  }

  private requireText(text: string, what: string): void {
    if (!isText(text)) this.refuse(`${what} must be a string without lone surrogates`)
  }

  private requireInteger(value: number, what: string): void {
    if (!isInteger(value)) this.refuse(`${what} must be an integer within ±(2^53−1)`)
  }

  /** A number of milliseconds whose sum with any clock is an integer that a row can hold. */
  private requireDuration(ms: number, what: string): void {
    this.requireInteger(ms, what)
    if (ms > DURATION_MS_MAX && this.owner.versions.hasOwn(STORABLE_ROWS_SINCE))
      this.refuse(`${what} is at most ${DURATION_MS_MAX}`)
  }

  /** MACHINE_ERROR with INVALID_VALUE, also when the machine swallows the error. */
  private refuse(message: string): never {
    this.transaction.invalidValue = true
    throw new TypeError(message)
  }

  private assertRunning(): void {
    if (!this.transaction.running) throw new TypeError('a context is valid only during the call it was given to')
  }
}
