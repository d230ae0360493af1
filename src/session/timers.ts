import type { Millis } from '../base/brand.ts'
import type { Value } from '../codec/types.ts'
import type { Dictionary } from './dictionary.ts'
import { Heap } from './heap.ts'
import { FAMILY, type RowKeys } from './row-keys.ts'

/** A durable timer (sessions.md §8): one per (machine, name). */
export type TimerRow = {
  readonly machine: string
  readonly name: string
  /** On the `now` clock. */
  readonly dueAt: Millis
  readonly payload: Value
}

export interface DueTimer {
  /** Its row key, which is also its id in the order (due, id). */
  readonly key: string
  readonly row: TimerRow
}

/** Reserved machine name of the session layer's own timers and commands (tasks). */
export const TASK_MACHINE = 'task'

/** The timer table: rows, the order in which they fall due, and what the running transaction staged. */
export class Timers {
  private readonly live = new Map<string, TimerRow>()
  private readonly heap = new Heap<DueTimer>(
    (a, b) => a.row.dueAt < b.row.dueAt || (a.row.dueAt === b.row.dueAt && a.key < b.key),
  )
  private readonly staged = new Map<string, TimerRow | null>()
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  get size(): number {
    return this.live.size
  }

  /** The timer to fire first, or null. */
  first(): DueTimer | null {
    for (let top = this.heap.peek(); top !== undefined; top = this.heap.peek()) {
      if (this.live.get(top.key) === top.row) return top
      this.heap.pop()
    }
    return null
  }

  /** Stages a timer; `commit` makes it real. */
  stage(row: TimerRow): void {
    this.staged.set(this.keys.row(FAMILY.timer, row.machine, row.name), row)
  }

  /** Stages a removal; false when neither the table nor the transaction has such a timer. */
  stageRemoval(machine: string, name: string): boolean {
    const key = this.keys.row(FAMILY.timer, machine, name)
    const staged = this.staged.get(key)
    const exists = staged === undefined ? this.live.has(key) : staged !== null
    if (exists) this.staged.set(key, null)
    return exists
  }

  commit(): void {
    if (this.staged.size === 0) return
    for (const [key, row] of this.staged) {
      if (row === null) this.removeKey(key)
      else this.write(key, row)
    }
    this.staged.clear()
  }

  rollback(): void {
    if (this.staged.size > 0) this.staged.clear()
  }

  /** Sets a timer outside any transaction (the session layer's own). */
  put(row: TimerRow): void {
    this.write(this.keys.row(FAMILY.timer, row.machine, row.name), row)
  }

  remove(machine: string, name: string): void {
    this.removeKey(this.keys.row(FAMILY.timer, machine, name))
  }

  removeKey(key: string): void {
    if (this.live.delete(key)) this.dictionary.delete(key)
  }

  restore(key: string, row: TimerRow): void {
    this.live.set(key, row)
    this.heap.push({ key, row })
  }

  private write(key: string, row: TimerRow): void {
    this.dictionary.set(key, row)
    this.restore(key, row)
    // Cancelled and replaced timers stay in the heap until their time; a machine that re-arms often must not grow it.
    if (this.heap.size > 2 * this.live.size + 64) this.heap.retain((timer) => this.live.get(timer.key) === timer.row)
  }
}
