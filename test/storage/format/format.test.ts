import { describe, expect, test } from 'vitest'
import { groupId, logIndex, nodeId, term, writeNumber } from '../../../src/base/brand.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import {
  checkBody,
  encodeFrame,
  frameBytes,
  frameHeaderBytes,
  readFrameHeader,
} from '../../../src/storage/format/frame.ts'
import type { FrameHeader } from '../../../src/storage/format/frame.ts'
import { encodeMarkerSlot, markerSlotOffset, readMarker } from '../../../src/storage/format/marker-slot.ts'
import {
  encodeDraftHeader,
  encodeSegmentHeader,
  readSegmentHeader,
  segmentSeed,
} from '../../../src/storage/format/segment-header.ts'

/** Hex of a sector in rows of 16 bytes; rows of zeros at the end are left out. */
function rows(bytes: Uint8Array): readonly string[] {
  const all = Buffer.from(bytes).toString('hex').match(/.{32}/g) ?? []
  const last = all.findLastIndex((row) => /[^0]/.test(row))
  return all.slice(0, last + 1)
}

const SEGMENT = {
  group: 3,
  sequence: 0x0102,
  size: 0x0400_0000,
  predecessor: { sequence: 0x0101, end: 0x1200 },
  reset: true,
  hardState: { currentTerm: term(7), votedFor: nodeId('node-2') },
  lastWrite: writeNumber(99),
  base: { index: logIndex(1000), term: term(6), chain: 0xcafebabe },
}

function frame(bodyBytes: number): FrameHeader {
  return {
    write: writeNumber(100),
    at: { sequence: 0x0102, offset: 512 },
    previousEnd: { sequence: 0x0101, offset: 0x1200 },
    previousChecksum: 0x11223344,
    hardState: { currentTerm: term(8), votedFor: nodeId('node-1') },
    truncateFrom: logIndex(1000),
    firstIndex: logIndex(1000),
    count: 1,
    previous: { term: term(6), chain: 0xcafebabe },
    last: { term: term(8), index: logIndex(1000) },
    bodyBytes,
    copied: false,
  }
}

/** The frame of one entry, in a segment's bytes. */
function framed(body: Uint8Array): Uint8Array {
  const encoded = encodeFrame(frame(body.length), [body], 5)
  return Buffer.concat([new Uint8Array(512), ...encoded.buffers])
}

describe('the bytes of docs/format.md', () => {
  test('a segment header', () => {
    const bytes = encodeSegmentHeader(SEGMENT)
    expect(rows(bytes)).toEqual([
      '48536567501b03280101060000000102',
      '04000000000001010000120000000003',
      '00000000000000070000000000000063',
      '00000000000003e80000000000000006',
      'cafebabe000000006e6f64652d320000',
    ])
    expect(readSegmentHeader(bytes)).toEqual({ ...SEGMENT, checksum: segmentSeed(bytes) })
    expect(readSegmentHeader(new Uint8Array(512))).toBe('unused')
    const draft = encodeDraftHeader(SEGMENT)
    expect(readSegmentHeader(draft)).toBe('draft')
    expect(draft[9]).toBe(2)
    draft[9] = 0
    expect(readSegmentHeader(draft)).toBe('wrong')
  })

  test('a frame of one entry', () => {
    const encoder = new EntryEncoder()
    const place = { group: groupId(3), index: logIndex(1000), term: term(8), previousChain: 0xcafebabe }
    encoder.append({ kind: 'Tick', ...place, lease: 1, now: 2, payload: new Uint8Array(0) })
    const segment = framed(encoder.finish())
    expect(rows(segment.subarray(512, 1024))).toEqual([
      '4846726dec8e55ee0100060000000000',
      '00000000000000640000010200000200',
      '00000101000012001122334400000038',
      '000000000000000800000000000003e8',
      '00000000000003e800000001cafebabe',
      '00000000000000060000000000000008',
      '00000000000003e86e6f64652d310000',
      '00000000000000000000000000000000',
      '00000000000000000000000000000000',
      '00000000000000000000000000000000',
      '00000000000000002094e74901ff0000',
    ])
    expect(segment.length).toBe(512 + 512 + 512)
    const read = readFrameHeader(segment, { sequence: 0x0102, offset: 512 }, 5)
    expect(read).toMatchObject({ ...frame(56), headerBytes: 512, frameBytes: 1024 })
    expect(readFrameHeader(segment, { sequence: 0x0102, offset: 512 }, 6), 'another segment').toBe(null)
    expect(readFrameHeader(segment, { sequence: 0x0103, offset: 512 }, 5), 'another sequence').toBe(null)
  })

  test('a marker slot', () => {
    const bytes = encodeMarkerSlot({ counter: 5, sequence: 0x0102, offset: 0x2000 })
    expect(rows(bytes)).toEqual(['484d726b74edd2250000000000000005', '00000102000020000000000000000000'])
    const file = new Uint8Array(8192)
    file.set(bytes, markerSlotOffset(5))
    file.set(encodeMarkerSlot({ counter: 4, sequence: 0x0102, offset: 0x1000 }), markerSlotOffset(4))
    expect(readMarker(file)).toEqual({ newest: { counter: 5, sequence: 0x0102, offset: 0x2000 }, twice: false })
    file.set(encodeMarkerSlot({ counter: 6, sequence: 0x0102, offset: 0x2000 }), markerSlotOffset(6))
    expect(readMarker(file)).toEqual({ newest: { counter: 6, sequence: 0x0102, offset: 0x2000 }, twice: true })
    expect(readMarker(new Uint8Array(8192))).toEqual({ newest: null, twice: false })
    expect(readMarker(new Uint8Array(3))).toEqual({ newest: null, twice: false })
  })
})

describe('the size of a frame', () => {
  test('a vote fits one sector, and the header grows by five bytes per page of 4 KiB', () => {
    expect(frameBytes(0)).toBe(512)
    expect(frameBytes(1)).toBe(1024)
    expect(frameHeaderBytes(68 * 4096)).toBe(512)
    expect(frameHeaderBytes(69 * 4096)).toBe(1024)
    expect(frameHeaderBytes(24 * 1024 * 1024)).toBe(31232)
  })

  test('no sector of a header is ever all zero, whatever the body', () => {
    for (const pages of [68, 69, 170, 171, 200, 300]) {
      const [header] = encodeFrame(frame(pages * 4096), [new Uint8Array(pages * 4096)], 1).buffers
      const bytes = header ?? new Uint8Array(0)
      for (let sector = 0; sector < bytes.length; sector += 512) {
        expect(
          bytes.subarray(sector, sector + 512).some((byte) => byte !== 0),
          `${pages} pages, sector ${sector}`,
        ).toBe(true)
      }
    }
  })

  test('a body in several buffers has the checksums of the whole', () => {
    const body = Uint8Array.from({ length: 9000 }, (_, at) => (at % 1700 < 900 ? 0 : at % 251))
    const pieces = [
      body.subarray(0, 1),
      body.subarray(1, 511),
      body.subarray(511, 4097),
      body.subarray(4097, 8999),
      body.subarray(8999),
    ]
    const [whole] = encodeFrame(frame(9000), [body], 5).buffers
    const [parts] = encodeFrame(frame(9000), pieces, 5).buffers
    expect(parts).toEqual(whole)
  })

  test('a body is intact, torn or wrong', () => {
    const segment = framed(Uint8Array.from({ length: 9000 }, (_, at) => (at >= 512 && at < 1024 ? 0 : 1 + (at % 251))))
    const read = readFrameHeader(segment, { sequence: 0x0102, offset: 512 }, 5)
    if (read === null) throw new Error('the frame is not there')
    expect(checkBody(segment, read)).toBe('intact')
    const torn = segment.slice()
    torn.fill(0, 1024 + 4096, 1024 + 4096 + 512)
    expect(checkBody(torn, read)).toBe('torn')
    torn[1024] = 0xff
    expect(checkBody(torn, read), 'a page without a lost sector is wrong, too').toBe('wrong')
  })
})
