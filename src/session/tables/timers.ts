import { assert } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import { SpreadMap } from '../../base/spread-map.ts'
import type { Dictionary } from '../rows/dictionary.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import { PIECE_ITEMS, StagedList } from '../rows/staged-list.ts'
import { DueTimer, type TimerRow } from './due-timer.ts'
import { TimerHeap } from './timer-heap.ts'

/** A timer whose time has come, as it was armed. */
export interface FiringTimer {
  /** Its row key, which is also its id in the order (due, id). */
  readonly key: string
  readonly row: TimerRow
}

/** The timers of one machine, under their names. */
interface OfMachine {
  /** What the keys of its timers begin with. */
  readonly prefix: string
  readonly byName: SpreadMap<DueTimer>
}

/**
 * The timer table: the order in which its rows fall due, and what the running transaction staged.
 *
 * PERF: a timer knows its row, its place in the order and what is staged for it, so that arming one again costs one lookup
 * by its name, and a commit none.
 */
export class Timers {
  /** Machines are few. */
  private readonly machines = new Map<string, OfMachine>()
  private readonly heap = new TimerHeap()
  /** Those that the running transaction has staged something for, in the order of the first time. */
  private readonly staged = new StagedList<DueTimer>()
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  /** Timers armed. */
  get size(): number {
    return this.heap.size
  }

  /** Logical time of the timer to fire first, or null. */
  nextDue(): Millis | null {
    return this.heap.peek()?.dueAt ?? null
  }

  /** Whether one is due by `until`. PERF: one comparison. */
  isDue(until: Millis): boolean {
    const first = this.heap.peek()
    return first !== undefined && first.dueAt <= until
  }

  isArmed(machine: string, name: string): boolean {
    return (this.find(machine, name)?.row ?? null) !== null
  }

  /** Takes out the timer to fire first, if it is due by `until`, or null. PERF: as a rule one comparison. */
  takeDue(until: Millis): FiringTimer | null {
    const first = this.heap.peek()
    if (first === undefined || first.dueAt > until) return null
    const { key, row } = first
    assert(row !== null, 'a timer in the heap is armed', { key })
    this.disarm(first)
    this.forget(first)
    return { key, row }
  }

  /** Stages a timer; `commit` makes it real. */
  stage(row: TimerRow): void {
    this.stageOn(this.timer(row.machine, row.name), row)
  }

  /** Stages a removal; false when neither the table nor the transaction has such a timer. */
  stageRemoval(machine: string, name: string): boolean {
    const timer = this.find(machine, name)
    if (timer === undefined || (timer.staged === undefined ? timer.row : timer.staged) === null) return false
    this.stageOn(timer, null)
    return true
  }

  commit(): void {
    const { staged } = this
    if (staged.size === 0) return
    for (let at = 0; at < staged.size; at += 1) this.settleOne(staged.at(at))
    staged.clear()
  }

  /** As `commit`, a piece at a time. */
  *settle(): Generator<void, void> {
    const { staged } = this
    for (let at = 0; at < staged.size; at += 1) {
      if (at % PIECE_ITEMS === 0) yield
      this.settleOne(staged.at(at))
    }
    staged.clear()
  }

  rollback(): void {
    const { staged } = this
    if (staged.size === 0) return
    for (let at = 0; at < staged.size; at += 1) this.unstage(staged.at(at))
    staged.clear()
  }

  /** As `rollback`, a piece at a time. */
  *rollbackInPieces(): Generator<void, void> {
    const { staged } = this
    for (let at = 0; at < staged.size; at += 1) {
      if (at % PIECE_ITEMS === 0) yield
      this.unstage(staged.at(at))
    }
    staged.clear()
  }

  /** Sets a timer outside any transaction (the session layer's own). */
  put(row: TimerRow): void {
    this.arm(this.timer(row.machine, row.name), row)
  }

  remove(machine: string, name: string): void {
    const timer = this.find(machine, name)
    if (timer === undefined) return
    this.disarm(timer)
    this.forget(timer)
  }

  /** Takes up a row that the dictionary was restored with. */
  restore(key: string, row: TimerRow): void {
    const timer = this.timer(row.machine, row.name)
    assert(timer.key === key, 'a timer lies under its own key', { key })
    timer.row = row
    timer.stored = this.dictionary.find(key) ?? null
    this.heap.place(timer, row.dueAt)
  }

  private stageOn(timer: DueTimer, row: TimerRow | null): void {
    if (timer.staged === undefined) this.staged.add(timer)
    timer.staged = row
  }

  private settleOne(timer: DueTimer): void {
    const row = timer.staged
    if (row !== undefined && row !== null) this.arm(timer, row)
    else if (row === null && timer.row !== null) this.disarm(timer)
    this.unstage(timer)
  }

  /** Forgets what was staged for it; a timer that came to nothing goes. */
  private unstage(timer: DueTimer): void {
    timer.staged = undefined
    if (timer.row === null) this.forget(timer)
  }

  private arm(timer: DueTimer, row: TimerRow): void {
    const { dictionary } = this
    timer.row = row
    timer.stored = dictionary.write(timer.stored ?? dictionary.place(timer.key), row)
    this.heap.place(timer, row.dueAt)
  }

  private disarm(timer: DueTimer): void {
    const { stored } = timer
    assert(stored !== null, 'an armed timer has its row', { key: timer.key })
    this.heap.remove(timer)
    this.dictionary.remove(stored)
    timer.row = null
    timer.stored = null
  }

  private find(machine: string, name: string): DueTimer | undefined {
    return this.machines.get(machine)?.byName.get(name)
  }

  /** The timer of that name, made when there is none. */
  private timer(machine: string, name: string): DueTimer {
    let of = this.machines.get(machine)
    if (of === undefined) {
      of = { prefix: this.keys.row(FAMILY.timer, machine), byName: new SpreadMap() }
      this.machines.set(machine, of)
    }
    const known = of.byName.get(name)
    if (known !== undefined) return known
    const timer = new DueTimer(this.keys.under(of.prefix, name), machine, name)
    of.byName.set(name, timer)
    return timer
  }

  private forget({ machine, name }: DueTimer): void {
    this.machines.get(machine)?.byName.delete(name)
  }
}
