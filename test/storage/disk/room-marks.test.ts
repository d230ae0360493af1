import { expect, test } from 'vitest'
import { RESERVE_BYTES, reserveBytesOf, shortageOf, type FileSystemRoom } from '../../../src/storage/disk/room-marks.ts'

const GIB = 1024 ** 3
const DISK: FileSystemRoom = { freeBytes: 50 * GIB, totalBytes: 100 * GIB, freeInodes: 9e6, totalInodes: 1e7 }

test.each([
  ['a large disk', 100 * GIB, RESERVE_BYTES],
  ['a small disk', GIB, Math.floor(GIB / 10)],
])('the reserve of %s, where none is named', (_, totalBytes, reserve) => {
  expect(reserveBytesOf(totalBytes)).toBe(reserve)
})

test.each([
  ['what is free is enough', {}, null, false, null],
  ['below the reserve', { freeBytes: RESERVE_BYTES - 1 }, null, false, 'bytes'],
  ['at the reserve', { freeBytes: RESERVE_BYTES }, null, false, null],
  ['at the reserve, and it was short', { freeBytes: RESERVE_BYTES }, null, true, 'bytes'],
  ['a quarter more than that', { freeBytes: RESERVE_BYTES * 1.25 }, null, true, null],
  ['below a reserve that was named', { freeBytes: 3 * GIB }, 4 * GIB, false, 'bytes'],
  ['nothing is free, and nothing kept', { freeBytes: 0 }, 0, false, null],
  ['bytes, and no inodes', { freeInodes: 0 }, null, false, 'inodes'],
  ['few inodes, and they were short', { freeInodes: 1100 }, null, true, 'inodes'],
  ['few inodes of few', { freeInodes: 60, totalInodes: 1000 }, null, false, null],
  ['a file system without a table of inodes', { freeInodes: 0, totalInodes: 0 }, null, true, null],
] as const)('%s', (_, changed, reserve, was, of) => {
  expect(shortageOf({ ...DISK, ...changed }, reserve, was)?.of ?? null).toBe(of)
})
