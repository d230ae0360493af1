import { indexAfter, indexBefore } from '../../base/brand.ts'
import type { GroupId, LogIndex } from '../../base/brand.ts'
import {
  describeRefusal,
  recordChain,
  recordGroup,
  recordIndex,
  recordLength,
  verifyEntry,
} from '../../codec/entry/record.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { logRot } from '../disk/faults.ts'
import { alignUp } from '../disk/sectors.ts'
import { readFrameHeaderIn } from '../format/frame.ts'
import type { Region } from './extents.ts'

/** Which entries of a region are wanted: from `first` on, as many as `bytes` hold; `atLeastOne`, however large. */
export interface WantedRecords {
  readonly group: GroupId
  readonly first: LogIndex
  readonly bytes: number
  readonly atLeastOne: boolean
}

/** Verified records of a region, in order. */
export interface RegionRecords {
  /** Views of the bytes read. */
  readonly pieces: readonly Uint8Array[]
  /** Their length in all. */
  readonly bytes: number
  /** Index of the last; the one before `first` when there is none. */
  readonly last: LogIndex
  /** Chain value of the last; of the entry before, when there is none. */
  readonly chain: number
  /** The next one would bring more bytes than were wanted. */
  readonly full: boolean
}

/**
 * The wanted records among the bytes of a region, verified: every frame's header by its checksum, every record by its own,
 * by its place and by the chain from the mark on (storage.md §2.6). LOG_ROT where one is wrong. Pure.
 */
export function recordsOfRegion(
  bytes: Uint8Array,
  region: Region,
  wanted: WantedRecords,
): RegionRecords | StorageFault {
  const walk = new RegionWalk(bytes, region, wanted)
  while (walk.more) {
    const wrong = walk.nextFrame()
    if (wrong !== null) return wrong
  }
  return walk.found()
}

class RegionWalk {
  private readonly bytes: Uint8Array
  private readonly region: Region
  private readonly wanted: WantedRecords
  private readonly pieces: Uint8Array[] = []
  private total = 0
  private full = false
  private chain: number
  /** The next record's index. */
  private index: LogIndex
  /** The last one that was taken. */
  private last: LogIndex
  /** Offset in the segment of what comes next: a frame's header, or a record when `rest` is above 0. */
  private at: number
  private rest: number

  constructor(bytes: Uint8Array, region: Region, wanted: WantedRecords) {
    this.bytes = bytes
    this.region = region
    this.wanted = wanted
    const { mark } = region
    this.chain = mark.chain
    this.index = mark.first
    this.last = indexBefore(wanted.first)
    this.at = mark.offset
    this.rest = mark.rest
  }

  get more(): boolean {
    return !this.full && this.index <= this.region.last && this.at < this.region.end
  }

  found(): RegionRecords {
    const { pieces, total, last, chain, full } = this
    return { pieces, bytes: total, last, chain, full }
  }

  /** The records of a frame, or of what is left of it. */
  nextFrame(): StorageFault | null {
    const { segment, mark } = this.region
    if (this.rest === 0) {
      const position = { sequence: segment.sequence, offset: this.at }
      const frame = readFrameHeaderIn({ bytes: this.bytes, from: mark.offset }, position, segment.seed)
      if (frame === null) return this.rot('The header of a write read back is wrong.')
      this.at += frame.headerBytes
      this.rest = frame.bodyBytes
    }
    const end = Math.min(this.at + this.rest, this.region.end)
    const wrong = this.takeRecords(end)
    this.at = alignUp(end)
    this.rest = 0
    return wrong
  }

  /** The records up to `end`, an offset in the segment. */
  private takeRecords(end: number): StorageFault | null {
    const { bytes, region, wanted } = this
    const records = bytes.subarray(0, end - region.mark.offset)
    let offset = this.at - region.mark.offset
    let from = -1
    let to = offset
    while (offset < records.length && this.index <= region.last) {
      const refusal = verifyEntry(records, offset, this.chain) ?? this.placeOf(records, offset)
      if (refusal !== null) {
        this.at = region.mark.offset + offset
        return this.rot(`A record read back is wrong: ${describeRefusal(refusal)}`)
      }
      const length = recordLength(records, offset)
      if (this.index >= wanted.first) {
        if (this.total + length > wanted.bytes && !(wanted.atLeastOne && this.total === 0)) {
          this.full = true
          break
        }
        if (from < 0) from = offset
        to = offset + length
        this.total += length
        this.last = this.index
      }
      this.chain = recordChain(records, offset)
      this.index = indexAfter(this.index)
      offset += length
    }
    if (from >= 0) this.pieces.push(bytes.subarray(from, to))
    return null
  }

  private placeOf(records: Uint8Array, offset: number): 'OUT_OF_ORDER' | null {
    const inPlace = recordIndex(records, offset) === this.index && recordGroup(records, offset) === this.wanted.group
    return inPlace ? null : 'OUT_OF_ORDER'
  }

  private rot(what: string): StorageFault {
    return logRot(this.region.segment.path, this.at, what)
  }
}
