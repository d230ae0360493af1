import type { Millis } from '../../base/brand.ts'
import { leastAfter } from '../../base/least-after.ts'
import { SpreadMap } from '../../base/spread-map.ts'
import { type Dictionary, rowValue } from '../rows/dictionary.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import { awaitedOf, dueOf, SCHEDULE_TIMER, type ScheduleRow } from './schedule-rows.ts'
import { TASK_MACHINE } from '../tables/tasks.ts'
import type { Timers } from '../tables/timers.ts'

/** What the table stands on; `now` is the clock that timers are armed by. */
interface Ground {
  readonly dictionary: Dictionary
  readonly keys: RowKeys
  readonly timers: Timers
  readonly now: Millis
}

/**
 * The table of schedules, and what the running transaction has staged: rows and timers change at the commit.
 *
 * Invariants, after every entry and after a restore; `checkSchedules` asserts this very list, in these words:
 *
 * - schedules are exactly those of the rows, each under its machine and name
 * - a schedule has a timer exactly while it is not paused and an occurrence may run or is to come, due then at the earliest
 * - those are awaited of which a proposer is to compute something, and no others
 * - occurrences that wait and runs that are open rise, the clock’s up to `after`, the runs up to `runs`
 *
 * PERF: a transaction that does not use them costs a comparison.
 */
export class Schedules {
  private readonly rows = new SpreadMap<ScheduleRow>()
  /** Keys of those of which a proposer is to compute something. */
  private readonly awaiting = new Set<string>()
  /** Null: removed. */
  private readonly staged = new Map<string, ScheduleRow | null>()
  /** How many more there are by what is staged. */
  private added = 0
  private readonly ground: Ground

  constructor(ground: Ground) {
    this.ground = ground
  }

  /** Schedules stored, without what is staged. */
  get size(): number {
    return this.rows.size
  }

  /** As it is stored, null: there is none. A long migration has others staged, which are not seen yet while it goes on. */
  find(machine: string, name: string): ScheduleRow | null {
    return this.stored(this.key(machine, name))
  }

  /** As the running transaction has left it; null: there is none. */
  current(machine: string, name: string): ScheduleRow | null {
    const staged = this.stagedOf(machine, name)
    return staged === undefined ? this.find(machine, name) : staged
  }

  /** Stages the row of a schedule, new or another. */
  stage(row: ScheduleRow): void {
    if (this.current(row.machine, row.name) === null) this.added += 1
    this.staged.set(this.key(row.machine, row.name), row)
  }

  /** Stages that there is no such schedule. */
  stageRemoval(machine: string, name: string): void {
    if (this.current(machine, name) !== null) this.added -= 1
    this.staged.set(this.key(machine, name), null)
  }

  /** Those that there will be, by what is staged. */
  get sizeStaged(): number {
    return this.size + this.added
  }

  commit(): void {
    if (this.staged.size === 0) return
    for (const [key, row] of this.staged) this.settle(key, row)
    this.rollback()
  }

  rollback(): void {
    if (this.staged.size === 0) return
    this.staged.clear()
    this.added = 0
  }

  /** Stores a row outside any transaction. */
  put(row: ScheduleRow): void {
    this.settle(this.key(row.machine, row.name), row)
  }

  /** Removes one outside any transaction. */
  remove(machine: string, name: string): void {
    this.settle(this.key(machine, name), null)
  }

  restore(key: string, row: ScheduleRow): void {
    this.rows.set(key, row)
    if (awaitedOf(row) !== null) this.awaiting.add(key)
  }

  /**
   * At most `limit` of which a proposer is to compute something; those that it has come to last stand behind the others.
   * PERF: a comparison when there are none.
   */
  awaited(limit: number): readonly ScheduleRow[] {
    if (this.awaiting.size === 0) return NONE
    const found: ScheduleRow[] = []
    for (const key of this.awaiting) {
      const row = this.stored(key)
      if (row !== null) found.push(row)
      if (found.length === limit) break
    }
    return found
  }

  /**
   * At most `limit` in the order of their machines and names, after the one that is named (it need not be there).
   * PERF: as `leastAfter` of all of them.
   */
  listAfter(after: { readonly machine: string; readonly name: string } | null, limit: number): readonly ScheduleRow[] {
    const from = after === null ? '' : this.key(after.machine, after.name)
    return leastAfter(this.rows.keys(), from, limit).flatMap((key) => this.stored(key) ?? [])
  }

  /** What is staged for one; undefined: nothing. */
  private stagedOf(machine: string, name: string): ScheduleRow | null | undefined {
    return this.staged.size === 0 ? undefined : this.staged.get(this.key(machine, name))
  }

  private stored(key: string): ScheduleRow | null {
    return this.rows.get(key) ?? null
  }

  private key(machine: string, name: string): string {
    return this.ground.keys.row(FAMILY.schedule, machine, name)
  }

  private settle(key: string, row: ScheduleRow | null): void {
    const { dictionary, timers, now } = this.ground
    const before = this.rows.get(key)
    if (row === null) {
      if (before === undefined) return
      this.rows.delete(key)
      this.awaiting.delete(key)
      dictionary.delete(key)
      timers.remove(TASK_MACHINE, timerName(before))
      return
    }
    this.rows.set(key, row)
    dictionary.set(key, rowValue(row))
    this.awaiting.delete(key)
    if (awaitedOf(row) !== null) this.awaiting.add(key)
    const dueAt = dueOf(row, now)
    const { machine, name } = row
    if (dueAt === null) timers.remove(TASK_MACHINE, timerName(row))
    else timers.put({ machine: TASK_MACHINE, name: timerName(row), dueAt, payload: { machine, name } })
  }
}

const NONE: readonly never[] = []

/** A machine's name has no slash (`ScheduleContext`). */
function timerName({ machine, name }: Pick<ScheduleRow, 'machine' | 'name'>): string {
  return `${SCHEDULE_TIMER}${machine}/${name}`
}
