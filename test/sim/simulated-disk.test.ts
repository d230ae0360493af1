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
