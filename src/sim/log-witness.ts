import type { LogIndex, WriteNumber } from '../base/brand.ts'
import { recordChain, recordIndex, recordTerm } from '../codec/entry/record.ts'
import { forEachOffset } from '../codec/entry/batch.ts'
import type { LogRestart, LogStore, LogWrite, ReadRecords } from '../node/ports/log-store.ts'
import type { StorageDone } from '../node/ports/storage-fault.ts'
import type { HardState } from '../raft/types.ts'

const NO_RECORDS = new Uint8Array(0)

/** What a witness remembers of an entry. */
export interface WitnessedEntry {
  readonly term: number
  readonly chain: number
}

/**
 * Stands before a node's log and remembers, independently of the core and the store, what was written and what was
 * reported durable: the checkers compare everything else with it.
 */
export class LogWitness implements LogStore {
  /** Entries by index as the process sees its log; index 0 is unused. */
  readonly entries: WitnessedEntry[]
  /** Entries by index as reported on disk. */
  readonly durable: WitnessedEntry[]
  durableHardState: HardState
  /** An installed snapshot covers the entries up to here: the log holds none of them, and they are as durable as it is. */
  covered = 0
  private readonly store: LogStore
  private readonly outstanding: LogWrite[] = []
  private readonly appended: (index: number, entry: WitnessedEntry) => void

  constructor(
    store: LogStore,
    start: { entries: readonly WitnessedEntry[]; hardState: HardState },
    appended: (index: number, entry: WitnessedEntry) => void,
  ) {
    this.store = store
    this.entries = [...start.entries]
    this.durable = [...start.entries]
    this.durableHardState = start.hardState
    this.appended = appended
  }

  oldestWriteStage(): ReturnType<LogStore['oldestWriteStage']> {
    return this.store.oldestWriteStage()
  }

  get stats(): LogStore['stats'] {
    return this.store.stats
  }

  get firstIndex(): LogIndex {
    return this.store.firstIndex
  }

  append(write: LogWrite): void {
    this.outstanding.push(write)
    change(this.entries, write, this.appended)
    this.store.append(write)
  }

  /** The snapshot is on disk and switched to: its last entry is durable, and what the log held counts no more. */
  restart(write: LogRestart): void {
    const { index, term, chain } = write.base
    this.covered = index
    for (const entries of [this.entries, this.durable]) {
      entries.length = 0
      entries[index] = { term, chain }
    }
    // A write that is under way still completes, and its term and vote with it; what it says of entries counts no more.
    const nothing = { truncateFrom: null, records: NO_RECORDS, firstIndex: index, count: 0 }
    this.outstanding.forEach((waiting, at) => {
      this.outstanding[at] = { ...waiting, ...nothing }
    })
    this.outstanding.push({ write: write.write, hardState: write.hardState, ...nothing })
    this.appended(index, { term, chain })
    this.store.restart(write)
  }

  /** Called before the driver hears of it. */
  persisted(write: WriteNumber): void {
    for (;;) {
      const oldest = this.outstanding[0]
      if (oldest === undefined || oldest.write > write) return
      this.outstanding.shift()
      change(this.durable, oldest, () => undefined)
      this.durableHardState = oldest.hardState
    }
  }

  /**
   * Whether a log opened after a crash may hold `found`, or nothing, where an entry was durable: a write that was under way
   * had truncated it, and reached the disk although nobody was told.
   */
  mayHaveReplaced(index: number, found: WitnessedEntry | undefined): boolean {
    const replacing = this.outstanding.filter((write) => write.truncateFrom !== null && write.truncateFrom <= index)
    if (replacing.length === 0) return false
    if (found === undefined) return true
    const written: WitnessedEntry[] = []
    return this.outstanding.some((write) => {
      change(written, write, () => undefined)
      return written[index]?.chain === found.chain
    })
  }

  chainAt(index: LogIndex): number | null {
    return this.store.chainAt(index)
  }

  read(range: { first: LogIndex; last: LogIndex; maxBytes: number }, done: StorageDone<ReadRecords>): void {
    this.store.read(range, done)
  }

  obligationMet(): void {
    this.store.obligationMet()
  }

  discardUpTo(index: LogIndex): void {
    this.store.discardUpTo(index)
  }

  diskBytesAbove(index: LogIndex): number {
    return this.store.diskBytesAbove(index)
  }

  snapshotsEvery(recordBytes: number): void {
    this.store.snapshotsEvery(recordBytes)
  }

  oldestWriteAgeMs(): number {
    return this.store.oldestWriteAgeMs()
  }

  close(done: () => void): void {
    this.store.close(done)
  }
}

function change(
  entries: WitnessedEntry[],
  write: LogWrite,
  appended: (index: number, entry: WitnessedEntry) => void,
): void {
  if (write.truncateFrom !== null && entries.length > write.truncateFrom) entries.length = write.truncateFrom
  forEachOffset(write.records, (offset) => {
    const index = recordIndex(write.records, offset)
    const entry = { term: recordTerm(write.records, offset), chain: recordChain(write.records, offset) }
    entries[index] = entry
    appended(index, entry)
  })
}
