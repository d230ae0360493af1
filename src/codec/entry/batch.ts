import type { GroupId, LogIndex, Term } from '../../base/brand.ts'
import {
  EntryError,
  checkHeader,
  recordChain,
  recordGroup,
  recordIndex,
  recordLength,
  recordTerm,
  verifyEntry,
} from './record.ts'
import type { EntryRefusal } from './record.ts'

/** What a batch of records holds (records one after the other, as they lie in frames and messages), all of them verified. */
export interface VerifiedRecords {
  readonly count: number
  /** Index of the last record; the index before the first one when there is none. */
  readonly last: LogIndex
  /** Its term; without a record the term that was expected before the first. */
  readonly lastTerm: Term
  /** Its chain value; without a record the one before, 0 when that is not known. */
  readonly lastChain: number
}

/** What must stand before the first record of bytes from outside. */
export interface RecordsContext {
  readonly group: GroupId
  /** Index of the first record. */
  readonly first: LogIndex
  /** Term of the entry before it; 0 when there is none. */
  readonly previousTerm: Term
  /** Chain value of the entry before it; null: not known, the first record's is believed. */
  readonly previousChain: number | null
}

/** Where and why a batch of records is refused. */
export interface RecordsRefusal {
  readonly reason: EntryRefusal
  /** Offset of the record that is wrong. */
  readonly offset: number
}

/**
 * Verifies every record (checksum, chain, consecutive indexes, terms that never fall, group) of bytes from a disk or a
 * peer. PERF: one pass, no allocation per record, about one CRC of the bytes.
 */
export function verifyRecords(records: Uint8Array, context: RecordsContext): VerifiedRecords | RecordsRefusal {
  let chain = context.previousChain
  let index = context.first - 1
  let term: number = context.previousTerm
  let offset = 0
  while (offset < records.length) {
    const reason =
      verifyEntry(records, offset, chain) ?? orderOf(records, offset, { group: context.group, index: index + 1, term })
    if (reason !== null) return { reason, offset }
    chain = recordChain(records, offset)
    term = recordTerm(records, offset)
    index += 1
    offset += recordLength(records, offset)
  }
  return { count: index - context.first + 1, last: index as LogIndex, lastTerm: term as Term, lastChain: chain ?? 0 }
}

function orderOf(
  records: Uint8Array,
  offset: number,
  expected: { group: number; index: number; term: number },
): EntryRefusal | null {
  if (recordGroup(records, offset) !== expected.group) return 'OUT_OF_ORDER'
  if (recordIndex(records, offset) !== expected.index) return 'OUT_OF_ORDER'
  return recordTerm(records, offset) < expected.term ? 'OUT_OF_ORDER' : null
}

/**
 * Calls `visit` with the offset of each record in order. Checks headers, not checksums. Throws EntryError at bytes
 * that are none.
 */
export function forEachOffset(records: Uint8Array, visit: (offset: number) => void): void {
  let offset = 0
  while (offset < records.length) {
    const refusal = checkHeader(records, offset)
    if (refusal !== null) throw new EntryError(refusal, offset)
    visit(offset)
    offset += recordLength(records, offset)
  }
}

/**
 * Offset of the record at `position` (0: the first), `records.length` for the position after the last. Throws EntryError
 * at bytes that are no records or when there are fewer.
 */
export function entryOffset(records: Uint8Array, position: number): number {
  let offset = 0
  for (let skipped = 0; skipped < position; skipped += 1) {
    const refusal = checkHeader(records, offset)
    if (refusal !== null) throw new EntryError(refusal, offset)
    offset += recordLength(records, offset)
  }
  return offset
}
