import type { GroupId, LogIndex, WriteNumber } from '../../base/brand.ts'
import {
  ENTRY_HEADER_BYTES,
  describeRefusal,
  recordChain,
  recordIndex,
  recordKind,
  recordLength,
  recordTerm,
} from '../../codec/entry/record.ts'
import { forEachOffset, verifyRecords } from '../../codec/entry/batch.ts'
import type { HardState } from '../../raft/types.ts'
import { EntryIndex } from './entry-index.ts'
import { baseOf } from '../format/frame.ts'
import type { FrameHeader, ReadFrameHeader } from '../format/frame.ts'
import { Extents } from './segment.ts'
import type { Segment } from './segment.ts'
import type { LogState, SegmentHeader } from '../format/segment-header.ts'

/** A Configuration entry found in the log, not yet decoded. */
export interface FoundConfiguration {
  readonly index: LogIndex
  readonly payload: Uint8Array
}

/**
 * What the log holds, without its record bytes: an open builds it by replaying the frames in order (storage.md §2.4), and the
 * running log goes on with it. Of a running log, `hardState`, `lastWrite` and `configurations` stay as the open found them.
 */
export class LogImage {
  readonly group: GroupId
  readonly extents = new Extents()
  index: EntryIndex
  hardState: HardState
  lastWrite: WriteNumber
  configurations: FoundConfiguration[] = []

  constructor(group: GroupId, state: LogState) {
    this.group = group
    this.index = new EntryIndex(state.base)
    this.hardState = state.hardState
    this.lastWrite = state.lastWrite
  }

  /** What a segment header written now would say. */
  state(): LogState {
    const { last, lastTerm, lastChain } = this.index
    return {
      hardState: this.hardState,
      lastWrite: this.lastWrite,
      base: { index: last, term: lastTerm, chain: lastChain },
    }
  }

  /** A sentence when the header of a segment does not go on from here. */
  checkFollows(header: SegmentHeader): string | null {
    const { last, lastTerm, lastChain } = this.index
    const { index, term, chain } = header.base
    if (index === last && term === lastTerm && chain === lastChain) return null
    return `The segment goes on from entry ${index}, but the log before it ends with entry ${last}.`
  }

  /** Replays one intact frame; returns a sentence when what it says cannot follow. */
  apply(bytes: Uint8Array, frame: ReadFrameHeader, segment: Segment): string | null {
    if (frame.truncateFrom > 0) this.truncate(frame)
    const base = baseOf(frame)
    const { last, lastTerm, lastChain } = this.index
    if (base.index !== last)
      return `A write goes on from entry ${base.index}, but the log before it ends with entry ${last}.`
    if (base.term !== lastTerm) return 'The term of the entry before a write is not the one that the write names.'
    if (base.chain !== lastChain)
      return 'The chain value of the entry before a write is not the one that the write names.'
    const wrong = frame.bodyBytes === 0 ? checkEmpty(frame) : this.addRecords(bytes, frame, segment)
    if (wrong !== null) return wrong
    this.hardState = frame.hardState
    this.lastWrite = frame.write
    return null
  }

  private truncate(frame: FrameHeader): void {
    if (frame.truncateFrom > this.index.base.index) this.index.truncateFrom(frame.truncateFrom)
    // The segments below were discarded; what the frame says of the entry before is the log's new beginning.
    else this.index = new EntryIndex(baseOf(frame))
    this.extents.truncateFrom(frame.truncateFrom)
    this.configurations = this.configurations.filter((found) => found.index < frame.truncateFrom)
  }

  private addRecords(bytes: Uint8Array, frame: ReadFrameHeader, segment: Segment): string | null {
    const offset = frame.at.offset + frame.headerBytes
    const records = bytes.subarray(offset, offset + frame.bodyBytes)
    const { index } = this
    const verified = verifyRecords(records, {
      group: this.group,
      first: frame.firstIndex,
      previousTerm: index.lastTerm,
      previousChain: index.lastChain,
    })
    if ('reason' in verified)
      return `An entry record at offset ${offset + verified.offset} is wrong: ${describeRefusal(verified.reason)}`
    if (verified.count !== frame.count || verified.last !== frame.last.index)
      return 'A write holds other entries than its header says.'
    const extent = { first: frame.firstIndex, last: verified.last, position: index.endPosition, segment, offset }
    forEachOffset(records, (at) => {
      index.push(recordLength(records, at), recordChain(records, at), recordTerm(records, at))
      if (recordKind(records, at) === 'Configuration') this.addConfiguration(records, at)
    })
    this.extents.push(extent)
    segment.highest = Math.max(segment.highest, extent.last)
    return null
  }

  private addConfiguration(records: Uint8Array, at: number): void {
    const payload = records.slice(at + ENTRY_HEADER_BYTES, at + recordLength(records, at))
    this.configurations.push({ index: recordIndex(records, at), payload })
  }
}

function checkEmpty(frame: FrameHeader): string | null {
  if (frame.count !== 0) return 'A write holds fewer entries than its header says.'
  return frame.last.index === frame.firstIndex - 1 ? null : 'A write without entries names another last entry.'
}
