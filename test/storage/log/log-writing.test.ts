import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/base/random.ts'
import { logIndex } from '../../../src/base/brand.ts'
import type { ReadRecords } from '../../../src/node/ports/log-store.ts'
import { markerSlotOffset, readMarker } from '../../../src/storage/format/marker-slot.ts'
import type { ReadMarker } from '../../../src/storage/format/marker-slot.ts'
import { FailingDisk } from '../disk/failing-disk.ts'
import { deferredHarness, synchronousHarness } from './log-harnesses.ts'
import { LogAuthor, closeLog, listing, mustOpen, payload, payloads, readAll } from './log-fixture.ts'

describe('group commit', () => {
  test('what queued while a write was in flight shares one frame and one fdatasync', async () => {
    const harness = deferredHarness()
    const log = await mustOpen(harness)
    const author = new LogAuthor(harness, log)
    for (let write = 0; write < 20; write += 1) author.append(payloads(author.lastIndex + 1, 1))
    await author.settle()
    expect(log.persisted).toEqual([1, 20])
    expect(log.store.stats).toMatchObject({ writes: 20, syncs: 2 })
    await closeLog(harness, log)
    const again = await mustOpen(harness)
    expect(again.recovered).toMatchObject({ lastIndex: 20, lastWrite: 20 })
  })

  test('a truncation starts a frame of its own, and order is kept', async () => {
    const harness = deferredHarness()
    const log = await mustOpen(harness)
    const author = new LogAuthor(harness, log)
    author.append(payloads(1, 4))
    author.append(payloads(5, 4))
    author.term = 2
    author.append(payloads(50, 2), 3)
    author.append(payloads(60, 2))
    await author.settle()
    expect(log.persisted).toEqual([1, 2, 4])
    await closeLog(harness, log)
    const again = await mustOpen(harness)
    expect(listing((await readAll(harness, again, { first: 1, last: 9 })).records)).toEqual([
      '1:1',
      '2:1',
      '3:2',
      '4:2',
      '5:2',
      '6:2',
    ])
  })

  test('nothing is acknowledged before its fdatasync has returned', async () => {
    const harness = deferredHarness()
    const log = await mustOpen(harness)
    const order: string[] = []
    const { disk } = harness
    const author = new LogAuthor(harness, log)
    author.append(payloads(1, 1))
    // Power is lost at every point: what was acknowledged is there.
    for (let write = 2; write < 30; write += 1) {
      author.append(payloads(author.lastIndex + 1, 1))
      await harness
        .until(() => log.persisted.length >= write / 2 - 1, 'some writes are persisted')
        .catch(() => undefined)
      const copy = disk.copy()
      order.push(`${log.persisted.at(-1)}`)
      const again = await mustOpen(synchronousHarness(copy))
      expect(again.recovered.lastWrite).toBeGreaterThanOrEqual(log.persisted.at(-1) ?? 0)
    }
    expect(new Set(order).size).toBeGreaterThan(3)
  })

  test('the age of the oldest write is the stall watchdog’s figure', async () => {
    const harness = deferredHarness()
    const log = await mustOpen(harness)
    const author = new LogAuthor(harness, log)
    expect(log.store.oldestWriteAgeMs()).toBe(0)
    author.append(payloads(1, 1))
    harness.clock.advance(250)
    author.append(payloads(2, 1))
    expect(log.store.oldestWriteAgeMs()).toBe(250)
    await author.settle()
    expect(log.store.oldestWriteAgeMs()).toBe(0)
  })
})

describe('power loss', () => {
  test('at any point, with any unsynced sectors lost, nothing acknowledged is missing', async () => {
    for (let seed = 1; seed <= 25; seed += 1) {
      const random = new Random(seed)
      const line: (() => void)[] = []
      const base = deferredHarness()
      const disk = base.disk.copy((run) => line.push(run))
      const pump = (steps: number): void => {
        for (let step = 0; step < steps && line.length > 0; step += 1) line.shift()?.()
      }
      const harness = {
        ...base,
        disk,
        until: async (condition: () => boolean) => {
          while (!condition() && line.length > 0) pump(1)
        },
      }
      let acknowledged = 0
      let last = 0
      for (let life = 0; life < 4; life += 1) {
        const log = await mustOpen(harness, { segmentBytes: 16_384, firstSegmentBytes: 8192 })
        expect(log.recovered.lastWrite, `seed ${seed}`).toBeGreaterThanOrEqual(acknowledged)
        const author = new LogAuthor(harness, log)
        await author.learn()
        for (let round = 0; round < 12; round += 1) {
          author.term += random.chance(0.1) ? 1 : 0
          const from = random.chance(0.15) && author.lastIndex > 3 ? author.lastIndex - random.below(3) : null
          author.append(
            Array.from({ length: random.below(6) + (from === null ? 0 : 1) }, (_, at) =>
              payload(at, random.below(900)),
            ),
            from,
          )
          pump(random.below(7))
          if (random.chance(0.1)) harness.clock.fireAll()
        }
        acknowledged = log.persisted.at(-1) ?? acknowledged
        last = log.recovered.lastWrite
        line.length = 0
        disk.crash(() => random.chance(0.5))
      }
      const final = await mustOpen(harness)
      expect(final.recovered.lastWrite, `seed ${seed}`).toBeGreaterThanOrEqual(Math.max(acknowledged, last))
      const { lastIndex } = final.recovered
      expect(listing((await readAll(harness, final, { first: 1, last: lastIndex })).records)).toHaveLength(lastIndex)
    }
  })
})

describe('reading', () => {
  test('entries truncated while they are read back answer nothing', async () => {
    const harness = deferredHarness()
    const log = await mustOpen(harness, { cacheBytes: 0 })
    const author = new LogAuthor(harness, log)
    author.append(payloads(1, 10))
    await author.settle()
    const answers: ReadRecords[] = []
    log.store.read({ first: logIndex(1), last: logIndex(10), maxBytes: 1e6 }, (_fault, read) => answers.push(read))
    log.store.read({ first: logIndex(1), last: logIndex(4), maxBytes: 1e6 }, (_fault, read) => answers.push(read))
    author.append([], 6)
    await harness.until(() => answers.length === 2, 'the reads complete')
    expect(answers.map((answer) => [answer.first, answer.last])).toEqual([
      [1, 0],
      [1, 4],
    ])
  })

  test('a record that changed on disk is refused as rot', async () => {
    const harness = synchronousHarness()
    const log = await mustOpen(harness, { cacheBytes: 0 })
    const author = new LogAuthor(harness, log)
    author.append(payloads(1, 10))
    const bytes = harness.disk.bytesOf('group-0/log/00000001.wal')
    if (bytes === null) throw new Error('the segment is missing')
    bytes[1300] = 99
    await expect(readAll(harness, log, { first: 1, last: 10 })).rejects.toThrow(
      /LOG_ROT.*group-0\/log\/00000001\.wal, offset \d+: /,
    )
  })

  test('a read spans the disk and the cache', async () => {
    const harness = synchronousHarness()
    const log = await mustOpen(harness, { cacheBytes: 3000 })
    const author = new LogAuthor(harness, log)
    for (let write = 0; write < 20; write += 1) author.append(payloads(author.lastIndex + 1, 5))
    const read = await readAll(harness, log, { first: 3, last: 99 })
    expect(listing(read.records)).toEqual(Array.from({ length: 97 }, (_, at) => `${at + 3}:1`))
  })
})

describe('the durable-end marker', () => {
  test('alternates between its slots, so that the older position survives a torn write of the newer', async () => {
    const harness = synchronousHarness()
    const log = await mustOpen(harness)
    const author = new LogAuthor(harness, log)
    const found: (number | undefined)[] = []
    for (let write = 0; write < 4; write += 1) {
      author.append(payloads(author.lastIndex + 1, 1))
      harness.clock.fireAll()
      const bytes = harness.disk.bytesOf('group-0/marker') ?? new Uint8Array(8192)
      const { newest } = readMarker(bytes)
      found.push(newest?.counter)
      const torn = bytes.slice()
      torn.fill(0, markerSlotOffset(newest?.counter ?? 0), markerSlotOffset(newest?.counter ?? 0) + 512)
      expect(readMarker(torn).newest).toMatchObject({ counter: (newest?.counter ?? 0) - 1, sequence: 1 })
    }
    expect(found).toEqual([3, 4, 5, 6])
  })

  test('says where the log ends in both slots once it rests, and after an open', async () => {
    const harness = synchronousHarness()
    const read = (): ReadMarker => readMarker(harness.disk.bytesOf('group-0/marker') ?? new Uint8Array(0))
    const log = await mustOpen(harness)
    expect(read()).toEqual({ newest: { counter: 2, sequence: 1, offset: 512 }, twice: true })
    const author = new LogAuthor(harness, log)
    author.append(payloads(1, 1))
    harness.clock.fireAll()
    expect(read()).toEqual({ newest: { counter: 3, sequence: 1, offset: 1536 }, twice: false })
    harness.clock.fireAll()
    expect(read()).toEqual({ newest: { counter: 4, sequence: 1, offset: 1536 }, twice: true })
    harness.clock.fireAll()
    expect(read().newest?.counter).toBe(4)
    author.append(payloads(2, 1))
    await closeLog(harness, log)
    expect(read()).toEqual({ newest: { counter: 6, sequence: 1, offset: 2560 }, twice: true })
    harness.disk.bytesOf('group-0/marker')?.fill(0, 0, 512)
    await closeLog(harness, await mustOpen(harness))
    expect(read()).toMatchObject({ newest: { sequence: 1, offset: 2560 }, twice: true })
  })

  test('is written lazily: no append waits for it', async () => {
    const base = deferredHarness()
    const disk = new FailingDisk(base.disk, {
      call: 1,
      code: 'EIO',
      effect: false,
      match: /(write|sync) group-0\/marker/,
    })
    const log = await mustOpen(base)
    const author = new LogAuthor(base, log)
    author.append(payloads(1, 1))
    await author.settle()
    expect(disk.calls).toBe(0)
    base.clock.fireAll()
    author.append(payloads(2, 1))
    await author.settle()
    expect(log.persisted).toEqual([1, 2])
  })
})
