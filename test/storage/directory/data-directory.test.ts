import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import type { StorageFault } from '../../../src/node/ports/storage-fault.ts'
import { openDataDirectory } from '../../../src/storage/directory/data-directory.ts'
import type { DataDirectory, OpenDataDirectoryOptions } from '../../../src/storage/directory/data-directory.ts'
import { MemoryDisk } from '../../../src/storage/disk/memory-disk.ts'
import { FailingDisk } from '../disk/failing-disk.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-data-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const CREATE = { clusterId: 'tea', groups: [0], wallMs: 1_700_000_000_000 }

function open(overrides: Partial<OpenDataDirectoryOptions> = {}): Promise<DataDirectory | StorageFault> {
  const options = {
    path: join(root, 'data'),
    expected: { nodeId: nodeId('node-1'), clusterId: 'tea', development: false },
    create: CREATE,
    ...overrides,
  }
  return new Promise((resolve) =>
    openDataDirectory(options, (fault, directory) => resolve(fault ?? (directory as DataDirectory))),
  )
}

async function mustOpen(overrides: Partial<OpenDataDirectoryOptions> = {}): Promise<DataDirectory> {
  const opened = await open(overrides)
  if ('code' in opened) throw new Error(opened.message)
  return opened
}

const release = (directory: DataDirectory): Promise<void> => new Promise((resolve) => directory.release(resolve))
const inFile = (name: string): string => join(root, 'data', name)

describe('a data directory', () => {
  test('is made once, with parents, and found again with the same instance id', async () => {
    const made = await mustOpen({ path: join(root, 'a/b/data') })
    expect(made.fresh).toBe(true)
    expect(made.identity).toMatchObject({
      format: 1,
      clusterId: 'tea',
      nodeId: 'node-1',
      incarnation: 0,
      created: '2023-11-14T22:13:20.000Z',
      groups: [0],
    })
    expect(made.identity.instanceId).toMatch(/^[0-9a-f]{32}$/)
    await release(made)
    const again = await mustOpen({ path: join(root, 'a/b/data'), create: null })
    expect(again).toMatchObject({ fresh: false, identity: made.identity })
    await release(again)
    expect(readdirSync(join(root, 'a/b/data'))).toEqual(['HOLDFAST.json'])
  })

  test('remembers for ever that a node was started on it', async () => {
    const made = await mustOpen()
    expect(made.identity.started).toBe(false)
    await release(made)
    const unused = await mustOpen()
    expect(unused).toMatchObject({ fresh: false, identity: { started: false } })
    expect(await new Promise((resolve) => unused.markStarted(resolve))).toBeNull()
    await release(unused)
    mkdirSync(inFile('group-0/log'), { recursive: true })
    writeFileSync(inFile('group-0/log/00000001.wal'), '')
    const started = await mustOpen()
    expect(started.identity).toEqual({ ...made.identity, started: true })
    await release(started)
  })

  test('without any log, on which a node was started, is refused and stays as it is: its votes are gone', async () => {
    const made = await mustOpen()
    expect(await new Promise((resolve) => made.markStarted(resolve))).toBeNull()
    await release(made)
    const lost = {
      code: 'LOG_ROT',
      message: expect.stringMatching(/group-0\/log.*no segment.*Keep the damaged directory/),
    }
    expect(await open()).toEqual(lost)
    expect(readdirSync(join(root, 'data'))).toEqual(['HOLDFAST.json'])
    mkdirSync(inFile('group-0/log'), { recursive: true })
    expect(await open()).toEqual(lost)
    writeFileSync(inFile('group-0/log/00000001.wal'), '')
    await release(await mustOpen())
  })

  test('of an earlier build, which noted no mode, is taken in either', async () => {
    await release(await mustOpen())
    const { development, ...earlier } = JSON.parse(readFileSync(inFile('HOLDFAST.json'), 'utf8'))
    expect(development).toBe(false)
    writeFileSync(inFile('HOLDFAST.json'), JSON.stringify(earlier))
    for (const mode of [true, false]) {
      const expected = { nodeId: nodeId('node-1'), clusterId: 'tea', development: mode }
      await release(await mustOpen({ expected }))
    }
  })

  test('of another cluster or node, or of a newer format, is refused with the way out, and unchanged', async () => {
    await release(await mustOpen())
    const before = readFileSync(inFile('HOLDFAST.json'), 'utf8')
    const other = nodeId('node-2')
    expect(await open({ expected: { nodeId: nodeId('node-1'), clusterId: 'coffee', development: false } })).toEqual({
      code: 'WRONG_CLUSTER',
      message: expect.stringMatching(/belongs to cluster "tea", this node was started for cluster "coffee".*--data/),
    })
    expect(await open({ expected: { nodeId: other, clusterId: 'tea', development: false } })).toEqual({
      code: 'WRONG_NODE',
      message: expect.stringMatching(/belongs to node "node-1", this node is "node-2".*start it as "node-1"/),
    })
    expect(await open({ expected: { nodeId: nodeId('node-1'), clusterId: 'tea', development: true } })).toEqual({
      code: 'WRONG_MODE',
      message: expect.stringMatching(
        /made without development mode, this node was started in development mode.*--data/,
      ),
    })
    await release(await mustOpen({ expected: { nodeId: nodeId('node-1'), clusterId: null, development: false } }))
    expect(readFileSync(inFile('HOLDFAST.json'), 'utf8')).toBe(before)
    writeFileSync(inFile('HOLDFAST.json'), before.replace('"format": 1', '"format": 2'))
    expect(await open()).toEqual({
      code: 'NEWER_FORMAT',
      message: expect.stringMatching(/newer version of Holdfast \(directory format 2, this build reads up to 1\)/),
    })
    expect(readdirSync(join(root, 'data'))).toEqual(['HOLDFAST.json'])
  })

  test.each(['', '{', '{"format":1}', '[]', 'null', '{"format":"1"}'])(
    'with an unreadable marker file %j is refused',
    async (content) => {
      mkdirSync(join(root, 'data'))
      writeFileSync(inFile('HOLDFAST.json'), content)
      expect(await open()).toEqual({
        code: 'IO_ERROR',
        message: expect.stringContaining('HOLDFAST.json does not say whose data this is'),
      })
    },
  )

  test('is not made in a directory that holds something else, nor where none is asked for', async () => {
    mkdirSync(join(root, 'data'))
    writeFileSync(inFile('photos.txt'), 'mine')
    expect(await open()).toEqual({
      code: 'UNWRITABLE',
      message: expect.stringContaining('is not empty (it holds "photos.txt")'),
    })
    expect(await open({ path: join(root, 'none'), create: null })).toEqual({
      code: 'IO_ERROR',
      message: expect.stringContaining('"holdfast start"'),
    })
    expect(existsSync(join(root, 'none'))).toBe(false)
  })

  test('is made beside lost+found, as on a fresh file system', async () => {
    mkdirSync(join(root, 'data/lost+found'), { recursive: true })
    await release(await mustOpen())
  })

  test('that is a file, or lies below one, is refused', async () => {
    writeFileSync(join(root, 'data'), '')
    expect(await open()).toEqual({ code: 'UNWRITABLE', message: expect.stringContaining('--data') })
    expect(await open({ path: join(root, 'data/below') })).toEqual({
      code: 'UNWRITABLE',
      message: expect.stringContaining('--data'),
    })
  })

  test.each([
    ['EACCES', 'UNWRITABLE', 'write permission'],
    ['EROFS', 'UNWRITABLE', 'mount it writable'],
    ['ENOSPC', 'DISK_FULL', 'Free space'],
    ['EIO', 'IO_ERROR', 'Check the disk'],
  ])('each call failing with %s is the fault %s, and leaves no half-made directory', async (code, fault, hint) => {
    for (let call = 1; ; call += 1) {
      const memory = new MemoryDisk()
      const disk = new FailingDisk(memory, { call, code, effect: false })
      const opened = await open({ disk })
      if (disk.failed === null) break
      expect(opened, disk.failed).toEqual({ code: fault, message: expect.stringContaining(hint) })
      await release(await mustOpen({ disk: memory }))
    }
  })
})

describe('the lock', () => {
  test('a directory in use says by whom', async () => {
    const first = await mustOpen()
    expect(await open()).toEqual({
      code: 'LOCKED',
      message: expect.stringContaining(`in use by process ${process.pid} on host ${hostname()}`),
    })
    await release(first)
    await release(await mustOpen())
  })

  test('a lock left by a dead process is taken over', async () => {
    await release(await mustOpen())
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    writeFileSync(inFile('LOCK'), JSON.stringify({ pid, host: hostname(), started: 0 }))
    await release(await mustOpen())
  })

  test('a lock of an earlier process that had our pid, or an empty one, is taken over', async () => {
    await release(await mustOpen())
    writeFileSync(inFile('LOCK'), JSON.stringify({ pid: process.pid, host: hostname(), started: 1 }))
    await release(await mustOpen())
    writeFileSync(inFile('LOCK'), '')
    await release(await mustOpen())
  })

  test('a live process with the pid of a dead holder does not keep the lock', async () => {
    await release(await mustOpen())
    writeFileSync(inFile('LOCK'), JSON.stringify({ pid: process.ppid, host: hostname(), started: 1 }))
    await release(await mustOpen())
  })

  test('what cannot be cleaned up beside the lock does not keep anybody from it', async () => {
    await release(await mustOpen())
    mkdirSync(inFile('LOCK.d'))
    await release(await mustOpen())
    await release(await mustOpen())
  })

  test('a lock of another host is not judged', async () => {
    await release(await mustOpen())
    writeFileSync(inFile('LOCK'), JSON.stringify({ pid: 1, host: 'elsewhere', started: 0 }))
    expect(await open()).toEqual({
      code: 'LOCKED',
      message: expect.stringMatching(/process 1 on host elsewhere.*remove the file LOCK/),
    })
  })
})
