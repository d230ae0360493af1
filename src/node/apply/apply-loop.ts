import { logIndex, type LogIndex } from '../../base/brand.ts'
import { payloadAt, readHeader, recordLength } from '../../codec/entry/record.ts'
import type { EntryHeader } from '../../codec/entry/entry.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogStore } from '../ports/log-store.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import type { TurnBudget } from './turn-budget.ts'

/**
 * The steps of an entry that takes long run so long in one turn of the loop, and nothing else that can wait runs beside them.
 * Most of what a migration makes stays, so that a garbage collection often comes on top (docs/performance.md).
 */
export const STEPS_BUDGET_MS = 2

/** Record bytes read for one run of applies. */
const APPLY_READ_BYTES = 1024 * 1024

const NO_RECORDS = new Uint8Array(0)

export interface ApplyLoopPorts {
  readonly log: LogStore
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly turn: TurnBudget
  /**
   * Applies one entry: state machine, waiting proposer, listeners; or, of one that takes long, the next step of it. `more`:
   * it is not at its end, and comes again. `stopped`: it could not, and the node stops.
   */
  apply(header: EntryHeader, payload: Uint8Array): 'applied' | 'more' | 'stopped'
  /** After each run of entries. */
  batchApplied(): void
  /** The next entry must wait (snapshots pending); `resume` is called once it may go on. */
  mustWait(): boolean
  fault(fault: StorageFault): void
}

/**
 * Reads committed entries and has them applied in log order, in runs with a time budget (TurnBudget). An entry's bytes come
 * from the log's tail cache or, after a restart, from its segments.
 */
export class ApplyLoop {
  private readonly ports: ApplyLoopPorts
  /** Entries up to this one are applied. */
  applied: LogIndex
  private committed: LogIndex
  private running = false
  private stopped = false
  /** Who waits for the entry underway to end, after which nothing is applied any more. */
  private retiring: (() => void) | null = null
  /** A run's time was up, and the loop has not turned since: whatever comes meanwhile waits for that too. */
  private resting = false
  /** An entry has begun and is not at its end; nothing else is applied. */
  private underway = false
  /** Records read and, from `offset` on, not yet applied: the rest of a run whose time was up. */
  private records: Uint8Array = NO_RECORDS
  private offset = 0

  constructor(ports: ApplyLoopPorts, applied: LogIndex) {
    this.ports = ports
    this.applied = applied
    this.committed = applied
  }

  /** Entries committed and not yet applied. */
  get behind(): number {
    return this.committed - this.applied
  }

  commit(upTo: LogIndex): void {
    if (upTo > this.committed) this.committed = upTo
    this.resume()
  }

  resume(): void {
    if (this.running || this.resting || this.stopped || this.committed <= this.applied) return
    if (!this.underway && this.ports.mustWait()) return
    this.running = true
    if (this.offset < this.records.length) this.run()
    else this.read()
  }

  /** Applies nothing more once the entry underway, if there is one, is at its end; calls back then. */
  retire(done: () => void): void {
    if (!this.underway || this.stopped) {
      this.stopped = true
      done()
    } else this.retiring = done
  }

  /** Applies nothing more, also of what is being read. */
  stop(): void {
    this.stopped = true
  }

  private read(): void {
    const range = { first: logIndex(this.applied + 1), last: this.committed, maxBytes: APPLY_READ_BYTES }
    this.ports.log.read(range, (fault, read) => {
      if (this.stopped) return
      if (fault !== null) {
        this.ports.fault(fault)
        return
      }
      this.records = read.records
      this.offset = 0
      // What the first of them must wait for may have come while it was read.
      if (this.ports.mustWait()) this.running = false
      else this.run()
    })
  }

  private run(): void {
    const { clock, turn } = this.ports
    turn.begin()
    const stepsUntil = clock.monotonicMs() + STEPS_BUDGET_MS
    const { records, applied: before } = this
    while (this.offset < records.length) {
      const header = readHeader(records, this.offset)
      const done = this.ports.apply(header, payloadAt(records, this.offset))
      if (done === 'stopped') return
      this.underway = done === 'more'
      if (!this.underway) {
        this.applied = header.index
        this.offset += recordLength(records, this.offset)
        if (this.retiring !== null) this.stopped = true
      }
      const until = this.underway ? Math.min(turn.until, stepsUntil) : turn.until
      if (this.stopped || clock.monotonicMs() >= until || (!this.underway && this.ports.mustWait())) break
    }
    if (this.offset >= records.length) this.records = NO_RECORDS
    if (this.underway) turn.end()
    // In the middle of an entry nothing has come to be that anybody could hear of.
    if (this.applied > before) this.ports.batchApplied()
    this.running = false
    if (this.stopped) this.retired()
    else if (this.committed > this.applied) this.rest()
  }

  private retired(): void {
    const { retiring } = this
    this.retiring = null
    retiring?.()
  }

  private rest(): void {
    this.resting = true
    this.ports.turn.later(() => {
      this.resting = false
      this.resume()
    })
  }
}
