import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KeyedBytes } from '../../../src/codec/rows/packed-rows.ts'
import type { SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import { levelLogDamage } from '../../../src/storage/snapshot/level-logs.ts'
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
      expect(index, `byte ${at} of ${size}`).toBeGreaterThanOrEqual(count - 1)
      expect(
        rows.map(([key, value]) => [key, value.slice(0, 2)]),
        `byte ${at} of ${size}: ${index}`,
      ).toEqual(rowsAt(index ?? 0).map(([key, value]) => [key, value?.slice(0, 2)]))
      await close(again)
    }
    rmSync(path, { recursive: true })
  }
})

test('rot is found in front of a later write of the same block as well', async () => {
  const store = await opened(directory)
  if (typeof store === 'string') throw new Error(store)
  for (let generation = 1; generation <= NEWEST; generation += 1) {
    await write(store, generation, [row('k', `${generation}`)])
    await commit(store, generation, 1)
  }
  await close(store)
  const log = logOf(directory)
  const whole = readFileSync(log)
  expect(whole.length).toBeLessThan(32 * 1024)
  // The last writes are those of the newest generation: none of them is in front of another generation's.
  for (let at = 0; at < whole.length / 2; at += 97) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 8
    writeFileSync(log, bytes)
    expect(levelLogDamage(join(directory, 'state-0')), `byte ${at} of ${whole.length}`).toContain(
      'a later write follows',
    )
  }
})

test('and in the last write of a log that another one follows', async () => {
  await written(directory)
  const log = logOf(directory)
  const [state, number] = [join(directory, 'state-0'), Number.parseInt(log.slice(-10), 10)]
  const next = join(state, `${String(number + 1).padStart(6, '0')}.log`)
  const bytes = readFileSync(log)
  writeFileSync(next, bytes)
  expect(levelLogDamage(state)).toBeNull()
  truncateSync(log, bytes.length - 100)
  expect(levelLogDamage(state)).toContain('a later write follows')
  // Of the newest log the last write may be torn.
  writeFileSync(log, bytes)
  truncateSync(next, bytes.length - 100)
  expect(levelLogDamage(state)).toBeNull()
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

test('the path of a file says nothing of what is wrong with it', () => {
  const message = 'IO error: /data/Corruption: No such file or directory/000005.ldb: Input/output error'
  const cause = Object.assign(new Error(message), { code: 'LEVEL_IO_ERROR' })
  expect(databaseFault(new Error('not open', { cause }), 'state-0')?.code).toBe('IO_ERROR')
})

test.each([
  'IO error: 000005.ldb: No such file or directory',
  'IO error: 000005.ldb: Invalid argument',
  'Corruption: bad block',
])('a file of the database that is gone, or shorter than it was, is damage: %s', (said) => {
  const cause = Object.assign(new Error(said), { code: 'LEVEL_IO_ERROR' })
  expect(databaseFault(new Error('not open', { cause }), 'state-0')?.code).toBe('SNAPSHOT_ROT')
})
