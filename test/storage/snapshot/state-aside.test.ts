import fs, { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import { settled } from '../../../src/assembly/settled.ts'
import { openLevel } from '../../../src/storage/snapshot/snapshot-database.ts'
import { rowKey } from '../../../src/storage/snapshot/snapshot-format.ts'
import { openSnapshotStore } from '../../../src/storage/snapshot/snapshot-store.ts'
import {
  type AwaitedNote,
  awaitedState,
  discardKeptState,
  keptState,
  setDamagedStateAside,
  setStateAside,
  stateArrived,
} from '../../../src/storage/snapshot/state-aside.ts'
import { close, commit, load, row, write } from './snapshot-contract.ts'

let group = ''
beforeEach(() => {
  group = mkdtempSync(join(tmpdir(), 'holdfast-aside-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(group, { recursive: true, force: true })
})

const opened = (): Promise<SnapshotStore> =>
  settled<SnapshotStore | null>((done) => openSnapshotStore(group, done)).then((store) => {
    if (store === null) throw new Error('no store')
    return store
  })
const awaited = (): Promise<AwaitedNote | null> => settled((done) => awaitedState(group, done))
const setAside = (): Promise<unknown> => settled((done) => setStateAside(group, done))

/** What an open finds: the index of its snapshot. */
async function indexNow(): Promise<number | null> {
  const store = await opened()
  const { index } = await load(store)
  await close(store)
  return index
}

/** A snapshot at 302, and a trail of the states that led to it. */
async function withSnapshot(): Promise<void> {
  const store = await opened()
  await write(store, 302, [row('a', '1'), row('b', '2')])
  await commit(store, 302, 2)
  await close(store)
  writeFileSync(join(group, 'applied'), 'trail')
}

test('a state that is set aside is known by a note, kept with its trail, and the next open begins without one', async () => {
  await withSnapshot()
  expect(await setAside()).toMatchObject({ lastIncludedIndex: 302 })
  expect(await awaited()).toMatchObject({ agreed: true, meta: { lastIncludedIndex: 302 } })
  expect(await indexNow()).toBeNull()
  expect(keptState(group)).toBe(join(group, 'state-set-aside'))
  expect(readdirSync(join(group, 'state-set-aside')).sort()).toEqual(['applied', 'state-0'])
  expect(existsSync(join(group, 'applied'))).toBe(false)
})

test('it is deleted once another one is there, and not before', async () => {
  await withSnapshot()
  await setAside()
  expect(discardKeptState(group)).toBe(false)
  expect(existsSync(join(group, 'state-set-aside', 'state-0'))).toBe(true)
  stateArrived(group)
  expect(await awaited()).toBeNull()
  expect(discardKeptState(group)).toBe(true)
  expect([keptState(group), discardKeptState(group)]).toEqual([null, true])
})

test('a directory without a snapshot, or whose snapshot cannot be read, stays as it is', async () => {
  expect(await setAside()).toBeNull()
  await withSnapshot()
  rmSync(join(group, 'state-0', 'CURRENT'))
  const before = readdirSync(group).sort()
  expect(await setAside()).toBeNull()
  expect(readdirSync(group).sort()).toEqual(before)
})

const CALLS = ['writeFileSync', 'renameSync', 'mkdirSync', 'rmSync', 'fsyncSync'] as const

test('whichever call fails, the state counts as before, or the next start finishes what was begun', async () => {
  let failures = 0
  for (const name of CALLS) {
    for (let failAt = 1; failAt <= 4; failAt += 1) {
      rmSync(group, { recursive: true, force: true })
      await withSnapshot()
      let calls = 0
      const real = fs[name] as (...words: unknown[]) => unknown
      vi.spyOn(fs, name).mockImplementation(((...words: unknown[]) => {
        calls += 1
        if (calls >= failAt) throw Object.assign(new Error('the disk is gone'), { code: 'EIO', syscall: 'x' })
        return real(...words)
      }) as never)
      const failed = await setAside().then(
        () => false,
        () => true,
      )
      vi.restoreAllMocks()
      if (!failed) continue
      failures += 1
      const note = await awaited()
      expect([name, failAt, await indexNow()]).toEqual([name, failAt, note === null ? 302 : null])
      if (note !== null) expect(existsSync(join(group, 'state-set-aside', 'state-0'))).toBe(true)
    }
  }
  expect(failures).toBeGreaterThan(6)
})

test('a damaged state of which the record can be read leaves a note, and any snapshot may take its place', async () => {
  await withSnapshot()
  const level = await openLevel(join(group, 'state-0'))
  await level.write([{ key: rowKey('a'), value: null }])
  await level.close()
  await settled((done) => setDamagedStateAside(group, done))
  expect(await awaited()).toMatchObject({ agreed: false, aside: 'damaged-state', meta: { lastIncludedIndex: 302 } })
  expect(await indexNow()).toBeNull()
  expect(readdirSync(join(group, 'damaged-state'))).toEqual(['state-0'])
  // It is none that an operator had set aside, and the trail is as right as it was.
  expect([keptState(group), existsSync(join(group, 'applied'))]).toEqual([null, true])
})

test('one of which nothing can be read leaves none', async () => {
  await withSnapshot()
  rmSync(join(group, 'state-0', 'CURRENT'))
  await settled((done) => setDamagedStateAside(group, done))
  expect([await awaited(), await indexNow()]).toEqual([null, null])
})

test('a note whose bytes are wrong says nothing', async () => {
  await withSnapshot()
  await setAside()
  writeFileSync(join(group, 'awaited-state'), 'what is this')
  expect(await awaited()).toBeNull()
})
