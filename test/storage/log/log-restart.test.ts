import { describe, expect, test } from 'vitest'
import { logIndex, nodeId, term } from '../../../src/base/brand.ts'
import { FailingDisk } from '../disk/failing-disk.ts'
import { closeLog, listing, LogAuthor, mustOpen, openFixture, payloads, readAll } from './log-fixture.ts'
import type { FixtureOptions, LogHarness } from './log-fixture.ts'
import { deferredHarness, nodeHarness, synchronousHarness } from './log-harnesses.ts'

/** Last entry of the snapshot that was installed, and what an open is told of it. */
const BASE = { index: logIndex(100), term: term(3), chain: 0xabcdef }
const SNAPSHOT = { index: 100, term: 3, chain: 0xabcdef, lease: 7, now: 8 }

describe.each([
  ['real files', nodeHarness],
  ['memory', () => synchronousHarness()],
  ['memory with deferred completions', deferredHarness],
] as const)('a log that is restarted behind a snapshot, on %s', (_name, makeHarness) => {
  const withLog = async (run: (harness: LogHarness) => Promise<void>): Promise<void> => {
    const harness = makeHarness()
    try {
      await run(harness)
    } finally {
      await harness.dispose()
    }
  }

  test('holds nothing of what it held, and goes on with the next entry', () =>
    withLog(async (harness) => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      author.append(payloads(1, 30))
      author.append(payloads(31, 30))
      author.restart(BASE)
      expect(log.store.firstIndex).toBe(101)
      expect(log.store.chainAt(BASE.index)).toBe(BASE.chain)
      expect((await readAll(harness, log, { first: 20, last: 60 })).records).toHaveLength(0)
      author.term = 4
      author.append(payloads(101, 5))
      await author.settle()
      expect(listing((await readAll(harness, log, { first: 101, last: 105 })).records)).toHaveLength(5)
      await closeLog(harness, log)
      const again = await mustOpen(harness, { snapshot: SNAPSHOT })
      expect(again.recovered).toMatchObject({ firstIndex: 101, lastIndex: 105, baseTerm: 3, lastWrite: 4 })
      await closeLog(harness, again)
    }))

  test('keeps term and vote, and its segments from before go', () =>
    withLog(async (harness) => {
      const log = await mustOpen(harness)
      const author = new LogAuthor(harness, log)
      for (let round = 0; round < 10; round += 1) author.append(payloads(author.lastIndex + 1, 20, 200))
      author.term = 9
      author.votedFor = nodeId('node-2')
      author.restart(BASE)
      await author.settle()
      await harness.until(() => segmentsOf(harness).length <= 2, 'the segments before it are gone')
      await closeLog(harness, log)
      const again = await mustOpen(harness, { snapshot: SNAPSHOT })
      expect(again.recovered).toMatchObject({
        hardState: { currentTerm: 9, votedFor: 'node-2' },
        firstIndex: 101,
        lastIndex: 100,
        lastLease: 7,
        lastNow: 8,
      })
      await closeLog(harness, again)
    }))
})

function segmentsOf({ disk }: LogHarness): readonly string[] {
  let names: readonly string[] = []
  disk.list('group-0/log', (listed) => {
    if (listed.ok) names = listed.value
  })
  return names
}

const SIZES: FixtureOptions = { segmentBytes: 8192, firstSegmentBytes: 4096 }

/** Writes, a restart, and writes behind it; the last write that was acknowledged. */
async function workload(harness: LogHarness): Promise<{ acknowledged: number; restarted: number }> {
  const log = await openFixture(harness, SIZES)
  if ('code' in log) return { acknowledged: 0, restarted: Number.POSITIVE_INFINITY }
  const author = new LogAuthor(harness, log)
  for (let round = 0; round < 3; round += 1) author.append(payloads(author.lastIndex + 1, 5, 200))
  author.term = 3
  const restarted = author.restart(BASE)
  for (let round = 0; round < 3; round += 1) author.append(payloads(author.lastIndex + 1, 5, 200))
  const acknowledged = log.persisted.at(-1) ?? 0
  await closeLog(harness, log)
  return { acknowledged, restarted }
}

test.each([false, true])(
  'whichever call of the disk fails, an open finds the log before the restart or the one behind the snapshot (effect: %s)',
  async (effect) => {
    const begins = new Set<string>()
    for (let call = 1; ; call += 1) {
      const base = synchronousHarness()
      const disk = new FailingDisk(base.disk, { call, code: 'EIO', effect })
      const { acknowledged, restarted } = await workload({ ...base, disk })
      if (disk.failed === null) break
      const where = `call ${call} (${disk.failed})`
      base.disk.crash()
      // CURRENT was switched before the log was restarted: every open is told of the snapshot.
      const log = await mustOpen(base, { ...SIZES, snapshot: SNAPSHOT })
      const { firstIndex, lastIndex, lastWrite, hardState } = log.recovered
      expect(firstIndex, where).toBe(101)
      expect(lastWrite, where).toBeGreaterThanOrEqual(acknowledged)
      expect(hardState.currentTerm, where).toBeGreaterThanOrEqual(3)
      if (acknowledged > restarted)
        expect(lastIndex, where).toBeGreaterThanOrEqual(100 + 5 * (acknowledged - restarted))
      begins.add(lastIndex > 100 ? 'behind it' : 'at it')
      await closeLog(base, log)
      expect(call).toBeLessThan(300)
    }
    expect([...begins].sort()).toEqual(['at it', 'behind it'])
  },
)
