import type { Result } from '../../base/result.ts'

/** Bytes that a disk writes as a whole or not at all; every frame and marker slot starts at a multiple of it. */
export const SECTOR_BYTES = 512

/** Why an operation on a disk failed. `code` is the errno name: `EIO`, `ENOSPC`, `EACCES`, `ENOTDIR`, `ELOCKED`, … */
export interface DiskError {
  readonly code: string
  /** The operation as a word: `write`, `fdatasync`, `open`, … */
  readonly operation: string
  /** The path as the caller gave it. */
  readonly path: string
  /** What the system said. */
  readonly message: string
  /** Of ENOSPC, where it is known: what the file system has too little of; a name needs an inode, whatever bytes are free. */
  readonly lacks?: 'bytes' | 'inodes'
}

export type DiskResult<Value> = Result<Value, DiskError>

/** Called exactly once per operation: before the call returns or at any time after it. */
export type DiskDone<Value> = (result: DiskResult<Value>) => void

/**
 * The few operations that the stores need of a file system, over paths relative to one root with `/` between the parts.
 * Three implementations run the same store code: `NodeDisk` (real files), `MemoryDisk`, and the simulator's disk (storage.md
 * §8.1).
 *
 * Durability: `write` is durable once a `sync` of that file that was called after the write's completion has
 * completed. Names (`create`, `rename`, `remove`) are durable once a `syncDirectory` of their directory has completed.
 * What a power loss takes: any subset of the unsynced sectors (a lost one reads as it was before the write) and any
 * unsynced names.
 */
export interface Disk {
  /** Makes a directory and its missing parents, durably; nothing when it is there. */
  makeDirectory(path: string, done: DiskDone<null>): void
  /** Names in a directory, sorted; an empty list when there is no such directory. */
  list(path: string, done: DiskDone<readonly string[]>): void
  /** The whole content, the caller's to keep; null when there is no such file. */
  readFile(path: string, done: DiskDone<Uint8Array | null>): void
  /** A new file of `bytes` zeros, synced, its name not; a file of that name is replaced. */
  create(path: string, bytes: number, done: DiskDone<DiskFile>): void
  /** An existing file for reading and writing; null when there is none. */
  open(path: string, done: DiskDone<DiskFile | null>): void
  /** Atomic; replaces `to`. */
  rename(from: string, to: string, done: DiskDone<null>): void
  /** Nothing when there is no such file. */
  remove(path: string, done: DiskDone<null>): void
  /** Makes the names in a directory durable. */
  syncDirectory(path: string, done: DiskDone<null>): void
  /**
   * Takes an exclusive lock named by a file; a lock left by a dead process is taken over. Refused with code `ELOCKED`
   * and a message that names the holder (pid and host).
   */
  lock(path: string, done: DiskDone<DiskLock>): void
}

export interface DiskLock {
  release(done: DiskDone<null>): void
}

/** An open file of a fixed size. Several operations may be in flight at once. */
export interface DiskFile {
  /** Bytes, as of `create` or `open`. */
  readonly size: number
  /** Bytes of [position, position + length), fewer at the end of the file; the caller's to keep. */
  read(position: number, length: number, done: DiskDone<Uint8Array>): void
  /** All buffers one after the other from `position` in one request; they must not change before `done`. */
  write(position: number, buffers: readonly Uint8Array[], done: DiskDone<null>): void
  /** fdatasync: every write that completed before this call is durable. Never retried after an error. */
  sync(done: DiskDone<null>): void
  close(done: DiskDone<null>): void
}
