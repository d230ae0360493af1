import type { GroupId } from '../../base/brand.ts'
import type { Clock } from '../../node/ports/clock.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'
import { faultOf } from '../disk/faults.ts'
import { segmentName } from '../format/file-names.ts'

interface Prepared {
  readonly sequence: number
  readonly file: DiskFile
}

/** `failedFor` while it is tried again: what was said stands. */
const TRYING = -1
/** Between two tries to make a segment for which there was no room, ms: at first, and twice as long each time, up to that. */
const TRY_AGAIN_MS = 1000
const TRY_AGAIN_MS_MAX = 60_000

/** Who is told of a fault, and of room that there is not, or is again (`LogListener.onRoom`). */
export interface SupplyListener {
  onFault(fault: StorageFault): void
  onRoom(short: string | null): void
}

export type SupplyDone = (fault: StorageFault | null, file: DiskFile | null) => void

/**
 * Makes the next segment's file ahead of need: zero-filled and synced, its name durable, so that an append changes no file
 * metadata (storage.md §2.1). A full disk is a fault only when the file is needed; until then it is said, and tried again.
 */
export class SegmentSupply {
  readonly group: GroupId
  private readonly disk: Disk
  private readonly directory: string
  private readonly clock: Pick<Clock, 'setTimer'>
  private readonly listener: SupplyListener
  private prepared: Prepared | null = null
  private preparing: { readonly size: number } | null = null
  /** The sequence number whose file could not be made ahead; 0 for none. Tried again now and then, and when it is needed. */
  private failedFor = 0
  private again: { cancel(): void } | null = null
  private againMs = TRY_AGAIN_MS
  private closed = false
  private waiting: (() => void)[] = []

  constructor(
    place: { disk: Disk; directory: string; group: GroupId; clock: Pick<Clock, 'setTimer'> },
    listener: SupplyListener,
  ) {
    this.disk = place.disk
    this.directory = place.directory
    this.group = place.group
    this.clock = place.clock
    this.listener = listener
  }

  /** Bytes of the file that is made ahead, or being made; 0: none. */
  get preparedBytes(): number {
    return this.prepared?.file.size ?? this.preparing?.size ?? 0
  }

  /** Path of a segment's file. */
  path(sequence: number): string {
    return `${this.directory}/${segmentName(sequence)}`
  }

  /** Begins to make a segment, unless it is there, under way, or could not be made before. */
  prepare(sequence: number, size: number): void {
    if (this.preparing !== null || this.prepared?.sequence === sequence || this.failedFor === sequence) return
    this.preparing = { size }
    this.create(sequence, size, (fault, file) => {
      this.preparing = null
      if (file !== null) this.prepared = { sequence, file }
      if (fault === null) this.madeRoom()
      else if (fault.code === 'DISK_FULL') this.lackRoom({ sequence, size }, fault)
      else this.listener.onFault(fault)
      this.goOn()
    })
  }

  /** The file of that sequence number with room for `bytes` at least, prepared or made now with `size`. */
  take(sequence: number, need: { bytes: number; size: number }, done: SupplyDone): void {
    if (this.preparing !== null) {
      this.waiting.push(() => this.take(sequence, need, done))
      return
    }
    const { prepared } = this
    this.prepared = null
    const fits = prepared !== null && prepared.sequence === sequence && prepared.file.size >= need.bytes
    if (fits) return done(null, prepared.file)
    const size = Math.max(need.size, need.bytes)
    // One at a time: a second file of that name would be this one, cut to nothing beneath whoever has begun to use it.
    this.again?.cancel()
    this.preparing = { size }
    const create = (): void =>
      this.create(sequence, size, (fault, file) => {
        this.preparing = null
        if (fault === null) this.madeRoom()
        done(fault, file)
        this.goOn()
      })
    if (prepared === null) create()
    else prepared.file.close(create)
  }

  private goOn(): void {
    const waiting = this.waiting
    this.waiting = []
    for (const go of waiting) go()
  }

  /** Waits for what is under way and closes an unused file; the next open removes it. */
  close(done: () => void): void {
    if (this.preparing !== null) {
      this.waiting.push(() => this.close(done))
      return
    }
    const { prepared } = this
    this.prepared = null
    this.closed = true
    this.again?.cancel()
    if (prepared === null) done()
    else prepared.file.close(() => done())
  }

  private lackRoom({ sequence, size }: { sequence: number; size: number }, fault: StorageFault): void {
    if (this.failedFor === 0) this.listener.onRoom(fault.message)
    this.failedFor = sequence
    if (this.closed) return
    this.again = this.clock.setTimer(this.againMs, () => {
      // By then it may have been needed, and made.
      if (this.failedFor !== sequence || this.preparing !== null) return
      this.failedFor = TRYING
      // Each try takes what is left, for as long as it lasts, from whoever else writes there.
      this.againMs = Math.min(2 * this.againMs, TRY_AGAIN_MS_MAX)
      this.prepare(sequence, size)
    })
  }

  private madeRoom(): void {
    this.again?.cancel()
    this.againMs = TRY_AGAIN_MS
    if (this.failedFor !== 0) this.listener.onRoom(null)
    this.failedFor = 0
  }

  private create(sequence: number, size: number, done: SupplyDone): void {
    this.disk.create(this.path(sequence), Math.ceil(size / SECTOR_BYTES) * SECTOR_BYTES, (created) => {
      if (!created.ok) return done(faultOf(created.error), null)
      this.disk.syncDirectory(this.directory, (synced) => {
        if (synced.ok) return done(null, created.value)
        created.value.close(() => done(faultOf(synced.error), null))
      })
    })
  }
}
