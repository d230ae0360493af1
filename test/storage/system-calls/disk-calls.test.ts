import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { compileOnce } from '../../cluster/processes.ts'
import { underShim } from './script.ts'
import { ACTIONS, NO_SHIM, Shim } from './shim.ts'

if (NO_SHIM !== null) console.warn(`skipped: ${NO_SHIM}`)

/** What the storage room asks of the system, seen and failed from outside of the process that asks (storage.md §8.5). */
describe.skipIf(NO_SHIM !== null)('the system calls of the storage room', () => {
  let shim: Shim
  beforeAll(() => {
    compileOnce()
    shim = new Shim()
  }, 120_000)
  afterAll(() => shim?.remove())
  beforeEach(() => shim.rule())

  const CREATE = 'const file = (await call((done) => disk.create("a.wal", 8192, done))).value;'

  test('a sync is one fdatasync of the file, a sync of a directory one fsync of it', () => {
    const before = shim.calls().length
    const body = `${CREATE} await call((done) => file.sync(done)); return call((done) => disk.syncDirectory('', done))`
    expect(underShim(shim, body)).toMatchObject({ ok: true })
    const calls = shim.calls().slice(before)
    // The first write and fdatasync are those of the zeros.
    expect(calls).toEqual(['write a.wal', 'fdatasync a.wal', 'fdatasync a.wal', `fsync ${shim.root}`])
  })

  test.each([
    ['fdatasync', 'EIO', 'call((done) => file.sync(done))', { code: 'EIO', operation: 'fdatasync', path: 'a.wal' }],
    ['write', 'EIO', 'call((done) => file.write(0, [new Uint8Array(512)], done))', { code: 'EIO', operation: 'write' }],
    [
      'write',
      'ENOSPC',
      'call((done) => file.write(0, [new Uint8Array(9), new Uint8Array(9)], done))',
      { code: 'ENOSPC' },
    ],
    [
      'write',
      'nothing',
      'call((done) => file.write(0, [new Uint8Array(512)], done))',
      { code: 'EIO', operation: 'write' },
    ],
    [
      'write',
      'fills',
      'call((done) => file.write(0, [new Uint8Array(512)], done))',
      { code: 'ENOSPC', operation: 'write' },
    ],
  ] as const)('a failed %s (%s) is reported, with the file', (operation, does, ask, error) => {
    const rules = join(shim.root, '..', 'rules')
    const fail = `(await import('node:fs')).writeFileSync('${rules}', '${operation} ${ACTIONS[does]} a.wal\\n');`
    expect(underShim(shim, `${CREATE} ${fail} return ${ask}`)).toMatchObject({ ok: false, error })
  })

  test.each([
    ['write', 'ENOSPC', { code: 'ENOSPC', operation: 'write' }],
    ['fdatasync', 'EIO', { code: 'EIO', operation: 'fdatasync' }],
  ] as const)('a file whose zeros meet a failed %s is not made', (operation, does, error) => {
    shim.rule({ operation, does, text: 'a.wal' })
    expect(underShim(shim, 'return call((done) => disk.create("a.wal", 8192, done))')).toMatchObject({
      ok: false,
      error,
    })
    // Half of it would keep the last bytes of a full disk from everything else.
    expect(existsSync(join(shim.root, 'a.wal'))).toBe(false)
  })

  test('a failed sync of a directory is reported, and so is one of a parent that a new directory needs', () => {
    shim.rule({ operation: 'fsync', does: 'EIO', text: 'root' })
    const error = { code: 'EIO', operation: 'fsync' }
    expect(underShim(shim, "return call((done) => disk.syncDirectory('', done))")).toMatchObject({ ok: false, error })
    expect(underShim(shim, "return call((done) => disk.makeDirectory('b/c', done))")).toMatchObject({
      ok: false,
      error,
    })
  })

  test('a short write goes on where it stopped, over all of its buffers', () => {
    const rules = join(shim.root, '..', 'rules')
    const body = `${CREATE} (await import('node:fs')).writeFileSync('${rules}', 'write -1 a.wal\\n');
      const buffers = [1, 2, 3].map((byte) => new Uint8Array(700).fill(byte))
      return call((done) => file.write(512, buffers, done))`
    expect(underShim(shim, body)).toMatchObject({ ok: true })
    const written = readFileSync(join(shim.root, 'a.wal')).subarray(512, 512 + 2100)
    expect(written).toEqual(Buffer.concat([1, 2, 3].map((byte) => Buffer.alloc(700, byte))))
    expect(readFileSync(join(shim.root, 'a.wal')).subarray(2612)).toEqual(Buffer.alloc(8192 - 2612))
  })

  test('a small file is synced before its rename, and the directory after it', () => {
    const before = shim.calls().length
    const body = `const { replaceFile } = await load('disk/replace-file.js')
      return call((done) => replaceFile(disk, { directory: '', name: 'small', bytes: new Uint8Array(3) }, done))`
    expect(underShim(shim, body)).toBeNull()
    expect(shim.calls().slice(before).slice(-3)).toEqual([
      'fdatasync small.new',
      'rename small.new',
      `fsync ${shim.root}`,
    ])
    // The zeros of the new file, its content, the sync of both.
    expect(shim.calls().slice(before).lastIndexOf('write small.new')).toBe(2)
  })

  test('CURRENT is synced before its rename, and the directory after it', () => {
    mkdirSync(join(shim.root, 'group-0'), { recursive: true })
    const before = shim.calls().length
    const body = `const { chooseStateDirectory } = await load('snapshot/state-directory.js')
      return chooseStateDirectory(root + '/group-0')`
    expect(underShim(shim, body)).toMatchObject({ path: expect.stringContaining('state-0') })
    const calls = shim.calls().slice(before)
    const last = calls.filter((call) => /CURRENT|group-0$/.test(call)).slice(-4)
    expect(last).toEqual([
      'write group-0/CURRENT.new',
      'fsync group-0/CURRENT.new',
      'rename group-0/CURRENT.new',
      'fsync group-0',
    ])
  })

  test('CURRENT for which the disk has half the room is refused, and no half of a name counts', () => {
    mkdirSync(join(shim.root, 'group-2'), { recursive: true })
    shim.rule({ operation: 'write', does: 'fills', text: 'CURRENT' })
    const body = `const { chooseStateDirectory } = await load('snapshot/state-directory.js')
      try { return chooseStateDirectory(root + '/group-2') } catch (error) { return error.code }`
    expect(underShim(shim, body)).toBe('ENOSPC')
    expect(existsSync(join(shim.root, 'group-2/CURRENT'))).toBe(false)
  })

  const STORE = `const { openSnapshotStore } = await load('snapshot/snapshot-store.js')
    const [, store] = await call((done) => openSnapshotStore(root + '/group-1', done))
    const slice = { bytes: new Uint8Array(0), rows: 0 }
    const write = (generation) => call((done) => store.writeSlice(generation, slice, done));`

  test('every slice of a snapshot is synced when it is reported', () => {
    const body = `${STORE} const counts = []
      const { readFileSync } = await import('node:fs')
      const count = () => readFileSync(process.env.HOLDFAST_SHIM_LOG, 'utf8').match(/fdatasync .*group-1\\/state-0\\/\\d+\\.log/g)?.length ?? 0
      for (let at = 0; at < 4; at += 1) { counts.push(count()); await write(9) }
      counts.push(count())
      return counts`
    const counts = underShim(shim, body) as readonly number[]
    for (const [at, count] of counts.entries()) expect(count).toBeGreaterThanOrEqual((counts[0] ?? 0) + at)
  })

  test('a slice that cannot be synced is a fault', () => {
    const rules = join(shim.root, '..', 'rules')
    const body = `${STORE} await write(9)
      ;(await import('node:fs')).writeFileSync('${rules}', 'fdatasync 5 .log\\n')
      return [await write(9), await write(9)]`
    const fault = [{ code: 'IO_ERROR', message: expect.stringContaining('Check the disk') }, null]
    expect(underShim(shim, body)).toMatchObject([fault, fault])
  })
})
