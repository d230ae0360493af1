import { lowerBoundBy } from '../../base/binary-search.ts'
import type { Millis } from '../../base/brand.ts'
import { type Dictionary, rowValue } from '../rows/dictionary.ts'
import { Retention } from './retention.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import type { TaskRecord } from '../user-machine.ts'

/** Reserved machine name of the session layer's own timers and commands: those of tasks. */
export const TASK_MACHINE = 'task'

/** Closed tasks kept per group, for identical repeats and for people; the one that would go first goes early. */
const CLOSED_TASKS_MAX = 100_000

/** A task's row: its record and what only the session layer needs. */
export type TaskRow = TaskRecord & {
  /** Rises over the group's life: the order in which waiting tasks are assigned. */
  readonly number: number
  /** QUEUED only: waits for its backoff timer before it may be assigned. */
  readonly backingOff: boolean
  /** Size of the payload. */
  readonly bytes: number
  /** Closed only: kept until then. */
  readonly until: Millis | null
}

export const isOpen = (task: TaskRecord): boolean => task.status === 'QUEUED' || task.status === 'LEASED'
const isWaiting = (task: TaskRow): boolean => task.status === 'QUEUED' && !task.backingOff

/** The task table (domain.md §0.7) and its indexes: by id, open by reference, waiting by role, leased by session. */
export class Tasks {
  /** Number of the next task. */
  next = 1
  /** Open tasks. */
  open = 0
  private closed = 0
  private readonly byId = new Map<string, TaskRow>()
  /** Open ones, of whatever machine and kind: a reference is seldom that of more than one. */
  private readonly openByRef = new Map<string, Map<string, TaskRow>>()
  private readonly waiting = new Map<string, TaskRow[]>()
  private readonly leased = new Map<string, Map<string, TaskRow>>()
  private readonly retention = new Retention(
    (taskId) => this.byId.get(taskId)?.until ?? null,
    (taskId) => this.drop(taskId),
  )
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  find(taskId: string): TaskRow | null {
    return this.byId.get(taskId) ?? null
  }

  /** Every task, closed ones too, in no particular order. */
  all(): Iterable<TaskRow> {
    return this.byId.values()
  }

  /**
   * Open tasks of one kind of a machine, in the order of their creation: those of one reference, or all.
   * PERF: all of them is O(all tasks).
   */
  openOf({ machine, kind, ref }: { machine: string; kind: string; ref: string | null }): TaskRow[] {
    const open: TaskRow[] = []
    for (const row of (ref === null ? this.byId : this.openByRef.get(ref))?.values() ?? []) {
      if (row.kind === kind && row.machine === machine && isOpen(row)) open.push(row)
    }
    return open.sort((a, b) => a.number - b.number)
  }

  /** The waiting task of a role that was created first, or null. */
  firstWaiting(role: string): TaskRow | null {
    return this.waiting.get(role)?.[0] ?? null
  }

  /** Roles that tasks wait for, in one order on every replica: that of their rows is another after a restart. */
  waitingRoles(): string[] {
    return [...this.waiting.keys()].sort()
  }

  /** Tasks leased to a session, in the order of their creation. */
  leasedTo(session: string): TaskRow[] {
    return [...(this.leased.get(session)?.values() ?? [])].sort((a, b) => a.number - b.number)
  }

  /** Writes a task's row and moves it between the indexes. */
  put(row: TaskRow): void {
    const before = this.byId.get(row.taskId)
    if (before !== undefined) this.unindex(before)
    this.dictionary.set(this.rowKey(row), rowValue(row))
    this.restore(row)
    const oldest = this.closed > CLOSED_TASKS_MAX ? this.retention.oldest() : null
    if (oldest !== null) this.drop(oldest.key)
  }

  restore(row: TaskRow): void {
    this.byId.set(row.taskId, row)
    if (isOpen(row)) {
      this.open += 1
      addTo(this.openByRef, row.ref, row)
    } else this.closed += 1
    if (row.until !== null) this.retention.add(row.taskId, row.until)
    if (isWaiting(row)) this.addWaiting(row)
    if (row.assignedTo !== null && row.status === 'LEASED') addTo(this.leased, row.assignedTo, row)
  }

  sweep(now: Millis): void {
    this.retention.sweep(now)
  }

  private drop(taskId: string): void {
    const row = this.byId.get(taskId)
    if (row === undefined) return
    this.unindex(row)
    this.byId.delete(taskId)
    this.dictionary.delete(this.rowKey(row))
  }

  private rowKey(row: TaskRow): string {
    return this.keys.row(FAMILY.task, row.number)
  }

  private addWaiting(row: TaskRow): void {
    const queue = this.waiting.get(row.role)
    if (queue === undefined) {
      this.waiting.set(row.role, [row])
      return
    }
    queue.splice(lowerBoundBy(queue, row.number, numberOf), 0, row)
  }

  private unindex(row: TaskRow): void {
    if (isOpen(row)) {
      this.open -= 1
      removeFrom(this.openByRef, row.ref, row)
    } else this.closed -= 1
    if (isWaiting(row)) {
      const queue = this.waiting.get(row.role) ?? []
      queue.splice(lowerBoundBy(queue, row.number, numberOf), 1)
      if (queue.length === 0) this.waiting.delete(row.role)
    }
    if (row.assignedTo !== null) removeFrom(this.leased, row.assignedTo, row)
  }
}

type TaskIndex = Map<string, Map<string, TaskRow>>

function addTo(index: TaskIndex, key: string, row: TaskRow): void {
  const rows = index.get(key)
  if (rows === undefined) index.set(key, new Map([[row.taskId, row]]))
  else rows.set(row.taskId, row)
}

function removeFrom(index: TaskIndex, key: string, row: TaskRow): void {
  const rows = index.get(key)
  rows?.delete(row.taskId)
  if (rows?.size === 0) index.delete(key)
}

const numberOf = (row: TaskRow): number => row.number
