import type { Clock, Timer } from '../ports/clock.ts'
import type { AppliedRecord, AppliedTrail } from '../ports/applied-trail.ts'
import type { BuildMachine } from '../ports/peer-transport.ts'
import type { KnownSkips } from '../skip/known-skips.ts'
import { ApplyHalt } from '../../session/run/halt.ts'
import type { StateMachine } from '../../session/state-machine.ts'

/** The trail follows what is applied by at most this. */
const RECORD_EVERY_MS = 50

export interface AppliedWitnessPorts {
  readonly trail: AppliedTrail
  readonly clock: Clock
  readonly machine: Pick<StateMachine, 'appliedIndex' | 'stateHash'>
  /** Machines of this process. */
  readonly machines: readonly BuildMachine[]
  /** What was noted before a skip was known is not compared. */
  readonly skips: Pick<KnownSkips, 'doubts'>
}

/**
 * Compares a replay with what earlier processes recorded, and records what this one applies. Only records that were
 * compared, or lie above all of those, are written: a process that finds itself to make another state leaves the trail as it
 * was. Only where the other replicas say so (`DIVERGED`, during a replay too) is what was noted since they agreed cut off, and
 * the trail is this process's from then on, with its machines as `recordedBy`.
 */
export class AppliedWitness {
  /** Index of the next entry after which the state is compared; infinite: none. PERF: all that an entry costs. */
  nextIndex: number
  private readonly ports: AppliedWitnessPorts
  private readonly waiting: AppliedRecord[]
  /** Highest index at which both were seen to be equal: at first that of the snapshot. */
  private equalTo: number
  private recordedTo: number
  private recordedAt = Number.NEGATIVE_INFINITY
  private timer: Timer | null = null
  private over = false
  /** Voters differ and no majority says who is right: the index up to which they were seen to agree. Null: not so. */
  private contestedAbove: number | null = null

  /** `applied`: last index that the loaded snapshot covers. */
  constructor(ports: AppliedWitnessPorts, applied: number) {
    this.ports = ports
    this.waiting = ports.trail.recorded.filter(({ index }) => index > applied && !ports.skips.doubts(index))
    this.equalTo = applied
    this.recordedTo = applied
    this.nextIndex = this.waiting[0]?.index ?? Number.POSITIVE_INFINITY
  }

  /** An earlier process has applied more than this one: what this one has made of it is not known to be the same. */
  get replaying(): boolean {
    return this.waiting.length > 0
  }

  /** A snapshot at or below this index holds what is known to be right. */
  get trustedTo(): number {
    return this.replaying ? this.equalTo : Number.POSITIVE_INFINITY
  }

  /** The entry at `nextIndex` was applied. Why this node must go no further, or null. */
  check(): ApplyHalt | null {
    const record = this.waiting.shift()
    this.nextIndex = this.waiting[0]?.index ?? Number.POSITIVE_INFINITY
    if (record === undefined) return null
    if (record.hash !== this.ports.machine.stateHash()) return this.diverged(record)
    this.equalTo = record.index
    this.recordedTo = record.index
    if (!this.replaying && this.contestedAbove !== null) this.contest(this.contestedAbove)
    return null
  }

  /**
   * Other voters made another state of what is above `agreedTo`, and no majority says who is right. This process may be the
   * one that is wrong: it notes nothing more, and takes off the trail what it noted since, so that the right build replays
   * the log here and is not held against a wrong state. A replay is still compared to its end.
   */
  contest(agreedTo: number): void {
    this.contestedAbove = agreedTo
    if (this.over || this.replaying) return
    this.recordedTo = Math.min(this.recordedTo, agreedTo)
    this.ports.trail.discardAbove(agreedTo)
  }

  /** A majority of the voters has the state of this node. */
  agreed(): void {
    this.contestedAbove = null
  }

  /** A run of entries was applied, and more may follow at once. */
  batchApplied(): void {
    if (this.ports.machine.appliedIndex <= this.recordedTo || this.timer !== null || this.replaying || this.over) return
    const now = this.ports.clock.monotonicMs()
    const waitMs = this.recordedAt + RECORD_EVERY_MS - now
    if (waitMs <= 0) this.record()
    else
      this.timer = this.ports.clock.setTimer(waitMs, () => {
        this.timer = null
        this.record()
      })
  }

  /** Records the state now, if that was not done. */
  record(): void {
    const index = this.ports.machine.appliedIndex
    if (index <= this.recordedTo || this.replaying || this.over || this.contestedAbove !== null) return
    this.recordedTo = index
    this.recordedAt = this.ports.clock.monotonicMs()
    this.ports.trail.append({ index, hash: this.ports.machine.stateHash() })
  }

  /** A snapshot at this index is on: no replay begins below it. */
  discardUpTo(index: number): void {
    if (!this.over) this.ports.trail.discardUpTo(index)
  }

  /** Records nothing more. */
  halt(): void {
    this.over = true
    this.timer?.cancel()
    this.timer = null
  }

  close(done: () => void): void {
    this.record()
    this.halt()
    this.ports.trail.close(done)
  }

  private diverged(record: AppliedRecord): ApplyHalt {
    // It stays a replay that has not caught up: nothing is answered, recorded or kept of this state.
    this.waiting.unshift(record)
    this.nextIndex = Number.POSITIVE_INFINITY
    this.halt()
    const { index } = record
    const changed = changedMachines(this.ports.trail.recordedBy, this.ports.machines)
    const who =
      changed.length === 0
        ? 'no handler is known to have changed, so something else than the log decides in one of them'
        : `the handlers of ${changed.join(' and ')} changed without a new version`
    const message =
      `applied again, the log gives another state than before this start: at entry ${index} it differs, at entry ` +
      `${this.equalTo} it was still equal; ${who}. Nothing was changed. Start the build that ran before on this data, and ` +
      'give the changed machine a new version.'
    return new ApplyHalt('REPLAY_DIVERGED', index, message)
  }
}

/** Machines of the process before whose code is another now, at the same version. */
function changedMachines(before: readonly BuildMachine[], now: readonly BuildMachine[]): readonly string[] {
  return before.flatMap(({ name, versions }) => {
    const present = now.find((machine) => machine.name === name)
    if (present === undefined) return [`${name} (which is gone)`]
    return versions
      .filter(({ version, code }) => present.versions.some((other) => other.version === version && other.code !== code))
      .map(({ version }) => `${name} (version ${version})`)
  })
}
