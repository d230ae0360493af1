import { OverlayRows } from '../rows/overlay-rows.ts'
import { TrialOnce } from '../run/trial-state.ts'
import { ReplicatedState } from '../state/replicated-state.ts'
import type { UnfollowedTable } from './limbo-refusal.ts'
import { OverlaySessions } from './overlay-sessions.ts'
import { OverlayPrincipals, OverlaySchedules, OverlayTasks, OverlayTimers, OverlayWaits } from './overlay-tables.ts'

/** Boundary interval of the state that entries of limbo are applied to: no page of a session is of it. */
const LIMBO_GENERATION = -2

/** Thrown in the midst of an entry that cannot be followed; a machine may swallow it, so that it is noted besides. */
export class NotFollowed extends Error {
  override readonly name = 'NotFollowed'
}

/**
 * A state that begins as another one and goes its own way: what an entry reads is read through to the other, and all that it
 * changes stays here. Its tables are empty ones of its own, but for those that a command can read; a change that these do not
 * follow is refused.
 */
export class LimboState extends ReplicatedState {
  override readonly userRows: OverlayRows
  override readonly sessions: OverlaySessions
  override readonly timers: OverlayTimers
  override readonly once: TrialOnce
  override readonly tasks: OverlayTasks
  override readonly principals: OverlayPrincipals
  override readonly waits: OverlayWaits
  override readonly schedules: OverlaySchedules
  override readonly versions: ReplicatedState['versions']
  /** What an entry has asked for that is not followed; null: nothing. */
  refused: UnfollowedTable | null = null

  constructor(base: ReplicatedState) {
    super(base.codec, { group: base.group, report: () => undefined })
    const { index, lease, now, incarnation, limits, keys } = base
    Object.assign(this, { index, lease, now, incarnation, limits })
    this.dictionary.generation = LIMBO_GENERATION
    const noTasks = (): never => this.refuse('tasks')
    this.userRows = new OverlayRows(base.userRows)
    this.sessions = new OverlaySessions(base.sessions, noTasks)
    this.timers = new OverlayTimers(base)
    this.once = new TrialOnce(base.once, keys)
    this.tasks = new OverlayTasks(base, noTasks)
    this.principals = new OverlayPrincipals(base, () => this.refuse('principals'))
    this.waits = new OverlayWaits(this, () => this.refuse('waits'))
    this.schedules = new OverlaySchedules(base, () => this.refuse('schedules'))
    // No entry that is followed changes them.
    this.versions = base.versions
  }

  private refuse(what: UnfollowedTable): never {
    this.refused = what
    throw new NotFollowed(what)
  }
}
