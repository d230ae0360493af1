import { indexAfter, type LogIndex, type NodeId, type Term, type WriteNumber } from '../../base/brand.ts'
import { clipRuns } from '../../base/term-run.ts'
import { CATCH_UP_BEHIND } from '../../raft/index.ts'
import type { Message } from '../../raft/types.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogStore, ReadRecords } from '../ports/log-store.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import { CatchUpPace } from './catch-up-pace.ts'

type AppendEntries = Extract<Message, { kind: 'appendEntries' }>

const NO_RECORDS = new Uint8Array(0)

export interface OutgoingMessagesPorts {
  readonly log: LogStore
  /** Puts one message with its records on the wire; false when the way there is full, and it is dropped. */
  transmit(to: NodeId, message: Message, records: Uint8Array): boolean
  /** Last entry of the log. */
  lastIndex(): LogIndex
  readonly clock: Pick<Clock, 'monotonicMs' | 'setTimer'>
  /** The node's current term: a leader never truncates its log within its term, so records read in it are the ones meant. */
  currentTerm(): Term
  fault(fault: StorageFault): void
  /** Most record bytes in one message; a single larger entry still goes. */
  readonly messageBytesMax: number
}

/**
 * Messages on their way out. A message leaves once the write it depends on has completed (architecture.md §3); the
 * records that an AppendEntries names are attached here and split into several messages by bytes.
 */
export class OutgoingMessages {
  private readonly ports: OutgoingMessagesPorts
  private persisted = 0
  private waiting: { readonly to: NodeId; readonly message: Message; readonly after: WriteNumber }[] = []
  private stopped = false
  private readonly pace: CatchUpPace
  /** AppendEntries to one peer stay in order, also when some must be read back from disk. */
  private readonly lanes = new Map<NodeId, AppendEntries[]>()

  constructor(ports: OutgoingMessagesPorts) {
    this.ports = ports
    this.pace = new CatchUpPace(ports.clock, ports.log.stats)
  }

  /** Sends the message now or, where `after` names a write, once that one and all before it are on disk. */
  dispatch(to: NodeId, message: Message, after: WriteNumber | null): void {
    if (this.stopped) return
    if (after !== null && after > this.persisted) this.waiting.push({ to, message, after })
    else this.release(to, message)
  }

  /** Write `write` and all before it are on disk. */
  writeCompleted(write: WriteNumber): void {
    this.persisted = Math.max(this.persisted, write)
    if (this.waiting.length === 0) return
    const ready = this.waiting.filter((item) => item.after <= this.persisted)
    if (ready.length === 0) return
    this.waiting = this.waiting.filter((item) => item.after > this.persisted)
    for (const item of ready) this.release(item.to, item.message)
  }

  /** Nothing leaves any more. */
  stop(): void {
    this.stopped = true
    this.waiting = []
  }

  private release(to: NodeId, message: Message): void {
    if (message.kind !== 'appendEntries' || message.runs.length === 0) {
      this.ports.transmit(to, message, NO_RECORDS)
      return
    }
    const lane = this.lanes.get(to)
    if (lane !== undefined) {
      lane.push(message)
      return
    }
    this.lanes.set(to, [message])
    this.drain(to)
  }

  /**
   * Sends what the lane holds, one read at a time; an uncached read continues when it calls back, and what is for a follower
   * that is far behind when its time has come.
   */
  private drain(to: NodeId): void {
    const lane = this.lanes.get(to)
    const message = lane?.[0]
    if (lane === undefined || message === undefined) {
      this.lanes.delete(to)
      return
    }
    const pauseMs = this.isFarBehind(message) ? this.pace.pauseMs() : 0
    if (pauseMs === 0) return this.send(to, lane, message)
    this.ports.clock.setTimer(pauseMs, () => {
      if (!this.stopped) this.send(to, lane, message)
    })
  }

  private isFarBehind(message: AppendEntries): boolean {
    const last = message.runs[message.runs.length - 1]?.last ?? 0
    return this.ports.lastIndex() - last >= CATCH_UP_BEHIND
  }

  private send(to: NodeId, lane: AppendEntries[], message: AppendEntries): void {
    const first = indexAfter(message.prevLogIndex)
    const last = message.runs[message.runs.length - 1]?.last ?? first
    this.ports.log.read({ first, last, maxBytes: this.ports.messageBytesMax }, (fault, read) => {
      if (this.stopped) return
      if (fault !== null) {
        this.ports.fault(fault)
        return
      }
      const rest = this.transmitRead(to, message, read)
      if (this.isFarBehind(message)) this.pace.sent(read.records.length)
      // A gap is a gap: what follows would be read from disk to be refused over there. A probe of the core repairs it.
      if (rest === 'dropped') lane.length = 0
      else if (rest === null) lane.shift()
      else lane[0] = rest
      this.drain(to)
    })
  }

  /** Sends the records read; what is left of the message, or null when it is done or void, or that it was dropped. */
  private transmitRead(to: NodeId, message: AppendEntries, read: ReadRecords): AppendEntries | 'dropped' | null {
    // A later term may have truncated or replaced the entries since the core named them: the message is void.
    if (read.records.length === 0 || this.ports.currentTerm() !== message.term) return null
    const sent = clipRuns(message.runs, read.first, read.last)
    if (!this.ports.transmit(to, { ...message, runs: sent }, read.records)) return 'dropped'
    const lastRun = sent[sent.length - 1]
    const end = message.runs[message.runs.length - 1]?.last
    if (lastRun === undefined || end === undefined || read.last >= end) return null
    return {
      ...message,
      prevLogIndex: read.last,
      prevLogTerm: lastRun.term,
      runs: clipRuns(message.runs, indexAfter(read.last), end),
    }
  }
}
