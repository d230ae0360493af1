import fs, { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SnapshotStore } from '../../../src/node/ports/snapshot-store.ts'
import { openSnapshotStore } from '../../../src/storage/snapshot/snapshot-store.ts'
import { close, commit, load, row, write } from './snapshot-contract.ts'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'holdfast-state-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs on the store, and closes it. */
async function opened<Found>(path: string, run: (store: SnapshotStore) => Promise<Found>): Promise<Found> {
  const store = await new Promise<SnapshotStore>((resolve, reject) =>
    openSnapshotStore(path, (fault, found) => (found === null ? reject(new Error(fault?.message)) : resolve(found))),
  )
  try {
    return await run(store)
  } finally {
    await close(store)
  }
}

function codeOfOpening(path: string): Promise<string | null> {
  return new Promise((resolve) => openSnapshotStore(path, (fault) => resolve(fault?.code ?? null)))
}

function committedOnce(path: string): Promise<void> {
  return opened(path, async (store) => {
    await write(store, 1, [row('a', '1')])
    await commit(store, 1, 1)
  })
}

test("the name of the group's own directory is synced at every open", async () => {
  const path = join(directory(), 'group-0')
  for (const _open of ['first', 'second']) {
    const paths = new Map<number, string>()
    const synced: string[] = []
    const { openSync, fsyncSync } = fs
    vi.spyOn(fs, 'openSync').mockImplementation((name, ...rest) => {
      const descriptor = openSync(name, ...rest)
      paths.set(descriptor, String(name))
      return descriptor
    })
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      if (existsSync(path)) synced.push(paths.get(descriptor) ?? '')
      fsyncSync(descriptor)
    })
    try {
      await opened(path, load)
    } finally {
      vi.restoreAllMocks()
    }
    expect(synced).toContain(dirname(path))
  }
})

describe('the state directory', () => {
  test('a path through a file is unwritable', async () => {
    const path = join(directory(), 'file')
    writeFileSync(path, '')
    expect(await codeOfOpening(join(path, 'group-0'))).toBe('UNWRITABLE')
  })

  test('CURRENT without its directory is damage, and nothing is deleted', async () => {
    const path = directory()
    writeFileSync(join(path, 'CURRENT'), 'state-7\n')
    mkdirSync(join(path, 'state-3'))
    expect(await codeOfOpening(path)).toBe('SNAPSHOT_ROT')
    expect(existsSync(join(path, 'state-3'))).toBe(true)
  })

  test('a state directory that CURRENT never named goes', async () => {
    const path = directory()
    mkdirSync(join(path, 'state-0')) // left by a stop before CURRENT was written
    expect(await opened(path, load)).toEqual({ index: null, rows: [] })
    mkdirSync(join(path, 'state-9'))
    writeFileSync(join(path, 'state-9', 'LOG'), 'left by a switch that was interrupted')
    await opened(path, load)
    expect(existsSync(join(path, 'state-9'))).toBe(false)
  })

  test('CURRENT that is missing or cannot be read deletes nothing', async () => {
    const path = directory()
    await committedOnce(path)
    rmSync(join(path, 'CURRENT'))
    expect(await codeOfOpening(path)).toBe('SNAPSHOT_ROT')
    mkdirSync(join(path, 'CURRENT')) // reading a directory fails with EISDIR
    expect(await codeOfOpening(path)).toBe('UNWRITABLE')
    rmSync(join(path, 'CURRENT'), { recursive: true })
    writeFileSync(join(path, 'CURRENT'), 'state-0\n')
    expect(await opened(path, load)).toMatchObject({ index: 1 })
  })

  test('a database that lost the file that names its parts is not made anew', async () => {
    const path = directory()
    await committedOnce(path)
    rmSync(join(path, 'state-0', 'CURRENT'))
    expect(await codeOfOpening(path)).toBe('SNAPSHOT_ROT')
  })

  test('a database whose making was interrupted is made again', async () => {
    const path = directory()
    mkdirSync(join(path, 'state-0'))
    writeFileSync(join(path, 'CURRENT'), 'state-0\n')
    for (const name of ['LOCK', 'LOG', 'MANIFEST-000001', '000001.dbtmp']) {
      writeFileSync(join(path, 'state-0', name), name)
    }
    expect(await opened(path, load)).toEqual({ index: null, rows: [] })
  })
})
