import type { Millis } from '../../base/brand.ts'
import { SchedulePlans } from '../../node/propose/schedule-plans.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { EntryLog } from './entry-log.ts'

/** Schedules of which one entry says something. */
const SCHEDULES_PER_ENTRY = 64

/** Time as a cluster with a leader passes it, which computes the occurrences of schedules as soon as they are asked for. */
export class PassingTime {
  private readonly plans = new SchedulePlans()
  private readonly log: EntryLog
  private readonly state: Pick<SessionStateMachine, 'schedules' | 'nextTimerDue'>

  constructor(log: EntryLog, state: Pick<SessionStateMachine, 'schedules' | 'nextTimerDue'>) {
    this.log = log
    this.state = state
  }

  /**
   * In one step, but for schedules: what is due by them is so at its own time, and their next occurrences are computed then.
   */
  pass(ms: Millis): void {
    const { log, state } = this
    const end = log.now + ms
    while (this.plan()) {
      const due = state.nextTimerDue()
      if (due === null || due >= end) break
      log.tick(Math.max(0, due - log.now))
    }
    log.tick(end - log.now)
    this.plan()
  }

  /** False: there are no schedules. */
  private plan(): boolean {
    const { log, state, plans } = this
    for (;;) {
      const steps = plans.steps(state.schedules.awaited(SCHEDULES_PER_ENTRY), log.now)
      if (steps.length === 0) return state.schedules.listAfter(null, 1).length > 0
      log.payload('ScheduleNext', { steps })
    }
  }
}
