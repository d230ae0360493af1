import { expect, test } from 'vitest'
import { KeyFault, KeyFiles } from '../../src/erasure/key-files.ts'
import { encodeKey, SLOT_BYTES, SLOTS, type SubjectKey } from '../../src/erasure/key-record.ts'
import { MemoryDisk } from '../../src/storage/disk/memory-disk.ts'
import type { Disk, DiskFile } from '../../src/storage/disk/disk.ts'
import { FailingDisk } from '../storage/disk/failing-disk.ts'

const PLACE = 'group-0/keys/00000001.keys'

function keyOf(subject: number, id: number): SubjectKey {
  const keyId = new Uint8Array(8)
  new DataView(keyId.buffer).setUint32(4, id)
  return { subject: new Uint8Array(32).fill(0xf0 + subject), keyId, key: new Uint8Array(32).fill(id % 0xf0) }
}

const nameOf = (subject: number): string => Buffer.alloc(32, 0xf0 + subject).toString('hex')
const open = (disk: Disk): Promise<KeyFiles> => KeyFiles.open({ disk, directory: 'group-0' })

function bytesOf(disk: MemoryDisk, path: string): Promise<Buffer> {
  return new Promise((resolve) => disk.readFile(path, (read) => resolve(Buffer.from((read.ok && read.value) || []))))
}

test('keys are found again after a power loss, once they were added, and more than one of a subject', async () => {
  const disk = new MemoryDisk()
  const files = await open(disk)
  await Promise.all([files.add([keyOf(1, 1)]), files.add([keyOf(1, 2)]), files.add([keyOf(2, 3), keyOf(1, 1)])])
  disk.crash()
  const again = await open(disk)
  expect(
    again
      .ofSubject(nameOf(1))
      .map(({ keyId }) => keyId[7])
      .sort(),
  ).toEqual([1, 2])
  expect([again.find(keyOf(2, 3).keyId), again.size, again.damaged]).toEqual([keyOf(2, 3), 3, 0])
  expect(again.sum).toEqual(files.sum)
})

test('a key that comes twice while others are written has one slot, and nothing of it outlives its destruction', async () => {
  const disk = new MemoryDisk()
  const files = await open(disk)
  const first = files.add([keyOf(2, 9)])
  const twice = [files.add([keyOf(1, 7), keyOf(1, 7)]), files.add([keyOf(1, 7)])]
  await Promise.all([first, ...twice, files.destroy(nameOf(1))])
  expect((await bytesOf(disk, PLACE)).includes(Buffer.alloc(32, 7))).toBe(false)
  expect([(await open(disk)).subjects(), files.size]).toEqual([[nameOf(2)], 1])
})

test('and of one that two slots have the second is empty once the file was opened', async () => {
  const disk = new MemoryDisk()
  await (await open(disk)).add([keyOf(1, 7)])
  const file = await new Promise<DiskFile | null>((resolve) =>
    disk.open(PLACE, (found) => resolve(found.ok ? found.value : null)),
  )
  if (file === null) throw new Error('it is there')
  await new Promise((resolve) => file.write(9 * SLOT_BYTES, [encodeKey(keyOf(1, 7))], resolve))
  const again = await open(disk)
  expect([again.size, again.damaged]).toEqual([1, 0])
  await again.destroy(nameOf(1))
  expect((await bytesOf(disk, PLACE)).includes(Buffer.alloc(32, 7))).toBe(false)
})

test('a destruction that failed is not done when it is asked for again', async () => {
  const counting = new FailingDisk(new MemoryDisk(), { call: 0, code: 'EIO', effect: false })
  await (await open(counting)).add([keyOf(1, 7)])
  for (const [call, effect] of [
    [counting.calls + 1, false],
    [counting.calls + 2, true],
  ] as const) {
    const failing = new FailingDisk(new MemoryDisk(), { call, code: 'EIO', effect })
    const files = await open(failing)
    await files.add([keyOf(1, 7)])
    for (let times = 0; times < 2; times += 1)
      await expect(files.destroy(nameOf(1)), failing.failed ?? '').rejects.toBeInstanceOf(KeyFault)
  }
})

test('without room for another file there is no new key, and those that there are stay in use', async () => {
  const counting = new FailingDisk(new MemoryDisk(), { call: 0, code: 'EIO', effect: false })
  const many = Array.from({ length: SLOTS - 2 }, (_, at) => keyOf(1, at + 1))
  await (await open(counting)).add(many)
  // Of two keys one has the last slot, the other one needs a file, whose making is the second call.
  const failing = new FailingDisk(new MemoryDisk(), { call: counting.calls + 2, code: 'ENOSPC', effect: false })
  const files = await open(failing)
  await files.add(many)
  await expect(files.add([keyOf(2, 2000), keyOf(2, 2001)])).rejects.toMatchObject({ fault: { code: 'DISK_FULL' } })
  await files.add([keyOf(2, 2002)])
  expect(files.ofSubject(nameOf(2))).toHaveLength(1)
  await files.destroy(nameOf(1))
  expect(files.size).toBe(1)
})

test('a subject’s keys are destroyed in every file, for good; those of others stay, and their slots are used again', async () => {
  const disk = new MemoryDisk()
  const files = await open(disk)
  const many = Array.from({ length: SLOTS + 10 }, (_, at) => keyOf(at % 2, at + 1))
  await files.add(many)
  expect(files.subjects().sort()).toEqual([nameOf(0), nameOf(1)])
  await files.destroy(nameOf(1))
  disk.crash()
  const again = await open(disk)
  expect([again.subjects(), again.size, again.damaged]).toEqual([[nameOf(0)], (SLOTS + 10) / 2, 0])
  for (const path of [PLACE, PLACE.replace('1.', '2.')])
    expect((await bytesOf(disk, path)).includes(Buffer.alloc(32, 0xf1))).toBe(false)
  await again.add(Array.from({ length: 400 }, (_, at) => keyOf(3, 5000 + at)))
  expect((await bytesOf(disk, PLACE.replace('1.', '3.'))).length).toBe(0)
  expect(again.sum).toEqual((await open(disk)).sum)
})

test('a slot that cannot be read is said to be damaged, overwritten and used again', async () => {
  const disk = new MemoryDisk()
  await (await open(disk)).add([keyOf(1, 1)])
  const file = await new Promise<DiskFile | null>((resolve) =>
    disk.open(PLACE, (found) => resolve(found.ok ? found.value : null)),
  )
  const slot = encodeKey(keyOf(1, 1))
  slot[60] = 77
  file?.write(SLOT_BYTES, [slot], () => undefined)
  const again = await open(disk)
  expect([again.size, again.damaged]).toEqual([0, 1])
  expect((await bytesOf(disk, PLACE)).subarray(SLOT_BYTES).every((byte) => byte === 0)).toBe(true)
})

test('each operation failed once: what was told as durable is there, and what was told as destroyed is not', async () => {
  const effects = [true, false]
  for (const effect of effects) {
    for (let call = 1; ; call += 1) {
      const disk = new MemoryDisk()
      const failing = new FailingDisk(disk, { call, code: 'EIO', effect })
      let told: 'nothing' | 'added' | 'destroyed' = 'nothing'
      try {
        const files = await open(failing)
        await files.add([keyOf(1, 1)])
        told = 'added'
        await files.destroy(nameOf(1))
        told = 'destroyed'
      } catch (error) {
        expect(error).toBeInstanceOf(KeyFault)
      }
      disk.crash()
      const again = await open(disk)
      // A destruction that failed may have taken place; the node stops, and does it again at its next start.
      if (told === 'destroyed') expect([call, again.size]).toEqual([call, 0])
      await again.destroy(nameOf(1))
      expect([call, again.size, (await open(disk)).size]).toEqual([call, 0, 0])
      if (failing.failed === null) {
        expect(call).toBeGreaterThan(8)
        break
      }
    }
  }
})

test('a key that was told as added is there after a power loss, whichever operation behind it fails', async () => {
  for (let call = 1; ; call += 1) {
    const disk = new MemoryDisk()
    const files = await open(disk)
    await files.add([keyOf(1, 1)])
    const failing = new FailingDisk(disk, { call, code: 'EIO', effect: false })
    const more = await open(failing)
      .then((next) => next.add([keyOf(2, 2)]))
      .catch((error) => error)
    disk.crash()
    expect([call, (await open(disk)).find(keyOf(1, 1).keyId)]).toEqual([call, keyOf(1, 1)])
    if (failing.failed === null) break
    expect(more).toBeInstanceOf(KeyFault)
  }
})
