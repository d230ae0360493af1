import type { Millis } from '../../base/brand.ts'
import { Dictionary } from '../rows/dictionary.ts'
import type { ScheduleRow } from '../schedules/schedule-rows.ts'
import { Schedules } from '../schedules/schedules.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { TimerRow } from '../tables/due-timer.ts'
import { Principals } from '../tables/principals.ts'
import { type TaskRow, Tasks } from '../tables/tasks.ts'
import { Timers } from '../tables/timers.ts'
import { Waits } from '../tables/waits.ts'

/** Timers: those of the state, and what entries of limbo have asked for beside them. None of them is fired. */
export class OverlayTimers extends Timers {
  private readonly base: Timers
  /** Armed (with the time at which it is due) or cancelled (null), by machine and name. */
  private readonly asked = new Map<string, Millis | null>()
  private readonly pending = new Map<string, Millis | null>()
  /** Earliest time at which one was ever armed here. */
  private earliest: Millis = Number.POSITIVE_INFINITY

  constructor(base: ReplicatedState) {
    super(new Dictionary(), base.keys)
    this.base = base.timers
  }

  /** As far as can be told: one that was cancelled or put off since counts too. */
  override isDue(until: Millis): boolean {
    return this.earliest <= until || this.base.isDue(until)
  }

  override stage({ machine, name, dueAt }: TimerRow): void {
    this.pending.set(idOf(machine, name), dueAt)
  }

  override stageRemoval(machine: string, name: string): boolean {
    const id = idOf(machine, name)
    const asked = this.pending.has(id) ? this.pending.get(id) : this.asked.get(id)
    if (asked === undefined ? !this.base.isArmed(machine, name) : asked === null) return false
    this.pending.set(id, null)
    return true
  }

  override commit(): void {
    for (const [id, dueAt] of this.pending) {
      this.asked.set(id, dueAt)
      if (dueAt !== null) this.earliest = Math.min(this.earliest, dueAt)
    }
    this.pending.clear()
  }

  override rollback(): void {
    this.pending.clear()
  }
}

/** Names of machines and of timers may hold anything but a lone surrogate. */
const idOf = (machine: string, name: string): string => `${machine}\ud800${name}`

/** Tasks: those of the state. What would change one is refused. */
export class OverlayTasks extends Tasks {
  private readonly base: Tasks
  private readonly refuse: () => never

  constructor(base: ReplicatedState, refuse: () => never) {
    super(new Dictionary(), base.keys)
    this.base = base.tasks
    this.next = base.tasks.next
    this.refuse = refuse
  }

  override find(taskId: string): TaskRow | null {
    return this.base.find(taskId)
  }

  override openOf(of: { machine: string; kind: string; ref: string | null }): TaskRow[] {
    return this.base.openOf(of)
  }

  /** One that waits might find a worker. */
  override firstWaiting(role: string): TaskRow | null {
    return this.base.firstWaiting(role) === null ? null : this.refuse()
  }

  override put(): void {
    this.refuse()
  }
}

/** Principals: what is sent to them goes to tables of its own, for nobody reads it in limbo. */
export class OverlayPrincipals extends Principals {
  private readonly base: Principals
  private readonly refuse: () => never

  constructor(base: ReplicatedState, refuse: () => never) {
    // Nothing is swept, so that nobody is asked whether a principal has a session.
    super(new Dictionary(), base.keys, () => true)
    this.base = base.principals
    this.refuse = refuse
  }

  /** Rows of users come with what they are sent, and go with time. */
  override known(prefix: string): string[] {
    if (prefix.startsWith(FORGOTTEN) || FORGOTTEN.startsWith(prefix)) this.refuse()
    return [...this.base.known(prefix), ...super.known(prefix)]
  }
}

/** Principals of this kind are forgotten some time after they were sent something. */
const FORGOTTEN = 'user:'

/** Waits: none is followed, since what ends one runs a hook of the machine, and the lists of a key may be long. */
export class OverlayWaits extends Waits {
  private readonly refuse: () => never

  constructor(limbo: ReplicatedState, refuse: () => never) {
    super(new Dictionary(), limbo.keys, limbo.timers)
    this.refuse = refuse
  }

  override wait(): never {
    return this.refuse()
  }

  override signal(): never {
    return this.refuse()
  }

  override cancel(): never {
    return this.refuse()
  }
}

/** Schedules: those of the state. A change is not followed: it may bring runs of the machine's hook. */
export class OverlaySchedules extends Schedules {
  private readonly base: Schedules
  private readonly refuse: () => never

  constructor(base: ReplicatedState, refuse: () => never) {
    super(base)
    this.base = base.schedules
    this.refuse = refuse
  }

  override find(machine: string, name: string): ScheduleRow | null {
    return this.base.find(machine, name)
  }

  override stage(): void {
    this.refuse()
  }

  override stageRemoval(): void {
    this.refuse()
  }
}
