import { assert } from '../../base/assert.ts'
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
import { baseOf } from '../format/frame.ts'
import type { FrameHeader, ReadFrameHeader } from '../format/frame.ts'
import { Extents } from './extents.ts'
import { HeldEntries } from './held-entries.ts'
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
  held: HeldEntries
  hardState: HardState
  lastWrite: WriteNumber
  configurations: FoundConfiguration[] = []
  /** SkipEntry entries, likewise. */
  skips: FoundConfiguration[] = []

  /** The entry that a snapshot ends with, 0 without one. */
  private readonly boundary: number
  private boundaryChain: number | null = null

  constructor(group: GroupId, state: LogState, snapshotIndex: number) {
    this.group = group
    this.boundary = snapshotIndex
    this.held = new HeldEntries(state.base)
    this.hardState = state.hardState
    this.lastWrite = state.lastWrite
  }

  /** What a segment header written now would say. */
  state(): LogState {
    const { last, lastTerm } = this.held
    return {
      hardState: this.hardState,
      lastWrite: this.lastWrite,
      base: { index: last, term: lastTerm, chain: this.lastChain },
    }
  }

  /** Chain value of the entry that the snapshot ends with; null when the log does not hold it. */
  get snapshotChain(): number | null {
    const { base, last } = this.held
    if (this.boundary === base.index) return base.chain
    return this.boundary > base.index && this.boundary <= last ? this.boundaryChain : null
  }

  /** Chain value of the last entry: every frame says what it goes on from, so a replay never loses it. */
  private get lastChain(): number {
    const { lastChain } = this.held
    assert(lastChain !== null, 'a replay knows the chain value of the last entry')
    return lastChain
  }

  /**
   * Goes on in the next segment; returns a sentence when its header does not follow. After a damaged log was opened, the header
   * alone tells the term, the vote and the number of the newest write that was lost: without them the node would vote once more
   * in a term in which it had voted, and number its writes so that the next open takes them for damage.
   */
  enter(header: SegmentHeader): string | null {
    const { last, lastTerm } = this.held
    const { index, term, chain } = header.base
    if (index !== last || term !== lastTerm || chain !== this.lastChain)
      return `The segment goes on from entry ${index}, but the log before it ends with entry ${last}.`
    this.hardState = header.hardState
    this.lastWrite = header.lastWrite
    return null
  }

  /** Replays one intact frame; returns a sentence when what it says cannot follow. */
  apply(bytes: Uint8Array, frame: ReadFrameHeader, segment: Segment): string | null {
    if (frame.truncateFrom > 0) this.truncate(frame)
    const base = baseOf(frame)
    const { last, lastTerm, lastChain } = this.held
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
    // Only the frame still says what chain value the entry before has; its checksum and the records that follow vouch for it.
    if (frame.truncateFrom > this.held.base.index) this.held.truncateFrom(frame.truncateFrom, frame.previous.chain)
    // The segments below were discarded; what the frame says of the entry before is the log's new beginning.
    else this.held = new HeldEntries(baseOf(frame))
    this.extents.truncateFrom(frame.truncateFrom)
    const isLeft = (found: FoundConfiguration): boolean => found.index < frame.truncateFrom
    this.configurations = this.configurations.filter(isLeft)
    this.skips = this.skips.filter(isLeft)
  }

  private addRecords(bytes: Uint8Array, frame: ReadFrameHeader, segment: Segment): string | null {
    const offset = frame.at.offset + frame.headerBytes
    const records = bytes.subarray(offset, offset + frame.bodyBytes)
    const { held } = this
    const verified = verifyRecords(records, {
      group: this.group,
      first: frame.firstIndex,
      previousTerm: held.lastTerm,
      previousChain: held.lastChain,
    })
    if ('reason' in verified)
      return `An entry record at offset ${offset + verified.offset} is wrong: ${describeRefusal(verified.reason)}`
    if (verified.count !== frame.count || verified.last !== frame.last.index)
      return 'A write holds other entries than its header says.'
    forEachOffset(records, (at) => {
      held.push(recordChain(records, at), recordTerm(records, at))
      if (held.last === this.boundary) this.boundaryChain = held.lastChain
      const kind = recordKind(records, at)
      if (kind === 'Configuration') this.configurations.push(foundAt(records, at))
      else if (kind === 'SkipEntry') this.skips.push(foundAt(records, at))
    })
    this.extents.push({
      segment,
      offset: frame.at.offset,
      bodyOffset: offset,
      end: frame.at.offset + frame.frameBytes,
      first: frame.firstIndex,
      last: verified.last,
      chain: frame.previous.chain,
      body: [records],
    })
    segment.highest = Math.max(segment.highest, verified.last)
    return null
  }
}

function foundAt(records: Uint8Array, at: number): FoundConfiguration {
  const payload = records.slice(at + ENTRY_HEADER_BYTES, at + recordLength(records, at))
  return { index: recordIndex(records, at), payload }
}

function checkEmpty(frame: FrameHeader): string | null {
  if (frame.count !== 0) return 'A write holds fewer entries than its header says.'
  return frame.last.index === frame.firstIndex - 1 ? null : 'A write without entries names another last entry.'
}
