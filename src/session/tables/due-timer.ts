import type { Millis } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Row } from '../rows/dictionary.ts'

/** The row of a durable timer (sessions.md §8): one per (machine, name). */
export type TimerRow = {
  readonly machine: string
  readonly name: string
  /** On the `now` clock. */
  readonly dueAt: Millis
  readonly payload: Value
}

/** `position` of a timer that is not in the heap. */
export const OUTSIDE = -1

/** A durable timer with its place in the order in which timers fall due. */
export class DueTimer {
  /** Its row key, which is also its id in the order (due, id). */
  readonly key: string
  readonly machine: string
  readonly name: string
  /** As it is armed; null while only the running transaction knows it. */
  row: TimerRow | null = null
  /** The dictionary's row; null as `row`. */
  stored: Row | null = null
  /** What the running transaction makes of it: a row, null to remove it; undefined when it leaves it alone. */
  staged: TimerRow | null | undefined = undefined
  dueAt: Millis = 0
  /** Where it is in the heap. */
  position = OUTSIDE

  constructor(key: string, machine: string, name: string) {
    this.key = key
    this.machine = machine
    this.name = name
  }
}
