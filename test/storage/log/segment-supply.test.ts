import { expect, test } from 'vitest'
import { groupId } from '../../../src/base/brand.ts'
import { failure, success } from '../../../src/base/result.ts'
import type { Disk, DiskFile } from '../../../src/storage/disk/disk.ts'
import { SegmentSupply } from '../../../src/storage/log/segment-supply.ts'

/** A disk that makes a file when it is told to, and says how many of a name are being made. */
class SlowDisk {
  readonly made: string[] = []
  full = true
  private readonly underWay: (() => void)[] = []

  get disk(): Disk {
    const create: Disk['create'] = (path, bytes, done) => {
      this.made.push(path)
      const full = { code: 'ENOSPC', operation: 'create', path, message: 'no space left on device' }
      const file = { size: bytes, close: (closed: () => void) => closed() } as unknown as DiskFile
      this.underWay.push(() => done(this.full ? failure(full) : success(file)))
    }
    const syncDirectory: Disk['syncDirectory'] = (_, done) => done(success(null))
    return { create, syncDirectory } as unknown as Disk
  }

  goOn(): void {
    this.underWay.shift()?.()
  }
}

class Timers {
  readonly set: { ms: number; run: () => void; over: boolean }[] = []

  setTimer(ms: number, run: () => void): { cancel(): void } {
    const timer = { ms, run, over: false }
    this.set.push(timer)
    return { cancel: () => void (timer.over = true) }
  }

  fire(): void {
    for (const timer of this.set.filter(({ over }) => !over)) {
      timer.over = true
      timer.run()
    }
  }
}

function supplied() {
  const [slow, timers] = [new SlowDisk(), new Timers()]
  const said: (string | null)[] = []
  const place = { disk: slow.disk, directory: 'log', group: groupId(0), clock: timers }
  const supply = new SegmentSupply(place, { onFault: () => undefined, onRoom: (short) => said.push(short) })
  return { slow, timers, supply, said }
}

test('a segment that is being made because it is needed is not made again beneath it', () => {
  const { slow, timers, supply } = supplied()
  supply.prepare(7, 4096)
  slow.goOn()
  slow.full = false
  const taken: (DiskFile | null)[] = []
  supply.take(7, { bytes: 100, size: 4096 }, (_, file) => taken.push(file))
  timers.fire()
  expect(slow.made).toEqual(['log/00000007.wal', 'log/00000007.wal'])
  slow.goOn()
  expect([taken.length, supply.preparedBytes]).toEqual([1, 0])
  timers.fire()
  expect(slow.made).toHaveLength(2)
})

test('a file that was made for another segment is not taken for this one', () => {
  const { slow, supply } = supplied()
  slow.full = false
  supply.prepare(7, 4096)
  slow.goOn()
  const taken: (DiskFile | null)[] = []
  supply.take(8, { bytes: 100, size: 4096 }, (_, file) => taken.push(file))
  slow.goOn()
  expect([slow.made, taken.length]).toEqual([['log/00000007.wal', 'log/00000008.wal'], 1])
})

test('it is tried less and less often, and often again once there was room', () => {
  const { slow, timers, supply, said } = supplied()
  supply.prepare(7, 4096)
  for (let tries = 0; tries < 8; tries += 1) {
    slow.goOn()
    timers.fire()
  }
  expect(timers.set.map(({ ms }) => ms)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  slow.full = false
  slow.goOn()
  slow.full = true
  supply.prepare(8, 4096)
  slow.goOn()
  expect([timers.set.at(-1)?.ms, said.length]).toEqual([1000, 3])
})
