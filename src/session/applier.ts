import { assert } from '../base/assert.ts'
import type { Entry } from '../codec/entry/entry.ts'
import { applyEntry, applyInSteps, isLong } from './entries/apply-entry.ts'
import { passTo, raiseClocks } from './entries/raise-clocks.ts'
import { EngineError } from './run/engine-error.ts'
import { fireTimers, fireTimersInSteps } from './run/fire-timers.ts'
import type { ApplyHalt } from './run/halt.ts'
import type { MachineRunner } from './run/machine-runner.ts'
import { type Position, stopOf, toTheEnd } from './run/underway.ts'
import { VersionGate } from './run/version-gate.ts'
import { NONE_SKIPPED, type SkippedParts, withTold } from './skipped-parts.ts'
import { foldReply, foldSkipped } from './state/fold.ts'
import type { ReplicatedState } from './state/replicated-state.ts'
import type { Applied, EntryUnderway, Reply } from './state-machine.ts'

/** Applies one entry after the other to a state, at once or in steps, until one stops it (sessions.md §1, §10). */
export class Applier {
  private readonly state: ReplicatedState
  private readonly runner: MachineRunner
  private readonly gate: VersionGate
  /** Why nothing more is applied; null while entries are. */
  stopped: EngineError | ApplyHalt | null = null
  /** An entry that is applied in steps has begun, and not ended. */
  begun = false
  /** Sessions of the entry underway have ended, and others of it have not. */
  private passing = false
  /** While it changes what nobody may see yet: what everybody sees. */
  private before: Position | null = null

  constructor(state: ReplicatedState, runner: MachineRunner) {
    this.state = state
    this.runner = runner
    this.gate = new VersionGate(state, runner.user)
  }

  /** What everybody sees; the state itself but for an entry that is half applied. PERF: as a rule one comparison. */
  get seen(): Position {
    return this.before ?? this.state
  }

  /** False while the state is between two entries' for whoever reads it, and once the engine has stopped it in one. */
  get readable(): boolean {
    return !this.passing && !(this.stopped instanceof EngineError)
  }

  apply(entry: Entry, recordBytes: number, skipped: SkippedParts = NONE_SKIPPED): Applied {
    if (entry.kind === 'AdvanceVersion') return toTheEnd(this.inSteps(entry, recordBytes, skipped))
    if (this.stopped !== null) throw this.stopped
    try {
      return this.applyNext(entry, recordBytes, skipped)
    } catch (error) {
      throw this.stop(error, entry)
    }
  }

  /** As `apply`, for a caller that has other things to do where it may take long. */
  begin(entry: Entry, recordBytes: number, skipped: SkippedParts = NONE_SKIPPED): Applied | EntryUnderway {
    // A migration may have all rows to change, any number of timers may be due at once, and sessions end by the thousand.
    // Nothing else is without a bound.
    const long = isLong(entry.kind) || this.state.timers.isDue(entry.now)
    return long ? this.inSteps(entry, recordBytes, skipped) : this.apply(entry, recordBytes, skipped)
  }

  /** Why nothing may be applied to a state that was restored at that index; throws it. */
  checkRestored(index: number): void {
    this.stopped ??= this.gate.checkRestored(index)
    if (this.stopped !== null) throw this.stopped
  }

  private inSteps(entry: Entry, recordBytes: number, skipped: SkippedParts): EntryUnderway {
    const steps = this.stepsOf(entry, recordBytes, skipped)
    return {
      step: () => {
        if (this.stopped !== null) throw this.stopped
        try {
          const { done, value } = steps.next()
          return done === true ? value : null
        } catch (error) {
          throw this.stop(error, entry)
        }
      },
    }
  }

  /** What to throw; nothing more is applied after it. */
  private stop(error: unknown, entry: Entry): unknown {
    this.stopped = stopOf(error, entry)
    return this.stopped ?? error
  }

  private applyNext(entry: Entry, recordBytes: number, skipped: SkippedParts): Applied {
    const { state, runner } = this
    this.check(entry)
    const now = raiseClocks(state, entry)
    this.skip(skipped)
    fireTimers(state, runner, now)
    passTo(state, entry, now)
    return this.leave(entry, recordBytes, applyEntry(state, runner, entry))
  }

  /**
   * As `applyNext`, for an entry that may take longer than anybody can wait. Until it has its reply all others see the state
   * as it was (but for the timers that were due before it, and sessions that have ended); then, from one step to the next, the
   * whole of what it did.
   */
  private *stepsOf(entry: Entry, recordBytes: number, skipped: SkippedParts): Generator<void, Applied> {
    const { state, runner } = this
    this.check(entry)
    const { index, now, hash } = state
    const before = { index, now, hash: { ...hash } }
    this.before = before
    this.begun = true
    const until = raiseClocks(state, entry)
    this.skip(skipped)
    for (const timers = fireTimersInSteps(state, runner, until); timers.next().done !== true; ) {
      // Whoever reads what a timer did is not told an earlier time than it was fired at.
      before.now = state.now
      yield
    }
    passTo(state, entry, until)
    this.passing = entry.kind === 'ExpireSessions'
    const reply = isLong(entry.kind) ? yield* applyInSteps(state, runner, entry) : applyEntry(state, runner, entry)
    const applied = this.leave(entry, recordBytes, reply)
    this.before = null
    this.passing = false
    yield* runner.settle()
    this.begun = false
    return applied
  }

  /** Before it changes anything that is read. */
  private check(entry: Entry): void {
    assert(!this.begun, 'no entry is applied before another one is at its end', { index: entry.index })
    const { state, gate } = this
    if (entry.kind === 'AdvanceVersion') gate.checkAdvance(entry)
    else if (entry.kind === 'SkipEntry') this.checkSkip(entry)
    else if (entry.kind === 'ClientRequest' && !state.versions.activated) gate.checkEarlier(entry)
  }

  /** What it names was not run here; from now on that need not be remembered for long. */
  private checkSkip(entry: Entry): void {
    const { state, gate } = this
    const skip = gate.checkSkip(entry)
    if (skip !== null) state.skipped = withTold(state.skipped, skip)
  }

  /** Which parts of the entry at hand are not run; the state remembers them for the entry that says so. */
  private skip(named: SkippedParts): void {
    const { state, runner } = this
    const skipped = named.length > 0 && state.versions.takes('SkipEntry') ? named : NONE_SKIPPED
    runner.enterEntry(skipped)
    if (skipped === NONE_SKIPPED) return
    const parts = skipped.map((part) => ({ index: state.index, part }))
    for (const part of parts) foldSkipped(state, part)
    state.skipped = [...state.skipped, ...parts.map((part) => ({ ...part, told: false }))]
  }

  private leave(entry: Entry, recordBytes: number, reply: Reply): Applied {
    const { state } = this
    foldReply(state, reply)
    this.runner.writes.applied(entry.kind === 'AdvanceVersion' || entry.kind === 'Limits')
    const { deliver, ended } = state.finishEntry()
    return { index: entry.index, reply, deliver, ended, boundary: this.closesInterval(entry, recordBytes) }
  }

  /** Counts the record and tells whether this entry is a snapshot boundary (storage.md §4). */
  private closesInterval(entry: Entry, recordBytes: number): boolean {
    const { state } = this
    state.bytesSinceBoundary += recordBytes
    const boundary = entry.kind === 'Snapshot' || state.bytesSinceBoundary > state.limits.snapshotBytes
    if (boundary) state.bytesSinceBoundary = 0
    return boundary
  }
}
