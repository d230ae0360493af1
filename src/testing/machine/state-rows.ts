import type { SessionId } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import { FAMILY } from '../../session/rows/row-keys.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { TimerRow } from '../../session/tables/due-timer.ts'
import { isOpen, TASK_MACHINE, type TaskRow } from '../../session/tables/tasks.ts'
import type { WaiterRow } from '../../session/tables/wait-rows.ts'
import type { TaskRecord } from '../../session/user-machine.ts'

/** A durable timer that has not fired. */
export interface ArmedTimer {
  readonly machine: string
  /** As the schema declares it. */
  readonly kind: string
  /** The one given to `ctx.schedule`, else ''. */
  readonly key: string
  /** On the clock of `ctx.now`. */
  readonly dueAt: number
  readonly payload: Value
}

/** A wait that has not ended. */
export interface OpenWait {
  readonly machine: string
  readonly waitId: string
  /** As the schema declares it; '' for a bare machine's key without a slash. */
  readonly kind: string
  /** The one given to `ctx.wait`. */
  readonly key: string
  readonly owner: SessionId | null
  /** On the clock of `ctx.now`; null: it does not time out. */
  readonly dueAt: number | null
}

/** Every row of a state machine in memory, kept up by what changed since the last look. */
export class StateRows {
  private readonly state: SessionStateMachine
  private readonly rows = new Map<string, Value>()

  constructor(state: SessionStateMachine) {
    this.state = state
  }

  /** All rows as of the entry applied last. */
  all(): ReadonlyMap<string, Value> {
    for (const { key, value } of this.state.swapDirty()) {
      if (value === undefined) this.rows.delete(key)
      else this.rows.set(key, value)
    }
    return this.rows
  }

  /** Timers of machines, the next one to fire first. */
  timers(): readonly ArmedTimer[] {
    return (this.under(FAMILY.timer) as readonly TimerRow[])
      .filter(({ machine }) => machine !== TASK_MACHINE)
      .sort((left, right) => left.dueAt - right.dueAt)
      .map(({ machine, name, dueAt, payload }) => {
        const slash = name.indexOf('/')
        const [kind, key] = slash < 0 ? [name, ''] : [name.slice(0, slash), name.slice(slash + 1)]
        return { machine, kind, key, dueAt, payload }
      })
  }

  /** Waits that have not ended, the oldest first. */
  waits(): readonly OpenWait[] {
    return (this.under(FAMILY.wait) as readonly WaiterRow[])
      .toSorted((left, right) => left.number - right.number)
      .map(({ machine, waitId, key, owner, dueAt }) => {
        const slash = key.indexOf('/')
        return { machine, waitId, kind: key.slice(0, Math.max(slash, 0)), key: key.slice(slash + 1), owner, dueAt }
      })
  }

  /** Open tasks, the oldest first. */
  tasks(): readonly TaskRecord[] {
    return (this.under(FAMILY.task) as readonly TaskRow[])
      .filter(isOpen)
      .sort((left, right) => left.number - right.number)
  }

  /** Rows of a family, in the order of their keys; each is what the session layer put there. */
  private under(family: string): readonly unknown[] {
    return [...this.all()]
      .filter(([key]) => key.startsWith(family))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, value]) => value)
  }
}
