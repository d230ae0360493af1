import { describe, expect, test } from 'vitest'
import type { AppliedTrail } from '../../src/node/ports/applied-trail.ts'
import type { BuildMachine } from '../../src/node/ports/peer-transport.ts'
import type { StorageFault } from '../../src/node/ports/storage-fault.ts'
import { MemoryDisk } from '../../src/storage/disk/memory-disk.ts'
import { encodeTrailHeader, encodeTrailRecord } from '../../src/storage/format/trail-record.ts'
import { openAppliedTrail } from '../../src/storage/trail/applied-trail-file.ts'

const hash = (index: number): string => index.toString(16).padStart(16, '0')
const machines = (code: string): BuildMachine[] => [{ name: 'stock', versions: [{ version: 1, schema: 's', code }] }]

function open(disk: MemoryDisk, code = 'c'): { trail: AppliedTrail; faults: StorageFault[] } {
  const faults: StorageFault[] = []
  let trail: AppliedTrail | null = null
  openAppliedTrail({ disk, directory: '', machines: machines(code) })(
    (fault) => void faults.push(fault),
    (_fault, opened) => {
      trail = opened
    },
  )
  if (trail === null) throw new Error('the trail opens at once')
  return { trail, faults }
}
const indexesOf = (trail: AppliedTrail): number[] => trail.recorded.map(({ index }) => index)

describe('the applied trail', () => {
  test('has the documented layout', () => {
    expect(encodeTrailHeader([]).subarray(0, 31).toString('hex')).toBe(
      // magic, length of the text, its CRC-32; {"machines":[]}
      ['4846545241494c31', '0000000f', 'd619ff09', '7b226d616368696e6573223a5b5d7d'].join(''),
    )
    expect(encodeTrailHeader([])).toHaveLength(512)
    expect(encodeTrailRecord({ index: 300, hash: '00000001fffffffe' }).toString('hex')).toBe(
      ['000000000000012c', '00000001fffffffe', 'f3606819'].join(''),
    )
  })

  test('gives the next process what was recorded, and by which machines, without the newest ones that are torn', () => {
    const disk = new MemoryDisk()
    const { trail } = open(disk)
    for (const index of [3, 5, 9]) trail.append({ index, hash: hash(index) })
    trail.close(() => undefined)
    const next = open(disk, 'changed')
    expect(next.trail.recorded).toEqual([3, 5, 9].map((index) => ({ index, hash: hash(index) })))
    expect(next.trail.recordedBy).toEqual(machines('c'))
    // The third record loses a byte of its hash.
    disk.open('/applied', (found) => {
      if (!found.ok || found.value === null) throw new Error('the file is there')
      found.value.write(512 + 2 * 20 + 9, [Buffer.from([7])], () => undefined)
    })
    expect(indexesOf(open(disk).trail)).toEqual([3, 5])
  })

  test('stays as it was until this process records something, which carries the others over', () => {
    const disk = new MemoryDisk()
    const first = open(disk).trail
    for (const index of [3, 5]) first.append({ index, hash: hash(index) })
    const second = open(disk, 'changed').trail
    second.discardUpTo(3)
    expect(indexesOf(open(disk).trail)).toEqual([3, 5])
    second.append({ index: 8, hash: hash(8) })
    const third = open(disk).trail
    expect([indexesOf(third), third.recordedBy]).toEqual([[5, 8], machines('changed')])
  })

  test('keeps few records of a long run, the first and the newest of it spread over all', () => {
    const disk = new MemoryDisk()
    const { trail } = open(disk)
    for (let index = 1; index <= 10_000; index += 1) trail.append({ index, hash: hash(index) })
    const indexes = indexesOf(open(disk).trail)
    expect(indexes.length).toBeLessThanOrEqual(2048)
    expect(indexes.at(-1)).toBe(10_000)
    expect(indexes[0]).toBeLessThan(64)
    trail.discardUpTo(9_999)
    expect(indexesOf(open(disk).trail)).toEqual([10_000])
    trail.append({ index: 10_001, hash: hash(10_001) })
    trail.discardAbove(10_000)
    expect(indexesOf(open(disk).trail)).toEqual([10_000])
  })

  test('of a file that is none says nothing', () => {
    const disk = new MemoryDisk()
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(600),
      Buffer.from('HFTRAIL1\xff\xff\xff\xff00000000', 'latin1'),
    ]) {
      disk.create('/applied', bytes.length, (made) => {
        if (made.ok) made.value.write(0, [bytes], () => undefined)
      })
      expect(indexesOf(open(disk).trail)).toEqual([])
    }
  })
})
