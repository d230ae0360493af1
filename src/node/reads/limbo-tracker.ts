import { indexAfter, logIndex, type LogIndex } from '../../base/brand.ts'
import { payloadAt, readHeader, recordLength } from '../../codec/entry/record.ts'
import type { LimboRows, LimboTrial, StateMachine } from '../../session/state-machine.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogStore } from '../ports/log-store.ts'

/** Record bytes that are read at a time, and looked at in all: 4,096 commands of 2 KiB. */
const READ_BYTES = 1024 * 1024
const LIMBO_BYTES_MAX = 8 * READ_BYTES

const NO_RECORDS = new Uint8Array(0)

export interface LimboTrackerParts {
  readonly log: Pick<LogStore, 'read'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly machine: Pick<StateMachine, 'tryLimbo' | 'appliedIndex' | 'underway'>
  /** Runs it in a later turn of the loop, until that monotonic time. */
  inTurn(run: (untilMs: number) => void): void
}

/** What is being found out of one limbo. */
interface Work {
  readonly last: LogIndex
  readonly trial: LimboTrial
  /** The next entry to try. */
  next: LogIndex
  /** Records read and, from `offset` on, not yet tried. */
  records: Uint8Array
  offset: number
  bytes: number
}

/**
 * What the entries may write that a new leader holds and cannot know to be committed (lease-reads.md, step 4): found once, when
 * a first read wants to know, from this node's own log, in the turns and within the budget of what can wait.
 */
export class LimboTracker {
  private readonly parts: LimboTrackerParts
  private readonly found: () => void
  private work: Work | null = null
  private known: { readonly last: LogIndex; readonly rows: LimboRows | null } | null = null

  /** `found` is called in a later turn once `rowsOf` has an answer. */
  constructor(parts: LimboTrackerParts, found: () => void) {
    this.parts = parts
    this.found = found
  }

  /**
   * The rows that may be written from the entry behind the one applied last up to `last`; null: any, for it cannot be told;
   * undefined: not known yet.
   */
  rowsOf(last: LogIndex): LimboRows | null | undefined {
    const { machine } = this.parts
    if (this.known?.last === last) return this.known.rows
    if (this.work?.last === last || machine.underway || machine.appliedIndex >= last) return undefined
    const next = indexAfter(logIndex(machine.appliedIndex))
    this.work = { last, trial: machine.tryLimbo(), next, records: NO_RECORDS, offset: 0, bytes: 0 }
    this.goOn(this.work)
    return undefined
  }

  /** Another leader, or limbo is over. */
  forget(): void {
    this.work = null
    this.known = null
  }

  private goOn(work: Work): void {
    this.parts.inTurn((untilMs) => {
      if (this.work !== work) return
      if (work.offset < work.records.length) this.run(work, untilMs)
      else this.read(work)
    })
  }

  private read(work: Work): void {
    const range = { first: work.next, last: work.last, maxBytes: READ_BYTES }
    this.parts.log.read(range, (fault, read) => {
      if (this.work !== work) return
      // What is wrong with the log stops whoever applies it.
      if (fault !== null || read.records.length === 0) return this.end(work, null)
      work.bytes += read.records.length
      if (work.bytes > LIMBO_BYTES_MAX) return this.end(work, null)
      work.records = read.records
      work.offset = 0
      this.goOn(work)
    })
  }

  private run(work: Work, untilMs: number): void {
    const { records, trial } = work
    while (work.offset < records.length) {
      const header = readHeader(records, work.offset)
      const { kind, index, term, lease, now } = header
      if (!trial.add({ kind, index, term, lease, now, payload: payloadAt(records, work.offset) }))
        return this.end(work, null)
      work.offset += recordLength(records, work.offset)
      work.next = indexAfter(index)
      if (this.parts.clock.monotonicMs() >= untilMs) break
    }
    if (work.next > work.last) this.end(work, trial.rows())
    else this.goOn(work)
  }

  private end(work: Work, rows: LimboRows | null): void {
    this.known = { last: work.last, rows }
    this.work = null
    this.found()
  }
}
