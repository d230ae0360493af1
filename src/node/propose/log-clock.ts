import type { Millis, NodeId } from '../../base/brand.ts'
import type { Clock } from '../ports/clock.ts'

/** This process's clocks at one moment, and whose count beside them. */
export interface ClockReading {
  readonly monotonicMs: number
  readonly wallMs: Millis
  /**
   * The other voters. In a joint configuration those that stay or come: the lower median of any majority is ahead of no honest
   * clock by one wrong one, and those that go may be gone. Learners would be a majority where voters are few: beside a sole
   * voter, one whose clock is an hour slow would hold the time of the log back for an hour.
   */
  readonly others: readonly NodeId[]
}

/** That of a process with this clock. */
export function readingOf(clock: Pick<Clock, 'monotonicMs' | 'wallMs'>, others: readonly NodeId[]): ClockReading {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs(), others }
}

/**
 * The two clocks that every entry carries (sessions.md §1). `lease` counts leader time only, so an outage expires nobody
 * (LogCabin's cluster clock); `now` is the wall clock the log agrees on: the lower median of a majority's clocks, so one
 * wrong clock fires no timer early. Both never decrease along the log.
 */
export class LogClock {
  /** Values of the newest entry in the log, applied or not. */
  lastLease: Millis = 0
  lastNow: Millis = 0
  private readonly turnMaxMs: number
  private readonly sampleMaxAgeMs: number
  private leading = false
  /** Leader time so far, with fractions. */
  private lease = 0
  private previousTurn = 0
  /** Monotonic time of the newest stamp of `now`. */
  private stampedAt = 0
  private readonly samples = new Map<NodeId, { readonly wallMs: Millis; readonly at: number }>()

  constructor(bounds: { electionTimeoutMaxMs: Millis }) {
    this.turnMaxMs = bounds.electionTimeoutMaxMs
    this.sampleMaxAgeMs = bounds.electionTimeoutMaxMs
  }

  /** An entry from elsewhere (recovered, or received from a leader) is now the last of the log. */
  adopt(lease: Millis, now: Millis): void {
    this.lastLease = lease
    this.lastNow = now
  }

  /** This node starts to lead: leader time goes on from the last entry's. */
  lead(monotonicMs: number): void {
    this.leading = true
    this.lease = this.lastLease
    this.previousTurn = monotonicMs
    this.stampedAt = monotonicMs
  }

  follow(): void {
    this.leading = false
  }

  /**
   * Once per event-loop turn. Leader time advances at most one election timeout per turn, so a process that was stopped
   * expires nobody when it resumes.
   */
  turn(monotonicMs: number): void {
    if (this.leading) this.lease += Math.min(Math.max(0, monotonicMs - this.previousTurn), this.turnMaxMs)
    this.previousTurn = monotonicMs
  }

  /** A peer's wall clock, as its frame said. */
  sample(peer: NodeId, wallMs: Millis, monotonicMs: number): void {
    this.samples.set(peer, { wallMs, at: monotonicMs })
  }

  /** Leader time now, integer ms. */
  currentLease(): Millis {
    return Math.max(this.lastLease, Math.floor(this.lease))
  }

  /** What `now` would be stamped at this moment. */
  currentNow(time: ClockReading): Millis {
    const median = this.medianWall(time)
    // A majority's samples are missing: go on from the last stamp by the leader's monotonic clock.
    if (median === null) return this.lastNow + Math.max(0, Math.floor(time.monotonicMs - this.stampedAt))
    return Math.max(this.lastNow, median)
  }

  /**
   * What a node that does not lead takes for `now`, a hint only: an idle cluster writes nothing, so its last entry may be
   * hours old, and a new one's log is empty. A client that was told such a time asks for sessions that are late already.
   */
  guessedNow(time: ClockReading): Millis {
    return Math.max(this.lastNow, this.medianWall(time) ?? time.wallMs)
  }

  /** Lower median of the voters' clocks heard of lately, this node's among them; null when they are no majority. */
  private medianWall(time: ClockReading): Millis | null {
    const walls = [time.wallMs]
    for (const voter of time.others) {
      const sample = this.samples.get(voter)
      if (sample === undefined) continue
      const age = time.monotonicMs - sample.at
      if (age <= this.sampleMaxAgeMs) walls.push(sample.wallMs + Math.floor(age))
    }
    if (walls.length * 2 <= time.others.length + 1) return null
    walls.sort((left, right) => left - right)
    return walls[Math.floor((walls.length - 1) / 2)] ?? null
  }

  /** Stamps the next entries: both values become the log's newest. */
  stamp(time: ClockReading): { lease: Millis; now: Millis } {
    const stamped = { lease: this.currentLease(), now: this.currentNow(time) }
    this.adopt(stamped.lease, stamped.now)
    this.stampedAt = time.monotonicMs
    return stamped
  }
}
