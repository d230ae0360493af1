import fs from 'node:fs'
import { join } from 'node:path'

/**
 * Logs of LevelDB: blocks of 32 KiB with records of 7 bytes of header (masked CRC-32C, length, type) and their data, which
 * never cross a block; a write is one record, or a first, some middle ones and a last.
 */
const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const [FULL, FIRST, LAST] = [1, 2, 4]

/**
 * What is wrong with the logs that LevelDB is about to read, in a sentence; null: nothing. LevelDB itself passes over what it
 * cannot read, says so to nobody, goes on with what comes behind it, and deletes the file: rows come back as they were before.
 * Each of its writes was synced before the next one began, so what is damaged in front of a later write is rot, while a last
 * write that is not whole was never answered (storage.md §3). Throws what node:fs throws: one that cannot be read now may be
 * read later.
 */
export function levelLogDamage(state: string): string | null {
  const names = fs.readdirSync(state).filter((name) => /^\d+\.log$/.test(name))
  let unfinished: string | null = null
  for (const name of names.sort((left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10))) {
    const { rotAt, unfinishedAt, begins } = scanned(fs.readFileSync(join(state, name)))
    const rot = begins && unfinished !== null ? unfinished : rotAt === null ? null : `${name}, offset ${rotAt}`
    if (rot !== null) return `${rot}: it cannot be read there, and a later write follows.`
    if (unfinishedAt !== null) unfinished = `${name}, offset ${unfinishedAt}`
  }
  return null
}

interface Scanned {
  /** Where the first damage is that a whole record of a later write follows; null: there is none. */
  readonly rotAt: number | null
  /** Where the last write begins that is not whole; null: all are. */
  readonly unfinishedAt: number | null
  /** A write begins in it, with a record that can be read. */
  readonly begins: boolean
}

/** PERF: about 4 ms per MB; of a block with damage every byte may begin a record. */
function scanned(bytes: Uint8Array): Scanned {
  let damagedAt: number | null = null
  /** Where a write began of which more is to come. */
  let openAt: number | null = null
  let begun = false
  for (let block = 0; block < bytes.length; block += BLOCK_BYTES) {
    const end = Math.min(bytes.length, block + BLOCK_BYTES)
    for (let at = block; end - at >= HEADER_BYTES; ) {
      const record = recordAt(bytes, at, end)
      if (record === null) {
        damagedAt ??= at
        // Lengths cannot be trusted any more, and what LevelDB passes over from here on may be writes that were answered.
        at += 1
        continue
      }
      const { type, next } = record
      const begins = type === FULL || type === FIRST
      if (begins && damagedAt === null) damagedAt = openAt
      if (begins && damagedAt !== null) return { rotAt: damagedAt, unfinishedAt: damagedAt, begins: true }
      if (!begins && openAt === null) damagedAt ??= at
      if (begins) [openAt, begun] = [at, true]
      if (type === FULL || type === LAST) openAt = null
      at = next
    }
  }
  return { rotAt: null, unfinishedAt: damagedAt ?? openAt, begins: begun }
}

/** The record that begins there and ends before `end`; null: there is none, or its checksum is not its own. */
function recordAt(bytes: Uint8Array, at: number, end: number): { readonly type: number; readonly next: number } | null {
  const type = bytes[at + 6] ?? 0
  const next = at + HEADER_BYTES + (bytes[at + 4] ?? 0) + 256 * (bytes[at + 5] ?? 0)
  if (type < FULL || type > LAST || next > end) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES)
  return view.getUint32(0, true) === maskedChecksum(bytes.subarray(at + 6, next)) ? { type, next } : null
}

/** CRC-32C (Castagnoli), reflected. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** LevelDB stores a checksum of bytes that hold checksums rotated, and moved by a constant. */
function maskedChecksum(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
