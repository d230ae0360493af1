import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { logIndex } from '../../../src/base/brand.ts'
import type { SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import type { StorageFault } from '../../../src/node/ports/storage-fault.ts'
import { packRows } from '../../../src/codec/rows/packed-rows.ts'
import { openLevel } from '../../../src/storage/snapshot/snapshot-database.ts'
import type { SnapshotDatabase } from '../../../src/storage/snapshot/snapshot-database.ts'
import { SWITCH_KEY, encodeSwitch, rowKey, seal, sliceKey } from '../../../src/storage/snapshot/snapshot-format.ts'
import { openSnapshotStore, storeOver } from '../../../src/storage/snapshot/snapshot-store.ts'
import { bytes, close, commit, load, meta, row, snapshotContract, write } from './snapshot-contract.ts'

const directories: string[] = []
const stores: SnapshotStore[] = []

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-snapshot-'))
  directories.push(path)
  return path
}

afterEach(async () => {
  for (const store of stores.splice(0)) await close(store)
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

function open(path: string): Promise<SnapshotStore> {
  return new Promise((resolve, reject) =>
    openSnapshotStore(path, (fault, store) => {
      if (store === null) reject(new Error(`${fault?.code}: ${fault?.message}`))
      else {
        stores.push(store)
        resolve(store)
      }
    }),
  )
}

function faultOfOpening(path: string): Promise<StorageFault | null> {
  return new Promise((resolve) =>
    openSnapshotStore(path, (fault, store) => {
      if (store !== null) stores.push(store)
      resolve(fault)
    }),
  )
}

snapshotContract('LevelDB', () => {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-snapshot-'))
  let store: SnapshotStore | null = null
  return {
    open: async () => {
      if (store !== null) await close(store)
      store = await open(path)
      stores.splice(stores.indexOf(store), 1)
      return store
    },
    dispose: async () => {
      if (store !== null) await close(store)
      rmSync(path, { recursive: true, force: true })
    },
  }
})

/** A database that stops with a disk error at its `failAt`-th write, with or without that write's effect (storage.md §8.3). */
function failing(database: SnapshotDatabase, failAt: number, takesEffect: boolean): SnapshotDatabase {
  let writes = 0
  return {
    ...database,
    write: async (changes) => {
      writes += 1
      if (writes < failAt || takesEffect) await database.write(changes)
      if (writes >= failAt) throw Object.assign(new Error('IO error: injected'), { code: 'LEVEL_IO_ERROR' })
    },
  }
}

describe('a snapshot that is interrupted', () => {
  const OLD = {
    index: 10,
    rows: [
      ['a', '1'],
      ['b', '1'],
      ['c', '1'],
    ],
  }
  const NEW = {
    index: 20,
    rows: [
      ['a', '2'],
      ['c', '1'],
      ['d', '2'],
    ],
  }

  test('at any write, with or without its effect, leaves the whole old or the whole new snapshot', async () => {
    for (const takesEffect of [false, true]) {
      const seen = new Set<number | null>()
      for (let failAt = 1; ; failAt += 1) {
        const { interrupted, loaded } = await interruptedAt(failAt, takesEffect)
        if (!interrupted) break
        expect(loaded).toEqual(loaded.index === 10 ? OLD : NEW)
        seen.add(loaded.index)
        expect(failAt).toBeLessThan(20)
      }
      expect([...seen]).toEqual([10, 20])
    }
  })

  test('and once more while what was interrupted is being finished', async () => {
    for (let failAt = 1; failAt <= 3; failAt += 1) {
      const path = join(directory(), 'state-0')
      await prepare(path)
      // The switch took effect, the fold did not begin.
      await attempt(path, 3, true)
      const database = await openLevel(path)
      const outcome = await storeOver(failing(database, failAt, failAt % 2 === 0), path).then(
        () => 'opened',
        () => 'failed',
      )
      expect(outcome).toBe(failAt <= 2 ? 'failed' : 'opened')
      await database.close()
      const store = await storeOver(await openLevel(path), path)
      stores.push(store)
      expect(await load(store)).toEqual(NEW)
    }
  })

  test('a store that failed once answers everything with that fault', async () => {
    const path = join(directory(), 'state-0')
    const store = await storeOver(failing(await openLevel(path), 1, false), path)
    stores.push(store)
    expect((await write(store, 1, [row('a', '1')]))?.code).toBe('IO_ERROR')
    expect((await commit(store, 1, 1))?.code).toBe('IO_ERROR')
    await expect(load(store)).rejects.toThrow('IO_ERROR')
  })

  async function interruptedAt(
    failAt: number,
    takesEffect: boolean,
  ): Promise<{ interrupted: boolean; loaded: Awaited<ReturnType<typeof load>> }> {
    const path = join(directory(), 'state-0')
    await prepare(path)
    const interrupted = await attempt(path, failAt, takesEffect)
    const store = await storeOver(await openLevel(path), path)
    stores.push(store)
    return { interrupted, loaded: await load(store) }
  }

  async function prepare(path: string): Promise<void> {
    const store = await storeOver(await openLevel(path), path)
    await write(store, 10, [row('a', '1'), row('b', '1'), row('c', '1')])
    await commit(store, 10, 3)
    await close(store)
  }

  /** Writes generation 20 in two slices; true when a write failed. */
  async function attempt(path: string, failAt: number, takesEffect: boolean): Promise<boolean> {
    const store = await storeOver(failing(await openLevel(path), failAt, takesEffect), path)
    const faults = [
      await write(store, 20, [row('a', '2'), row('b', null)]),
      await write(store, 20, [row('d', '2')]),
      await commit(store, 20, 3),
    ]
    await close(store)
    return faults.some((fault) => fault !== null)
  }
})

test('a load takes hundreds of rows a step, not the 16 KiB that the database gives at a time', async () => {
  const store = await open(directory())
  const rows = Array.from({ length: 3000 }, (_, at) => row(String(at).padStart(8, '0'), 'x'.repeat(180)))
  await write(store, 1, rows)
  await commit(store, 1, rows.length)
  let steps = 0
  await new Promise<void>((resolve) =>
    store.load(
      () => {
        steps += 1
      },
      () => resolve(),
    ),
  )
  expect(steps).toBeLessThanOrEqual(7)
})

describe('a snapshot that cannot be used is refused with its reason and the way out', () => {
  test('a second process is told that the first holds it', async () => {
    const path = directory()
    await open(path)
    const fault = await faultOfOpening(path)
    expect(fault?.code).toBe('LOCKED')
    expect(fault?.message).toContain('Stop that process')
  })

  test.each([
    ['a row', rowKey('b')],
    ['the record that switched it on', SWITCH_KEY],
  ])('%s that rotted is never loaded', async (_what, key) => {
    const path = directory()
    const store = await open(path)
    await write(store, 1, [row('a', '1'), row('b', '1')])
    await commit(store, 1, 2)
    await close(store)
    stores.pop()
    await change(join(path, 'state-0'), async (database) => {
      const value = await database.get(key)
      if (value === null) throw new Error('there is no such row')
      value[value.length - 1] = (value[value.length - 1] ?? 0) ^ 1
      await database.write([{ key, value }])
    })
    const fault = await faultOfOpening(path)
    if (fault !== null) expect(fault.code).toBe('SNAPSHOT_ROT')
    else await expect(load(stores.at(-1) as SnapshotStore)).rejects.toThrow('SNAPSHOT_ROT')
  })

  test("a value under another row's key is never loaded", async () => {
    const path = directory()
    const store = await open(path)
    await write(store, 1, [row('a', '1'), row('b', '2')])
    await commit(store, 1, 2)
    await close(store)
    stores.pop()
    await change(join(path, 'state-0'), async (database) => {
      await database.write([{ key: rowKey('a'), value: await database.get(rowKey('b')) }])
    })
    await expect(load(await open(path))).rejects.toThrow('SNAPSHOT_ROT')
  })

  test.each([
    ['is gone', rowKey('b'), null],
    ['is back', rowKey('c'), bytes('1')],
  ])('a row that %s is told from the number of rows', async (_what, key, content) => {
    const path = directory()
    const store = await open(path)
    await write(store, 1, [row('a', '1'), row('b', '1'), row('c', '1')])
    await commit(store, 1, 3)
    await write(store, 2, [row('c', null), row('a', '2')])
    await write(store, 2, [row('d', '2'), row('e', null)])
    await commit(store, 2, 3)
    await close(store)
    stores.pop()
    expect((await load(await open(path))).rows).toHaveLength(3)
    await close(stores.pop() as SnapshotStore)
    const value = content === null ? null : seal(key, content)
    await change(join(path, 'state-0'), (database) => database.write([{ key, value }]))
    await expect(load(await open(path))).rejects.toThrow('SNAPSHOT_ROT')
  })

  test('rows without the record that switched them on are damage', async () => {
    const path = directory()
    await committedOnce(path)
    await change(join(path, 'state-0'), (database) => database.write([{ key: SWITCH_KEY, value: null }]))
    await expect(load(await open(path))).rejects.toThrow('SNAPSHOT_ROT')
  })

  test('a slice of an older generation was folded once: found again, the writes after it are lost', async () => {
    const path = directory()
    await committedOnce(path)
    const key = sliceKey(logIndex(1), 0)
    const value = seal(key, packRows([row('a', '0')]))
    await change(join(path, 'state-0'), async (database) => {
      const current = { format: 1, generation: logIndex(2), slices: 0, rows: 0, total: 1, meta: meta(2) }
      const switched = { key: SWITCH_KEY, value: seal(SWITCH_KEY, encodeSwitch(current)) }
      await database.write([{ key, value }, switched])
    })
    expect((await faultOfOpening(path))?.code).toBe('SNAPSHOT_ROT')
  })

  test('rows of a generation bring the record of it along', async () => {
    const path = join(directory(), 'state-0')
    const database = await openLevel(path)
    const written: string[][] = []
    const recording = {
      ...database,
      write: async (changes: Parameters<SnapshotDatabase['write']>[0]) => {
        written.push(changes.map(({ key }) => Buffer.from(key).toString('latin1')))
        await database.write(changes)
      },
    }
    const store = await storeOver(recording, path)
    stores.push(store)
    await write(store, 1, [row('a', '1')])
    await commit(store, 1, 1)
    expect(written.filter((keys) => keys.includes('ra'))).toHaveLength(1)
    expect(written.find((keys) => keys.includes('ra'))).toContain('c')
  })

  test('a slice that rotted before it was folded is never folded', async () => {
    const path = directory()
    const store = await open(path)
    await commit(store, 1, 0)
    await close(store)
    stores.pop()
    const current = { format: 1, generation: logIndex(2), slices: 1, rows: 1, total: 1, meta: meta(2) }
    await change(join(path, 'state-0'), (database) =>
      database.write([
        { key: sliceKey(logIndex(2), 0), value: bytes('rotten bytes') },
        { key: SWITCH_KEY, value: seal(SWITCH_KEY, encodeSwitch(current)) },
      ]),
    )
    expect((await faultOfOpening(path))?.code).toBe('SNAPSHOT_ROT')
  })

  test.each([
    ['a number that no generation has', Uint8Array.of(0x67, ...Array.from({ length: 12 }, () => 0xff))],
    ['another length', Uint8Array.of(0x67, 1, 2)],
  ])('a damaged key among the slices is refused, and nothing is deleted: %s', async (_what, key) => {
    const path = directory()
    await close(await open(path))
    stores.pop()
    await change(join(path, 'state-0'), (database) => database.write([{ key, value: bytes('x') }]))
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect((await faultOfOpening(path))?.code, `attempt ${attempt}`).toBe('SNAPSHOT_ROT')
    }
  })

  test('a newer format is left to a newer build', async () => {
    const path = directory()
    await close(await open(path))
    stores.pop()
    const current = { format: 2, generation: logIndex(2), slices: 0, rows: 0, total: 0, meta: meta(2) }
    await change(join(path, 'state-0'), (database) =>
      database.write([{ key: SWITCH_KEY, value: seal(SWITCH_KEY, encodeSwitch(current)) }]),
    )
    expect((await faultOfOpening(path))?.code).toBe('NEWER_FORMAT')
  })

  async function committedOnce(path: string): Promise<void> {
    const store = await open(path)
    await write(store, 1, [row('a', '1')])
    await commit(store, 1, 1)
    await close(store)
    stores.pop()
  }

  async function change(path: string, run: (database: SnapshotDatabase) => Promise<void>): Promise<void> {
    const database = await openLevel(path)
    await run(database)
    await database.close()
  }
})
