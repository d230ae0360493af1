import type { LogIndex, Millis, Term } from '../../base/brand.ts'
import type { ReadRefusal, ReadSink } from '../api.ts'
import { TURN_BUDGET_MS } from '../apply/turn-budget.ts'
import type { LimboRows } from '../../session/state-machine.ts'
import type { Clock } from '../ports/clock.ts'
import { LimboTracker, type LimboTrackerParts } from './limbo-tracker.ts'

export interface ReadRequestsParts extends LimboTrackerParts {
  readonly clock: Pick<Clock, 'monotonicMs' | 'defer'>
  /** A follower that has no answer for this long asks again: its message, or the answer, was lost. */
  readonly askAgainMs: Millis
  readonly machine: LimboTrackerParts['machine'] & {
    readonly limits: { readonly responseBytesMax: number }
    readonly readable: boolean
  }
  /** Term of the leader whom the core would ask, this node included; null: there is none to ask. */
  office(): Term | null
  leads(): boolean
  applied(): LogIndex
  /** One step of the core, with a `read` of that id. */
  ask(id: number): void
  /** Asks for a turn. */
  schedule(): void
}

interface Waiting {
  readonly sink: ReadSink
  readonly giveUpAt: Millis
  /** Whether it was tried in limbo, and what of it cannot be told before that is over. */
  inLimbo: 'untried' | 'answered' | 'waits'
}

/** Reads that were asked for together. */
interface Asked {
  /** A read of this id or a later one of this process answers them. */
  readonly id: number
  /** In order of arrival; those that are served go. */
  reads: Waiting[]
  /** What the core has answered; null: nothing yet. */
  index: LogIndex | null
  /** Of the entries `[limboFrom, index]` this leader cannot know whether they are committed; null: there are none. */
  limboFrom: LogIndex | null
}

/**
 * Linearizable reads of this node (raft.md §1): what arrives within a turn is asked for at once, in one `read` of the core, and
 * served when this node has applied what the core answers. Where nobody leads, and after a change of leader, they wait and
 * are asked for again, until their time is up.
 */
export class ReadRequests {
  /** Queries that were answered in limbo, and that had to wait for it to be over. */
  answeredInLimbo = 0
  waitedForLimbo = 0
  private readonly parts: ReadRequestsParts
  private readonly limbo: LimboTracker
  /** Not asked for, or to be asked for again. */
  private arrived: Waiting[] = []
  /** Oldest first. */
  private asked: Asked[] = []
  private lastId = 0
  private lastAskedAt: Millis = 0
  /** The earliest time at which one may have waited too long. */
  private earliestGiveUpAt: Millis = Number.POSITIVE_INFINITY
  private serving = false
  /** Term of the leader that was asked last. */
  private askedIn: Term | null = null

  constructor(parts: ReadRequestsParts) {
    this.parts = parts
    this.limbo = new LimboTracker(parts, () => this.serve())
  }

  /** From now on the sink waits, for `waitMs` at most. */
  add(sink: ReadSink, waitMs: Millis): void {
    const giveUpAt = this.parts.clock.monotonicMs() + waitMs
    this.arrived.push({ sink, giveUpAt, inLimbo: 'untried' })
    this.earliestGiveUpAt = Math.min(this.earliestGiveUpAt, giveUpAt)
    this.parts.schedule()
  }

  /** Once per turn, after its events: asks the core for what has arrived. */
  run(): void {
    const { leads, clock, askAgainMs } = this.parts
    const office = this.parts.office()
    const now = clock.monotonicMs()
    if (now >= this.earliestGiveUpAt) this.giveUp(now)
    if (office !== null) this.doubt(office)
    if (this.arrived.length > 0) {
      // What waits for a leader need not be asked for before there is one.
      if (office !== null) this.ask(now)
    } else if (this.unanswered && !leads() && now >= this.lastAskedAt + askAgainMs) this.askAgain(now)
  }

  /** Monotonic ms at which `run` has something to do again. */
  dueAt(): Millis {
    const again =
      this.unanswered && !this.parts.leads() ? this.lastAskedAt + this.parts.askAgainMs : Number.POSITIVE_INFINITY
    return Math.min(again, this.earliestGiveUpAt)
  }

  /** The core's answer to that read and all before it. */
  ready(id: number, { index, limboFrom }: Pick<Asked, 'limboFrom'> & { readonly index: LogIndex }): void {
    for (const group of this.asked) {
      if (group.id > id) break
      if (group.index !== null) continue
      group.index = index
      group.limboFrom = limboFrom
    }
  }

  /** The core has no answer for that read and those before it which have none. */
  failed(id: number): void {
    this.again((group) => group.id <= id && group.index === null)
    this.parts.schedule()
  }

  /**
   * Serves what is confirmed and applied, for a while, and then in another turn of the loop: a read may stand for many
   * queries. A read that waits behind one whose entries are not applied has a later index.
   */
  serve(): void {
    const { clock, applied, machine } = this.parts
    // Before its limits, the second entry of every log, a machine can answer nothing; and not in the middle of expiries.
    if (this.serving || machine.limits.responseBytesMax === 0 || !machine.readable) return
    this.serving = true
    const until = clock.monotonicMs() + TURN_BUDGET_MS
    let late = false
    for (let group = this.asked[0]; group !== undefined && !late; group = this.asked[0]) {
      if (group.index === null || group.index > applied()) break
      const { reads } = group
      let served = 0
      for (const { sink } of reads) {
        served += 1
        sink.ready()
        late = clock.monotonicMs() >= until
        // A sink may have closed the node: then all others were told.
        if (late || group.reads !== reads) break
      }
      if (group.reads === reads) group.reads = reads.slice(served)
      if (group.reads.length === 0 && this.asked[0] === group) this.asked.shift()
    }
    // PERF: one comparison but for a new leader's first reads.
    if (!late && this.asked.length > 0 && this.asked[0]?.limboFrom !== null) late = this.serveInLimbo(until)
    this.serving = false
    if (late && this.asked.length > 0) clock.defer(() => this.serve())
  }

  /**
   * Serves reads that are confirmed but for entries in limbo, as far as these do not touch them; true: time was up. What the
   * entries write is found once, and each read is tried once.
   */
  private serveInLimbo(until: Millis): boolean {
    let late = false
    for (const group of this.asked) {
      const { index, limboFrom } = group
      if (index === null || limboFrom === null || this.parts.applied() + 1 < limboFrom) break
      const limbo = this.limbo.rowsOf(index)
      if (limbo === undefined) break
      late = this.tryInLimbo(group, limbo, until)
      if (late) break
    }
    this.asked = this.asked.filter(({ reads }) => reads.length > 0)
    return late
  }

  private tryInLimbo(group: Asked, limbo: LimboRows | null, until: Millis): boolean {
    const { reads } = group
    let late = false
    for (const read of reads) {
      if (late) break
      if (read.inLimbo !== 'untried') continue
      const { answered, waiting } = read.sink.readyInLimbo(limbo)
      read.inLimbo = waiting === 0 ? 'answered' : 'waits'
      this.answeredInLimbo += answered
      this.waitedForLimbo += waiting
      late = this.parts.clock.monotonicMs() >= until
      // A sink may have closed the node: then all others were told.
      if (group.reads !== reads) return false
    }
    group.reads = reads.filter(({ inLimbo }) => inLimbo !== 'answered')
    return late
  }

  /** Nobody is served any more. */
  refuse(code: ReadRefusal): void {
    const all = [...this.asked.flatMap(({ reads }) => reads), ...this.arrived]
    for (const group of this.asked) group.reads = []
    this.asked = []
    this.arrived = []
    this.earliestGiveUpAt = Number.POSITIVE_INFINITY
    for (const { sink } of all) sink.failed(code)
  }

  /**
   * Another leader, or the same in another term: what was answered before may be an index that was in limbo and is not
   * committed any more, so that an idle log never gets there. What has not been applied is asked for anew.
   */
  private doubt(office: Term): void {
    if (office === this.askedIn) return
    this.askedIn = office
    this.limbo.forget()
    const applied = this.parts.applied()
    this.again(({ index }) => index !== null && index > applied)
  }

  /** Those wait to be asked for again: they keep their place before what has arrived since. */
  private again(which: (group: Asked) => boolean): void {
    const again = this.asked.filter(which)
    if (again.length === 0) return
    this.asked = this.asked.filter((group) => !which(group))
    const reads = again.flatMap((group) => group.reads)
    for (const read of reads) read.inLimbo = 'untried'
    this.arrived = [...reads, ...this.arrived]
  }

  private get unanswered(): boolean {
    return this.asked.at(-1)?.index === null
  }

  private ask(now: Millis): void {
    const reads = this.arrived
    this.arrived = []
    for (const { sink } of reads) sink.begun()
    this.asked.push({ id: this.lastId + 1, reads, index: null, limboFrom: null })
    this.askAgain(now)
  }

  private askAgain(now: Millis): void {
    this.lastId += 1
    this.lastAskedAt = now
    this.parts.ask(this.lastId)
  }

  private giveUp(now: Millis): void {
    const late: Waiting[] = []
    const keep = (read: Waiting): boolean => {
      if (read.giveUpAt > now) return true
      late.push(read)
      return false
    }
    this.arrived = this.arrived.filter(keep)
    for (const group of this.asked) group.reads = group.reads.filter(keep)
    this.asked = this.asked.filter((group) => group.reads.length > 0)
    const left = [...this.asked.flatMap(({ reads }) => reads), ...this.arrived]
    this.earliestGiveUpAt = left.reduce((least, { giveUpAt }) => Math.min(least, giveUpAt), Number.POSITIVE_INFINITY)
    for (const { sink } of late) sink.failed('READ_UNCONFIRMED')
  }
}
