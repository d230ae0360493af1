import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { logIndex, nodeId, term } from '../../../src/base/brand.ts'
import type { Obligation } from '../../../src/raft/types.ts'
import type { MemoryDisk } from '../../../src/storage/disk/memory-disk.ts'
import { decodeObligation, encodeObligation, joinedObligation } from '../../../src/storage/format/obligation-note.ts'
import { decodeTrail, encodeTrail } from '../../../src/storage/format/trail-record.ts'
import { sample } from '../../effort.ts'
import { synchronousHarness } from '../log/log-harnesses.ts'
import { LogAuthor, closeLog, listing, mustOpen, openFixture, payloads, readAll } from '../log/log-fixture.ts'
import type { LogHarness, OpenedFixture } from '../log/log-fixture.ts'

/** A damaged log of a cluster's node: what is intact is kept, what may have been acknowledged beyond is owed. */
const SECTOR = 512
const SIZES = { segmentBytes: 8 * 1024, firstSegmentBytes: 4 * 1024, started: true }
const NOTE = 'group-0/obligation'
const TRAIL = 'group-0/applied'
const CENSUS: Obligation = { kind: 'census', told: [] }

describe('a damaged log that may be repaired', () => {
  let disk: MemoryDisk
  let last = 0
  beforeAll(async () => {
    const harness = synchronousHarness()
    const log = await mustOpen(harness, { ...SIZES, started: false })
    const author = new LogAuthor(harness, log)
    for (let round = 0; round < 6; round += 1) author.append(payloads(author.lastIndex + 1, 8, 250))
    author.term = 7
    author.votedFor = nodeId('node-2')
    author.append([])
    last = author.lastIndex
    await closeLog(harness, log)
    disk = harness.disk.copy()
  })

  /** Opens what is left and checks that nothing acknowledged was forgotten. */
  async function opened(damaged: MemoryDisk): Promise<Obligation | null> {
    const harness = synchronousHarness(damaged)
    const log = await mustOpen(harness, { ...SIZES, repairs: true })
    const { lastIndex, hardState, obligation } = log.recovered
    const { records } = await readAll(harness, log, { first: 1, last: lastIndex })
    expect(listing(records)).toEqual(Array.from({ length: lastIndex }, (_, at) => `${at + 1}:1`))
    if (obligation === null) expect(lastIndex).toBe(last)
    if (obligation?.kind === 'reach') expect(obligation).toEqual({ kind: 'reach', term: 1, index: last })
    if (obligation?.kind !== 'census') expect(hardState).toEqual({ currentTerm: 7, votedFor: 'node-2' })
    await closeLog(harness, log)
    // Nothing was written meanwhile, and all that was known is known again.
    const { lastWrite } = log.recovered
    const idle = await mustOpen(harness, SIZES)
    expect(idle.recovered).toMatchObject({ lastIndex, hardState, lastWrite, obligation })
    await takesWrites(harness, idle, obligation)
    return obligation
  }

  /** It takes writes, and the next open owes the same, until it is told that all is met. */
  async function takesWrites(harness: LogHarness, log: OpenedFixture, obligation: Obligation | null): Promise<void> {
    const { lastIndex } = log.recovered
    const author = new LogAuthor(harness, log)
    author.append([])
    await author.settle()
    await closeLog(harness, log)
    const again = await mustOpen(harness, { ...SIZES })
    expect(again.recovered).toMatchObject({ lastIndex, obligation })
    again.store.obligationMet()
    await closeLog(harness, again)
    const third = await mustOpen(harness, SIZES)
    expect(third.recovered).toMatchObject({ lastIndex, obligation: null })
    await closeLog(harness, third)
  }

  test('any sector changed, zeroed or cut off, any file gone: it opens and owes what is missing', async () => {
    const kinds = new Set<string>()
    const damages = fc.array(
      fc.record({
        kind: fc.constantFrom('delete' as const, 'zero' as const, 'flip' as const, 'cut' as const),
        file: fc.nat(7),
        sector: fc.nat(16),
      }),
      { minLength: 1, maxLength: 3 },
    )
    await fc.assert(
      fc.asyncProperty(damages, async (items) => {
        const damaged = disk.copy()
        for (const { kind, file, sector } of items) {
          const paths = damaged.paths()
          const path = paths[file % paths.length]
          const bytes = path === undefined ? null : damaged.bytesOf(path)
          if (path === undefined || bytes === null) continue
          const at = sector * SECTOR
          if (kind === 'delete') damaged.remove(path, () => undefined)
          else if (kind === 'cut') damaged.put(path, bytes.slice(0, at))
          else if (kind === 'zero') bytes.fill(0, at, at + SECTOR)
          else if (at < bytes.length) bytes[at + 9] = (bytes[at + 9] ?? 0) ^ 4
        }
        kinds.add((await opened(damaged))?.kind ?? 'nothing')
      }),
      { numRuns: sample(60) },
    )
    expect([...kinds].sort()).toEqual(['census', 'nothing', 'reach'])
  })

  test('a record that changed in the middle costs what follows it; term and vote are known', async () => {
    const damaged = disk.copy()
    const bytes = damaged.bytesOf('group-0/log/00000002.wal')
    if (bytes !== null) bytes[1500] = (bytes[1500] ?? 0) ^ 1
    expect(await opened(damaged)).toEqual({ kind: 'reach', term: 1, index: last })
  })

  test('what was noted of entries that the log lost is no witness of those that come in their place', async () => {
    const damaged = disk.copy()
    const note = { recordedBy: [], recorded: [1, last].map((index) => ({ index, hash: '00000001fffffffe' })) }
    damaged.put(TRAIL, encodeTrail(note))
    const bytes = damaged.bytesOf('group-0/log/00000002.wal')
    if (bytes !== null) bytes[1500] = (bytes[1500] ?? 0) ^ 1
    await opened(damaged)
    const left = decodeTrail(damaged.bytesOf(TRAIL) ?? new Uint8Array())
    expect(left).toEqual({ ...note, recorded: note.recorded.slice(0, 1) })
  })

  test('where the newest write is damaged, term and vote are not known', async () => {
    const damaged = disk.copy()
    const path = damaged.paths().findLast((name) => name.endsWith('.wal') && !isUnused(damaged, name)) ?? ''
    const bytes = damaged.bytesOf(path) ?? new Uint8Array()
    let end = bytes.length
    while (end > SECTOR && bytes.subarray(end - SECTOR, end).every((byte) => byte === 0)) end -= SECTOR
    bytes[end - SECTOR + 60] = 99
    expect(await opened(damaged)).toEqual(CENSUS)
  })

  test('a marker that is cut short behind both its slots is written again at once', async () => {
    const damaged = disk.copy()
    const marker = damaged.bytesOf('group-0/marker') ?? new Uint8Array()
    damaged.put('group-0/marker', marker.slice(0, 9 * SECTOR))
    expect(await opened(damaged)).toBeNull()
  })

  test('without others who have the log, it is refused as it is', async () => {
    const damaged = disk.copy()
    const bytes = damaged.bytesOf('group-0/log/00000002.wal')
    if (bytes !== null) bytes[1500] = (bytes[1500] ?? 0) ^ 1
    expect(await openFixture(synchronousHarness(damaged), SIZES)).toMatchObject({ code: 'LOG_ROT' })
    expect(damaged.paths()).not.toContain(NOTE)
  })
})

describe('the note of an obligation', () => {
  const reach: Obligation = { kind: 'reach', term: term(7), index: logIndex(300) }

  test('says what was written, and one that cannot be read owes a census', () => {
    expect(decodeObligation(encodeObligation(reach))).toEqual(reach)
    expect(decodeObligation(encodeObligation(CENSUS))).toEqual(CENSUS)
    const bytes = encodeObligation(reach)
    for (let at = 0; at < 64; at += 1) {
      const wrong = Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte))
      expect(decodeObligation(wrong)).toEqual(CENSUS)
    }
    expect(decodeObligation(bytes.subarray(0, 100))).toEqual(CENSUS)
    expect(Buffer.from(bytes.subarray(0, 32)).toString('hex')).toMatchInlineSnapshot(
      `"484f626ceda4c22201010000000000000000000000000007000000000000012c"`,
    )
  })

  test('of two, the one that owes more counts', () => {
    const later: Obligation = { kind: 'reach', term: term(8), index: logIndex(1) }
    expect(joinedObligation(null, reach)).toEqual(reach)
    expect(joinedObligation(reach, later)).toEqual(later)
    expect(joinedObligation(later, reach)).toEqual(later)
    expect(joinedObligation(CENSUS, reach)).toEqual(CENSUS)
    expect(joinedObligation(reach, CENSUS)).toEqual(CENSUS)
  })
})

function isUnused(disk: MemoryDisk, path: string): boolean {
  return (disk.bytesOf(path) ?? []).every((byte) => byte === 0)
}
