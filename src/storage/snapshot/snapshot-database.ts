import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { faultOf, snapshotRot } from '../disk/faults.ts'
import { lackOf } from '../disk/lack-of.ts'

/** One change of an atomic write; a null value deletes the key. */
export interface DatabaseChange {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/**
 * What the snapshot store needs of an ordered database. `write` is atomic and synced: LevelDB closes a full log file
 * without syncing it, so an unsynced write may vanish although a later synced one survived. There is no "clear": it would
 * be neither (storage.md §4.4).
 */
export interface SnapshotDatabase {
  /** The value, whose bytes are the caller's own; null when there is none. */
  get(key: Uint8Array): Promise<Uint8Array | null>
  /** All of the changes or none, on disk once it resolves. */
  write(changes: readonly DatabaseChange[]): Promise<void>
  /** Calls back with the entries of [from, to) in key order, at most `rowsMax` and about 256 KiB at a time. */
  scan(range: ScanRange, onEntries: (entries: readonly (readonly [Uint8Array, Uint8Array])[]) => void): Promise<void>
  /** The database as it is now, whatever is written later, until it or the database is closed. */
  freeze(): FrozenDatabase
  close(): Promise<void>
}

/** A database at one moment. */
export interface FrozenDatabase {
  /**
   * The entries of (after, to) in key order: those that fit about `bytesMax`, at most `rowsMax`, at least one if there are any;
   * null when the database was closed.
   */
  read(range: {
    readonly after: Uint8Array
    readonly to: Uint8Array
    readonly bytesMax: number
    readonly rowsMax: number
  }): Promise<readonly (readonly [Uint8Array, Uint8Array])[] | null>
  close(): Promise<void>
}

/**
 * Bytes of entries after which one step of a scan ends, at the entry that brings more. Level's own is 16 KiB, about 80 rows.
 * PERF: 200,000 rows of 180 bytes, 500 at a time: 401 steps where there were 2,354, and 0.5 to 0.8 of the time.
 */
const STEP_BYTES = 256 * 1024

/** The keys [from, to). */
export interface ScanRange {
  readonly from: Uint8Array
  readonly to: Uint8Array
  readonly rowsMax: number
}

/**
 * Opens the LevelDB in a directory; `create`: makes one where there is none. Rejects with level's error, which
 * `databaseFault` explains.
 */
export async function openLevel(directory: string, create = true): Promise<SnapshotDatabase> {
  // First: a Level begins to open itself as soon as it is made.
  await withoutDiary(directory, create)
  const level = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: create,
  })
  await level.open()
  return {
    get: async (key) => (await level.get(key)) ?? null,
    write: async (changes) => {
      // PERF: 5 µs a row; the same as an array of operations costs 24, most of it in copying their options.
      const batch = level.batch()
      for (const { key, value } of changes) {
        if (value === null) batch.del(key)
        else batch.put(key, value)
      }
      await batch.write({ sync: true })
    },
    scan: async ({ from, to, rowsMax }, onEntries) => {
      const iterator = level.iterator({ gte: from, lt: to, highWaterMarkBytes: STEP_BYTES })
      try {
        let entries = await iterator.nextv(rowsMax)
        while (entries.length > 0) {
          onEntries(entries)
          entries = await iterator.nextv(rowsMax)
        }
      } finally {
        await iterator.close()
      }
    },
    freeze: () => frozen(level),
    close: () => level.close(),
  }
}

/**
 * LevelDB writes down what it does in a file `LOG` while it is open, and no option bounds that. It does without where it cannot
 * make the file nor move the last one to `LOG.old`: both names are directories, the second not empty.
 *
 * PERF: 67 bytes for each MB written, measured over 40 MB; 400 MB in a year of 200 KB/s.
 */
async function withoutDiary(directory: string, create: boolean): Promise<void> {
  const [diary, last] = [join(directory, 'LOG'), join(directory, 'LOG.old')]
  try {
    if (create) await mkdir(directory, { recursive: true })
    for (const path of [diary, last]) {
      const is = await stat(path).catch(() => null)
      if (is?.isDirectory() === true) continue
      await rm(path, { force: true })
      await mkdir(path)
    }
    await mkdir(join(last, 'none'), { recursive: true })
  } catch {
    // What is wrong with the directory LevelDB says itself.
  }
}

function frozen(level: Level<Uint8Array, Uint8Array>): FrozenDatabase {
  const snapshot = level.snapshot()
  return {
    read: async ({ after, to, bytesMax, rowsMax }) => {
      if (level.status !== 'open') return null
      const iterator = level.iterator({ gt: after, lt: to, snapshot, highWaterMarkBytes: bytesMax })
      try {
        return await iterator.nextv(rowsMax)
      } catch (error) {
        // It was closed meanwhile, and the iterator with it.
        if (level.status !== 'open') return null
        throw error
      } finally {
        await iterator.close()
      }
    },
    close: () => snapshot.close(),
  }
}

/** LevelDB gives the sentences of the C library alone: those of errors with a cause of their own, by errno name. */
const SAID = {
  ENOSPC: 'No space left on device',
  EDQUOT: 'Disk quota exceeded',
  EFBIG: 'File too large',
  EROFS: 'Read-only file system',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ENOTDIR: 'Not a directory',
  // Before the other, whose sentence it begins with.
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
} as const

/**
 * The fault that an error of level is to the node, or null when it is not level's. What `open` throws only says that the
 * database is not open; its cause holds the reason (storage.md §1.3).
 */
export function databaseFault(error: unknown, directory: string): StorageFault | null {
  if (!(error instanceof Error)) return null
  const reason = error.cause instanceof Error ? error.cause : error
  const code = codeOf(reason)
  if (code === null || !code.startsWith('LEVEL_')) return null
  const what = `${directory}: ${reason.message} (${code}).`
  if (code === 'LEVEL_LOCKED') {
    return {
      code: 'LOCKED',
      message: `Another process holds the snapshot: ${what} Stop that process, or name another directory with --data.`,
    }
  }
  // `IO error: PATH: SENTENCE`: a path may hold the words of any sentence.
  const sentence = reason.message.slice(reason.message.lastIndexOf(': ') + 1)
  const errno = Object.entries(SAID).find(([, said]) => sentence.includes(said))?.[0]
  if (errno !== undefined) {
    const message = `${reason.message} (${code})`
    return faultOf({ code: errno, operation: 'the snapshot', path: directory, message, ...lackOf(errno, directory) })
  }
  // Of a table that is shorter than it was LevelDB says that an argument is invalid.
  const gone = /No such file or directory|Invalid argument/.test(sentence)
  if (code === 'LEVEL_CORRUPTION' || gone || reason.message.startsWith('Corruption'))
    return snapshotRot(directory, `${reason.message} (${code}).`)
  return {
    code: 'IO_ERROR',
    message: `The disk reports an error: ${what} Check the disk and the system log, then start the node again.`,
  }
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null
}
