import { beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../../../src/base/random.ts'
import { groupId } from '../../../src/base/brand.ts'
import { openLog } from '../../../src/storage/opening/open-log.ts'
import { EMPTY_STATE, encodeDraftHeader } from '../../../src/storage/format/segment-header.ts'
import type { MemoryDisk } from '../../../src/storage/disk/memory-disk.ts'
import { synchronousHarness } from '../log/log-harnesses.ts'
import {
  LogAuthor,
  ManualClock,
  closeLog,
  listing,
  mustOpen,
  openFixture,
  payload,
  payloads,
  readAll,
} from '../log/log-fixture.ts'

const SEGMENT = 'group-0/log/00000001.wal'
const MARKER = 'group-0/marker'
const SECTOR = 512
const SIZES = { segmentBytes: 32 * 1024, firstSegmentBytes: 16 * 1024 }

interface Written {
  readonly disk: MemoryDisk
  /** Ends of the frames, from the end of the segment's header on. */
  readonly ends: readonly number[]
}

/**
 * A log of one segment: frames of 2, 2, `last` entries; the marker stands after as many frames as `marked` says. The disk
 * has everything, as after kill -9.
 */
async function written(marked: number, last: readonly Uint8Array[]): Promise<Written> {
  const harness = synchronousHarness()
  const log = await mustOpen(harness, SIZES)
  const author = new LogAuthor(harness, log)
  const ends = [SECTOR]
  const frames = [payloads(1, 2), payloads(3, 2), last]
  frames.forEach((frame, at) => {
    author.append(frame)
    ends.push(SECTOR + log.store.stats.bytes)
    if (at + 1 === marked) harness.clock.fireAll()
  })
  if (marked < 3) return { disk: harness.disk.copy(), ends }
  await closeLog(harness, log)
  return { disk: harness.disk.copy(), ends }
}

/**
 * Opens a copy of the disk after `damage` (storage.md §8.4, faults.md §6); what the log holds then, or the fault. Damage that
 * is refused changes nothing.
 */
async function outcome(from: MemoryDisk, damage: (disk: MemoryDisk) => void): Promise<string> {
  const disk = from.copy()
  damage(disk)
  const before = disk.copy()
  const harness = synchronousHarness(disk)
  const opened = await openFixture(harness, SIZES)
  if ('code' in opened) {
    for (const path of before.paths()) expect(Buffer.compare(bytesOf(disk, path), bytesOf(before, path)), path).toBe(0)
    return opened.code
  }
  const { lastIndex, tornBytes } = opened.recovered
  const read = await readAll(harness, opened, { first: 1, last: 100 })
  expect(listing(read.records)).toHaveLength(lastIndex)
  const author = new LogAuthor(harness, opened)
  author.append(payloads(lastIndex + 1, 1))
  disk.crash()
  const again = await mustOpen(synchronousHarness(disk), SIZES)
  expect(again.recovered.lastIndex).toBe(lastIndex + 1)
  return `last ${lastIndex}${tornBytes > 0 ? ' torn' : ''}`
}

function bytesOf(disk: MemoryDisk, path: string): Uint8Array {
  const bytes = disk.bytesOf(path)
  if (bytes === null) throw new Error(`${path} is missing`)
  return bytes
}

const zero =
  (from: number, to: number) =>
  (disk: MemoryDisk): void => {
    bytesOf(disk, SEGMENT).fill(0, from, to)
  }

const flip =
  (path: string, at: number, bit = 1) =>
  (disk: MemoryDisk): void => {
    const bytes = bytesOf(disk, path)
    bytes[at] = (bytes[at] ?? 0) ^ bit
  }

const DRAFT = { group: 0, sequence: 2, size: 1024, predecessor: { sequence: 1, end: SECTOR }, reset: false }

/** One page and a part of another. */
const LARGE = [payload(5, 3900), payload(6, 900)]

const SILENT = { onPersisted: () => undefined, onFault: () => undefined }

describe('a torn tail above the marker', () => {
  let log: Written
  let start = 0
  let end = 0
  beforeAll(async () => {
    log = await written(2, LARGE)
    start = log.ends[2] ?? 0
    end = log.ends[3] ?? 0
  })

  test('the whole frame, though above the marker, is kept', async () => {
    expect(await outcome(log.disk, () => undefined)).toBe('last 6')
  })

  test('cut at any sector, the frame is dropped without a word', async () => {
    expect(await outcome(log.disk, zero(start, end))).toBe('last 4')
    for (let from = start + SECTOR; from < end; from += SECTOR) {
      expect(await outcome(log.disk, zero(from, end)), `cut at ${from}`).toBe('last 4 torn')
    }
  })

  test('cut at any byte, it is dropped or refused, and nothing before it is lost', async () => {
    for (let from = start + 1; from < end - 1; from += 7) {
      const found = await outcome(log.disk, zero(from, end))
      // A cut within a sector may leave its page without an empty sector, and no lost write looks like that.
      expect(found, `cut at ${from}`).toMatch(from > end - SECTOR ? /^(LOG_ROT|last 6)$/ : /^(LOG_ROT|last 4 torn)$/)
    }
  })

  test('with any subset of its sectors lost, it is dropped', async () => {
    const random = new Random(20_240_607)
    for (let round = 0; round < 200; round += 1) {
      const lost: number[] = []
      for (let sector = start; sector < end; sector += SECTOR) if (random.chance(0.4)) lost.push(sector)
      if (lost.length === 0) continue
      const found = await outcome(log.disk, (disk) => {
        for (const sector of lost) zero(sector, sector + SECTOR)(disk)
      })
      expect(found, `lost ${lost.join(' ')}`).toMatch(/^last 4/)
    }
  })

  test('rot: a single flipped bit anywhere in it is refused, and the directory is left as it was', async () => {
    for (let at = start; at < end; at += 1) {
      expect(await outcome(log.disk, flip(SEGMENT, at, 1 << (at % 8))), `byte ${at}`).toBe('LOG_ROT')
    }
  })

  test('rot: garbage beyond the last frame is refused, a lost write beyond it is not', async () => {
    expect(await outcome(log.disk, flip(SEGMENT, end + 3))).toBe('LOG_ROT')
    expect(await outcome(log.disk, flip(SEGMENT, end + SECTOR + 3))).toBe('last 6 torn')
  })
})

describe('rot', () => {
  test('below the marker, whatever was lost or changed is refused', async () => {
    const { disk, ends } = await written(3, LARGE)
    const [first = 0, , , end = 0] = ends
    expect(await outcome(disk, () => undefined)).toBe('last 6')
    for (let at = first; at < end; at += 3) expect(await outcome(disk, flip(SEGMENT, at)), `byte ${at}`).toBe('LOG_ROT')
    for (let from = first; from < end; from += SECTOR) {
      expect(await outcome(disk, zero(from, from + SECTOR)), `sector ${from}`).toBe('LOG_ROT')
      expect(await outcome(disk, zero(from, end)), `cut at ${from}`).toBe('LOG_ROT')
    }
  })

  test('before a later write, a lost sector is refused even above the marker', async () => {
    const { disk, ends } = await written(0, LARGE)
    for (let from = SECTOR; from < (ends[2] ?? 0); from += SECTOR) {
      expect(await outcome(disk, zero(from, from + SECTOR)), `sector ${from}`).toBe('LOG_ROT')
    }
  })

  test('any changed byte of the segment header is refused', async () => {
    const { disk } = await written(3, LARGE)
    for (let at = 0; at < SECTOR; at += 1) expect(await outcome(disk, flip(SEGMENT, at)), `byte ${at}`).toBe('LOG_ROT')
  })

  test('a segment cut short is refused', async () => {
    const { disk, ends } = await written(2, LARGE)
    for (let length = 0; length < (ends[3] ?? 0); length += 256) {
      const found = await outcome(disk, (damaged) => damaged.put(SEGMENT, bytesOf(damaged, SEGMENT).slice(0, length)))
      expect(found, `${length} bytes`).toBe('LOG_ROT')
    }
  })

  test('a missing segment is refused: the newest, one between, and all of them', async () => {
    const harness = synchronousHarness()
    const log = await mustOpen(harness, SIZES)
    const author = new LogAuthor(harness, log)
    for (let round = 0; round < 60; round += 1) author.append(payloads(author.lastIndex + 1, 10, 150))
    await closeLog(harness, log)
    const segments = harness.disk.paths().filter((path) => path.endsWith('.wal'))
    const used = segments.filter((path) => bytesOf(harness.disk, path)[0] !== 0)
    expect(used.length).toBeGreaterThan(3)
    for (const path of used) {
      expect(await outcome(harness.disk, (disk) => disk.remove(path, () => undefined)), path).toBe('LOG_ROT')
    }
    const all = (disk: MemoryDisk): void => {
      for (const path of segments) disk.remove(path, () => undefined)
    }
    expect(await outcome(harness.disk, all)).toBe('LOG_ROT')
  })

  test('the sentence names the file and the offset, and says what to do', async () => {
    const { disk, ends } = await written(3, LARGE)
    flip(SEGMENT, (ends[1] ?? 0) + 600)(disk)
    const fault = await openFixture(synchronousHarness(disk))
    expect(fault).toMatchObject({
      code: 'LOG_ROT',
      message: expect.stringContaining(`${SEGMENT}, offset ${ends[1]}: A checksum`),
    })
    expect(fault).toMatchObject({ message: expect.stringContaining('repairs itself') })
  })
})

describe('the marker', () => {
  test('any changed byte of it loses nothing, and its own loss is refused: it alone shows where the log ends', async () => {
    const { disk } = await written(3, LARGE)
    for (let at = 0; at < 64; at += 1) {
      for (const slot of [0, 4096])
        expect(await outcome(disk, flip(MARKER, slot + at)), `byte ${slot + at}`).toBe('last 6')
    }
    expect(await outcome(disk, (damaged) => damaged.remove(MARKER, () => undefined))).toBe('LOG_ROT')
    expect(await outcome(disk, (damaged) => bytesOf(damaged, MARKER).fill(0))).toBe('LOG_ROT')
  })
})

describe('sectors of zeros that were written as such', () => {
  test('are no sign of a torn write: a changed byte beside them is rot', async () => {
    const zeros = [new Uint8Array(3500), payload(6, 1200)]
    const { disk, ends } = await written(2, zeros)
    const [, , start = 0, end = 0] = ends
    expect(await outcome(disk, () => undefined)).toBe('last 6')
    for (let at = start; at < end; at += 5) expect(await outcome(disk, flip(SEGMENT, at)), `byte ${at}`).toBe('LOG_ROT')
    // The last sectors hold data; lost, they are told from the zeros before them.
    expect(await outcome(disk, zero(end - SECTOR, end))).toBe('last 4 torn')
  })
})

describe('an open', () => {
  test('copies what lies above the marker to a new segment, synced, before it reports it', async () => {
    const { disk, ends } = await written(2, LARGE)
    const harness = synchronousHarness(disk)
    const log = await mustOpen(harness)
    expect(log.recovered.lastIndex).toBe(6)
    const fresh = disk.paths().filter((path) => path.endsWith('.wal') && path !== SEGMENT)
    expect(fresh.some((path) => bytesOf(disk, path)[0] !== 0)).toBe(true)
    // The old copy is void from now on: losing it changes nothing.
    disk.crash()
    bytesOf(disk, SEGMENT).fill(0, ends[2])
    const again = await mustOpen(harness)
    expect(again.recovered.lastIndex).toBe(6)
    expect(listing((await readAll(harness, again, { first: 1, last: 6 })).records)).toHaveLength(6)
  })

  test('after a clean close goes on in the same segment', async () => {
    const { disk } = await written(3, LARGE)
    await mustOpen(synchronousHarness(disk))
    expect(disk.paths()).toEqual([SEGMENT, MARKER])
  })

  test('discards a newest segment without a header, prepared or half copied', async () => {
    const { disk } = await written(3, LARGE)
    const half = bytesOf(disk, SEGMENT).slice()
    half.set(encodeDraftHeader({ ...EMPTY_STATE, ...DRAFT }))
    disk.put('group-0/log/00000002.wal', half)
    disk.put('group-0/log/00000003.wal', new Uint8Array(1024))
    const log = await mustOpen(synchronousHarness(disk))
    expect(log.recovered.lastIndex).toBe(6)
    expect(disk.paths()).toEqual([SEGMENT, MARKER])
  })

  test('crashed at any point of the copy, with any sectors lost, the next one finds the same log', async () => {
    const { disk } = await written(2, LARGE)
    for (let steps = 0; ; steps += 1) {
      const line: (() => void)[] = []
      const copy = disk.copy((run) => line.push(run))
      const clock = new ManualClock()
      openLog(
        { directory: 'group-0', group: groupId(0), snapshot: null, ...SIZES, disk: copy, clock, listener: SILENT },
        () => undefined,
      )
      let taken = 0
      for (; taken < steps && line.length > 0; taken += 1) line.shift()?.()
      if (taken < steps) break
      const random = new Random(steps)
      copy.crash(() => random.chance(0.5))
      expect(await outcome(copy.copy(), () => undefined), `crashed after ${steps} steps`).toBe('last 6')
    }
  })
})
