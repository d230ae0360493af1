import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KeyedBytes } from '../../../src/codec/rows/packed-rows.ts'
import type { SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import { openSnapshotStore } from '../../../src/storage/snapshot/snapshot-store.ts'
import { databaseFault } from '../../../src/storage/snapshot/snapshot-database.ts'
import { close, commit, load, row, write } from './snapshot-contract.ts'

/** LevelDB leaves out what it cannot read of its log and goes on behind it, without a word (storage.md §3.8). */
let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-level-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function opened(path: string): Promise<SnapshotStore | string> {
  return new Promise((resolve) => openSnapshotStore(path, (fault, store) => resolve(store ?? fault?.code ?? 'nothing')))
}

const ROWS = 10
const NEWEST = 6
/** Of 3 KB each, so that generations end in other blocks of 32 KiB than they begin in. */
const text = (generation: number): string => String(generation).repeat(3000)

/** Every generation writes all rows anew: a stale one shows in nothing but its content. */
async function written(path: string): Promise<void> {
  const store = await opened(path)
  if (typeof store === 'string') throw new Error(store)
  for (let generation = 1; generation <= NEWEST; generation += 1) {
    const rows: KeyedBytes[] = Array.from({ length: ROWS }, (_, at) => row(`k${at}`, text(generation)))
    await write(store, generation, rows)
    await commit(store, generation, ROWS)
  }
  await close(store)
}

const logOf = (path: string): string => {
  const state = join(path, 'state-0')
  const name = readdirSync(state).find((file) => /^\d+\.log$/.test(file))
  return join(state, name ?? 'none')
}

/** The generation that it opens with, whole; or the code with which it is refused. */
async function outcomeOf(path: string): Promise<string | number | null> {
  const store = await opened(path)
  if (typeof store === 'string') return store
  const loaded = await load(store).catch((error: unknown) => String(error))
  await close(store)
  if (typeof loaded === 'string') return loaded
  const { index, rows } = loaded
  const contents = new Set(rows.map(([, value]) => value))
  expect([...contents]).toEqual(index === null ? [] : [text(index)])
  return index
}

test('a bit that turns anywhere in LevelDB’s log gives a whole snapshot that the log goes on from, or a refusal; nothing is touched', async () => {
  const whole = join(directory, 'whole')
  await written(whole)
  const size = readFileSync(logOf(whole)).length
  const outcomes = new Map<string | number | null, number>()
  for (let part = 0; part < 60; part += 1) {
    const path = join(directory, 'damaged')
    cpSync(whole, path, { recursive: true })
    const log = logOf(path)
    const bytes = readFileSync(log)
    const at = Math.floor(((part + 0.5) * size) / 60)
    bytes[at] = (bytes[at] ?? 0) ^ 8
    writeFileSync(log, bytes)
    const outcome = await outcomeOf(path)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    // The last boundary but one is as far back as the log reaches.
    expect(['SNAPSHOT_ROT', NEWEST - 1, NEWEST], `byte ${at} of ${size}`).toContain(outcome)
    if (outcome === 'SNAPSHOT_ROT') expect(readFileSync(log).equals(bytes)).toBe(true)
    rmSync(path, { recursive: true })
  }
  expect(outcomes.get('SNAPSHOT_ROT')).toBeGreaterThan(45)
})

test('and where generations write one row each, none comes back as it was before while a later one is there', async () => {
  const count = 24
  const rowsAt = (index: number): string[][] =>
    Array.from({ length: ROWS }, (_, key) => {
      const newest = Array.from({ length: index }, (_each, at) => index - at).find((each) => each % ROWS === key)
      return [`k${key}`, text(index >= ROWS ? (newest ?? 0) : 0)]
    })
  const whole = join(directory, 'whole')
  const store = await opened(whole)
  if (typeof store === 'string') throw new Error(store)
  for (let generation = ROWS; generation <= count; generation += 1) {
    const first = generation === ROWS
    const rows = rowsAt(generation).filter(([key]) => first || key === `k${generation % ROWS}`)
    await write(
      store,
      generation,
      rows.map(([key = '', value = '']) => row(key, value)),
    )
    await commit(store, generation, ROWS)
  }
  await close(store)
  const size = readFileSync(logOf(whole)).length
  for (let part = 0; part < 60; part += 1) {
    const path = join(directory, 'damaged')
    cpSync(whole, path, { recursive: true })
    const bytes = readFileSync(logOf(path))
    const at = Math.floor(((part + 0.5) * size) / 60)
    bytes[at] = (bytes[at] ?? 0) ^ 8
    writeFileSync(logOf(path), bytes)
    const again = await opened(path)
    if (typeof again === 'string') expect(again).toBe('SNAPSHOT_ROT')
    else {
      const { index, rows } = await load(again)
      expect(
        rows.map(([key, value]) => [key, value.slice(0, 2)]),
        `byte ${at} of ${size}: ${index}`,
      ).toEqual(rowsAt(index ?? 0).map(([key, value]) => [key, value?.slice(0, 2)]))
      await close(again)
    }
    rmSync(path, { recursive: true })
  }
})

test('a log that ends in the midst of its last write is torn, and opens without that', async () => {
  await written(directory)
  const log = logOf(directory)
  truncateSync(log, readFileSync(log).length - 100)
  expect([NEWEST - 1, NEWEST]).toContain(await outcomeOf(directory))
})

test('zeros in the midst are no end', async () => {
  await written(directory)
  const log = logOf(directory)
  writeFileSync(log, readFileSync(log).fill(0, 4096, 8192))
  expect(await outcomeOf(directory)).toBe('SNAPSHOT_ROT')
})

test.each(['No such file or directory', 'Invalid argument', 'Corruption: bad block'])(
  'a file of the database that is gone, or shorter than it was, is damage: %s',
  (said) => {
    const cause = Object.assign(new Error(`IO error: 000005.ldb: ${said}`), { code: 'LEVEL_IO_ERROR' })
    expect(databaseFault(new Error('not open', { cause }), 'state-0')?.code).toBe('SNAPSHOT_ROT')
  },
)
