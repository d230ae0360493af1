import { lowerBoundBy, partitionPoint } from '../base/binary-search.ts'
import { BEFORE_LOG, indexPlus, type LogIndex } from '../base/brand.ts'

/** Record bytes of an entry, before the leader has seen a proposal: for windows over entries of unknown size. */
const ENTRY_BYTES_ESTIMATE = 256

/**
 * Cumulative record bytes of a leader's entries, known where one proposal ends and the next begins. Marks rise; the
 * first is the base: what lies below it is committed, or of an earlier term, and is estimated by the average.
 */
export interface Sizes {
  readonly marks: readonly SizeMark[]
  /** Running average of record bytes per proposed entry. */
  readonly averageBytes: number
}

/** Bytes of all entries that the leader has proposed, up to and with `lastIndex`. */
interface SizeMark {
  readonly lastIndex: LogIndex
  readonly total: number
}

/** Sizes of a new leader whose log ends at `lastIndex`: the inherited entries count nothing. */
export function noSizes(lastIndex: LogIndex): Sizes {
  return { marks: [{ lastIndex, total: 0 }], averageBytes: ENTRY_BYTES_ESTIMATE }
}

/** With a proposal of `bytes` whose last entry is `lastIndex`. */
export function withProposal(sizes: Sizes, proposal: { lastIndex: LogIndex; bytes: number }): Sizes {
  const newest = newestOf(sizes)
  const perEntry = proposal.bytes / (proposal.lastIndex - newest.lastIndex)
  return {
    marks: [...sizes.marks, { lastIndex: proposal.lastIndex, total: newest.total + proposal.bytes }],
    averageBytes: Math.ceil((sizes.averageBytes * 7 + perEntry) / 8),
  }
}

/** Without the marks that a commit index made superfluous. */
export function withCommitted(sizes: Sizes, commitIndex: LogIndex): Sizes {
  let base = 0
  while ((sizes.marks[base + 1]?.lastIndex ?? Number.POSITIVE_INFINITY) <= commitIndex) base += 1
  return base === 0 ? sizes : { ...sizes, marks: sizes.marks.slice(base) }
}

/** Record bytes proposed by this leader and not committed yet. */
export function uncommittedBytes(sizes: Sizes, commitIndex: LogIndex): number {
  const base = sizes.marks[0]?.total ?? 0
  return newestOf(sizes).total - Math.max(base, totalAt(sizes, commitIndex))
}

/** Record bytes of entries `[first, last]`, estimated where no mark says it exactly. */
export function bytesBetween(sizes: Sizes, first: LogIndex, last: LogIndex): number {
  return totalAt(sizes, last) - totalAt(sizes, first - 1)
}

/** The largest index in `[first, last]` up to which the entries take at most `bytesMax`; `first` when none fits. */
export function lastWithin(sizes: Sizes, range: { first: LogIndex; last: LogIndex }, bytesMax: number): LogIndex {
  const { first, last } = range
  if (bytesBetween(sizes, first, last) <= bytesMax) return last
  const totalMax = totalAt(sizes, first - 1) + bytesMax
  const beyond = partitionPoint(first + 1, last, (index) => totalAt(sizes, index) > totalMax)
  return indexPlus(first, beyond - 1 - first)
}

/** Cumulative bytes at `index`: exact at a mark, linear between two, by the average below the base. */
function totalAt(sizes: Sizes, index: number): number {
  const { marks } = sizes
  const newest = newestOf(sizes)
  if (index >= newest.lastIndex) return newest.total
  const base = marks[0] ?? newest
  if (index <= base.lastIndex) return base.total - (base.lastIndex - index) * sizes.averageBytes
  const at = lowerBoundBy(marks, index, lastIndexOfMark)
  const above = marks[at] ?? newest
  const below = marks[at - 1] ?? base
  const share = (index - below.lastIndex) / (above.lastIndex - below.lastIndex)
  return below.total + Math.floor((above.total - below.total) * share)
}

const lastIndexOfMark = (mark: SizeMark): LogIndex => mark.lastIndex

function newestOf(sizes: Sizes): SizeMark {
  return sizes.marks.at(-1) ?? { lastIndex: BEFORE_LOG, total: 0 }
}
