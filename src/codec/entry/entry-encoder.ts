import { assert } from '../../base/assert.ts'
import type { GroupId, LogIndex, Millis, Term } from '../../base/brand.ts'
import { writeUint32, writeUint64 } from '../bytes/integers.ts'
import { AT, ENTRY_FORMAT, ENTRY_HEADER_BYTES, ENTRY_PAYLOAD_BYTES_MAX, chainOf, checksumOf } from './record.ts'
import { ENTRY_KINDS } from './entry.ts'
import type { EntryKind } from './entry.ts'

/** What a new record says. `payload` is copied. */
export interface NewEntry {
  readonly kind: EntryKind
  readonly group: GroupId
  readonly index: LogIndex
  readonly term: Term
  readonly lease: Millis
  readonly now: Millis
  /** Chain value of the entry at index − 1; 0 for entry 1. */
  readonly previousChain: number
  readonly payload: Uint8Array
  /** Version of the payload's envelope. Default 1. */
  readonly envelopeVersion?: number
  /** Default 0. */
  readonly flags?: number
}

/** Encodes a batch of records into one buffer. Use it again after `finish`. */
export class EntryEncoder {
  private bytes = new Uint8Array(0)
  /** Bytes encoded since the last `finish`. */
  private used = 0

  /** Makes room for records of that many bytes in total: one allocation for the batch when the sum is known. */
  reserve(bytes: number): void {
    if (this.bytes.length - this.used >= bytes) return
    const grown = new Uint8Array(
      Math.max(this.used + bytes, Math.min(this.bytes.length * 2, this.bytes.length + GROWTH_BYTES_MAX)),
    )
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
  }

  /** Appends one record and returns its chain value. Asserts that the payload is at most 16 MiB. */
  append(entry: NewEntry): number {
    const length = entry.payload.length
    assert(length <= ENTRY_PAYLOAD_BYTES_MAX, 'a payload is at most 16 MiB', { length })
    if (this.bytes.length - this.used < ENTRY_HEADER_BYTES + length)
      this.reserve(Math.max(ENTRY_HEADER_BYTES + length, FIRST_BYTES))
    const offset = this.used
    const bytes = this.bytes
    writeFields(bytes, offset, entry)
    bytes.set(entry.payload, offset + ENTRY_HEADER_BYTES)
    const checksum = checksumOf(bytes, offset, length)
    const chain = chainOf(entry.previousChain, checksum)
    writeUint32(bytes, offset + AT.checksum, checksum)
    writeUint32(bytes, offset + AT.chain, chain)
    this.used = offset + ENTRY_HEADER_BYTES + length
    return chain
  }

  /** The records so far, the caller's to keep; the encoder starts anew. */
  finish(): Uint8Array {
    // A view pins the whole buffer, so a mostly empty one is copied.
    const whole = this.used * 2 >= this.bytes.length
    const records = whole ? this.bytes.subarray(0, this.used) : this.bytes.slice(0, this.used)
    this.bytes = new Uint8Array(0)
    this.used = 0
    return records
  }
}

const FIRST_BYTES = 4096
const GROWTH_BYTES_MAX = 4 * 1024 * 1024

function writeFields(bytes: Uint8Array, offset: number, entry: NewEntry): void {
  bytes[offset] = ENTRY_FORMAT
  bytes[offset + AT.kind] = ENTRY_KINDS[entry.kind]
  bytes[offset + AT.envelope] = entry.envelopeVersion ?? 1
  bytes[offset + AT.flags] = entry.flags ?? 0
  writeUint32(bytes, offset + AT.group, entry.group)
  writeUint64(bytes, offset + AT.index, entry.index)
  writeUint64(bytes, offset + AT.term, entry.term)
  writeUint64(bytes, offset + AT.lease, entry.lease)
  writeUint64(bytes, offset + AT.now, entry.now)
  writeUint32(bytes, offset + AT.length, entry.payload.length)
}
