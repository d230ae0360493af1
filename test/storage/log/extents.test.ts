import { expect, test } from 'vitest'
import { groupId, indexPlus, logIndex, term } from '../../../src/base/brand.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { recordChain } from '../../../src/codec/entry/record.ts'
import type { DiskFile } from '../../../src/storage/disk/disk.ts'
import { Extents, MARK_BYTES } from '../../../src/storage/log/extents.ts'
import { HeldEntries } from '../../../src/storage/log/held-entries.ts'
import type { Segment } from '../../../src/storage/log/segment.ts'

const SEGMENT_BYTES = 2 * 1024 * 1024

test('what is held in memory of the log grows with its bytes on disk by a mark per 64 KiB, not with its entries', () => {
  const small = indexed({ entries: 20_000, perFrame: 1 })
  const batched = indexed({ entries: 20_000, perFrame: 1000 })
  for (const { extents, held, bytes } of [small, batched]) {
    expect(extents.marks).toBeLessThanOrEqual(Math.ceil(bytes / MARK_BYTES) + Math.ceil(bytes / SEGMENT_BYTES))
    expect(numbersIn(extents) + numbersIn(held)).toBeLessThan(12 * Math.ceil(bytes / MARK_BYTES) + 100)
  }
})

test('the index of a segment goes with it', () => {
  const { extents, held, segments } = indexed({ entries: 20_000, perFrame: 1 })
  expect(segments.length).toBeGreaterThan(4)
  for (const segment of segments.slice(0, -1)) {
    extents.dropSegment(segment)
    const { base } = extents
    if (base !== null) held.discardUpTo(base.index, base.chain)
  }
  expect(extents.marks).toBeLessThanOrEqual(SEGMENT_BYTES / MARK_BYTES + 1)
  expect(held.base.index).toBeGreaterThan(15_000)
  expect(held.has(held.base.index)).toBe(false)
})

/** Objects and numbers that hang on an object, itself included; segments aside. */
function numbersIn(value: unknown): number {
  if (value === null || typeof value !== 'object') return 1
  if ('readers' in value) return 1
  if (ArrayBuffer.isView(value)) return value.byteLength / 8
  return Object.values(value).reduce((sum: number, each) => sum + numbersIn(each), 1)
}

/** An index over so many entries of 156 bytes. */
function indexed(of: { entries: number; perFrame: number }): {
  extents: Extents
  held: HeldEntries
  segments: Segment[]
  bytes: number
} {
  const extents = new Extents()
  const held = new HeldEntries({ index: logIndex(0), term: term(0), chain: 0 })
  const segments = [segmentOf(1)]
  let offset = 512
  let bytes = 0
  let chain = 0
  const all = recordsUpTo(of.entries)
  for (let first = 1; first <= of.entries; first += of.perFrame) {
    const records = all.subarray((first - 1) * 156, (first - 1 + of.perFrame) * 156)
    let segment = segments.at(-1) as Segment
    const bodyOffset = offset + 512 * Math.ceil((170 + records.length / 800) / 512)
    const end = 512 * Math.ceil((bodyOffset + records.length) / 512)
    if (end > SEGMENT_BYTES) {
      segment = segmentOf(segments.length + 1)
      segments.push(segment)
      offset = 512
      first -= of.perFrame
      continue
    }
    const last = indexPlus(logIndex(first), of.perFrame - 1)
    extents.push({ segment, offset, bodyOffset, end, first: logIndex(first), last, chain, body: [records] })
    for (let at = 0; at < records.length; at += 156) held.push(recordChain(records, at), term(1))
    chain = recordChain(records, records.length - 156)
    bytes += end - offset
    offset = end
  }
  return { extents, held, segments, bytes }
}

const PAYLOAD = new Uint8Array(100)

function recordsUpTo(last: number): Uint8Array {
  const encoder = new EntryEncoder()
  let chain = 0
  for (let index = 1; index <= last; index += 1) {
    const place = { kind: 'ClientRequest' as const, group: groupId(0), index: logIndex(index), term: term(1) }
    chain = encoder.append({ ...place, lease: 0, now: 0, previousChain: chain, payload: PAYLOAD })
  }
  return encoder.finish()
}

function segmentOf(sequence: number): Segment {
  return { sequence, path: `${sequence}`, file: {} as DiskFile, seed: 0, end: 0, highest: 0, readers: 0 }
}
