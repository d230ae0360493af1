import { expect, test } from 'vitest'
import { faultOf } from '../../../src/storage/disk/faults.ts'
import { databaseFault } from '../../../src/storage/snapshot/snapshot-database.ts'

const CAUSES = [
  ['ENOSPC', 'DISK_FULL', 'No space left on device', /The disk is full.*Free space on it/],
  ['EDQUOT', 'DISK_FULL', 'Disk quota exceeded', /quota is used up.*raise the quota/],
  ['EFBIG', 'DISK_FULL', 'File too large', /may not grow any more.*ulimit -f/],
  ['EROFS', 'UNWRITABLE', 'Read-only file system', /read-only: mount it writable/],
  ['EACCES', 'UNWRITABLE', 'Permission denied', /write permission/],
  ['EPERM', 'UNWRITABLE', 'Operation not permitted', /write permission/],
  ['EMFILE', 'IO_ERROR', 'Too many open files', /too few file descriptors, the disk is well.*ulimit -n/],
  ['EIO', 'IO_ERROR', 'Input/output error', /The disk reports an error.*Check the disk/],
] as const

test.each(CAUSES)(
  '%s of a file is %s, and the sentence names the cause and the way out',
  (code, fault, said, sentence) => {
    expect(faultOf({ code, operation: 'write', path: 'group-0/log/1.wal', message: said })).toEqual({
      code: fault,
      message: expect.stringMatching(sentence),
    })
  },
)

test.each(CAUSES)('%s within LevelDB, which gives a text alone, is the same fault: %s', (_, fault, said, sentence) => {
  const cause = Object.assign(new Error(`IO error: /data/group-0/state-0/000007.log: ${said}`), {
    code: 'LEVEL_IO_ERROR',
  })
  const found = databaseFault(new Error('Database is not open', { cause }), '/nowhere/group-0')
  expect(found).toEqual({ code: fault, message: expect.stringMatching(sentence) })
})

test('a disk without inodes is told from one without bytes', () => {
  const failed = { code: 'ENOSPC', operation: 'create', path: 'CURRENT.new', message: 'no space left on device' }
  expect(faultOf({ ...failed, lacks: 'inodes' }).message).toMatch(/no inodes left, whatever bytes are free.*df -i/)
  expect(faultOf({ ...failed, lacks: 'bytes' }).message).toMatch(/^The disk is full: create of CURRENT.new/)
})
