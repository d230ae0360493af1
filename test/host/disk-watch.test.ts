import { expect, test } from 'vitest'
import { DiskWatch } from '../../src/host/faults/disk-watch.ts'
import { temporaryDirectory } from '../cluster/processes.ts'

type Told = { readonly sentence: string; readonly of: string } | null

async function watchOf(reserveBytes: number): Promise<{ watch: DiskWatch; told: Told[] }> {
  const told: Told[] = []
  const watch = new DiskWatch({
    directory: await temporaryDirectory(),
    reserveBytes,
    told: (short) => told.push(short),
  })
  watch.start()
  watch.stop()
  return { watch, told }
}

test('the first look is before the first command: a disk that has less than the reserve is short of room', async () => {
  const { watch, told } = await watchOf(Number.MAX_SAFE_INTEGER)
  expect(watch.short).toBe(true)
  expect(told).toEqual([
    { sentence: expect.stringMatching(/^the disk is nearly full: \d+ MiB/), of: 'bytes', left: expect.any(Number) },
  ])
})

test('a segment that could not be made is a lack of room, whatever the disk says, until it is made', async () => {
  const { watch, told } = await watchOf(0)
  expect([watch.short, told]).toEqual([false, []])
  watch.segmentRoom('The disk quota is used up: …')
  watch.segmentRoom('The disk quota is used up: …')
  expect(watch.short).toBe(true)
  watch.segmentRoom(null)
  expect(watch.short).toBe(false)
  expect(told).toEqual([{ sentence: 'The disk quota is used up: …', of: 'segment', left: 0 }, null])
})
