import type { GroupId, LogIndex, Millis, Term } from '../../base/brand.ts'
import { isSafeUint64, readUint32, readUint64 } from '../bytes/integers.ts'
import { crc32, crc32OfUint32 } from '../bytes/crc.ts'
import { ENTRY_KINDS } from './entry.ts'
import type { EntryHeader, EntryKind } from './entry.ts'

/**
 * The entry record (docs/format.md, storage.md §2): a fixed header of 56 bytes, then the payload. Encoded once; the same
 * bytes go to every disk and over every wire.
 */
export const ENTRY_HEADER_BYTES = 56

/** First byte of every record. */
export const ENTRY_FORMAT = 1

/** Largest payload: commands are at most 1 MiB by default, and one record must fit one frame of the log. */
export const ENTRY_PAYLOAD_BYTES_MAX = 16 * 1024 * 1024

/** Offsets of the fields in the header. The format byte is at 0. */
export const AT = {
  kind: 1,
  envelope: 2,
  flags: 3,
  group: 4,
  index: 8,
  term: 16,
  lease: 24,
  now: 32,
  length: 40,
  checksum: 44,
  chain: 48,
  reserved: 52,
} as const

/** Why bytes are not the record that they should be. */
export type EntryRefusal =
  /** The header or the payload goes on beyond the end of the bytes. */
  | 'TRUNCATED'
  /** The format byte is not 1, or a reserved field is not 0. */
  | 'BAD_FORMAT'
  | 'BAD_KIND'
  /** A number above 2^53 − 1, or index or term 0. */
  | 'BAD_NUMBER'
  | 'TOO_LARGE'
  | 'BAD_CHECKSUM'
  /** The record is whole but does not follow the one before: another log's entry, or one is missing. */
  | 'BAD_CHAIN'
  /** Indexes are not consecutive, a term falls, or the group is another. */
  | 'OUT_OF_ORDER'

/** Thrown where a caller reads records that were verified before; never for bytes that come from outside. */
export class EntryError extends Error {
  override readonly name = 'EntryError'
  readonly reason: EntryRefusal
  readonly offset: number
  constructor(reason: EntryRefusal, offset: number) {
    super(`The bytes at offset ${offset} are not an entry record: ${describeRefusal(reason)}`)
    this.reason = reason
    this.offset = offset
  }
}

/**
 * Chain value of a record: CRC-32 of its checksum (which covers header and payload), continued from the one before, which is
 * 0 before the first entry of a log.
 */
export function chainOf(previousChain: number, checksum: number): number {
  return crc32OfUint32(checksum, previousChain)
}

/** Null when a whole, well-formed record stands at `offset`; its checksum is not looked at. Never allocates. */
export function checkHeader(bytes: Uint8Array, offset: number): EntryRefusal | null {
  if (offset < 0 || bytes.length - offset < ENTRY_HEADER_BYTES) return 'TRUNCATED'
  if (bytes[offset] !== ENTRY_FORMAT) return 'BAD_FORMAT'
  if (KIND_NAMES[bytes[offset + AT.kind] as number] === undefined) return 'BAD_KIND'
  if (readUint32(bytes, offset + AT.reserved) !== 0) return 'BAD_FORMAT'
  for (let at = AT.index; at <= AT.now; at += 8) {
    if (!isSafeUint64(bytes, offset + at)) return 'BAD_NUMBER'
  }
  if (recordIndex(bytes, offset) === 0 || recordTerm(bytes, offset) === 0) return 'BAD_NUMBER'
  const length = readUint32(bytes, offset + AT.length)
  if (length > ENTRY_PAYLOAD_BYTES_MAX) return 'TOO_LARGE'
  if (bytes.length - offset - ENTRY_HEADER_BYTES < length) return 'TRUNCATED'
  return null
}

/** Null when the record at `offset` is whole, matches its checksum and follows `previousChain` (null: not looked at). */
export function verifyEntry(bytes: Uint8Array, offset: number, previousChain: number | null): EntryRefusal | null {
  const refusal = checkHeader(bytes, offset)
  if (refusal !== null) return refusal
  const checksum = checksumOf(bytes, offset, readUint32(bytes, offset + AT.length))
  if (checksum !== readUint32(bytes, offset + AT.checksum)) return 'BAD_CHECKSUM'
  if (previousChain !== null && chainOf(previousChain, checksum) !== recordChain(bytes, offset)) return 'BAD_CHAIN'
  return null
}

/** The header of a record that stands at `offset`. Throws EntryError when none does. */
export function readHeader(bytes: Uint8Array, offset: number): EntryHeader {
  const refusal = checkHeader(bytes, offset)
  if (refusal !== null) throw new EntryError(refusal, offset)
  return {
    kind: KIND_NAMES[bytes[offset + AT.kind] as number] as EntryKind,
    envelopeVersion: bytes[offset + AT.envelope] as number,
    flags: bytes[offset + AT.flags] as number,
    group: readUint32(bytes, offset + AT.group) as GroupId,
    index: recordIndex(bytes, offset),
    term: recordTerm(bytes, offset),
    lease: readUint64(bytes, offset + AT.lease),
    now: readUint64(bytes, offset + AT.now),
    payloadLength: readUint32(bytes, offset + AT.length),
    checksum: readUint32(bytes, offset + AT.checksum),
    chain: recordChain(bytes, offset),
  }
}

/** Payload of the record at `offset`: a view. */
export function payloadAt(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.subarray(offset + ENTRY_HEADER_BYTES, offset + recordLength(bytes, offset))
}

/**
 * Bytes of the record at `offset`, header and payload. This one and the readers below are for a record that `checkHeader`
 * or `verifyEntry` found to be whole.
 */
export function recordLength(bytes: Uint8Array, offset: number): number {
  return ENTRY_HEADER_BYTES + readUint32(bytes, offset + AT.length)
}

/** Kind of the record at `offset`. */
export function recordKind(bytes: Uint8Array, offset: number): EntryKind {
  return KIND_NAMES[bytes[offset + AT.kind] as number] as EntryKind
}

/** Raft group of the record at `offset`. */
export function recordGroup(bytes: Uint8Array, offset: number): GroupId {
  return readUint32(bytes, offset + AT.group) as GroupId
}

/** Log index of the record at `offset`, from 1. */
export function recordIndex(bytes: Uint8Array, offset: number): LogIndex {
  return readUint64(bytes, offset + AT.index) as LogIndex
}

/** Term of the record at `offset`, from 1. */
export function recordTerm(bytes: Uint8Array, offset: number): Term {
  return readUint64(bytes, offset + AT.term) as Term
}

/** Leader-time clock of the record at `offset` (sessions.md §1). */
export function recordLease(bytes: Uint8Array, offset: number): Millis {
  return readUint64(bytes, offset + AT.lease)
}

/** Wall clock of the record at `offset`, ms since the Unix epoch. */
export function recordNow(bytes: Uint8Array, offset: number): Millis {
  return readUint64(bytes, offset + AT.now)
}

/** Stored checksum of the record at `offset`: uint32. */
export function recordChecksum(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + AT.checksum)
}

/** Stored chain value of the record at `offset`: uint32. */
export function recordChain(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset + AT.chain)
}

/** A short sentence for messages. */
export function describeRefusal(refusal: EntryRefusal): string {
  return SENTENCES[refusal]
}

const SENTENCES: { readonly [Refusal in EntryRefusal]: string } = {
  TRUNCATED: 'it goes on beyond the end of the bytes.',
  BAD_FORMAT: 'its format is unknown; a newer version may have written it.',
  BAD_KIND: 'its kind is unknown; a newer version may have written it.',
  BAD_NUMBER: 'one of its numbers is out of range.',
  TOO_LARGE: 'its payload is larger than 16 MiB.',
  BAD_CHECKSUM: 'its checksum does not match its bytes.',
  BAD_CHAIN: 'it does not follow the entry before it.',
  OUT_OF_ORDER: 'its group, index or term does not follow the entry before it.',
}

/** Names by number; a number without a name is no kind. */
const KIND_NAMES: readonly (EntryKind | undefined)[] = kindNames()

function kindNames(): (EntryKind | undefined)[] {
  const names = new Array<EntryKind | undefined>(256).fill(undefined)
  for (const name of Object.keys(ENTRY_KINDS) as EntryKind[]) names[ENTRY_KINDS[name]] = name
  return names
}

/** CRC-32 over the header before the checksum field, then the payload. */
export function checksumOf(bytes: Uint8Array, offset: number, payloadLength: number): number {
  const start = offset + ENTRY_HEADER_BYTES
  return crc32(bytes, start, start + payloadLength, crc32(bytes, offset, offset + AT.checksum, 0))
}
