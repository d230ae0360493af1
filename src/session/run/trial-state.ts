import type { Millis, SessionId } from '../../base/brand.ts'
import { Dictionary } from '../rows/dictionary.ts'
import { OverlayRows } from '../rows/overlay-rows.ts'
import type { TriedSchedule } from '../schedule.ts'
import type { ScheduleRow } from '../schedules/schedule-rows.ts'
import { Schedules } from '../schedules/schedules.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { TimerRow } from '../tables/due-timer.ts'
import { type OnceRow, OnceTable } from '../tables/once-table.ts'
import { Timers } from '../tables/timers.ts'
import { Waits, type WaitQueue } from '../tables/waits.ts'

/*
 * The state as a transaction sees it that only tries something: it reads what there is, and what it stages lies beside it. A
 * transaction on the state itself would do for a machine that behaves, for it is rolled back. But where the engine's own limits
 * end it (a stack that overflows in the middle of a table's bookkeeping) nobody knows what was done, and this replica would
 * go on with a state of its own: an entry then stops the node, a trial must not.
 */

/** Timers: the last thing that was asked of each; null: cancelled. */
class TrialTimers extends Timers {
  readonly asked = new Map<string, { machine: string; name: string; row: TimerRow | null }>()
  private readonly base: Timers

  constructor(base: Timers, keys: ReplicatedState['keys']) {
    super(new Dictionary(), keys)
    this.base = base
  }

  override stage(row: TimerRow): void {
    this.asked.set(`${row.machine} ${row.name}`, { machine: row.machine, name: row.name, row })
  }

  override stageRemoval(machine: string, name: string): boolean {
    const asked = this.asked.get(`${machine} ${name}`)
    if (asked === undefined ? !this.base.isArmed(machine, name) : asked.row === null) return false
    this.asked.set(`${machine} ${name}`, { machine, name, row: null })
    return true
  }
}

/** Idempotency keys: those of the trial before those there are. */
export class TrialOnce extends OnceTable {
  private readonly base: OnceTable

  constructor(base: OnceTable, keys: ReplicatedState['keys']) {
    super(new Dictionary(), keys)
    this.base = base
  }

  override find(key: string, now: Millis): OnceRow | null {
    return super.find(key, now) ?? this.base.find(key, now)
  }
}

/** Waits and kept signals: those of a key are copied when it is first asked for. */
class TrialWaits extends Waits {
  private readonly base: Waits
  private readonly copied = new Set<string>()

  constructor(base: Waits, keys: ReplicatedState['keys'], timers: Timers) {
    super(new Dictionary(), keys, timers)
    this.base = base
    this.next = base.next
  }

  override ownedBy(owner: SessionId): number {
    return this.base.ownedBy(owner) + this.changeOf(owner)
  }

  override cancel(machine: string, waitId: string): boolean {
    const there = this.base.find(waitId)
    if (there !== null) this.queueOf(there.machine, there.key)
    return super.cancel(machine, waitId)
  }

  protected override queueOf(machine: string, key: string): WaitQueue {
    const id = `${machine} ${key}`
    if (!this.copied.has(id)) {
      this.copied.add(id)
      const there = this.base.peek(machine, key)
      if (there !== null) this.adopt(machine, key, there)
    }
    return super.queueOf(machine, key)
  }
}

/** Schedules: what is staged beside those there are. */
class TrialSchedules extends Schedules {
  /** By machine and name. */
  readonly asked = new Map<string, TriedSchedule>()
  private readonly base: Schedules

  constructor(base: ReplicatedState) {
    super(base)
    this.base = base.schedules
  }

  override get size(): number {
    return this.base.size
  }

  override find(machine: string, name: string): ScheduleRow | null {
    return this.base.find(machine, name)
  }

  override stage(row: ScheduleRow): void {
    super.stage(row)
    const { machine, name } = row
    this.asked.set(`${machine}/${name}`, { machine, name, after: row })
  }

  override stageRemoval(machine: string, name: string): void {
    super.stageRemoval(machine, name)
    this.asked.set(`${machine}/${name}`, { machine, name, after: null })
  }
}

/** A state to try something on, as if the next entry came with `now`; nothing that is done to it reaches `state`. */
export function trialStateOf(
  state: ReplicatedState,
  now: Millis,
): { state: ReplicatedState; timers: TrialTimers; schedules: TrialSchedules } {
  const timers = new TrialTimers(state.timers, state.keys)
  const schedules = new TrialSchedules(state)
  const own = {
    timers,
    userRows: new OverlayRows(state.userRows),
    once: new TrialOnce(state.once, state.keys),
    waits: new TrialWaits(state.waits, state.keys, timers),
    schedules,
    hash: { ...state.hash },
    index: state.index + 1,
    now: Math.max(state.now, now),
    report: () => undefined,
  }
  // All else is read through to the state. What a transaction would change there it stages first, and a trial's never commits.
  const shadow: ReplicatedState = Object.assign(Object.create(state), own)
  return { state: shadow, timers, schedules }
}
