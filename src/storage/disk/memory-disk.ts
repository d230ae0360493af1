import { failure, success } from '../../base/result.ts'
import { SECTOR_BYTES } from './disk.ts'
import type { Disk, DiskDone, DiskFile, DiskLock, DiskResult } from './disk.ts'
import { alignUp } from './sectors.ts'

/** A file's bytes, and for every sector written since the last sync what it held before. */
interface Content {
  bytes: Uint8Array
  readonly unsynced: Map<number, Uint8Array>
}

/**
 * A disk in memory: logs of tests and of nodes that keep nothing. It outlives the stores that use it, so that a "restart"
 * is a new store on the same disk; `crash` takes what was not synced.
 */
export class MemoryDisk implements Disk {
  private readonly files = new Map<string, Content>()
  /** Names as a power loss would leave them. */
  private readonly durableFiles = new Map<string, Content>()
  private readonly locks = new Set<string>()
  private readonly defer: ((run: () => void) => void) | null

  /** Without `defer`, operations complete before they return; with it, each one runs when `defer` says. */
  constructor(defer: ((run: () => void) => void) | null = null) {
    this.defer = defer
  }

  /**
   * Power loss: unsynced names are gone, of the unsynced sectors those that `isLost` picks (all, by default). Locks are
   * free again. Stores that were open must not be used any more.
   */
  crash(isLost: () => boolean = () => true): void {
    this.files.clear()
    this.locks.clear()
    for (const [path, content] of this.durableFiles) {
      for (const [sector, before] of content.unsynced) {
        if (isLost()) content.bytes.set(before, sector * SECTOR_BYTES)
      }
      content.unsynced.clear()
      this.files.set(path, content)
    }
  }

  /** The bytes of a file as they are, to look at or to damage; null when there is none. */
  bytesOf(path: string): Uint8Array | null {
    return this.files.get(path)?.bytes ?? null
  }

  /** Names of all files, sorted. */
  paths(): readonly string[] {
    return [...this.files.keys()].sort()
  }

  /** An independent disk with the same content, all of it durable. */
  copy(defer: ((run: () => void) => void) | null = null): MemoryDisk {
    const copied = new MemoryDisk(defer)
    for (const [path, content] of this.files) copied.put(path, content.bytes.slice())
    return copied
  }

  /** A durable file with these bytes. */
  put(path: string, bytes: Uint8Array): void {
    const content = { bytes, unsynced: new Map<number, Uint8Array>() }
    this.files.set(path, content)
    this.durableFiles.set(path, content)
  }

  makeDirectory(_path: string, done: DiskDone<null>): void {
    this.run(() => null, done)
  }

  list(path: string, done: DiskDone<readonly string[]>): void {
    const skipped = path === '' ? 0 : path.length + 1
    const names = (): string[] =>
      this.paths()
        .filter((name) => directoryOf(name) === path)
        .map((name) => name.slice(skipped))
    this.run(names, done)
  }

  readFile(path: string, done: DiskDone<Uint8Array | null>): void {
    this.run(() => this.files.get(path)?.bytes.slice() ?? null, done)
  }

  create(path: string, bytes: number, done: DiskDone<DiskFile>): void {
    this.run(() => {
      const content = { bytes: new Uint8Array(bytes), unsynced: new Map<number, Uint8Array>() }
      this.files.set(path, content)
      return this.fileOf(content)
    }, done)
  }

  open(path: string, done: DiskDone<DiskFile | null>): void {
    this.run(() => {
      const content = this.files.get(path)
      return content === undefined ? null : this.fileOf(content)
    }, done)
  }

  rename(from: string, to: string, done: DiskDone<null>): void {
    this.complete(() => {
      const content = this.files.get(from)
      if (content === undefined)
        return failure({ code: 'ENOENT', operation: 'rename', path: from, message: 'there is no such file' })
      this.files.delete(from)
      this.files.set(to, content)
      return success(null)
    }, done)
  }

  remove(path: string, done: DiskDone<null>): void {
    this.run(() => {
      this.files.delete(path)
      return null
    }, done)
  }

  syncDirectory(path: string, done: DiskDone<null>): void {
    this.run(() => {
      for (const name of [...this.durableFiles.keys()]) {
        if (directoryOf(name) === path) this.durableFiles.delete(name)
      }
      for (const [name, content] of this.files) {
        if (directoryOf(name) === path) this.durableFiles.set(name, content)
      }
      return null
    }, done)
  }

  lock(path: string, done: DiskDone<DiskLock>): void {
    this.complete(() => {
      if (this.locks.has(path)) {
        return failure({
          code: 'ELOCKED',
          operation: 'lock',
          path,
          message: `${path} is in use in this process. Close its other user first.`,
        })
      }
      this.locks.add(path)
      const release = (released: DiskDone<null>): void =>
        this.run(() => {
          this.locks.delete(path)
          return null
        }, released)
      return success({ release })
    }, done)
  }

  private fileOf(content: Content): DiskFile {
    return {
      size: content.bytes.length,
      read: (position, length, done) => this.run(() => content.bytes.slice(position, position + length), done),
      write: (position, buffers, done) => this.run(() => write(content, position, buffers), done),
      sync: (done) =>
        this.run(() => {
          content.unsynced.clear()
          return null
        }, done),
      close: (done) => this.run(() => null, done),
    }
  }

  private run<Value>(operation: () => Value, done: DiskDone<Value>): void {
    this.complete(() => success(operation()), done)
  }

  private complete<Value>(operation: () => DiskResult<Value>, done: DiskDone<Value>): void {
    if (this.defer === null) done(operation())
    else this.defer(() => done(operation()))
  }
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function write(content: Content, position: number, buffers: readonly Uint8Array[]): null {
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  const first = Math.floor(position / SECTOR_BYTES)
  for (let sector = first; sector * SECTOR_BYTES < alignUp(position + total); sector += 1) {
    if (!content.unsynced.has(sector))
      content.unsynced.set(sector, content.bytes.slice(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES))
  }
  let offset = position
  for (const buffer of buffers) {
    content.bytes.set(buffer, offset)
    offset += buffer.length
  }
  return null
}
