import { beforeAll, describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import type { Obligation } from '../../../src/raft/types.ts'
import { MemoryDisk } from '../../../src/storage/disk/memory-disk.ts'
import { FailingDisk } from '../disk/failing-disk.ts'
import { closeLog, listing, LogAuthor, mustOpen, openFixture, payloads, readAll } from '../log/log-fixture.ts'
import { synchronousHarness } from '../log/log-harnesses.ts'

/** The repair of a damaged log, where the disk fails it or the process dies in the midst (storage.md §3, faults.md §6). */
const SIZES = { segmentBytes: 8 * 1024, firstSegmentBytes: 4 * 1024, started: true }
const SECTOR = 512

/** A log of several segments, term 1, whose last write is a vote of term 7; closed. */
async function written(): Promise<{ disk: MemoryDisk; last: number }> {
  const harness = synchronousHarness()
  const log = await mustOpen(harness, { ...SIZES, started: false })
  const author = new LogAuthor(harness, log)
  for (let round = 0; round < 6; round += 1) author.append(payloads(author.lastIndex + 1, 8, 250))
  author.term = 7
  author.votedFor = nodeId('node-2')
  author.append([])
  await closeLog(harness, log)
  return { disk: harness.disk.copy(), last: author.lastIndex }
}

const segments = (disk: MemoryDisk): readonly string[] =>
  disk.paths().filter((path) => path.endsWith('.wal') && (disk.bytesOf(path) ?? []).some((byte) => byte !== 0))

function flip(disk: MemoryDisk, path: string | undefined, at: number): void {
  const bytes = path === undefined ? null : disk.bytesOf(path)
  if (bytes !== null) bytes[at] = (bytes[at] ?? 0) ^ 4
}

const DAMAGES: { readonly [name: string]: (disk: MemoryDisk) => void } = {
  'a record in the middle': (disk) => flip(disk, segments(disk)[1], 1500),
  'the header of an older segment': (disk) => flip(disk, segments(disk)[0], 20),
  'the newest write': (disk) => {
    const path = segments(disk).at(-1)
    const end = disk.bytesOf(path ?? '')?.findLastIndex((byte) => byte !== 0) ?? 0
    flip(disk, path, Math.floor(end / SECTOR) * SECTOR + 60)
  },
  'the header of the newest segment': (disk) => flip(disk, segments(disk).at(-1), 20),
  'a segment that is gone': (disk) => disk.remove(segments(disk)[1] ?? '', () => undefined),
  'both slots of the marker': (disk) => {
    flip(disk, 'group-0/marker', 20)
    flip(disk, 'group-0/marker', 4096 + 20)
  },
}

/** What an open found, that must stay. */
interface Found {
  readonly lastIndex: number
  readonly obligation: Obligation | null
  readonly term: number
}

async function repaired(disk: MemoryDisk): Promise<Found> {
  const harness = synchronousHarness(disk)
  const log = await mustOpen(harness, { ...SIZES, repairs: true })
  const { lastIndex, obligation, hardState } = log.recovered
  const { records } = await readAll(harness, log, { first: 1, last: lastIndex })
  expect(listing(records)).toEqual(Array.from({ length: lastIndex }, (_, at) => `${at + 1}:1`))
  await closeLog(harness, log)
  return { lastIndex, obligation, term: hardState.currentTerm }
}

/** Of the unsynced sectors a power loss takes all, none, or every other one. */
const LOSSES: { readonly [name: string]: () => () => boolean } = {
  all: () => () => true,
  none: () => () => false,
  'every other': () => {
    let at = 0
    return () => (at += 1) % 2 === 0
  },
}

describe.each(Object.keys(DAMAGES))('the repair of %s', (name) => {
  let damaged = new MemoryDisk()
  let clean: Found = { lastIndex: 0, obligation: null, term: 0 }
  beforeAll(async () => {
    const { disk, last } = await written()
    DAMAGES[name]?.(disk)
    damaged = disk
    clean = await repaired(disk.copy())
    // Entries are missing, or the newest write may be: it is owed.
    if (clean.lastIndex < last) expect(clean.obligation).not.toBeNull()
  })

  /** Whatever happened to the first try: as much is kept, as much is owed, and never less. */
  async function expectAsRepaired(disk: MemoryDisk, where: string): Promise<void> {
    const again = await repaired(disk)
    expect(again.lastIndex, where).toBe(clean.lastIndex)
    if (again.obligation?.kind !== 'census') {
      expect(again.obligation, where).toEqual(clean.obligation)
      expect(again.term, where).toBe(clean.term)
    }
    // And it stays so: what the second open noted is there at the third.
    disk.crash()
    expect(await repaired(disk), where).toEqual(again)
  }

  test.each([false, true])(
    'each call of the disk failing once is a fault, and the next open repairs it (effect: %s)',
    async (effect) => {
      let call = 1
      for (; ; call += 1) {
        const base = synchronousHarness(damaged.copy())
        const disk = new FailingDisk(base.disk, { call, code: 'EIO', effect })
        const log = await openFixture({ ...base, disk }, { ...SIZES, repairs: true })
        if (!('code' in log)) await closeLog({ ...base, disk }, log)
        if (disk.failed === null) break
        if ('code' in log) expect(['IO_ERROR', 'LOG_ROT'], disk.failed).toContain(log.code)
        else expect(disk.failed).toMatch(/marker/)
        // One that was opened and reported as failed is nobody's to close.
        if (!effect) expect(disk.filesOpen, disk.failed).toBe(0)
        base.disk.crash()
        await expectAsRepaired(base.disk, `call ${call}, ${disk.failed}, effect ${effect}`)
      }
      expect(call).toBeGreaterThan(10)
    },
  )

  test.each(Object.keys(LOSSES))(
    'a power loss after each call of the disk, which takes %s of what was not synced',
    async (loss) => {
      let call = 1
      for (; ; call += 1) {
        const base = synchronousHarness(damaged.copy())
        const disk = new FailingDisk(base.disk, { call, code: '', effect: true, dies: true })
        // One that dies is never answered, which the harness says.
        const log = await openFixture({ ...base, disk }, { ...SIZES, repairs: true }).catch(() => null)
        if (disk.failed === null) break
        expect(log).toBeNull()
        base.disk.crash(LOSSES[loss]?.())
        await expectAsRepaired(base.disk, `call ${call}, ${disk.failed}, loss of ${loss}`)
      }
      expect(call).toBeGreaterThan(10)
    },
  )
})
