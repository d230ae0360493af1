import type { Clock, Timer } from '../../node/ports/clock.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'
import { faultOf } from '../disk/faults.ts'
import { MARKER_BYTES, encodeMarkerSlot, markerSlotOffset } from '../format/marker-slot.ts'
import type { LogPosition, MarkerSlot } from '../format/marker-slot.ts'

/** The marker follows the log by at most this and one write of its own: 50 ms together (storage.md §3.1). */
const MARKER_DELAY_MS = 40

export type MarkerDone = (fault: StorageFault | null) => void

/**
 * Keeps the durable-end marker behind the log's synced end. Lazy, so that no append waits for it: what lies above an
 * old marker is copied at the next open, never lost. A position that stays is written once more, into the other slot: then
 * no single lost sector takes it away.
 */
export class MarkerFile {
  private readonly file: DiskFile
  private readonly clock: Pick<Clock, 'setTimer'>
  private readonly onFault: (fault: StorageFault) => void
  private counter: number
  private wanted: LogPosition | null = null
  /** The wanted position stands in one slot already. */
  private again = false
  private timer: Timer | null = null
  private writing = false
  private waiting: MarkerDone[] = []

  constructor(
    file: DiskFile,
    newest: MarkerSlot | null,
    options: { clock: Pick<Clock, 'setTimer'>; onFault: (fault: StorageFault) => void },
  ) {
    this.file = file
    this.counter = newest?.counter ?? 0
    this.clock = options.clock
    this.onFault = options.onFault
  }

  /** The log is on disk up to here; the marker says so soon. */
  advance(position: LogPosition): void {
    this.wanted = position
    this.again = false
    this.schedule()
  }

  /** Writes and syncs the newest position now, into both slots, where they do not say it yet. */
  flush(done: MarkerDone): void {
    this.timer?.cancel()
    this.timer = null
    this.waiting.push(done)
    if (!this.writing) this.write()
  }

  /** Stops the timer and closes the file, without a last write. */
  close(done: () => void): void {
    this.timer?.cancel()
    this.timer = null
    if (this.writing) this.waiting.push(() => this.file.close(() => done()))
    else this.file.close(() => done())
  }

  private schedule(): void {
    if (this.timer !== null || this.writing) return
    this.timer = this.clock.setTimer(MARKER_DELAY_MS, () => {
      this.timer = null
      this.write()
    })
  }

  private write(): void {
    const position = this.wanted
    if (position === null) return this.settle(null)
    const second = this.again
    this.wanted = null
    this.writing = true
    const slot = { ...position, counter: this.counter + 1 }
    writeMarkerSlot(this.file, slot, (fault) => {
      if (fault !== null) return this.fail(fault)
      this.counter = slot.counter
      this.writing = false
      if (this.wanted === null && !second) {
        this.wanted = position
        this.again = true
      }
      this.next()
    })
  }

  private next(): void {
    if (this.waiting.length > 0) return this.write()
    if (this.wanted !== null) this.schedule()
  }

  private settle(fault: StorageFault | null): void {
    const waiting = this.waiting
    this.waiting = []
    for (const done of waiting) done(fault)
  }

  private fail(fault: StorageFault): void {
    this.writing = false
    this.wanted = null
    if (this.waiting.length === 0) this.onFault(fault)
    else this.settle(fault)
  }
}

/** Writes a slot over the older one and syncs it; the other one stays whole meanwhile. */
export function writeMarkerSlot(file: DiskFile, slot: MarkerSlot, done: MarkerDone): void {
  file.write(markerSlotOffset(slot.counter), [encodeMarkerSlot(slot)], (written) => {
    if (!written.ok) return done(faultOf(written.error))
    file.sync((synced) => done(synced.ok ? null : faultOf(synced.error)))
  })
}

/** Opens the marker file, or makes an empty one. Its name is durable then. */
export function openMarkerFile(
  disk: Disk,
  place: { path: string; directory: string },
  done: (fault: StorageFault | null, file: DiskFile | null) => void,
): void {
  disk.open(place.path, (opened) => {
    if (!opened.ok) return done(faultOf(opened.error), null)
    if (opened.value !== null && opened.value.size >= MARKER_BYTES) return named(opened.value)
    opened.value?.close(() => undefined)
    disk.create(place.path, MARKER_BYTES, (created) =>
      created.ok ? named(created.value) : done(faultOf(created.error), null),
    )
  })

  // Also of one that is there: it may have been made by a process that ended before it synced the name, and a marker that
  // a power loss takes away again would make the log look damaged.
  function named(file: DiskFile): void {
    disk.syncDirectory(place.directory, (synced) => {
      if (synced.ok) return done(null, file)
      file.close(() => done(faultOf(synced.error), null))
    })
  }
}
