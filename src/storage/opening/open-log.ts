import { logIndex, indexAfter, term } from '../../base/brand.ts'
import type { Millis } from '../../base/brand.ts'
import { ENTRY_HEADER_BYTES, recordLease, recordNow } from '../../codec/entry/record.ts'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import type { LogStore, RecoveredLog } from '../../node/ports/log-store.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { ConfigurationEntry } from '../../raft/types.ts'
import { faultOf, logRot } from '../disk/faults.ts'
import { inOrder } from '../disk/in-order.ts'
import { logDirectory } from '../format/file-names.ts'
import { inspectLog } from './inspect-log.ts'
import type { Inspection } from './inspect-log.ts'
import type { LogImage } from '../log/log-image.ts'
import type { ReadyLog } from '../log/ready-log.ts'
import { secureLog } from './secure-log.ts'
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
  const { disk, directory, group, snapshot, started = false } = options
  inspectLog({ disk, directory, group, snapshotIndex: snapshot?.index ?? 0, started }, (fault, inspection) => {
    if (fault !== null || inspection === null) return done(fault, null)
    const refuse = (refused: StorageFault): void => {
      for (const segment of inspection.segments) segment.file.close(() => undefined)
      done(refused, null)
    }
    const configurations = decodeConfigurations(inspection.image, directory)
    if ('code' in configurations) return refuse(configurations)
    // Only now: a directory that is refused stays as it is.
    disk.makeDirectory(logDirectory(directory), (made) => {
      if (!made.ok) return refuse(faultOf(made.error))
      prepare(options, { inspection, configurations }, done)
    })
  })
}

interface Checked {
  readonly inspection: Inspection
  readonly configurations: readonly ConfigurationEntry[]
}

function prepare(options: OpenLogOptions, checked: Checked, done: OpenLogDone): void {
  const { snapshot } = options
  const reset = snapshot !== null && !reaches(checked.inspection.image, snapshot)
  const { disk, directory, group } = options
  const place = { disk, directory, group, firstSegmentBytes: firstBytes(options) }
  const plan = { inspection: checked.inspection, reset: reset ? stateOf(checked.inspection.image, snapshot) : null }
  secureLog(place, plan, (fault, ready) => {
    if (fault !== null || ready === null) return done(fault, null)
    const configurations = reset ? [] : checked.configurations
    lastClocks(ready, snapshot, (failed, clocks) => {
      if (failed !== null || clocks === null) return closeReady(ready, () => done(failed, null))
      const hardState = withTermAtLeast(ready.image, snapshot?.term ?? 0)
      const recovered = recoveredLog(ready, { configurations, hardState, clocks })
      const store = new SegmentedLog(
        {
          ...options,
          segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
          cacheBytes: options.cacheBytes ?? CACHE_BYTES,
        },
        ready,
      )
      done(null, { store, recovered })
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
  return image.index.last >= index && image.index.chainAt(index) === snapshot.chain
}

function stateOf(image: LogImage, snapshot: SnapshotPosition): LogState {
  const base = { index: logIndex(snapshot.index), term: term(snapshot.term), chain: snapshot.chain }
  return { ...image.state(), hardState: withTermAtLeast(image, snapshot.term), base }
}

/** A node that holds an entry or a snapshot of a term has seen that term (storage.md §2.2). */
function withTermAtLeast(image: LogImage, snapshotTerm: number): RecoveredLog['hardState'] {
  const least = Math.max(image.index.lastTerm, snapshotTerm)
  return image.hardState.currentTerm >= least ? image.hardState : { currentTerm: term(least), votedFor: null }
}

interface Clocks {
  readonly lease: Millis
  readonly now: Millis
}

/** Lease and now of the last entry held, read from its record; the snapshot's for an empty log. */
function lastClocks(
  ready: ReadyLog,
  snapshot: SnapshotPosition | null,
  done: (fault: StorageFault | null, clocks: Clocks | null) => void,
): void {
  const { index, extents } = ready.image
  if (index.last === index.base.index) return done(null, { lease: snapshot?.lease ?? 0, now: snapshot?.now ?? 0 })
  const extent = extents.runFrom(index.last, index.last)[0]
  if (extent === undefined) return done(null, { lease: 0, now: 0 })
  const at = extent.offset + index.positionAt(index.last) - extent.position
  extent.segment.file.read(at, ENTRY_HEADER_BYTES, (read) => {
    if (!read.ok) return done(faultOf(read.error), null)
    if (read.value.length < ENTRY_HEADER_BYTES)
      return done(logRot(extent.segment.path, at, 'The last entry is cut short.'), null)
    done(null, { lease: recordLease(read.value, 0), now: recordNow(read.value, 0) })
  })
}

function recoveredLog(
  ready: ReadyLog,
  known: { configurations: readonly ConfigurationEntry[]; hardState: RecoveredLog['hardState']; clocks: Clocks },
): RecoveredLog {
  const { index, lastWrite } = ready.image
  return {
    hardState: known.hardState,
    firstIndex: indexAfter(index.base.index),
    lastIndex: index.last,
    baseTerm: index.base.term,
    runs: index.runs(),
    configurations: known.configurations,
    lastLease: known.clocks.lease,
    lastNow: known.clocks.now,
    lastChain: index.lastChain,
    lastWrite,
    tornBytes: ready.tornBytes,
  }
}

/** The Configurations as the core knows them, or the fault that one of them does not decode. */
function decodeConfigurations(image: LogImage, directory: string): readonly ConfigurationEntry[] | StorageFault {
  const decoded: ConfigurationEntry[] = []
  for (const { index, payload } of image.configurations) {
    try {
      const { voters, learners } = decodePayload('Configuration', payload)
      const ids = (members: typeof voters): ConfigurationEntry['configuration']['voters'] =>
        members.map((member) => member.id).sort()
      decoded.push({ index, configuration: { voters: ids(voters), learners: ids(learners) } })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return logRot(logDirectory(directory), 0, `The Configuration of entry ${index} does not decode: ${reason}`)
    }
  }
  return decoded
}
