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
 * old marker is copied at the next open, never lost.
 */
export class MarkerFile {
  private readonly file: DiskFile
  private readonly clock: Pick<Clock, 'setTimer'>
  private readonly onFault: (fault: StorageFault) => void
  private counter: number
  private wanted: LogPosition | null = null
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
    if (this.timer !== null || this.writing) return
    this.timer = this.clock.setTimer(MARKER_DELAY_MS, () => {
      this.timer = null
      this.write()
    })
  }

  /** Writes and syncs the newest position now, when it is not on disk yet. */
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

  private write(): void {
    const position = this.wanted
    if (position === null) return this.settle(null)
    this.wanted = null
    this.writing = true
    const counter = this.counter + 1
    this.file.write(markerSlotOffset(counter), [encodeMarkerSlot({ ...position, counter })], (written) => {
      if (!written.ok) return this.fail(faultOf(written.error))
      this.file.sync((synced) => {
        if (!synced.ok) return this.fail(faultOf(synced.error))
        this.counter = counter
        this.writing = false
        this.next()
      })
    })
  }

  private next(): void {
    if (this.waiting.length > 0) return this.write()
    if (this.wanted !== null) this.advance(this.wanted)
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

/** Opens the marker file, or makes an empty one. Its name is durable then. */
export function openMarkerFile(
  disk: Disk,
  place: { path: string; directory: string },
  done: (fault: StorageFault | null, file: DiskFile | null) => void,
): void {
  disk.open(place.path, (opened) => {
    if (!opened.ok) return done(faultOf(opened.error), null)
    if (opened.value !== null && opened.value.size >= MARKER_BYTES) return done(null, opened.value)
    opened.value?.close(() => undefined)
    disk.create(place.path, MARKER_BYTES, (created) => {
      if (!created.ok) return done(faultOf(created.error), null)
      disk.syncDirectory(place.directory, (synced) =>
        synced.ok ? done(null, created.value) : done(faultOf(synced.error), null),
      )
    })
  })
}
