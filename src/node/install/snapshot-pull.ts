import { logIndex, type LogIndex, type Millis, type NodeId } from '../../base/brand.ts'
import { unpackRows } from '../../codec/rows/packed-rows.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { StateMachine, StateSuccessor } from '../../session/state-machine.ts'
import type { Clock } from '../ports/clock.ts'
import type { SnapshotInstall, SnapshotMeta, SnapshotStore } from '../ports/snapshot-store.ts'
import type { AnswerSnapshot, SnapshotAnswer } from '../ports/snapshot-transfer.ts'
import type { StorageFault } from '../ports/storage-fault.ts'

/** A snapshot that is on its way, or all here. */
export interface Incoming {
  readonly meta: SnapshotMeta
  readonly total: number
  readonly install: SnapshotInstall
  /** The machine's next state, with the rows so far. */
  readonly successor: StateSuccessor
  /** Key of the last row that is here; null: none. */
  after: string | null
  rows: number
  /** Monotonic ms at which it was begun. */
  readonly startedAt: Millis
}

/** How far a pull is: rows that are here, of so many, of the snapshot that ends at `index`. */
export interface PullProgress {
  readonly from: NodeId
  readonly index: LogIndex
  readonly rows: number
  readonly total: number
}

/** One snapshot and no other: its last index, and the running hash there. */
export interface ChosenSnapshot {
  readonly index: LogIndex
  readonly stateHash: string
}

export interface SnapshotPullPorts {
  readonly store: Pick<SnapshotStore, 'install'>
  readonly codec: Pick<SessionCodec, 'decodeValue'>
  readonly clock: Clock
  readonly machine: Pick<StateMachine, 'successor'>
  /** A part that was not answered for so long is asked for again, ms. */
  readonly askAgainMs: Millis
  /** Asks a member for a part. */
  ask(from: NodeId, part: { readonly index: LogIndex; readonly after: string | null }, done: AnswerSnapshot): void
  /** Every row is here and on disk. `done` once the snapshot was switched to or given up. */
  complete(incoming: Incoming, done: () => void): void
  fault(fault: StorageFault): void
}

/**
 * The follower's side of an install: asks for one part after the other, puts its rows on disk and into the machine's next
 * state, and goes on where it was when an answer is lost, the member is another one, or the leader changed. One part at a
 * time is in memory. Nothing of it is seen before all is here.
 */
export class SnapshotPull {
  private readonly ports: SnapshotPullPorts
  private from: NodeId | null = null
  /** The snapshot must reach this index at least. */
  private least: LogIndex = logIndex(0)
  /** It must be this one; null: any. */
  private chosen: ChosenSnapshot | null = null
  private incoming: Incoming | null = null
  /** Number of the newest request: an answer to an earlier one is late. */
  private asked = 0
  private askedAt: Millis = Number.NEGATIVE_INFINITY
  /** Rows are being written, or the snapshot is being switched to. */
  private busy = false
  private closed = false

  constructor(ports: SnapshotPullPorts) {
    this.ports = ports
  }

  /** What is on its way, until all of it is here; null: nothing. */
  get progress(): PullProgress | null {
    const { from, incoming } = this
    if (from === null || incoming === null) return null
    return { from, index: incoming.meta.lastIncludedIndex, rows: incoming.rows, total: incoming.total }
  }

  /** The rows of a snapshot are on their way, or it is being switched to. */
  get underway(): boolean {
    return this.busy || this.incoming !== null
  }

  /**
   * A snapshot that reaches `index` is wanted, or the chosen one and no other; whoever wants it says so again for as long as it
   * does.
   */
  want(from: NodeId, index: LogIndex, chosen: ChosenSnapshot | null = null): void {
    this.from = from
    this.least = index
    this.chosen = chosen
    if (this.busy || this.ports.clock.monotonicMs() - this.askedAt < this.ports.askAgainMs) return
    this.ask()
  }

  /** Nothing is pulled any more; what is here is gone at the next open. */
  close(): void {
    this.closed = true
  }

  private ask(): void {
    const { from, incoming } = this
    if (from === null || this.closed) return
    // The log could not go on from it. Asked for it, its member would keep it, and answer with nothing else.
    if (incoming !== null && incoming.meta.lastIncludedIndex < this.least) return this.giveUp(() => this.ask())
    this.asked += 1
    this.askedAt = this.ports.clock.monotonicMs()
    const request = this.asked
    const index = incoming?.meta.lastIncludedIndex ?? this.chosen?.index ?? logIndex(0)
    const part = { index, after: incoming?.after ?? null }
    this.ports.ask(from, part, (answer) => {
      if (request !== this.asked || this.busy || this.closed) return
      // It is asked again once the core says that it still wants one.
      if (answer !== null && answer.meta.lastIncludedIndex >= this.least) this.receive(answer)
    })
  }

  private receive(answer: SnapshotAnswer): void {
    const { incoming, chosen } = this
    const { lastIncludedIndex, stateHash } = answer.meta
    const isOther = chosen !== null && (chosen.index !== lastIncludedIndex || chosen.stateHash !== stateHash)
    if (isOther) return incoming === null ? undefined : this.giveUp(() => undefined)
    if (incoming === null) return this.begin(answer)
    if (incoming.meta.lastIncludedIndex !== answer.meta.lastIncludedIndex) return this.giveUp(() => this.begin(answer))
    if (incoming.after === answer.after) this.take(incoming, answer)
  }

  private begin(answer: SnapshotAnswer): void {
    const { meta, total } = answer
    this.busy = true
    this.ports.store.install({ meta, total }, (fault, install) => {
      this.busy = false
      if (fault !== null || install === null) return this.failed(fault)
      if (this.closed) return install.abandon(() => undefined)
      const { machine, clock } = this.ports
      const startedAt = clock.monotonicMs()
      const incoming = { meta, total, install, successor: machine.successor(), after: null, rows: 0, startedAt }
      this.incoming = incoming
      this.take(incoming, answer)
    })
  }

  private take(incoming: Incoming, { part }: SnapshotAnswer): void {
    if (part.lastKey === null) return this.end(incoming)
    if (!this.restore(incoming, part.bytes)) return this.giveUp(() => undefined)
    this.busy = true
    incoming.install.write(part, (fault) => {
      this.busy = false
      if (fault !== null) return this.failed(fault)
      incoming.after = part.lastKey
      incoming.rows += part.rows
      this.ask()
    })
  }

  /** False: a value that this build cannot read. */
  private restore({ successor }: Incoming, bytes: Uint8Array): boolean {
    const { codec } = this.ports
    try {
      for (const { key, value } of unpackRows(bytes)) {
        if (value !== null) successor.restoreRow(key, codec.decodeValue(value))
      }
      return true
    } catch (error) {
      if (error instanceof ValueError) return false
      throw error
    }
  }

  private end(incoming: Incoming): void {
    if (incoming.rows !== incoming.total) return this.giveUp(() => undefined)
    this.busy = true
    this.incoming = null
    this.ports.complete(incoming, () => {
      this.busy = false
    })
  }

  private giveUp(then: () => void): void {
    const { incoming } = this
    this.incoming = null
    this.busy = true
    incoming?.install.abandon(() => {
      this.busy = false
      if (!this.closed) then()
    })
  }

  private failed(fault: StorageFault | null): void {
    if (fault !== null) this.ports.fault(fault)
  }
}
