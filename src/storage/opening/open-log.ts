import { logIndex, indexAfter, term } from '../../base/brand.ts'
import type { Millis } from '../../base/brand.ts'
import { recordChain, recordLease, recordNow } from '../../codec/entry/record.ts'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import type { LogStore, RecoveredLog } from '../../node/ports/log-store.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { Obligation } from '../../raft/types.ts'
import { faultOf, logRot } from '../disk/faults.ts'
import { logDirectory } from '../format/file-names.ts'
import { decodeObligation, encodeObligation, joinedObligation, OBLIGATION_NAME } from '../format/obligation-note.ts'
import { replaceFile } from '../disk/replace-file.ts'
import { inOrder } from '../disk/in-order.ts'
import { inspectLog } from './inspect-log.ts'
import type { Inspection } from './inspect-log.ts'
import type { LogImage } from '../log/log-image.ts'
import { salvageLog } from './salvage-log.ts'
import { cutTrail } from '../trail/cut-trail.ts'
import { secureLog } from './secure-log.ts'
import { LogReader } from '../log/log-reader.ts'
import type { ReadyLog } from '../log/ready-log.ts'
import { TailCache } from '../log/tail-cache.ts'
import { CACHE_BYTES, FIRST_SEGMENT_BYTES, SEGMENT_BYTES } from '../log/log-options.ts'
import type { OpenLogOptions, SnapshotPosition } from '../log/log-options.ts'
import { SegmentedLog } from '../log/segmented-log.ts'
import type { LogState } from '../format/segment-header.ts'

/** A log that is open, and what it held. */
export interface OpenedLog {
  readonly store: LogStore
  readonly recovered: RecoveredLog
}

/** Called once, with a fault or with the log. */
export type OpenLogDone = (fault: StorageFault | null, opened: OpenedLog | null) => void

/**
 * Opens the log of one group, or makes an empty one. Before it calls back, everything that the log is about to report is
 * on disk for certain: what lay above the durable-end marker was copied and synced (storage.md §3.4). Damage is a fault
 * `LOG_ROT` and leaves the directory as it was; other faults are those of a failed disk operation. A log that ends below the
 * snapshot or does not chain to it becomes an empty one; the hard state stays (storage.md §4.7).
 */
export function openLog(options: OpenLogOptions, done: OpenLogDone): void {
  readObligation(options, (unread, noted) => {
    if (unread !== null) return done(unread, null)
    inspectOrSalvage(options, noted, (fault, found) => {
      if (fault !== null || found === null) return done(fault, null)
      const { disk, directory } = options
      const refuse = (refused: StorageFault): void => {
        for (const segment of found.inspection.segments) segment.file.close(() => undefined)
        done(refused, null)
      }
      const configurations = decodeConfigurations(found.inspection.image, directory)
      if ('code' in configurations) return refuse(configurations)
      // Only now: a directory that is refused stays as it is.
      disk.makeDirectory(logDirectory(directory), (made) => {
        if (!made.ok) return refuse(faultOf(made.error))
        prepare(options, { ...found, configurations }, done)
      })
    })
  })
}

interface FoundLog {
  readonly inspection: Inspection
  readonly obligation: Obligation | null
}

/** What an earlier open noted; null: nothing is owed. */
function readObligation(
  { disk, directory }: OpenLogOptions,
  done: (fault: StorageFault | null, noted: Obligation | null) => void,
): void {
  disk.readFile(`${directory}/${OBLIGATION_NAME}`, (read) => {
    if (!read.ok) return done(faultOf(read.error), null)
    done(null, read.value === null ? null : decodeObligation(read.value))
  })
}

/** The log as it is; a damaged one, where it may be repaired, up to the damage, once what is owed for the rest is noted. */
function inspectOrSalvage(
  options: OpenLogOptions,
  noted: Obligation | null,
  done: (fault: StorageFault | null, found: FoundLog | null) => void,
): void {
  const { disk, directory, group, snapshot, started = false, repairs = false } = options
  const input = { disk, directory, group, snapshotIndex: snapshot?.index ?? 0, started }
  inspectLog(input, (fault, inspection) => {
    if (inspection !== null) return done(null, { inspection, obligation: noted })
    if (fault?.code !== 'LOG_ROT' || !repairs) return done(fault, null)
    salvageLog(input, (failed, salvage) => {
      if (salvage === null) return done(failed, null)
      const obligation = joinedObligation(noted, salvage.obligation)
      const note = { directory, name: OBLIGATION_NAME, bytes: encodeObligation(obligation) }
      const refuse = (refused: StorageFault): void => {
        for (const segment of salvage.inspection.segments) segment.file.close(() => undefined)
        done(refused, null)
      }
      // Both before anything is changed: a node that forgot what it owes would vote, and one that held other entries against
      // what it made of the lost ones would halt.
      cutTrail(disk, { directory, above: salvage.inspection.image.held.last }, (uncut) => {
        if (uncut !== null) return refuse(uncut)
        replaceFile(disk, note, (unnoted) => {
          if (unnoted !== null) return refuse(unnoted)
          done(null, { inspection: salvage.inspection, obligation })
        })
      })
    })
  })
}

interface Checked extends FoundLog {
  readonly configurations: RecoveredLog['configurations']
}

function prepare(options: OpenLogOptions, checked: Checked, done: OpenLogDone): void {
  const { snapshot } = options
  const { image, newest } = checked.inspection
  const reset = snapshot !== null && !reaches(image, snapshot)
  // Nothing is left of a damaged log but its hard state.
  const lost = checked.obligation !== null && newest === null
  const { disk, directory, group } = options
  const place = { disk, directory, group, firstSegmentBytes: firstBytes(options) }
  const plan = { inspection: checked.inspection, reset: reset ? stateOf(image, snapshot) : lost ? image.state() : null }
  secureLog(place, plan, (fault, ready) => {
    if (fault !== null || ready === null) return done(fault, null)
    const configurations = reset ? [] : checked.configurations
    const hardState = withTermAtLeast(ready.image, snapshot?.term ?? 0)
    const skips = reset ? [] : image.skips
    const known = { configurations, skips, hardState, obligation: checked.obligation }
    const sizes = {
      segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
      cacheBytes: options.cacheBytes ?? CACHE_BYTES,
    }
    lastEntry(ready.image, snapshot, (failed, last) => {
      if (failed !== null) return closeReady(ready, () => done(failed, null))
      const recovered = recoveredLog(ready, { ...known, last })
      done(null, { store: new SegmentedLog({ ...options, ...sizes }, ready), recovered })
    })
  })
}

/** Every file that an open has opened, when it comes to nothing after all. */
function closeReady(ready: ReadyLog, done: () => void): void {
  const files = [...ready.segments.map((segment) => segment.file), ready.markerFile]
  inOrder(
    files,
    (file, next) => file.close(() => next()),
    () => done(),
  )
}

function firstBytes(options: OpenLogOptions): number {
  return Math.min(options.firstSegmentBytes ?? FIRST_SEGMENT_BYTES, options.segmentBytes ?? SEGMENT_BYTES)
}

/** The log holds the snapshot's last entry, the very same one, or begins right after it. */
function reaches(image: LogImage, snapshot: SnapshotPosition): boolean {
  const index = logIndex(snapshot.index)
  return image.held.last >= index && image.snapshotChain === snapshot.chain
}

function stateOf(image: LogImage, snapshot: SnapshotPosition): LogState {
  const base = { index: logIndex(snapshot.index), term: term(snapshot.term), chain: snapshot.chain }
  return { ...image.state(), hardState: withTermAtLeast(image, snapshot.term), base }
}

/** A node that holds an entry or a snapshot of a term has seen that term (storage.md §2.2). */
function withTermAtLeast(image: LogImage, snapshotTerm: number): RecoveredLog['hardState'] {
  const least = Math.max(image.held.lastTerm, snapshotTerm)
  return image.hardState.currentTerm >= least ? image.hardState : { currentTerm: term(least), votedFor: null }
}

/** Clocks and chain value of an entry. */
interface LastEntry {
  readonly lease: Millis
  readonly now: Millis
  readonly chain: number
}

/** The last entry held, from its record; the snapshot's for an empty log. */
function lastEntry(
  image: LogImage,
  snapshot: SnapshotPosition | null,
  done: (fault: StorageFault | null, last: LastEntry) => void,
): void {
  const { group, held, extents } = image
  const { last, base } = held
  const below = { lease: snapshot?.lease ?? 0, now: snapshot?.now ?? 0, chain: base.chain }
  if (last === base.index) return done(null, below)
  const reader = new LogReader({ group, held, extents, cache: new TailCache(0) }, () => undefined)
  reader.read({ first: last, last, maxBytes: 1 }, (fault, { records }) => {
    if (fault !== null) return done(fault, below)
    const chain = recordChain(records, 0)
    done(null, { lease: recordLease(records, 0), now: recordNow(records, 0), chain })
  })
}

function recoveredLog(
  ready: ReadyLog,
  known: Pick<RecoveredLog, 'configurations' | 'skips' | 'hardState' | 'obligation'> & { last: LastEntry },
): RecoveredLog {
  const { held, lastWrite } = ready.image
  const { last, configurations, skips = [], hardState, obligation } = known
  return {
    hardState,
    configurations,
    ...(skips.length === 0 ? {} : { skips }),
    lastWrite,
    runs: held.runs(),
    tornBytes: ready.tornBytes,
    obligation,
    firstIndex: indexAfter(held.base.index),
    lastIndex: held.last,
    baseTerm: held.base.term,
    lastLease: last.lease,
    lastNow: last.now,
    lastChain: last.chain,
  }
}

/** The Configurations with their bytes, or the fault that one of them does not decode. */
function decodeConfigurations(image: LogImage, directory: string): RecoveredLog['configurations'] | StorageFault {
  const decoded: RecoveredLog['configurations'][number][] = []
  for (const { index, payload } of image.configurations) {
    try {
      decoded.push({ index, payload: decodePayload('Configuration', payload), bytes: payload })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return logRot(logDirectory(directory), 0, `The Configuration of entry ${index} does not decode: ${reason}`)
    }
  }
  return decoded
}
