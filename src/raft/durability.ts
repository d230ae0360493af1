import { assert } from '../base/assert.ts'
import { lowerBoundBy } from '../base/binary-search.ts'
import { type LogIndex, maxIndex, minIndex, type Term, type WriteNumber } from '../base/brand.ts'
import type { HardState } from './types.ts'

/** What a log write that has not completed will have made durable. */
export interface OutstandingWrite {
  readonly write: WriteNumber
  /**
   * Last index of the log that this write leaves on disk and its term, lowered by every later truncation: only what is
   * still part of the log will count as durable when the write completes.
   */
  readonly lastIndex: LogIndex
  readonly lastTerm: Term
  /** The hard state it carries; null when it repeats the one before. */
  readonly hardState: HardState | null
}

/**
 * What is on disk and what is on its way there (architecture.md §3). Writes complete in number order. Its invariants stand
 * among those of `RaftState`.
 */
export interface Durability {
  /** Newest write issued. */
  readonly lastWrite: WriteNumber
  /** Newest write completed. */
  readonly durableWrite: WriteNumber
  /** Newest write that carried a hard state; everything that this node says waits for it. */
  readonly hardStateWrite: WriteNumber
  /** Every entry of the log up to here is on disk. */
  readonly durableIndex: LogIndex
  /** Writes issued and not completed, in number order. */
  readonly outstanding: readonly OutstandingWrite[]
}

/** The disk with one more write issued. */
export function withWrite(disk: Durability, write: OutstandingWrite): Durability {
  assert(write.write === disk.lastWrite + 1, 'writes are numbered without gap', { write, last: disk.lastWrite })
  return {
    ...disk,
    lastWrite: write.write,
    hardStateWrite: write.hardState === null ? disk.hardStateWrite : write.write,
    outstanding: [...disk.outstanding, write],
  }
}

/**
 * The disk after the log was truncated to `lastKept`. Without lowering what outstanding writes will prove: entry 5@2 is
 * written (write 1), replaced by 5@3 (write 2) and by 5@2 again (write 3); write 1 completes, and 5@2 looks durable,
 * although a crash after write 2 leaves 5@3 on disk: the append ABA race (ra PR #637, openraft #1960). A check of the
 * term alone would not see it.
 */
export function withTruncation(disk: Durability, lastKept: { index: LogIndex; term: Term }): Durability {
  const lower = (write: OutstandingWrite): OutstandingWrite =>
    write.lastIndex <= lastKept.index ? write : { ...write, lastIndex: lastKept.index, lastTerm: lastKept.term }
  return {
    ...disk,
    durableIndex: minIndex(disk.durableIndex, lastKept.index),
    outstanding: disk.outstanding.map(lower),
  }
}

/**
 * The disk after the log was given up for an installed snapshot, which is durable and ends with that entry: no outstanding
 * write proves anything that is still part of the log.
 */
export function withRestart(disk: Durability, last: { index: LogIndex; term: Term }): Durability {
  const outstanding = disk.outstanding.map((write) => ({ ...write, lastIndex: last.index, lastTerm: last.term }))
  return { ...disk, durableIndex: last.index, outstanding }
}

/** The disk after write `write`, and with it all earlier ones, completed; the same disk when that is no news. */
export function withPersisted(disk: Durability, write: WriteNumber): Durability {
  assert(write <= disk.lastWrite, 'only writes that were issued complete', { write, last: disk.lastWrite })
  if (write <= disk.durableWrite) return disk
  let completed = 0
  while ((disk.outstanding[completed]?.write ?? Number.POSITIVE_INFINITY) <= write) completed += 1
  const newest = disk.outstanding[completed - 1]
  return {
    ...disk,
    durableWrite: write,
    durableIndex: maxIndex(disk.durableIndex, newest?.lastIndex ?? disk.durableIndex),
    outstanding: disk.outstanding.slice(completed),
  }
}

/**
 * The newest outstanding write that a message depends on which speaks of this node's term and vote, and of its entries
 * up to `index` (0: of none); null when all of that is on disk. An entry may be held by an earlier write than this
 * step's: a duplicate AppendEntries is not acknowledged before the write of the first one.
 */
export function writeHolding(disk: Durability, index: LogIndex): WriteNumber | null {
  const stateWrite = disk.hardStateWrite > disk.durableWrite ? disk.hardStateWrite : null
  if (index <= disk.durableIndex) return stateWrite
  const holding = disk.outstanding[lowerBoundBy(disk.outstanding, index, lastIndexHeldBy)]
  assert(holding !== undefined, 'an entry that is not durable is held by an outstanding write', { index, disk })
  return stateWrite !== null && stateWrite > holding.write ? stateWrite : holding.write
}

const lastIndexHeldBy = (write: OutstandingWrite): LogIndex => write.lastIndex
