import type { Millis } from '../../base/brand.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { Value } from '../../codec/value/value.ts'
import type { MovedLetter } from '../tables/dead-letters.ts'
import type { RememberedPart } from '../skipped-parts.ts'

/** The scalars of the replicated state as one row. Made when the dirty rows are swapped, not with every entry. */
type MetaRow = {
  readonly index: number
  readonly lease: number
  readonly now: number
  readonly incarnation: number
  readonly bytesSinceBoundary: number
  readonly hashHigh: number
  readonly hashLow: number
  readonly taskNext: number
  readonly auditNext: number
  readonly auditFirst: number
  readonly deadLetterNext: number
  /** Absent while there never was a wait or a kept signal. */
  readonly waitNext?: number
  /** Absent while no dead letter was moved. */
  readonly moved?: readonly MovedLetter[]
  /** Absent while nothing was skipped. */
  readonly skipped?: readonly SkippedFields[]
}

/** The third field: its SkipEntry is applied. */
type SkippedFields = readonly [index: number, part: string] | readonly [index: number, part: string, told: true]

/** Where the replicated state keeps these scalars. */
interface Scalars {
  index: number
  lease: Millis
  now: Millis
  incarnation: number
  bytesSinceBoundary: number
  readonly hash: RunningHash
  readonly tasks: { next: number }
  readonly audit: { next: number; first: number }
  readonly deadLetters: { next: number; moved: readonly MovedLetter[] }
  readonly waits: { next: number }
  skipped: readonly RememberedPart[]
}

/** The row that a boundary stores. */
export function metaRow(state: Scalars): MetaRow {
  return {
    index: state.index,
    lease: state.lease,
    now: state.now,
    incarnation: state.incarnation,
    bytesSinceBoundary: state.bytesSinceBoundary,
    hashHigh: state.hash.high,
    hashLow: state.hash.low,
    taskNext: state.tasks.next,
    auditNext: state.audit.next,
    auditFirst: state.audit.first,
    deadLetterNext: state.deadLetters.next,
    ...(state.waits.next === 1 ? {} : { waitNext: state.waits.next }),
    ...(state.deadLetters.moved.length === 0 ? {} : { moved: state.deadLetters.moved }),
    ...(state.skipped.length === 0 ? {} : { skipped: state.skipped.map(skippedFields) }),
  }
}

/** Puts back what `metaRow` gave. A cast: the row was written by this file. */
export function readMetaRow(state: Scalars, value: Value): void {
  const row = value as MetaRow
  state.index = row.index
  state.lease = row.lease
  state.now = row.now
  state.incarnation = row.incarnation
  state.bytesSinceBoundary = row.bytesSinceBoundary
  state.hash.high = row.hashHigh
  state.hash.low = row.hashLow
  state.tasks.next = row.taskNext
  state.audit.next = row.auditNext
  state.audit.first = row.auditFirst
  state.deadLetters.next = row.deadLetterNext
  state.waits.next = row.waitNext ?? 1
  state.deadLetters.moved = row.moved ?? []
  state.skipped = (row.skipped ?? []).map((fields) => ({ index: fields[0], part: fields[1], told: fields.length > 2 }))
}

function skippedFields({ index, part, told }: RememberedPart): SkippedFields {
  return told ? [index, part, true] : [index, part]
}
