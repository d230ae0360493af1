import { afterEach, describe, expect, test } from 'vitest'
import { type KeyedBytes, unpackRows } from '../../../src/codec/rows/packed-rows.ts'
import type {
  SnapshotInstall,
  SnapshotPart,
  SnapshotStore,
  SnapshotView,
} from '../../../src/node/ports/snapshot-store.ts'
import type { StorageFault } from '../../../src/node/ports/storage-fault.ts'
import { commit, load, meta, row, sliceOf, type SnapshotHarness, write } from './snapshot-contract.ts'

/** A view of the newest snapshot. */
export function viewOf(store: SnapshotStore): Promise<SnapshotView> {
  return new Promise((resolve, reject) =>
    store.view((fault, view) => (view === null ? reject(new Error(fault?.code ?? 'there is none')) : resolve(view))),
  )
}

function partOf(view: SnapshotView, after: string | null, bytesMax: number): Promise<SnapshotPart | null> {
  return new Promise((resolve, reject) =>
    view.read(after, bytesMax, (fault, part) => (fault === null ? resolve(part) : reject(new Error(fault.code)))),
  )
}

/** All rows of a view, read in parts of about that many bytes. */
export async function rowsOf(view: SnapshotView, bytesMax: number): Promise<readonly KeyedBytes[]> {
  const rows: KeyedBytes[] = []
  for (let after: string | null = null; ; ) {
    const part: SnapshotPart | null = await partOf(view, after, bytesMax)
    if (part === null) throw new Error('the view was closed')
    if (part.lastKey === null) return rows
    rows.push(...unpackRows(part.bytes))
    after = part.lastKey
  }
}

export function beginInstall(store: SnapshotStore, index: number, total: number): Promise<SnapshotInstall> {
  return new Promise((resolve, reject) =>
    store.install({ meta: meta(index), total }, (fault, install) =>
      install === null ? reject(new Error(fault?.code)) : resolve(install),
    ),
  )
}

export function writeRows(install: SnapshotInstall, rows: readonly KeyedBytes[]): Promise<StorageFault | null> {
  return new Promise((resolve) => install.write(sliceOf(rows), (fault) => resolve(fault)))
}

export function finish(install: SnapshotInstall): Promise<boolean | StorageFault> {
  return new Promise((resolve) => install.finish((fault, whole) => resolve(fault ?? whole)))
}

/** What every `SnapshotStore` promises to who pulls from it, and to who installs what was pulled. */
export function installContract(name: string, create: () => SnapshotHarness): void {
  describe(`views and installs of SnapshotStore: ${name}`, () => {
    const harnesses: SnapshotHarness[] = []
    const fresh = (): SnapshotHarness => {
      const harness = create()
      harnesses.push(harness)
      return harness
    }
    afterEach(async () => {
      for (const harness of harnesses.splice(0)) await harness.dispose()
    })

    const filled = async (store: SnapshotStore, index = 10): Promise<void> => {
      await write(store, index, [row('a', '1'), row('b', '2'), row('c', '3')])
      await commit(store, index, 3)
    }

    test('a store without a snapshot has no view', async () => {
      await expect(viewOf(await fresh().open())).rejects.toThrow('there is none')
    })

    test('a view stays as it was while later generations are switched on', async () => {
      const store = await fresh().open()
      await filled(store)
      const view = await viewOf(store)
      await write(store, 20, [row('a', null), row('b', '9'), row('d', '4')])
      await commit(store, 20, 3)
      expect(view.meta.lastIncludedIndex).toBe(10)
      expect(view.total).toBe(3)
      expect(await rowsOf(view, 1)).toEqual([row('a', '1'), row('b', '2'), row('c', '3')])
      expect(await rowsOf(view, 1000)).toEqual(await rowsOf(view, 1))
      view.close()
    })

    test('an install is nothing before it is finished, and all of the snapshot from then on, over restarts', async () => {
      const harness = fresh()
      const store = await harness.open()
      await filled(store)
      const install = await beginInstall(store, 50, 2)
      await writeRows(install, [row('x', '1')])
      await writeRows(install, [row('y', '2')])
      expect((await load(store)).index).toBe(10)
      expect(await finish(install)).toBe(true)
      const expected = {
        index: 50,
        rows: [
          ['x', '1'],
          ['y', '2'],
        ],
      }
      expect(await load(store)).toEqual(expected)
      const again = await harness.open()
      expect(await load(again)).toEqual(expected)
      await write(again, 60, [row('x', null)])
      await commit(again, 60, 1)
      expect(await load(again)).toEqual({ index: 60, rows: [['y', '2']] })
    })

    test('an install that was not finished is gone after a restart, and may be made again', async () => {
      const harness = fresh()
      const store = await harness.open()
      await filled(store)
      await writeRows(await beginInstall(store, 50, 2), [row('x', '1')])
      const again = await harness.open()
      expect((await load(again)).index).toBe(10)
      const install = await beginInstall(again, 50, 1)
      await writeRows(install, [row('z', '1')])
      expect(await finish(install)).toBe(true)
      expect(await load(again)).toEqual({ index: 50, rows: [['z', '1']] })
    })

    test.each([
      ['too few rows', [[row('a', '1')]]],
      ['too many', [[row('a', '1'), row('b', '1'), row('c', '1')]]],
      ['one twice', [[row('a', '1')], [row('a', '1')]]],
      ['rows out of order', [[row('b', '1'), row('a', '1')]]],
      ['a deletion', [[row('a', '1'), row('b', null)]]],
    ])('with %s it is not switched to, and what was there stays', async (_what, slices) => {
      const harness = fresh()
      const store = await harness.open()
      await filled(store)
      const install = await beginInstall(store, 50, 2)
      for (const rows of slices) await writeRows(install, rows)
      expect(await finish(install)).toBe(false)
      await new Promise<void>((resolve) => install.abandon(resolve))
      expect((await load(store)).index).toBe(10)
      expect((await load(await harness.open())).index).toBe(10)
    })

    test('a view of the snapshot that an install replaced is closed', async () => {
      const store = await fresh().open()
      await filled(store)
      const view = await viewOf(store)
      const install = await beginInstall(store, 50, 0)
      expect(await finish(install)).toBe(true)
      expect(await partOf(view, null, 1000)).toBeNull()
      view.close()
    })
  })
}
