import { type StatsFs, statfs, statfsSync } from 'node:fs'
import type { DiskRoom } from '../../node/ports/disk-room.ts'
import { type FileSystemRoom, type Shortage, shortageOf } from '../../storage/disk/room-marks.ts'

/** Between two looks, ms. A disk that fills at 200 MB/s needs longer for the reserve. */
const LOOK_EVERY_MS = 500

export interface DiskWatchOptions {
  readonly directory: string
  /** Bytes; null: the default (`reserveBytesOf`). */
  readonly reserveBytes: number | null
  /** Too little room, in a sentence; null: enough again. Told on a change alone. */
  readonly told: (short: { readonly sentence: string; readonly of: string; readonly left: number } | null) => void
}

/**
 * Looks twice a second how much room the file system of a directory has, by `statfs`, off the event loop; and is told by the
 * log where a segment could not be made, which is how a quota is noticed.
 */
export class DiskWatch implements DiskRoom {
  short = false
  private readonly options: DiskWatchOptions
  private shortage: Shortage | null = null
  /** What the log said of the next segment; null: it is there. */
  private segment: string | null = null
  private timer: NodeJS.Timeout | null = null

  constructor(options: DiskWatchOptions) {
    this.options = options
  }

  /** The first look is now, before any command; where there is nothing to look at, the next one tells. */
  start(): void {
    try {
      this.saw(statfsSync(this.options.directory))
    } catch {
      // Whoever opens the directory says what is wrong with it.
    }
    this.later()
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  /** As `LogListener.onRoom`. */
  segmentRoom(short: string | null): void {
    this.segment = short
    this.judge()
  }

  private later(): void {
    this.timer = setTimeout(() => {
      statfs(this.options.directory, (error, found) => {
        if (this.timer === null) return
        // A disk that does not answer says so to the log's next write.
        if (error === null) this.saw(found)
        this.later()
      })
    }, LOOK_EVERY_MS)
    this.timer.unref()
  }

  private saw(found: StatsFs): void {
    this.shortage = shortageOf(roomOf(found), this.options.reserveBytes, this.shortage !== null)
    this.judge()
  }

  private judge(): void {
    const { shortage, segment } = this
    const short = shortage !== null || segment !== null
    if (short === this.short) return
    this.short = short
    if (!short) this.options.told(null)
    else if (shortage === null) this.options.told({ sentence: segment ?? '', of: 'segment', left: 0 })
    else this.options.told({ sentence: sentenceOf(shortage), of: shortage.of, left: shortage.left })
  }
}

function sentenceOf({ of, left, enough }: Shortage): string {
  const [unit, scale] = of === 'bytes' ? ['MiB', 1024 * 1024] : ['inodes', 1]
  const shown = (count: number): string => `${Math.floor(count / scale)} ${unit}`
  return `the disk is nearly full: ${shown(left)} are left, and ${shown(enough)} are enough`
}

function roomOf({ bsize, bavail, blocks, ffree, files }: StatsFs): FileSystemRoom {
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeInodes: ffree, totalInodes: files }
}
