import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { logIndex, nodeId } from '../../../src/base/brand.ts'
import { recordChain, recordLength } from '../../../src/codec/entry/record.ts'
import { LogAuthor, closeLog, listing, mustOpen, openFixture, payload, payloads, readAll } from './log-fixture.ts'
import type { LogHarness, OpenedFixture } from './log-fixture.ts'

/** What every log must do, whatever disk lies under it (storage.md §8.2). The harness lives for one test. */
export function logContract(name: string, makeHarness: () => LogHarness): void {
  describe(`the log on ${name}`, () => {
    let harness: LogHarness
    beforeEach(() => {
      harness = makeHarness()
    })
    afterEach(() => harness.dispose())

    test('a new log is empty', async () => {
      const log = await mustOpen(harness)
      expect(log.recovered).toEqual({
        hardState: { currentTerm: 0, votedFor: null },
        firstIndex: 1,
        baseTerm: 0,
        lastIndex: 0,
        runs: [],
        configurations: [],
        lastLease: 0,
        lastNow: 0,
        lastChain: 0,
        lastWrite: 0,
        tornBytes: 0,
        obligation: null,
      })
      await closeLog(harness, log)
    })

    test('what was persisted is there after a reopen, with terms, clocks, chain and write number', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 3))
      author.term = 4
      author.votedFor = nodeId('node-2')
      author.append(payloads(4, 2))
      await author.settle()
      const chain = log.store.chainAt(logIndex(5))
      await closeLog(harness, log)

      const again = await mustOpen(harness)
      expect(again.recovered).toMatchObject({
        hardState: { currentTerm: 4, votedFor: 'node-2' },
        firstIndex: 1,
        lastIndex: 5,
        runs: [
          { first: 1, last: 3, term: 1 },
          { first: 4, last: 5, term: 4 },
        ],
        lastLease: 50,
        lastNow: 1005,
        lastChain: chain,
        lastWrite: 2,
        tornBytes: 0,
      })
      expect(listing((await readAll(harness, again, { first: 1, last: 5 })).records)).toEqual([
        '1:1',
        '2:1',
        '3:1',
        '4:4',
        '5:4',
      ])
      await closeLog(harness, again)
    })

    test('a write of hard state alone survives', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.term = 9
      author.votedFor = nodeId('a'.repeat(63))
      author.append([])
      await author.settle()
      await closeLog(harness, log)
      const again = await mustOpen(harness)
      expect(again.recovered.hardState).toEqual({ currentTerm: 9, votedFor: 'a'.repeat(63) })
      await closeLog(harness, again)
    })

    test('a truncation, the entries that replace the tail and the hard state are one write', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 10))
      author.term = 2
      author.append(payloads(60, 3), 6)
      await author.settle()
      expect(listing((await readAll(harness, log, { first: 4, last: 99 })).records)).toEqual([
        '4:1',
        '5:1',
        '6:2',
        '7:2',
        '8:2',
      ])
      await closeLog(harness, log)
      const again = await mustOpen(harness)
      expect(again.recovered).toMatchObject({ lastIndex: 8, hardState: { currentTerm: 2 } })
      expect(listing((await readAll(harness, again, { first: 4, last: 8 })).records)).toEqual([
        '4:1',
        '5:1',
        '6:2',
        '7:2',
        '8:2',
      ])
      await closeLog(harness, again)
    })

    test('a truncation without entries survives', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 5))
      author.append([], 3)
      await author.settle()
      await closeLog(harness, log)
      const again = await mustOpen(harness)
      expect(again.recovered.lastIndex).toBe(2)
      await closeLog(harness, again)
    })

    test('completions come in write order, and the last write queued is the last completed', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      for (let write = 0; write < 50; write += 1) author.append(payloads(write, 2))
      await author.settle()
      expect(log.persisted).toEqual([...log.persisted].sort((a, b) => a - b))
      expect(log.persisted.at(-1)).toBe(50)
      expect(log.store.stats.writes).toBe(50)
      expect(log.store.oldestWriteAgeMs()).toBe(0)
      await closeLog(harness, log)
    })

    test('reads beyond the cache come from segments, over many of them, and bytes bound an answer', async () => {
      const log = await mustOpen(harness, { cacheBytes: 2000 })
      const author = new LogAuthor(harness, log)
      for (let write = 0; write < 60; write += 1) {
        author.append(payloads(author.lastIndex + 1, 7, 150))
        await author.settle()
      }
      const all = Array.from({ length: 420 }, (_, at) => `${at + 1}:1`)
      expect(listing((await readAll(harness, log, { first: 1, last: 420 })).records)).toEqual(all)
      const some = await readAll(harness, log, { first: 100, last: 420, maxBytes: 206 * 5 })
      expect([some.first, some.last]).toEqual([100, 104])
      const one = await readAll(harness, log, { first: 418, last: 420, maxBytes: 1 })
      expect(listing(one.records)).toEqual(['418:1'])
      const none = await readAll(harness, log, { first: 421, last: 500 })
      expect(none).toMatchObject({ last: 420, records: new Uint8Array(0) })
      await closeLog(harness, log)
      const again = await mustOpen(harness)
      expect(listing((await readAll(harness, again, { first: 1, last: 420 })).records)).toEqual(all)
      await closeLog(harness, again)
    })

    test('a read gives the very records wherever it begins and ends, also inside a large write', async () => {
      const sizes = { segmentBytes: 512 * 1024, firstSegmentBytes: 512 * 1024, cacheBytes: 2000 }
      const log = await mustOpen(harness, sizes)
      const author = new LogAuthor(harness, log)
      for (const count of [1, 900, 1, 40, 700, 300, 2, 2]) {
        author.append(payloads(author.lastIndex + 1, count, 150))
        await author.settle()
      }
      author.append(payloads(9000, 30, 150), 1500)
      await author.settle()
      await readsAnywhere(harness, log, author)
      const { first, last } = { first: log.recovered.firstIndex, last: author.lastIndex }
      await closeLog(harness, log)
      const again = await mustOpen(harness, sizes)
      expect(again.recovered).toMatchObject({ firstIndex: first, lastIndex: last })
      await readsAnywhere(harness, again, author)
      await closeLog(harness, again)
    })

    test('a truncation far below what memory holds is chained to the entry before it', async () => {
      const sizes = { segmentBytes: 64 * 1024, firstSegmentBytes: 64 * 1024, cacheBytes: 1000 }
      const log = await mustOpen(harness, sizes)
      const author = new LogAuthor(harness, log)
      for (let write = 0; write < 30; write += 1) author.append(payloads(author.lastIndex + 1, 9, 150))
      await author.settle()
      await closeLog(harness, log)
      const again = await mustOpen(harness, sizes)
      const next = author.goOn(again)
      expect(again.store.chainAt(logIndex(133))).toBe(null)
      next.term = 2
      next.append(payloads(500, 4, 150), 134)
      next.append([], 131)
      next.append(payloads(600, 5, 150))
      await next.settle()
      expect(again.store.chainAt(logIndex(135))).toBe(next.chainAt(135))
      await closeLog(harness, again)
      const third = await mustOpen(harness, sizes)
      expect(third.recovered).toMatchObject({ lastIndex: 135, lastChain: next.chainAt(135) })
      await readsAnywhere(harness, third, next)
      await closeLog(harness, third)
    })

    test('entries from a leader that do not continue the entries before them are damage', async () => {
      const log = await mustOpen(harness, { cacheBytes: 1000 })
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 60, 150))
      await author.settle()
      await closeLog(harness, log)
      const again = await mustOpen(harness)
      const other = new LogAuthor(harness, again, new Map([[39, 4711]]))
      other.append(payloads(40, 3), 40)
      await expect(other.settle()).rejects.toThrow(/LOG_ROT.*does not continue the chain/)
    })

    test('a record larger than a segment gets a segment of its own', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.append([payload(1, 100_000)])
      author.append(payloads(2, 2))
      await author.settle()
      await closeLog(harness, log)
      const again = await mustOpen(harness)
      expect((await readAll(harness, again, { first: 1, last: 1 })).records.length).toBe(100_056)
      await closeLog(harness, again)
    })

    test('a write larger than a frame becomes several frames and completes once', async () => {
      const log = await mustOpen(harness, { frameBodyBytesMax: 1000 })
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 40))
      await author.settle()
      expect(log.persisted).toEqual([1])
      expect(log.store.stats.syncs).toBeGreaterThanOrEqual(4)
      await closeLog(harness, log)
      const again = await mustOpen(harness)
      expect(again.recovered).toMatchObject({ lastIndex: 40, lastWrite: 1 })
      await closeLog(harness, again)
    })

    test('segments below a discarded index go, and the log begins later', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      for (let write = 0; write < 40; write += 1) {
        author.append(payloads(author.lastIndex + 1, 10, 150))
        await author.settle()
      }
      const chain = author.chainAt(300)
      log.store.discardUpTo(logIndex(300))
      await closeLog(harness, log)
      const snapshot = { index: 300, term: 1, chain, lease: 1, now: 2 }
      const again = await mustOpen(harness, { snapshot })
      expect(again.recovered.firstIndex).toBeGreaterThan(1)
      expect(again.recovered.firstIndex).toBeLessThanOrEqual(301)
      expect(again.recovered.lastIndex).toBe(400)
      await closeLog(harness, again)
      expect(await openFixture(harness)).toMatchObject({ code: 'LOG_ROT' })
    })

    test('a log that ends below the snapshot starts anew from it, and keeps the hard state', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.term = 3
      author.votedFor = nodeId('node-3')
      author.append(payloads(1, 5))
      await author.settle()
      await closeLog(harness, log)
      const snapshot = { index: 50, term: 3, chain: 77, lease: 123, now: 456 }
      const again = await mustOpen(harness, { snapshot })
      expect(again.recovered).toMatchObject({
        firstIndex: 51,
        lastIndex: 50,
        lastChain: 77,
        lastLease: 123,
        lastNow: 456,
        lastWrite: 1,
      })
      expect(again.recovered.hardState).toEqual({ currentTerm: 3, votedFor: 'node-3' })
      const next = new LogAuthor(harness, again)
      next.append(payloads(51, 2))
      await next.settle()
      await closeLog(harness, again)
      const third = await mustOpen(harness, { snapshot })
      expect(third.recovered).toMatchObject({ firstIndex: 51, lastIndex: 52, lastNow: 1052 })
      await closeLog(harness, third)
    })

    test('a log that does not chain to the snapshot starts anew from it', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 5))
      await author.settle()
      await closeLog(harness, log)
      const again = await mustOpen(harness, { snapshot: { index: 3, term: 6, chain: 77, lease: 0, now: 0 } })
      expect(again.recovered).toMatchObject({
        firstIndex: 4,
        lastIndex: 3,
        hardState: { currentTerm: 6, votedFor: null },
      })
      await closeLog(harness, again)
    })

    test('records that do not continue the chain are a programming error', async () => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 2))
      await author.settle()
      const { records } = await readAll(harness, log, { first: 1, last: 1 })
      const write = { write: 2 as never, hardState: { currentTerm: 1 as never, votedFor: null }, truncateFrom: null }
      expect(() => log.store.append({ ...write, records, firstIndex: logIndex(3), count: 1 })).toThrow(
        /consecutive indexes/,
      )
    })
  })
}

/** Reads from every seventh entry on, with bounds of all kinds, hold what the author wrote. */
async function readsAnywhere(harness: LogHarness, log: OpenedFixture, author: LogAuthor): Promise<void> {
  const { lastIndex } = author
  for (let first = 1; first <= lastIndex; first += first < 950 ? 113 : 7) {
    const maxBytes = [1, 206 * 3 + 5, 90_000, 1 << 30][first % 4] ?? 1
    const last = first % 3 === 0 ? first + 2 : lastIndex
    const read = await readAll(harness, log, { first, last, maxBytes })
    expect(read.first).toBe(first)
    expect(read.last).toBeLessThanOrEqual(last)
    const wanted = Math.min(Math.min(last, lastIndex) - first + 1, Math.max(1, Math.floor(maxBytes / 206)))
    expect(read.last - first + 1, `from ${first}, ${maxBytes} bytes`).toBe(wanted)
    let index = first
    for (let offset = 0; offset < read.records.length; offset += recordLength(read.records, offset)) {
      expect(recordChain(read.records, offset), `entry ${index}`).toBe(author.chainAt(index))
      index += 1
    }
    expect(index - 1).toBe(read.last)
  }
}
