import { expect, test } from 'vitest'
import { failure } from '../../../src/base/result.ts'
import type { Disk } from '../../../src/storage/disk/disk.ts'
import type { MemoryDisk } from '../../../src/storage/disk/memory-disk.ts'
import { LogAuthor, mustOpen, payloads } from './log-fixture.ts'
import { synchronousHarness } from './log-harnesses.ts'

/** A disk that holds no further file of the log while it is full. */
class FullDisk {
  full = false
  tries = 0

  over(disk: MemoryDisk): Disk {
    const create: Disk['create'] = (path, bytes, done) => {
      if (!this.full) return disk.create(path, bytes, done)
      this.tries += 1
      done(failure({ code: 'EDQUOT', operation: 'write', path, message: 'quota exceeded' }))
    }
    return new Proxy<Disk>(disk, {
      get: (target, name: keyof Disk) => (name === 'create' ? create : target[name].bind(target)),
    })
  }
}

async function opened(): Promise<{
  full: FullDisk
  author: LogAuthor
  said: (string | null)[]
  faults: readonly { code: string }[]
  clock: { fireAll(): void }
  persisted: readonly number[]
}> {
  const base = synchronousHarness()
  const full = new FullDisk()
  const said: (string | null)[] = []
  const harness = { ...base, disk: full.over(base.disk) }
  const log = await mustOpen(harness, { firstSegmentBytes: 16_384, onRoom: (short) => said.push(short) })
  return { full, author: new LogAuthor(harness, log), said, ...log, clock: base.clock }
}

test('a segment for which there is no room is said once, tried again, and said to be there', async () => {
  const { full, author, said, faults, clock, persisted } = await opened()
  full.full = true
  for (let round = 0; round < 6; round += 1) author.append(payloads(author.lastIndex + 1, 1, 1000))
  expect(said).toEqual([expect.stringContaining('The disk quota is used up')])
  clock.fireAll()
  clock.fireAll()
  expect([said.length, full.tries, faults]).toEqual([1, 3, []])
  full.full = false
  clock.fireAll()
  expect(said).toEqual([expect.any(String), null])
  expect(persisted).toHaveLength(6)
})

test('once it is needed and cannot be made, the log ends with that fault, and what was acknowledged is there', async () => {
  const { full, author, faults, persisted } = await opened()
  full.full = true
  for (let round = 0; round < 40; round += 1) author.append(payloads(author.lastIndex + 1, 1, 1000))
  expect(faults).toEqual([{ code: 'DISK_FULL', message: expect.stringContaining('quota') }])
  expect(persisted.length).toBeGreaterThan(5)
  expect(persisted.length).toBeLessThan(20)
})
