import type { Millis } from '../../base/brand.ts'
import type { ScheduleDefinition, ScheduleRun } from '../../session/schedule.ts'

/** What the machine of plans did to a schedule, or was told of it. Times are on the `now` clock. */
export type PlanEvent =
  | {
      readonly kind: 'run'
      readonly run: ScheduleRun
      readonly now: Millis
      /** What the hook came to; `failed`: it threw. */
      readonly end: 'over' | 'open' | 'failed'
    }
  | {
      readonly kind: 'put'
      readonly name: string
      readonly definition: Required<ScheduleDefinition>
      readonly now: Millis
    }
  | {
      readonly kind: 'pause' | 'resume' | 'cancel'
      readonly name: string
      readonly done: boolean
      readonly now: Millis
    }
  | {
      readonly kind: 'backfill'
      readonly name: string
      readonly from: Millis
      readonly to: Millis
      readonly done: boolean
      readonly now: Millis
    }
  | { readonly kind: 'end'; readonly name: string; readonly run: number; readonly done: boolean; readonly now: Millis }

/** Takes down what the machine does in one process. */
export class PlanRecorder {
  private index = 0
  private events: PlanEvent[] = []

  /** Of the entry at `index`. */
  add(index: number, event: PlanEvent): void {
    if (index !== this.index) this.events = []
    this.index = index
    this.events.push(event)
  }

  /** What was taken down of that entry, in order. */
  take(index: number): readonly PlanEvent[] {
    const taken = index === this.index ? this.events : []
    this.events = []
    return taken
  }
}
