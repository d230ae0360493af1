import { failure, success } from '../../base/result.ts'
import type { Random } from '../../base/random.ts'
import { SECTOR_BYTES, type Disk, type DiskDone, type DiskFile, type DiskLock } from '../../storage/disk/disk.ts'
import type { DiskRoom } from '../../node/ports/disk-room.ts'
import { shortageOf } from '../../storage/disk/room-marks.ts'
import type { Scheduler } from './scheduler.ts'

/** Latencies of one node's disk, microseconds; uniform latencies hide bugs, so every node draws its own. */
export interface DiskWeather {
  readonly operationMax: number
  readonly syncMin: number
  readonly syncMax: number
  /** Chance of a sync that takes `stall` instead. */
  readonly stallChance: number
  readonly stall: number
}

interface Write {
  readonly position: number
  readonly bytes: Uint8Array
  completed: boolean
}

interface Inode {
  durable: Uint8Array
  current: Uint8Array
  unsynced: Write[]
}

type NameOperation =
  | { readonly kind: 'link'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly path: string }

/**
 * A disk that keeps what was synced and, at a crash, any subset of the unsynced sectors and any prefix of the unsynced
 * names (disk.ts says what a power loss may take). The real log's scan runs over it.
 */
export class SimulatedDisk {
  private readonly scheduler: Scheduler
  private readonly random: Random
  weather: DiskWeather
  private names = new Map<string, Inode>()
  private durableNames = new Map<string, Inode>()
  private unsyncedNames: NameOperation[] = []
  private epoch = 0
  private failsNext = false
  /** A sync has failed since the last crash. */
  syncFailed = false
  readonly room = new SimulatedRoom()

  constructor(scheduler: Scheduler, random: Random, weather: DiskWeather) {
    this.scheduler = scheduler
    this.random = random
    this.weather = weather
  }

  /** The process is gone and, with `powerLoss`, what was not synced as well; completions of before never come. */
  crash(powerLoss: boolean): void {
    this.epoch += 1
    this.failsNext = false
    this.syncFailed = false
    if (!powerLoss) {
      for (const inode of this.names.values())
        inode.unsynced = inode.unsynced.map((write) => ({ ...write, completed: true }))
      return
    }
    const kept = this.random.between(0, this.unsyncedNames.length)
    this.names = new Map(this.durableNames)
    for (const operation of this.unsyncedNames.slice(0, kept)) apply(this.names, operation)
    this.durableNames = new Map(this.names)
    this.unsyncedNames = []
    for (const inode of new Set(this.names.values())) this.loseSectors(inode)
  }

  /**
   * One bit of a file whose path holds `text` is another from now on, in a sector that holds something: rot. While no process
   * runs. False: there is nothing to damage.
   */
  rot(text: string, random: Random): boolean {
    const paths = [...this.names.keys()].filter((path) => path.includes(text)).sort()
    const inode = paths.length === 0 ? undefined : this.names.get(random.pick(paths))
    if (inode === undefined) return false
    const sectors = Array.from({ length: Math.ceil(inode.current.length / SECTOR_BYTES) }, (_, at) => at * SECTOR_BYTES)
    const written = sectors.filter((at) => inode.current.subarray(at, at + SECTOR_BYTES).some((byte) => byte !== 0))
    if (written.length === 0) return false
    const at = Math.min(inode.current.length - 1, random.pick(written) + random.below(SECTOR_BYTES))
    const bit = 1 << random.below(8)
    for (const bytes of [inode.current, inode.durable]) bytes[at] = (bytes[at] ?? 0) ^ bit
    return true
  }

  /** Whether the next sync of a file fails: what was written before it is never on disk then, though it can be read. */
  failNextSync(fails: boolean): void {
    this.failsNext = fails
  }

  /** From now on there is room for so many bytes of new files, and a leader keeps a reserve of them, until `empty`. */
  fill({ leave, reserve }: { readonly leave: number; readonly reserve: number }): void {
    this.room.freeBytes = leave
    this.room.reserveBytes = reserve
  }

  empty(): void {
    this.room.freeBytes = null
  }

  /** This process's view; its completions die with it. */
  open(): Disk {
    const epoch = this.epoch
    const later = <Value>(value: Value, done: DiskDone<Value>): void => {
      this.scheduler.after(this.random.between(1, this.weather.operationMax), () => {
        if (this.epoch === epoch) done(success(value))
      })
    }
    const file = (inode: Inode): DiskFile => this.file(inode, epoch, later)
    return {
      makeDirectory: (_path, done) => later(null, done),
      list: (path, done) => later(this.list(path), done),
      readFile: (path, done) => later(this.names.get(path)?.current.slice() ?? null, done),
      create: (path, bytes, done) => {
        if (!this.room.take(bytes)) {
          const full = { code: 'ENOSPC', operation: 'create', path, message: 'no space left on device' }
          this.scheduler.after(this.random.between(1, this.weather.operationMax), () => {
            if (this.epoch === epoch) done(failure(full))
          })
          return
        }
        const inode: Inode = { durable: new Uint8Array(bytes), current: new Uint8Array(bytes), unsynced: [] }
        this.nameOperation({ kind: 'link', path, inode })
        later(file(inode), done)
      },
      open: (path, done) => {
        const inode = this.names.get(path)
        later(inode === undefined ? null : file(inode), done)
      },
      rename: (from, to, done) => {
        const inode = this.names.get(from)
        if (inode !== undefined) {
          this.nameOperation({ kind: 'link', path: to, inode })
          this.nameOperation({ kind: 'unlink', path: from })
        }
        later(null, done)
      },
      remove: (path, done) => {
        this.room.give(this.names.get(path)?.current.length ?? 0)
        this.nameOperation({ kind: 'unlink', path })
        later(null, done)
      },
      syncDirectory: (_path, done) => {
        const operations = [...this.unsyncedNames]
        this.scheduler.after(this.syncDelay(), () => {
          if (this.epoch !== epoch) return
          // A sync that began later may have made more durable than this one saw: nothing of that is undone.
          for (const operation of operations) {
            if (this.unsyncedNames.includes(operation)) apply(this.durableNames, operation)
          }
          this.unsyncedNames = this.unsyncedNames.filter((operation) => !operations.includes(operation))
          done(success(null))
        })
      },
      lock: (_path, done) => later<DiskLock>({ release: (released) => later(null, released) }, done),
    }
  }

  private file(inode: Inode, epoch: number, later: <Value>(value: Value, done: DiskDone<Value>) => void): DiskFile {
    return {
      size: inode.current.length,
      read: (position, length, done) => later(inode.current.slice(position, position + length), done),
      write: (position, buffers, done) => {
        // One request is one run of bytes: a sector that two of its buffers share is lost or kept as a whole.
        const write: Write = { position, bytes: joined(buffers), completed: false }
        inode.current.set(write.bytes, position)
        inode.unsynced.push(write)
        this.scheduler.after(this.random.between(1, this.weather.operationMax), () => {
          if (this.epoch !== epoch) return
          write.completed = true
          done(success(null))
        })
      },
      sync: (done) => {
        const completed = inode.unsynced.filter((write) => write.completed)
        const fails = this.failsNext
        this.failsNext = false
        this.scheduler.after(this.syncDelay(), () => {
          if (this.epoch !== epoch) return
          if (fails) return this.failSync(inode, done)
          for (const write of completed) {
            if (inode.unsynced.includes(write)) inode.durable.set(write.bytes, write.position)
          }
          inode.unsynced = inode.unsynced.filter((write) => !completed.includes(write))
          done(success(null))
        })
      },
      close: (done) => later(null, done),
    }
  }

  private failSync(inode: Inode, done: DiskDone<null>): void {
    this.syncFailed = true
    inode.unsynced = inode.unsynced.filter((write) => !write.completed)
    done(failure({ code: 'EIO', operation: 'fdatasync', path: '', message: 'the disk failed' }))
  }

  private syncDelay(): number {
    if (this.random.chance(this.weather.stallChance)) return this.weather.stall
    return this.random.between(this.weather.syncMin, this.weather.syncMax)
  }

  private nameOperation(operation: NameOperation): void {
    apply(this.names, operation)
    this.unsyncedNames.push(operation)
  }

  private list(path: string): readonly string[] {
    const prefix = path === '' ? '' : `${path}/`
    const found = new Set<string>()
    for (const name of this.names.keys()) {
      if (!name.startsWith(prefix)) continue
      found.add(name.slice(prefix.length).split('/')[0] ?? '')
    }
    return [...found].sort()
  }

  /** Each sector of each unsynced write survives or not, by itself. */
  private loseSectors(inode: Inode): void {
    const content = inode.durable.slice()
    for (const write of inode.unsynced) {
      const keepAll = this.random.chance(0.2)
      const end = write.position + write.bytes.length
      let at = write.position
      while (at < end) {
        const next = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES)
        if (keepAll || this.random.chance(0.5)) {
          content.set(write.bytes.subarray(at - write.position, next - write.position), at)
        }
        at = next
      }
    }
    inode.durable = content
    inode.current = content.slice()
    inode.unsynced = []
  }
}

/** What a disk has room for: as much as there is, but while it is `fill`ed. */
class SimulatedRoom implements DiskRoom {
  /** Null: enough. */
  freeBytes: number | null = null
  reserveBytes = 0
  private was = false

  get short(): boolean {
    const freeBytes = this.freeBytes ?? Number.POSITIVE_INFINITY
    const found = { freeBytes, totalBytes: freeBytes, freeInodes: 0, totalInodes: 0 }
    this.was = shortageOf(found, this.reserveBytes, this.was) !== null
    return this.was
  }

  /** False: there is not so much. */
  take(bytes: number): boolean {
    if (this.freeBytes === null) return true
    if (this.freeBytes < bytes) return false
    this.freeBytes -= bytes
    return true
  }

  give(bytes: number): void {
    if (this.freeBytes !== null) this.freeBytes += bytes
  }
}

function joined(buffers: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(buffers.reduce((sum, buffer) => sum + buffer.length, 0))
  let at = 0
  for (const buffer of buffers) {
    bytes.set(buffer, at)
    at += buffer.length
  }
  return bytes
}

function apply(names: Map<string, Inode>, operation: NameOperation): void {
  if (operation.kind === 'link') names.set(operation.path, operation.inode)
  else names.delete(operation.path)
}
