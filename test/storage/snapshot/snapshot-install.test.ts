import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import { MemorySnapshots, memorySnapshotStore } from '../../../src/storage/snapshot/memory-snapshot-store.ts'
import { openLevel, type SnapshotDatabase } from '../../../src/storage/snapshot/snapshot-database.ts'
import { openSnapshotStore, storeOver } from '../../../src/storage/snapshot/snapshot-store.ts'
import { chooseStateDirectory } from '../../../src/storage/snapshot/state-directory.ts'
import { type StatePlaces, statePlaces } from '../../../src/storage/snapshot/state-places.ts'
import { beginInstall, finish, installContract, writeRows } from './install-contract.ts'
import { close, commit, load, meta, row, write } from './snapshot-contract.ts'

const directories: string[] = []

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-install-'))
  directories.push(path)
  return path
}

afterEach(() => {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true })
})

function open(path: string): Promise<SnapshotStore> {
  return new Promise((resolve, reject) =>
    openSnapshotStore(path, (fault, store) => (store === null ? reject(new Error(fault?.code)) : resolve(store))),
  )
}

installContract('LevelDB', () => {
  const path = directory()
  let store: SnapshotStore | null = null
  const closed = async (): Promise<void> => {
    if (store !== null) await close(store)
    store = null
  }
  return {
    open: async () => {
      await closed()
      store = await open(path)
      return store
    },
    dispose: closed,
  }
})

installContract('memory', () => {
  const snapshots = new MemorySnapshots()
  return { open: () => Promise.resolve(memorySnapshotStore(snapshots)), dispose: () => Promise.resolve() }
})

test('a snapshot that is the store’s by an install is not begun once more: its rows would go first', async () => {
  const path = directory()
  const store = await open(path)
  const install = await beginInstall(store, 50, 1)
  await writeRows(install, [row('x', '1')])
  await finish(install)
  const again = (): void => store.install({ meta: meta(50), total: 1 }, () => undefined)
  expect(again).toThrow('a snapshot is not installed in place of itself')
  await close(store)
  const reopened = await open(path)
  expect(await load(reopened)).toMatchObject({ index: 50, rows: [['x', '1']] })
  await close(reopened)
})

/** Fails the `failAt`-th step of an install, before or after its effect, and every one that follows. */
class Failing {
  private steps = 0
  private readonly failAt: number
  private readonly takesEffect: boolean

  constructor(failAt: number, takesEffect: boolean) {
    this.failAt = failAt
    this.takesEffect = takesEffect
  }

  get failed(): boolean {
    return this.steps >= this.failAt
  }

  places(places: StatePlaces): StatePlaces {
    return {
      make: (name) => this.step(async () => this.database(await places.make(name))),
      switchTo: (name) => this.step(() => places.switchTo(name)),
      remove: (name) => this.step(() => places.remove(name)),
    }
  }

  database(database: SnapshotDatabase): SnapshotDatabase {
    made.push(database)
    return { ...database, write: (changes) => this.step(() => database.write(changes)) }
  }

  private async step<Result>(run: () => Promise<Result>): Promise<Result> {
    this.steps += 1
    if (this.steps < this.failAt) return run()
    if (this.steps === this.failAt && this.takesEffect) await run()
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'write' })
  }
}

const made: SnapshotDatabase[] = []

async function attempt(path: string, failing: Failing): Promise<void> {
  const chosen = chooseStateDirectory(path)
  if (!('path' in chosen)) throw new Error(chosen.damage)
  const store = await storeOver(await openLevel(chosen.path), chosen.path, failing.places(statePlaces(path)))
  await write(store, 10, [row('a', '1'), row('b', '2')])
  await commit(store, 10, 2)
  try {
    const install = await beginInstall(store, 50, 2)
    await writeRows(install, [row('x', '1')])
    await writeRows(install, [row('y', '2')])
    await finish(install)
  } catch {
    // The step that failed was the first.
  }
  await close(store)
  for (const database of made.splice(0)) await database.close().catch(() => undefined)
}

test.each([false, true])(
  'whichever step of an install fails, a node has the whole old snapshot or the whole new one (effect: %s)',
  async (takesEffect) => {
    const seen: (number | null)[] = []
    for (let failAt = 1; ; failAt += 1) {
      const path = directory()
      const failing = new Failing(failAt, takesEffect)
      await attempt(path, failing)
      const store = await open(path)
      const { index, rows } = await load(store)
      const expected = { 10: ['a', 'b'], 50: ['x', 'y'] }[index ?? 0]
      expect(rows.map(([key]) => key)).toEqual(expected)
      // What is left of the attempt, or of the snapshot before it, is gone.
      expect(readdirSync(path).filter((name) => name.startsWith('state-'))).toHaveLength(1)
      await close(store)
      seen.push(index)
      if (!failing.failed) break
    }
    // make, two slices, the switch record, CURRENT, the old directory: six steps, then none fails.
    expect(seen).toHaveLength(7)
    expect(seen[0]).toBe(10)
    expect(seen.at(-1)).toBe(50)
  },
)
