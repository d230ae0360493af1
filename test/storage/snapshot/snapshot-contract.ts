import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { logIndex, term } from '../../../src/base/brand.ts'
import { type KeyedBytes, packRows } from '../../../src/codec/rows/packed-rows.ts'
import type { SnapshotMeta, SnapshotSlice, SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import type { StorageFault } from '../../../src/node/ports/storage-fault.ts'
import { sample } from '../../effort.ts'

/** One store over its restarts: the contract runs on each implementation (storage.md §8.2). */
export interface SnapshotHarness {
  /** Opens it; the process that had it before is gone, whatever it was doing. */
  open(): Promise<SnapshotStore>
  dispose(): Promise<void>
}

export const meta = (index: number, rowCount = 0): SnapshotMeta => ({
  lastIncludedIndex: logIndex(index),
  lastIncludedTerm: term(3),
  chain: 0xdeadbeef,
  lease: 12,
  now: 1_700_000_000_000,
  configuration: { index: logIndex(1), configuration: { voters: [], learners: [], outgoing: [], promoting: [] } },
  configurationPayload: 'AAEC',
  stateHash: '0123456789abcdef',
  incarnation: 1,
  machineVersions: { payments: 1 },
  rowCount,
  digest: 7,
})

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))
export const row = (key: string, value: string | null): KeyedBytes => ({
  key,
  value: value === null ? null : bytes(value),
})

export const sliceOf = (rows: readonly KeyedBytes[]): SnapshotSlice => ({ rows: rows.length, bytes: packRows(rows) })

export function write(
  store: SnapshotStore,
  generation: number,
  rows: readonly KeyedBytes[],
): Promise<StorageFault | null> {
  return new Promise((resolve) => store.writeSlice(logIndex(generation), sliceOf(rows), (fault) => resolve(fault)))
}

/** Switches a generation on, by which the snapshot has `total` rows. */
export function commit(store: SnapshotStore, generation: number, total: number): Promise<StorageFault | null> {
  const snapshot = { meta: meta(generation), total }
  return new Promise((resolve) => store.commit(logIndex(generation), snapshot, (fault) => resolve(fault)))
}

export function close(store: SnapshotStore): Promise<void> {
  return new Promise((resolve) => store.close(resolve))
}

/** The snapshot's rows in the order they came, as text, and its index; null for none. */
export function load(store: SnapshotStore): Promise<{ index: number | null; rows: [string, string][] }> {
  const rows: [string, string][] = []
  return new Promise((resolve, reject) =>
    store.load(
      (slice) => {
        for (const { key, value } of slice) rows.push([key, Buffer.from(value).toString('latin1')])
      },
      (fault, loaded) =>
        fault === null ? resolve({ index: loaded?.lastIncludedIndex ?? null, rows }) : reject(new Error(fault.code)),
    ),
  )
}

/** What every `SnapshotStore` promises. */
export function snapshotContract(name: string, create: () => SnapshotHarness): void {
  describe(`the contract of SnapshotStore: ${name}`, () => {
    const harnesses: SnapshotHarness[] = []
    const fresh = (): SnapshotHarness => {
      const harness = create()
      harnesses.push(harness)
      return harness
    }
    afterEach(async () => {
      for (const harness of harnesses.splice(0)) await harness.dispose()
    })

    test('a new store has no snapshot', async () => {
      const store = await fresh().open()
      expect(await load(store)).toEqual({ index: null, rows: [] })
      await close(store)
    })

    test('a generation replaces, adds and deletes rows, and load gives the newest value of each key in byte order', async () => {
      const harness = fresh()
      const store = await harness.open()
      await write(store, 10, [row('a', '1'), row('b', '1'), row('\xff', '1')])
      await write(store, 10, [row('', 'empty'), row('b\x00', '1')])
      expect(await commit(store, 10, 5)).toBeNull()
      await write(store, 20, [row('a', '2'), row('b', null), row('c', ''), row('never', null)])
      expect(await commit(store, 20, 5)).toBeNull()
      const expected = {
        index: 20,
        rows: [
          ['', 'empty'],
          ['a', '2'],
          ['b\x00', '1'],
          ['c', ''],
          ['\xff', '1'],
        ],
      }
      expect(await load(store)).toEqual(expected)
      await close(store)
      expect(await load(await harness.open())).toEqual(expected)
    })

    test('what was staged but not switched on is gone after a restart, and its index may be written again', async () => {
      const harness = fresh()
      const store = await harness.open()
      await write(store, 10, [row('a', '1')])
      await commit(store, 10, 1)
      await write(store, 20, [row('a', '2'), row('b', '2')])
      await write(store, 20, [row('c', '2')])
      const again = await harness.open()
      expect(await load(again)).toEqual({ index: 10, rows: [['a', '1']] })
      await write(again, 20, [row('d', '3')])
      await commit(again, 20, 2)
      expect(await load(again)).toEqual({
        index: 20,
        rows: [
          ['a', '1'],
          ['d', '3'],
        ],
      })
    })

    test('staging another generation abandons the one before', async () => {
      const store = await fresh().open()
      await write(store, 10, [row('a', '1')])
      await write(store, 20, [row('b', '1')])
      await commit(store, 20, 1)
      expect(await load(store)).toEqual({ index: 20, rows: [['b', '1']] })
    })

    test('a generation without rows moves the index', async () => {
      const store = await fresh().open()
      await commit(store, 5, 0)
      expect(await load(store)).toEqual({ index: 5, rows: [] })
    })

    test('the meta comes back as it was given', async () => {
      const harness = fresh()
      const store = await harness.open()
      await commit(store, 5, 0)
      const again = await harness.open()
      const loaded = await new Promise((resolve) =>
        again.load(
          () => undefined,
          (_fault, value) => resolve(value),
        ),
      )
      expect(loaded).toEqual(meta(5))
    })

    test('operations complete in the order they were asked for', async () => {
      const store = await fresh().open()
      const order: string[] = []
      await new Promise<void>((resolve) => {
        store.writeSlice(logIndex(1), sliceOf([row('a', '1')]), () => order.push('first'))
        store.writeSlice(logIndex(1), sliceOf([row('b', '1')]), () => order.push('second'))
        store.commit(logIndex(1), { meta: meta(1), total: 2 }, () => order.push('commit'))
        store.load(
          () => order.push('rows'),
          () => order.push('load'),
        )
        store.close(resolve)
      })
      expect(order).toEqual(['first', 'second', 'commit', 'rows', 'load'])
    })

    test('thousands of rows and rows of a megabyte arrive whole', async () => {
      const store = await fresh().open()
      const rows = Array.from({ length: 1500 }, (_, index) =>
        row(`key-${String(index).padStart(5, '0')}`, `value ${index}`),
      )
      for (let start = 0; start < rows.length; start += 256) await write(store, 1, rows.slice(start, start + 256))
      await write(store, 1, [row('large', 'x'.repeat(1024 * 1024))])
      await commit(store, 1, 1501)
      const loaded = await load(store)
      expect(loaded.rows.length).toBe(1501)
      expect(loaded.rows.slice(0, 1500)).toEqual(
        rows.map(({ key, value }) => [key, Buffer.from(value ?? []).toString('latin1')]),
      )
    })

    test('any history of generations and restarts leaves what a plain map would hold', async () => {
      const key = fc.string({ unit: fc.constantFrom('\x00', '\x01', 'a', 'b', '\xff'), maxLength: 3 })
      const slice = fc.dictionary(key, fc.option(fc.string({ maxLength: 3 })), { maxKeys: 5 })
      const generation = fc.record({
        slices: fc.array(slice, { maxLength: 3 }),
        committed: fc.boolean(),
        restart: fc.boolean(),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(generation, { maxLength: 6 }), async (generations) => {
          const harness = create()
          const model = new Map<string, string>()
          try {
            let store = await harness.open()
            for (const [index, { slices, committed, restart }] of generations.entries()) {
              // A key is dirty once per boundary, so only the last slice that names it counts for the model.
              const dirty = new Map<string, string | null>()
              for (const part of slices) {
                const rows = Object.entries(part).filter(([name]) => !dirty.has(name))
                for (const [name, value] of rows) dirty.set(name, value)
                await write(
                  store,
                  index + 1,
                  rows.map(([name, value]) => ({
                    key: name,
                    value: value === null ? null : new Uint8Array(Buffer.from(value)),
                  })),
                )
              }
              if (committed) {
                for (const [name, value] of dirty) {
                  if (value === null) model.delete(name)
                  else model.set(name, Buffer.from(value).toString('latin1'))
                }
                await commit(store, index + 1, model.size)
              }
              if (restart) store = await harness.open()
            }
            expect((await load(store)).rows).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)))
          } finally {
            await harness.dispose()
          }
        }),
        { numRuns: sample(15) },
      )
    })
  })
}
