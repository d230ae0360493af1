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

/** The timer table: the order in which its rows fall due, and what the running transaction staged. */
export class Timers {
  /** Timers armed. */
  size = 0
  /** Also timers that were replaced or removed meanwhile: their row is not the dictionary's any more. */
  private readonly heap = new Heap<DueTimer>(
    (a, b) => a.row.dueAt < b.row.dueAt || (a.row.dueAt === b.row.dueAt && a.key < b.key),
  )
  private readonly staged = new Map<string, TimerRow | null>()
  /** What the keys of a machine's timers begin with; machines are few. */
  private readonly prefixes = new Map<string, string>()
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  /** The timer to fire first, or null. */
  first(): DueTimer | null {
    return this.due(Number.POSITIVE_INFINITY)
  }

  /** The timer to fire first, if it is due by `until`, or null. PERF: as a rule one comparison. */
  due(until: Millis): DueTimer | null {
    for (let top = this.heap.peek(); top !== undefined && top.row.dueAt <= until; top = this.heap.peek()) {
      if (this.isArmed(top)) return top
      this.heap.pop()
    }
    return null
  }

  /** Stages a timer; `commit` makes it real. */
  stage(row: TimerRow): void {
    this.staged.set(this.keyOf(row.machine, row.name), row)
  }

  /** Stages a removal; false when neither the table nor the transaction has such a timer. */
  stageRemoval(machine: string, name: string): boolean {
    const key = this.keyOf(machine, name)
    const staged = this.staged.get(key)
    const exists = staged === undefined ? this.dictionary.has(key) : staged !== null
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
    this.write(this.keyOf(row.machine, row.name), row)
  }

  remove(machine: string, name: string): void {
    this.removeKey(this.keyOf(machine, name))
  }

  removeKey(key: string): void {
    if (this.dictionary.delete(key)) this.size -= 1
  }

  restore(key: string, row: TimerRow): void {
    this.size += 1
    this.heap.push({ key, row })
  }

  private write(key: string, row: TimerRow): void {
    const { dictionary, heap } = this
    const known = dictionary.find(key)
    if (known === undefined) this.size += 1
    dictionary.write(known ?? dictionary.place(key), row)
    heap.push({ key, row })
    // Cancelled and replaced timers stay in the heap until their time; a machine that re-arms often must not grow it.
    if (heap.size > 2 * this.size + 64) heap.retain((timer) => this.isArmed(timer))
  }

  private keyOf(machine: string, name: string): string {
    let prefix = this.prefixes.get(machine)
    if (prefix === undefined) {
      prefix = this.keys.row(FAMILY.timer, machine)
      this.prefixes.set(machine, prefix)
    }
    return this.keys.under(prefix, name)
  }

  private isArmed({ key, row }: DueTimer): boolean {
    return this.dictionary.get(key) === row
  }
}
