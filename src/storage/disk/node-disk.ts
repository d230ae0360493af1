import fs from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { failure, success } from '../../base/result.ts'
import type { Disk, DiskDone, DiskError, DiskFile, DiskLock } from './disk.ts'
import { inOrder } from './in-order.ts'
import { lackOf } from './lack-of.ts'
import { takeLock } from './lock-file.ts'
import { makeDirectories } from './make-directories.ts'

/** Zeros are written in pieces, and synced now and then, so that a log write never waits behind one huge flush. */
const ZERO_BYTES = 1024 * 1024
const ZERO_SYNC_BYTES = 8 * ZERO_BYTES
const ZEROS = new Uint8Array(ZERO_BYTES)

type Failed = { readonly code?: string | undefined; readonly message: string } | null

/** The real disk: `node:fs` with callbacks, below one root directory. */
export class NodeDisk implements Disk {
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  makeDirectory(path: string, done: DiskDone<null>): void {
    const target = this.resolve(path)
    makeDirectories(target, (error, first) => {
      if (error !== null) return done(this.refused(error, 'mkdir', path))
      // One that is there may have been made by a process that ended before it synced the name.
      const made = first ?? (path === '' ? null : this.resolve(path.split('/')[0] ?? ''))
      if (made === null) return done(success(null))
      let problem: ReturnType<typeof refused> | null = null
      inOrder(
        parentsOf(made, target),
        (parent, next) =>
          this.syncDirectory(relative(this.root, parent), (synced) => {
            if (!synced.ok) problem = synced
            next()
          }),
        () => done(problem ?? success(null)),
      )
    })
  }

  list(path: string, done: DiskDone<readonly string[]>): void {
    fs.readdir(this.resolve(path), (error, names) => {
      if (error === null) done(success(names.sort()))
      else done(error.code === 'ENOENT' ? success([]) : refused(error, 'readdir', path))
    })
  }

  readFile(path: string, done: DiskDone<Uint8Array | null>): void {
    fs.readFile(this.resolve(path), (error, bytes) => {
      if (error === null) done(success(bytes))
      else done(error.code === 'ENOENT' ? success(null) : refused(error, 'read', path))
    })
  }

  create(path: string, bytes: number, done: DiskDone<DiskFile>): void {
    const place = this.resolve(path)
    fs.open(place, 'w+', (error, descriptor) => {
      if (error !== null) return done(this.refused(error, 'create', path))
      const file = new NodeFile(descriptor, path, bytes)
      zeroFill(file, 0, (problem) => {
        if (problem === null) return done(success(file))
        // Half a file of zeros would keep the last bytes of a full disk from everything else.
        file.close(() => fs.unlink(place, () => done(problem)))
      })
    })
  }

  open(path: string, done: DiskDone<DiskFile | null>): void {
    fs.open(this.resolve(path), 'r+', (error, descriptor) => {
      if (error !== null) return done(error.code === 'ENOENT' ? success(null) : refused(error, 'open', path))
      fs.fstat(descriptor, (failed, stats) => {
        if (failed === null) done(success(new NodeFile(descriptor, path, stats.size)))
        else fs.close(descriptor, () => done(refused(failed, 'stat', path)))
      })
    })
  }

  rename(from: string, to: string, done: DiskDone<null>): void {
    fs.rename(this.resolve(from), this.resolve(to), (error) =>
      done(error === null ? success(null) : this.refused(error, 'rename', from)),
    )
  }

  remove(path: string, done: DiskDone<null>): void {
    fs.unlink(this.resolve(path), (error) =>
      done(error === null || error.code === 'ENOENT' ? success(null) : refused(error, 'remove', path)),
    )
  }

  syncDirectory(path: string, done: DiskDone<null>): void {
    fs.open(this.resolve(path), 'r', (error, descriptor) => {
      if (error !== null) return done(refused(error, 'open', path))
      fs.fsync(descriptor, (failed) => {
        fs.close(descriptor, () => done(failed === null ? success(null) : refused(failed, 'fsync', path)))
      })
    })
  }

  lock(path: string, done: DiskDone<DiskLock>): void {
    done(takeLock(this.resolve(path), path))
  }

  private resolve(path: string): string {
    return join(this.root, path)
  }

  /** As `refused`, of a name: where there is no room for it, with what there is too little of. */
  private refused(error: NonNullable<Failed>, operation: string, path: string): ReturnType<typeof refused> {
    const failed = refused(error, operation, path)
    return { ...failed, error: { ...failed.error, ...lackOf(error.code, this.resolve(path)) } }
  }
}

class NodeFile implements DiskFile {
  readonly size: number
  private readonly descriptor: number
  private readonly path: string
  /** Operations under way: the descriptor's number may be given anew once it is closed, so close waits for them. */
  private pending = 0
  private closing: (() => void) | null = null

  constructor(descriptor: number, path: string, size: number) {
    this.descriptor = descriptor
    this.path = path
    this.size = size
  }

  read(position: number, length: number, done: DiskDone<Uint8Array>): void {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - position)))
    this.pending += 1
    this.readRest(bytes, { position, filled: 0 }, (result) => {
      this.ended()
      done(result)
    })
  }

  write(position: number, buffers: readonly Uint8Array[], done: DiskDone<null>): void {
    this.pending += 1
    this.writeRest(buffers, position, (result) => {
      this.ended()
      done(result)
    })
  }

  sync(done: DiskDone<null>): void {
    this.pending += 1
    fs.fdatasync(this.descriptor, (error) => {
      this.ended()
      done(error === null ? success(null) : refused(error, 'fdatasync', this.path))
    })
  }

  close(done: DiskDone<null>): void {
    const close = (): void =>
      fs.close(this.descriptor, (error) => done(error === null ? success(null) : refused(error, 'close', this.path)))
    if (this.pending === 0) close()
    else this.closing = close
  }

  private writeRest(buffers: readonly Uint8Array[], position: number, done: DiskDone<null>): void {
    fs.writev(this.descriptor, buffers, position, (error, written) => {
      if (error !== null) return done(refused(error, 'write', this.path))
      const rest = after(buffers, written)
      if (rest.length === 0) return done(success(null))
      // A short write goes on where it stopped; one of nothing at all would loop for ever.
      if (written === 0) return done(refused({ code: 'EIO', message: 'nothing was written' }, 'write', this.path))
      this.writeRest(rest, position + written, done)
    })
  }

  private readRest(bytes: Uint8Array, at: { position: number; filled: number }, done: DiskDone<Uint8Array>): void {
    const { position, filled } = at
    fs.read(this.descriptor, bytes, filled, bytes.length - filled, position + filled, (error, read) => {
      if (error !== null) return done(refused(error, 'read', this.path))
      if (read === 0 || filled + read === bytes.length) return done(success(bytes.subarray(0, filled + read)))
      this.readRest(bytes, { position, filled: filled + read }, done)
    })
  }

  private ended(): void {
    this.pending -= 1
    if (this.pending > 0 || this.closing === null) return
    const close = this.closing
    this.closing = null
    close()
  }
}

function zeroFill(file: DiskFile, from: number, done: (problem: ReturnType<typeof refused> | null) => void): void {
  const end = Math.min(file.size, from + ZERO_BYTES)
  const synced = (): void => (end === file.size ? done(null) : zeroFill(file, end, done))
  file.write(from, [ZEROS.subarray(0, end - from)], (written) => {
    if (!written.ok) return done(written)
    if (end < file.size && end % ZERO_SYNC_BYTES !== 0) return synced()
    file.sync((result) => (result.ok ? synced() : done(result)))
  })
}

/** What is left of the buffers after so many bytes. */
function after(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = written
  for (const buffer of buffers) {
    if (skip < buffer.length) rest.push(buffer.subarray(skip))
    skip = Math.max(0, skip - buffer.length)
  }
  return rest
}

/** Directories in which a name was made: from the parent of the first one made down to the target's parent. */
function parentsOf(first: string, target: string): readonly string[] {
  const parents: string[] = []
  for (let made = target; made.length >= first.length; made = dirname(made)) {
    parents.push(dirname(made))
    if (dirname(made) === made) break
  }
  return parents
}

function refused(error: NonNullable<Failed>, operation: string, path: string): { ok: false; error: DiskError } {
  return failure({ code: error.code ?? 'EIO', operation, path, message: error.message })
}
