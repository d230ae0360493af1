import { expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { Scheduler } from '../../src/sim/world/scheduler.ts'
import { SimulatedDisk } from '../../src/sim/world/simulated-disk.ts'
import { type DiskFile, SECTOR_BYTES } from '../../src/storage/disk/disk.ts'

const CALM = { operationMax: 1, syncMin: 1, syncMax: 1, stallChance: 0, stall: 0 }

/** Seeds 150 and 242: a sector was lost in part, and the log rightly called that damage. */
test('a power loss takes whole sectors, also where two buffers of one write share one', () => {
  let lost = 0
  for (let seed = 1; seed <= 200; seed += 1) {
    const content = afterPowerLoss(seed)
    const sectors = Array.from({ length: 4 }, (_, at) => content.subarray(at * SECTOR_BYTES, (at + 1) * SECTOR_BYTES))
    for (const sector of sectors) {
      const written = sector.filter((byte) => byte !== 0).length
      expect([0, SECTOR_BYTES], `seed ${seed}`).toContain(written)
      if (written === 0) lost += 1
    }
  }
  expect(lost).toBeGreaterThan(100)
})

/** Four sectors, written in one request of odd buffers and never synced. */
function afterPowerLoss(seed: number): Uint8Array {
  const scheduler = new Scheduler()
  const simulated = new SimulatedDisk(scheduler, new Random(seed), CALM)
  const disk = simulated.open()
  let file: DiskFile | null = null
  disk.create('file', 4 * SECTOR_BYTES, (created) => {
    file = created.ok ? created.value : null
  })
  disk.syncDirectory('', () => undefined)
  while (scheduler.next());
  const sizes = [512, 108, 43, 151, 700, 534]
  const buffers = sizes.map((size, at) => new Uint8Array(size).fill(at + 1))
  ;(file as DiskFile | null)?.write(0, buffers, () => undefined)
  while (scheduler.next());
  simulated.crash(true)
  let content = new Uint8Array(0)
  simulated.open().readFile('file', (read) => {
    if (read.ok && read.value !== null) content = Uint8Array.from(read.value)
  })
  while (scheduler.next());
  return content
}

/** Charts, seeds 4343 and 4597: a segment that was synced, and is there no more after a power loss. */
test('a sync that completes after a later one undoes nothing of what that one has made durable', () => {
  const scheduler = new Scheduler()
  const simulated = new SimulatedDisk(scheduler, new Random(1), CALM)
  const disk = simulated.open()
  const syncTakes = (micros: number): void => {
    simulated.weather = { ...CALM, syncMin: micros, syncMax: micros }
  }
  const completed: string[] = []
  const syncDirectory = (name: string): void => disk.syncDirectory('', () => completed.push(name))
  const made: DiskFile[] = []
  const create = (): void =>
    disk.create('file', SECTOR_BYTES, (created) => {
      if (created.ok) made.push(created.value)
    })
  create()
  syncDirectory('first')
  while (scheduler.next());
  disk.remove('file', () => undefined)
  syncTakes(1000)
  syncDirectory('slow')
  create()
  syncTakes(1)
  syncDirectory('quick')
  while (scheduler.next());
  expect(completed).toEqual(['first', 'quick', 'slow'])

  const file = made[1] as DiskFile // its callback has come
  const write = (byte: number, syncMicros: number, then: () => void): void =>
    file.write(0, [new Uint8Array(SECTOR_BYTES).fill(byte)], () => {
      syncTakes(syncMicros)
      file.sync(() => undefined)
      then()
    })
  write(1, 1000, () => write(2, 1, () => undefined))
  while (scheduler.next());
  simulated.crash(true)
  let content: Uint8Array | null = null
  simulated.open().readFile('file', (read) => {
    if (read.ok) content = read.value
  })
  while (scheduler.next());
  expect(content).toEqual(new Uint8Array(SECTOR_BYTES).fill(2))
})

test('what a failed sync was to make durable can be read, and is never on disk, whatever is synced later', () => {
  const scheduler = new Scheduler()
  const simulated = new SimulatedDisk(scheduler, new Random(1), CALM)
  const disk = simulated.open()
  const made: DiskFile[] = []
  disk.create('file', 2 * SECTOR_BYTES, (created) => {
    if (created.ok) made.push(created.value)
  })
  disk.syncDirectory('', () => undefined)
  while (scheduler.next());
  const synced: boolean[] = []
  for (const at of [0, 1]) {
    made[0]?.write(at * SECTOR_BYTES, [new Uint8Array(SECTOR_BYTES).fill(at + 1)], () => undefined)
    while (scheduler.next());
    simulated.failNextSync(at === 0)
    made[0]?.sync((result) => synced.push(result.ok))
    while (scheduler.next());
  }
  expect(synced).toEqual([false, true])
  expect(simulated.syncFailed).toBe(true)
  const read = (): readonly number[] => {
    let bytes: Uint8Array | null = null
    simulated.open().readFile('file', (result) => {
      if (result.ok) bytes = result.value
    })
    while (scheduler.next());
    return [0, SECTOR_BYTES].map((at) => (bytes as Uint8Array | null)?.[at] ?? -1)
  }
  expect(read()).toEqual([1, 2])
  simulated.crash(true)
  expect(read()).toEqual([0, 2])
  expect(simulated.syncFailed).toBe(false)
})
