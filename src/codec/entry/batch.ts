import type { GroupId, LogIndex, Term } from '../../base/brand.ts'
import type { TermRun } from '../../base/term-run.ts'
import {
  EntryError,
  checkHeader,
  payloadAt,
  readHeader,
  recordChain,
  recordGroup,
  recordIndex,
  recordLength,
  recordTerm,
  verifyEntry,
} from './record.ts'
import type { EntryRefusal } from './record.ts'
import type { EntryHeader } from './entry.ts'

/** Walks over concatenated entry records, as they lie in frames and messages. */

/** What a whole, verified run of records holds. */
export interface VerifiedRecords {
  readonly count: number
  readonly last: LogIndex
  readonly lastTerm: Term
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

/** Where and why a run of records is refused. */
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

/** Calls `visit` for each record in order; the payload is a view of `records`. Throws EntryError at bytes that are none. */
export function forEachEntry(records: Uint8Array, visit: (header: EntryHeader, payload: Uint8Array) => void): void {
  let offset = 0
  while (offset < records.length) {
    const header = readHeader(records, offset)
    visit(header, payloadAt(records, offset))
    offset += recordLength(records, offset)
  }
}

/** Calls `visit` with the offset of each record in order: the cheap walk. Throws EntryError at bytes that are none. */
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

/** The terms of the records, run-length: what the core sees of them. Throws EntryError at bytes that are no records. */
export function termRunsOf(records: Uint8Array): readonly TermRun[] {
  const runs: { first: LogIndex; last: LogIndex; term: Term }[] = []
  forEachOffset(records, (offset) => {
    const index = recordIndex(records, offset)
    const term = recordTerm(records, offset)
    const run = runs.at(-1)
    if (run !== undefined && run.term === term && run.last + 1 === index) run.last = index
    else runs.push({ first: index, last: index, term })
  })
  return runs
}
