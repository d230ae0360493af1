import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { logIndex, nodeId } from '../../../src/base/brand.ts'
import type { MemoryDisk } from '../../../src/storage/disk/memory-disk.ts'
import type { SnapshotPosition } from '../../../src/storage/log/log-options.ts'
import { sample } from '../../effort.ts'
import { synchronousHarness } from '../log/log-harnesses.ts'
import { LogAuthor, closeLog, listing, mustOpen, openFixture, payloads, readAll } from '../log/log-fixture.ts'

/**
 * Whatever is lost of a directory whose marker had caught up: all that was acknowledged is there, entries and vote, or the
 * open is refused and every byte stays as it was (storage.md §3.5).
 */
const SECTOR = 512
const MARKER = 'group-0/marker'
const SIZES = { segmentBytes: 8 * 1024, firstSegmentBytes: 4 * 1024 }

interface Acknowledged {
  readonly disk: MemoryDisk
  readonly last: number
  /** It let the beginning of the log go. */
  readonly snapshot: SnapshotPosition | null
}

/** A log over several segments, with a vote as its last write; `end` says how its process ended. */
async function acknowledged(end: 'closed' | 'killed', discardUpTo: number): Promise<Acknowledged> {
  const harness = synchronousHarness()
  const log = await mustOpen(harness, SIZES)
  const author = new LogAuthor(harness, log)
  for (let round = 0; round < 6; round += 1) author.append(payloads(author.lastIndex + 1, 8, 250))
  const chain = author.chainAt(discardUpTo)
  if (discardUpTo > 0) log.store.discardUpTo(logIndex(discardUpTo))
  author.term = 7
  author.votedFor = nodeId('node-2')
  author.append([])
  if (end === 'closed') await closeLog(harness, log)
  else {
    harness.clock.fireAll()
    harness.clock.fireAll()
  }
  const snapshot = discardUpTo > 0 ? { index: discardUpTo, term: 1, chain, lease: 0, now: 0 } : null
  return { disk: harness.disk.copy(), last: author.lastIndex, snapshot }
}

type Damage =
  | { readonly kind: 'delete' | 'empty'; readonly file: number }
  | { readonly kind: 'zero' | 'flip' | 'cut'; readonly file: number; readonly sector: number }

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constantFrom('delete' as const, 'empty' as const), file: fc.nat(7) }),
  fc.record({
    kind: fc.constantFrom('zero' as const, 'flip' as const, 'cut' as const),
    file: fc.nat(7),
    // The first sectors are headers and the marker's slots: as likely as all others together.
    sector: fc.oneof(fc.nat(1), fc.nat(16)),
  }),
)

function inflict(disk: MemoryDisk, item: Damage): void {
  const paths = disk.paths()
  const path = paths[item.file % Math.max(1, paths.length)]
  const bytes = path === undefined ? null : disk.bytesOf(path)
  if (path === undefined || bytes === null) return
  switch (item.kind) {
    case 'delete':
      return disk.remove(path, () => undefined)
    case 'empty':
      return disk.put(path, bytes.slice().fill(0))
    default:
      break
  }
  // The marker's second slot is its eighth sector.
  const at = (path === MARKER && item.sector > 0 ? 8 : item.sector) * SECTOR
  if (item.kind === 'cut') disk.put(path, bytes.slice(0, at))
  else if (item.kind === 'zero') bytes.fill(0, at, at + SECTOR)
  else if (at < bytes.length) bytes[at + 9] = (bytes[at + 9] ?? 0) ^ 4
}

function contents(disk: MemoryDisk): string[] {
  return disk.paths().map((path) => `${path} ${Buffer.from(disk.bytesOf(path) ?? []).toString('base64')}`)
}

/** Opens what is left; the code of the refusal, or null once all that was acknowledged is found. */
async function opened(from: Acknowledged, damages: readonly Damage[]): Promise<string | null> {
  const disk = from.disk.copy()
  for (const item of damages) inflict(disk, item)
  const before = contents(disk)
  const harness = synchronousHarness(disk)
  const log = await openFixture(harness, { ...SIZES, started: true, snapshot: from.snapshot })
  if ('code' in log) {
    expect(contents(disk)).toEqual(before)
    return log.code
  }
  expect(log.recovered.lastIndex).toBe(from.last)
  expect(log.recovered.hardState).toEqual({ currentTerm: 7, votedFor: 'node-2' })
  const { records } = await readAll(harness, log, { first: log.recovered.firstIndex, last: from.last })
  expect(listing(records)).toHaveLength(from.last - log.recovered.firstIndex + 1)
  return null
}

describe('whatever is lost of a log whose marker had caught up', () => {
  let logs: readonly Acknowledged[] = []
  beforeAll(async () => {
    logs = [await acknowledged('closed', 0), await acknowledged('killed', 0)]
  })

  test('any single sector, zeroed or changed, and any file: all is there, or it is refused unchanged', async () => {
    for (const log of logs) {
      const files = log.disk.paths().length
      for (let file = 0; file < files; file += 1) {
        expect(await opened(log, [])).toBeNull()
        for (const kind of ['delete', 'empty'] as const) await opened(log, [{ kind, file }])
        for (let sector = 0; sector < 17; sector += 1) {
          for (const kind of ['zero', 'flip', 'cut'] as const) await opened(log, [{ kind, file, sector }])
        }
      }
    }
  })

  test('any subset of sectors and files: all is there, or it is refused unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1), fc.array(damage, { minLength: 1, maxLength: 5 }), async (which, damages) => {
        await opened(logs[which] as Acknowledged, damages)
      }),
      { numRuns: sample(300) },
    )
  })

  test('also where a snapshot has let the beginning go', async () => {
    const log = await acknowledged('closed', 20)
    expect(log.disk.paths()).not.toContain('group-0/log/00000001.wal')
    expect(await opened(log, [])).toBeNull()
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 5 }), async (damages) => {
        await opened(log, damages)
      }),
      { numRuns: sample(150) },
    )
  })
})

describe('a lost hard state', () => {
  const only = async (): Promise<MemoryDisk> => {
    const harness = synchronousHarness()
    const log = await mustOpen(harness, SIZES)
    new LogAuthor(harness, log).append(payloads(1, 3))
    await closeLog(harness, log)
    return harness.disk.copy()
  }
  const SEGMENT = 'group-0/log/00000001.wal'

  test.each([
    [
      'the marker missing and the first sector of the only segment zeroed',
      true,
      (disk: MemoryDisk) => {
        disk.remove(MARKER, () => undefined)
        disk.bytesOf(SEGMENT)?.fill(0, 0, SECTOR)
      },
    ],
    [
      'the same, where nobody says that the node was started',
      false,
      (disk: MemoryDisk) => {
        disk.remove(MARKER, () => undefined)
        disk.bytesOf(SEGMENT)?.fill(0, 0, SECTOR)
      },
    ],
    [
      'the marker missing and the only segment all zero',
      true,
      (disk: MemoryDisk) => {
        disk.remove(MARKER, () => undefined)
        disk.bytesOf(SEGMENT)?.fill(0)
      },
    ],
    [
      'everything missing',
      true,
      (disk: MemoryDisk) => {
        disk.remove(MARKER, () => undefined)
        disk.remove(SEGMENT, () => undefined)
      },
    ],
    ['the marker alone zeroed', true, (disk: MemoryDisk) => disk.bytesOf(MARKER)?.fill(0)],
  ] as const)('is refused, naming the file, and nothing is deleted: %s', async (_what, started, lose) => {
    const disk = await only()
    lose(disk)
    const before = contents(disk)
    const fault = await openFixture(synchronousHarness(disk), { ...SIZES, started })
    expect(fault).toMatchObject({
      code: 'LOG_ROT',
      message: expect.stringMatching(
        /^The log is damaged: group-0\/(marker|log\/00000001\.wal), .*Nothing was changed\./,
      ),
    })
    expect(contents(disk)).toEqual(before)
  })
})
