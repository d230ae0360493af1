import { unreachable } from '../../base/assert.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { Value } from '../../codec/value/value.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { type Notification, notify, raiseAlert } from './notify.ts'
import { appendRequest, coalesced, hasRoom, type NewRequest, fitsByDropping } from '../clients/outbox.ts'
import { foldKept } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { closeTask, createTask } from './task-assignment.ts'
import { isOpen, type TaskRow } from '../tables/tasks.ts'
import { StagedList } from '../rows/staged-list.ts'
import { WHOLE_COMMITS_SINCE } from '../own-versions.ts'
import type { AskedEffects } from '../state-machine.ts'
import type { MachineContext, Outcome } from '../user-machine.ts'
import { WriteBuffer } from '../rows/write-buffer.ts'

/** What a machine asked for beside its writes and timers; it becomes real at `commit`. */
type Effect =
  | { readonly kind: 'emit'; readonly target: SessionRecord; readonly request: NewRequest }
  | Notification
  | { readonly kind: 'task'; readonly task: TaskRow }
  | { readonly kind: 'cancelTask'; readonly taskId: string }

/** What outlives a rejection (machines.md §1). */
type Kept =
  | { readonly kind: 'audit'; readonly record: Value }
  | { readonly kind: 'alert'; readonly alert: string; readonly details: Value; readonly bytes: number }

const NOTHING_STAGED = { count: 0, bytes: 0 }

/**
 * One transaction over every mounted machine: an entry's command, a timer's firing, a hook. Writes, emissions, timers and
 * tasks are staged and become real at `commit`; only one runs at a time, so the object is reused.
 */
export class Transaction {
  readonly writes: WriteBuffer
  /** Session whose command or hook this is; null in timers. */
  session: SessionRecord | null = null
  /** A command may be rejected by a full outbox; a timer or hook hears `false`. */
  isCommand = false
  running = false
  /** Set when a value was refused: MACHINE_ERROR, even if the machine swallowed the ValueError. */
  invalidValue = false
  /** Set when a full outbox rejects the command, whatever the machine returns. */
  rejection: Extract<Outcome, { kind: 'reject' }> | null = null
  readonly afterReject: ((context: MachineContext) => void)[] = []

  /** It runs in steps, between which others see what was before: it neither waits nor signals. */
  inSteps = false

  private readonly effects = new StagedList<Effect>()
  private readonly kept: Kept[] = []
  readonly keptHash: RunningHash = { high: 0, low: 0 }
  private readonly staged = new Map<SessionRecord, { count: number; bytes: number }>()
  private readonly state: ReplicatedState
  private tasksCreated = 0
  /** Tasks that it makes (true) or cancels (false). */
  private readonly openHere = new Map<string, boolean>()
  private hashHigh = 0
  private hashLow = 0

  constructor(state: ReplicatedState) {
    this.state = state
    this.writes = new WriteBuffer(state.userRows, state.codec, state.hash, () => {
      this.invalidValue = true
    })
  }

  begin(session: SessionRecord | null, isCommand: boolean, inSteps = false): void {
    this.session = session
    this.inSteps = inSteps
    this.isCommand = isCommand
    this.running = true
    this.hashHigh = this.state.hash.high
    this.hashLow = this.state.hash.low
    if (inSteps) this.writes.bare.checkEach()
  }

  /**
   * Does what of a commit can fail, and nothing where it does: throws AssertionError for a bare key that goes and is not there.
   * `commit` follows at once. PERF: as a rule one comparison.
   */
  prepare(): void {
    this.writes.commitKeys()
  }

  /**
   * Makes everything real, in the order in which the machine asked for it. Throws as `prepare` does, which it begins with: the
   * transaction is still `running` then, and nothing is changed.
   */
  commit(): void {
    if (this.writes.bare.size > 0 && this.state.versions.hasOwn(WHOLE_COMMITS_SINCE)) this.prepare()
    this.running = false
    this.writes.commit()
    this.state.timers.commit()
    this.state.once.commit()
    this.state.waits.commit()
    this.state.schedules.commit()
    this.state.tasks.next += this.tasksCreated
    for (let at = 0; at < this.effects.size; at += 1) this.carryOut(this.effects.at(at))
    this.carryOutKept()
    this.clear()
  }

  /**
   * As `commit`, a piece at a time, for a transaction with more of everything than one slice of the loop has room for. When it
   * ends, all of it is seen (`StateView`), at once; then `settle`. What sessions are sent comes first: it folds into the hash.
   */
  *publish(): Generator<void, void> {
    this.running = false
    this.state.tasks.next += this.tasksCreated
    for (let at = 0; at < this.effects.size; at += 1) {
      this.carryOut(this.effects.at(at))
      yield
    }
    if (this.kept.length > 0) foldKept(this.state, this.keptHash)
    for (const kept of this.kept) {
      this.carryOutOne(kept)
      yield
    }
    // Operators read schedules between two steps, too.
    this.state.schedules.commit()
    this.writes.publish()
  }

  /** Carries out what was published, a piece at a time, without changing what anybody sees; nothing, when nothing was. */
  *settle(): Generator<void, void> {
    if (!this.writes.published) return
    yield* this.writes.settle()
    yield* this.state.timers.settle()
    yield* this.state.once.settle()
    this.clear()
  }

  /** As `abort`, a piece at a time. */
  *abortInPieces(): Generator<void, void> {
    yield* this.writes.rollbackInPieces()
    yield* this.state.timers.rollbackInPieces()
    this.abort()
  }

  /** Drops writes, emissions, timers and tasks; keeps audit records and alerts. */
  reject(): void {
    this.rollback()
    this.carryOutKept()
    this.clear()
  }

  /** Drops everything. */
  abort(): void {
    this.rollback()
    this.clear()
  }

  /** Walks a value that the machine hands over: validated, frozen, folded. Returns its size. */
  walk(value: unknown): number {
    return this.checked(value, this.state.hash)
  }

  /** Stages a server request; false when it is not stored. */
  emit(target: SessionRecord, request: NewRequest): boolean {
    if (!target.live) return false
    if (request.overflow !== 'dropOldest' && !this.reserve(target, request)) {
      if (this.isCommand) this.rejection ??= outboxFull(target)
      return false
    }
    this.effects.add({ kind: 'emit', target, request })
    return request.overflow !== 'dropOldest' || this.findsRoom(target, request.bytes)
  }

  notify(notification: Notification): void {
    this.effects.add(notification)
  }

  /** Number of the next task, the transaction's own counted. */
  nextTaskNumber(): number {
    this.tasksCreated += 1
    return this.state.tasks.next + this.tasksCreated - 1
  }

  createTask(task: TaskRow): void {
    this.openHere.set(task.taskId, true)
    this.effects.add({ kind: 'task', task })
  }

  cancelTask(taskId: string): boolean {
    const open = this.openHere.get(taskId) ?? isOpenTask(this.state, taskId)
    if (!open) return false
    this.openHere.set(taskId, false)
    this.effects.add({ kind: 'cancelTask', taskId })
    return true
  }

  audit(record: Value): void {
    this.checked(record, this.keptHash)
    this.kept.push({ kind: 'audit', record })
  }

  alert(alert: string, details: Value): void {
    const bytes = this.checked(details, this.keptHash)
    this.kept.push({ kind: 'alert', alert, details, bytes })
  }

  /**
   * What the running transaction asked for beside its writes and timers, and would get: `committed` true; of a rejection
   * (false) what outlives it, of a failure (null) nothing.
   */
  asked(committed: boolean | null): AskedEffects {
    const effects = committed === true ? Array.from({ length: this.effects.size }, (_, at) => this.effects.at(at)) : []
    const kept = committed === null ? [] : this.kept
    return {
      requests: effects.flatMap((effect) =>
        effect.kind === 'emit'
          ? [{ session: effect.target.row.info.id, type: effect.request.type, payload: effect.request.payload }]
          : [],
      ),
      notifications: effects.flatMap((effect) => (effect.kind === 'notify' ? [effect] : [])),
      tasks: effects.flatMap((effect) => (effect.kind === 'task' ? [effect.task] : [])),
      cancelledTasks: effects.flatMap((effect) => (effect.kind === 'cancelTask' ? [effect.taskId] : [])),
      alerts: kept.flatMap((each) => (each.kind === 'alert' ? [{ alert: each.alert, details: each.details }] : [])),
    }
  }

  private checked(value: unknown, hash: RunningHash): number {
    try {
      const bytes = this.state.codec.walk(value, hash)
      if (bytes > this.state.limits.responseBytesMax)
        throw new TypeError(`a value of ${bytes} bytes is larger than the limit`)
      return bytes
    } catch (error) {
      this.invalidValue = true
      throw error
    }
  }

  /** Counts the request in when the target's outbox has room beside what this transaction staged for it. */
  private reserve(target: SessionRecord, request: NewRequest): boolean {
    const staged = this.staged.get(target) ?? NOTHING_STAGED
    const count = staged.count + (this.replaces(target, request) ? 0 : 1)
    const bytes = staged.bytes + request.bytes
    if (!hasRoom(this.state, target, count, bytes)) return false
    this.staged.set(target, { count, bytes })
    return true
  }

  /** False when a droppable request will be the one that is dropped: nothing that waits makes enough room for it. */
  private findsRoom(target: SessionRecord, bytes: number): boolean {
    const staged = this.staged.get(target) ?? NOTHING_STAGED
    if (hasRoom(this.state, target, staged.count + 1, staged.bytes + bytes)) return true
    return fitsByDropping(this.state, target, staged, bytes)
  }

  private replaces(target: SessionRecord, request: NewRequest): boolean {
    if (request.overflow !== 'coalesce') return false
    if (coalesced(target, request.type, request.key) !== null) return true
    for (let at = 0; at < this.effects.size; at += 1) {
      const effect = this.effects.at(at)
      if (effect.kind !== 'emit' || effect.target !== target) continue
      if (effect.request.type === request.type && effect.request.key === request.key) return true
    }
    return false
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'emit':
        appendRequest(this.state, effect.target, effect.request)
        return
      case 'notify':
        notify(this.state, effect)
        return
      case 'task':
        createTask(this.state, effect.task)
        return
      case 'cancelTask': {
        const task = this.state.tasks.find(effect.taskId)
        if (task !== null && isOpen(task)) closeTask(this.state, task, { status: 'CANCELLED', result: null })
        return
      }
      default:
        unreachable(effect)
    }
  }

  private carryOutKept(): void {
    if (this.kept.length === 0) return
    foldKept(this.state, this.keptHash)
    for (const kept of this.kept) this.carryOutOne(kept)
  }

  private carryOutOne(kept: Kept): void {
    const { state } = this
    if (kept.kind === 'audit') state.audit.append({ index: state.index, now: state.now, record: kept.record })
    else raiseAlert(state, kept.alert, kept.details, kept.bytes)
  }

  private rollback(): void {
    this.running = false
    this.writes.rollback()
    this.state.timers.rollback()
    this.state.once.rollback()
    this.state.waits.rollback()
    this.state.schedules.rollback()
    this.state.hash.high = this.hashHigh
    this.state.hash.low = this.hashLow
  }

  private clear(): void {
    this.session = null
    this.invalidValue = false
    this.rejection = null
    this.tasksCreated = 0
    if (this.openHere.size > 0) this.openHere.clear()
    if (this.effects.size > 0) this.effects.clear()
    if (this.afterReject.length > 0) this.afterReject.length = 0
    if (this.staged.size > 0) this.staged.clear()
    if (this.kept.length === 0) return
    this.kept.length = 0
    this.keptHash.high = 0
    this.keptHash.low = 0
  }
}

function isOpenTask(state: ReplicatedState, taskId: string): boolean {
  const task = state.tasks.find(taskId)
  return task !== null && isOpen(task)
}

function outboxFull(target: SessionRecord): Extract<Outcome, { kind: 'reject' }> {
  return { kind: 'reject', code: 'OUTBOX_FULL', details: { session: target.row.info.id } }
}
