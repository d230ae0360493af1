import { logIndex, term } from '../../base/brand.ts'
import { crc32 } from '../../codec/bytes/crc.ts'
import { isSafeUint64, readUint32, readUint64, writeUint32, writeUint64 } from '../../codec/bytes/integers.ts'
import type { Obligation } from '../../raft/types.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'

/** Name of the file in a group's directory that says what a node with a damaged log owes (storage.md §3). */
export const OBLIGATION_NAME = 'obligation'

const MAGIC = 0x484f626c // "HObl"
const FORMAT = 1
const REACH = 1
const CENSUS = 2
const CHECKED_FROM = 8

/** The bytes of the note, one sector (docs/format.md). */
export function encodeObligation(obligation: Obligation): Uint8Array {
  const bytes = new Uint8Array(SECTOR_BYTES)
  writeUint32(bytes, 0, MAGIC)
  bytes[8] = FORMAT
  bytes[9] = obligation.kind === 'reach' ? REACH : CENSUS
  if (obligation.kind === 'reach') {
    writeUint64(bytes, 16, obligation.term)
    writeUint64(bytes, 24, obligation.index)
  }
  writeUint32(bytes, 4, crc32(bytes, CHECKED_FROM, SECTOR_BYTES, 0))
  return bytes
}

/** What the note says; one that cannot be read owes the most that there is. */
export function decodeObligation(bytes: Uint8Array): Obligation {
  const census: Obligation = { kind: 'census', told: [] }
  if (bytes.length < SECTOR_BYTES || readUint32(bytes, 0) !== MAGIC) return census
  if (readUint32(bytes, 4) !== crc32(bytes, CHECKED_FROM, SECTOR_BYTES, 0)) return census
  if (bytes[8] !== FORMAT || bytes[9] !== REACH) return census
  if (!isSafeUint64(bytes, 16) || !isSafeUint64(bytes, 24)) return census
  return { kind: 'reach', term: term(readUint64(bytes, 16)), index: logIndex(readUint64(bytes, 24)) }
}

/** Both are owed. */
export function joinedObligation(left: Obligation | null, right: Obligation): Obligation {
  if (left === null || right.kind === 'census') return right
  if (left.kind === 'census') return left
  const leftIsMore = left.term > right.term || (left.term === right.term && left.index > right.index)
  return leftIsMore ? left : right
}
