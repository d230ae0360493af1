import type { AppliedRecord, AppliedTrail, OpenAppliedTrail } from '../../node/ports/applied-trail.ts'
import type { BuildMachine } from '../../node/ports/peer-transport.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { Disk, DiskFile, DiskResult } from '../disk/disk.ts'
import { faultOf } from '../disk/faults.ts'
import { trailPath } from '../format/file-names.ts'
import { decodeTrail, encodeTrailHeader, encodeTrailRecord, TRAIL_RECORD_BYTES } from '../format/trail-record.ts'

/** Records that a file has room for, 40 KiB: 100 s of them at one per 50 ms. A full one keeps every second record. */
const RECORDS_MAX = 2048

/** Where the trail lies, and what this process is built of. */
export interface AppliedTrailPlace {
  readonly disk: Disk
  /** The group's directory below the disk's root. */
  readonly directory: string
  readonly machines: readonly BuildMachine[]
}

/** Opens the trail of a group: reads what earlier processes recorded, and changes nothing until the first record. */
export function openAppliedTrail(place: AppliedTrailPlace): OpenAppliedTrail {
  return (onFault, done) =>
    place.disk.readFile(trailPath(place.directory), (read) => {
      if (!read.ok) return done(faultOf(read.error), null)
      done(null, new AppliedTrailFile(place, decodeTrail(read.value ?? new Uint8Array(0)), onFault))
    })
}

/** One operation on the disk at a time; what is noted meanwhile follows. No record is synced (`AppliedTrail`). */
class AppliedTrailFile implements AppliedTrail {
  readonly recorded: readonly AppliedRecord[]
  readonly recordedBy: readonly BuildMachine[]
  private readonly place: AppliedTrailPlace
  private readonly onFault: (fault: StorageFault) => void
  private records: AppliedRecord[]
  private file: DiskFile | null = null
  /** How many of `records` the file holds. */
  private written = 0
  /** The file must be made anew: it is another process's, full, or holds what is not wanted. */
  private stale = true
  private busy = false
  private failed = false
  private closing: (() => void) | null = null

  constructor(
    place: AppliedTrailPlace,
    content: { readonly recorded: readonly AppliedRecord[]; readonly recordedBy: readonly BuildMachine[] },
    onFault: (fault: StorageFault) => void,
  ) {
    this.place = place
    this.onFault = onFault
    this.recorded = content.recorded
    this.recordedBy = content.recordedBy
    this.records = [...content.recorded]
  }

  append(record: AppliedRecord): void {
    if (this.records.length >= RECORDS_MAX) this.keep(this.records.filter((_record, at) => at % 2 === 0))
    this.records.push(record)
    this.next()
  }

  discardUpTo(index: number): void {
    this.keep(this.records.filter((record) => record.index > index))
    // While nothing was recorded by this process, the file is left to whoever wrote it.
    if (this.file !== null) this.next()
  }

  discardAbove(index: number): void {
    this.keep(this.records.filter((record) => record.index <= index))
    this.next()
  }

  close(done: () => void): void {
    this.closing = done
    if (!this.busy) this.end()
  }

  private keep(records: AppliedRecord[]): void {
    this.records = records
    this.stale = true
  }

  private next(): void {
    if (this.busy || this.failed || this.closing !== null) return
    if (this.stale) this.renew()
    else if (this.written < this.records.length) this.extend()
  }

  /** A new file in place of the old one, atomically: interrupted anywhere, one of the two is there. */
  private renew(): void {
    const { disk, directory, machines } = this.place
    const path = trailPath(directory)
    const header = encodeTrailHeader(machines)
    const records = this.records.map(encodeTrailRecord)
    const count = records.length
    this.busy = true
    this.stale = false
    disk.create(`${path}.new`, header.length + RECORDS_MAX * TRAIL_RECORD_BYTES, (created) => {
      if (!created.ok) return this.over(created)
      created.value.write(0, [header, ...records], (put) => {
        if (!put.ok) return created.value.close(() => this.over(put))
        disk.rename(`${path}.new`, path, (renamed) => {
          this.file?.close(() => undefined)
          this.file = created.value
          this.written = count
          this.over(renamed)
        })
      })
    })
  }

  private extend(): void {
    const { file, written } = this
    if (file === null) return
    const records = this.records.slice(written)
    const room = file.size - RECORDS_MAX * TRAIL_RECORD_BYTES
    this.busy = true
    file.write(room + written * TRAIL_RECORD_BYTES, records.map(encodeTrailRecord), (put) => {
      this.written = written + records.length
      this.over(put)
    })
  }

  private over(result: DiskResult<unknown>): void {
    this.busy = false
    if (!result.ok && !this.failed) {
      this.failed = true
      this.onFault(faultOf(result.error))
    }
    if (this.closing !== null) this.end()
    else this.next()
  }

  /** What is not written yet is written once more before the end. */
  private end(): void {
    const { closing } = this
    if (closing === null) return
    this.closing = null
    if (!this.failed && this.file !== null && (this.stale || this.written < this.records.length)) {
      this.next()
      if (this.busy) {
        this.closing = closing
        return
      }
    }
    if (this.file === null) closing()
    else this.file.close(() => closing())
  }
}
