import type { Value } from '../../codec/value/value.ts'
import type { ReplicatedState } from './replicated-state.ts'

/** Scalars of the replicated state, one row. Made when the dirty rows are swapped, not with every entry. */
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
}

export function metaRow(state: ReplicatedState): MetaRow {
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
  }
}

export function readMetaRow(state: ReplicatedState, value: Value): void {
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
}
