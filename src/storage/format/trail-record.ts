import { crc32 } from '../../codec/bytes/crc.ts'
import type { AppliedRecord } from '../../node/ports/applied-trail.ts'
import type { BuildMachine } from '../../node/ports/peer-transport.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'

/** `HFTRAIL1`. */
const MAGIC = Buffer.from([0x48, 0x46, 0x54, 0x52, 0x41, 0x49, 0x4c, 0x31])
/** Magic, length of the header's text, its CRC-32. */
const PREFIX_BYTES = 16
/** Index (8), hash (8), CRC-32 of both. */
export const TRAIL_RECORD_BYTES = 20
const CHECKED_BYTES = 16

/** What the file of a trail says (docs/format.md, "The applied trail"). */
export interface TrailContent {
  readonly recordedBy: readonly BuildMachine[]
  readonly recorded: readonly AppliedRecord[]
}

/** The header, padded to whole sectors: the machines of the process that writes, as JSON. */
export function encodeTrailHeader(machines: readonly BuildMachine[]): Buffer {
  const text = Buffer.from(JSON.stringify({ machines }), 'utf8')
  const bytes = Buffer.alloc(Math.ceil((PREFIX_BYTES + text.length) / SECTOR_BYTES) * SECTOR_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt32BE(text.length, 8)
  bytes.writeUInt32BE(crc32(text, 0, text.length, 0), 12)
  text.copy(bytes, PREFIX_BYTES)
  return bytes
}

export function encodeTrailRecord({ index, hash }: AppliedRecord): Buffer {
  const bytes = Buffer.alloc(TRAIL_RECORD_BYTES)
  bytes.writeBigUInt64BE(BigInt(index), 0)
  bytes.write(hash, 8, 'hex')
  bytes.writeUInt32BE(crc32(bytes, 0, CHECKED_BYTES, 0), CHECKED_BYTES)
  return bytes
}

/** A whole file of these records: it has no room for more, as the next process makes its own. */
export function encodeTrail({ recordedBy, recorded }: TrailContent): Buffer {
  return Buffer.concat([encodeTrailHeader(recordedBy), ...recorded.map(encodeTrailRecord)])
}

/** Reads as many records as are intact and rise; a file without an intact header says nothing. Never throws. */
export function decodeTrail(content: Uint8Array): TrailContent {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const header = decodeHeader(bytes)
  if (header === null) return { recordedBy: [], recorded: [] }
  const recorded: AppliedRecord[] = []
  let last = 0
  for (let offset = header.end; offset + TRAIL_RECORD_BYTES <= bytes.length; offset += TRAIL_RECORD_BYTES) {
    const index = Number(bytes.readBigUInt64BE(offset))
    const intact = crc32(bytes, offset, offset + CHECKED_BYTES, 0) === bytes.readUInt32BE(offset + CHECKED_BYTES)
    // Zeros are where nothing was written yet, or where a power loss took a sector: what follows is not looked for.
    if (!intact || index <= last) break
    recorded.push({ index, hash: bytes.toString('hex', offset + 8, offset + CHECKED_BYTES) })
    last = index
  }
  return { recordedBy: header.machines, recorded }
}

function decodeHeader(bytes: Buffer): { readonly machines: readonly BuildMachine[]; readonly end: number } | null {
  if (bytes.length < PREFIX_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return null
  const end = PREFIX_BYTES + bytes.readUInt32BE(8)
  if (end > bytes.length || crc32(bytes, PREFIX_BYTES, end, 0) !== bytes.readUInt32BE(12)) return null
  // Intact, so this is what a process of ours wrote.
  const { machines } = JSON.parse(bytes.toString('utf8', PREFIX_BYTES, end)) as { machines: readonly BuildMachine[] }
  return { machines, end: Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES }
}
