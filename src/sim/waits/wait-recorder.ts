import type { Millis } from '../../base/brand.ts'
import type { SignalFate, WaitEnd } from '../../session/user-machine.ts'

/** What the machine of the races asked for or was told, in order. Times are on the `now` clock. */
export type WaitEvent =
  | {
      readonly kind: 'wait'
      /** Null: there was no room. */
      readonly waitId: string | null
      readonly key: string
      readonly dueAt: Millis | null
      readonly owner: string | null
      readonly now: Millis
    }
  | {
      readonly kind: 'signal'
      /** Of the signal, unique in its seed; it is the value as well. */
      readonly id: string
      readonly key: string
      readonly fate: SignalFate
      readonly until: Millis
      readonly overflow: 'reject' | 'dropOldest' | 'coalesce'
      readonly now: Millis
    }
  | { readonly kind: 'cancelled'; readonly waitId: string; readonly done: boolean }
  | { readonly kind: 'left'; readonly session: string }
  | {
      readonly kind: 'ended'
      readonly waitId: string
      readonly key: string
      readonly end: WaitEnd
      readonly now: Millis
    }

/** Takes down what the machine does in one process. */
export class WaitRecorder {
  private index = 0
  private events: WaitEvent[] = []

  /** Of the entry at `index`. */
  add(index: number, event: WaitEvent): void {
    if (index !== this.index) this.events = []
    this.index = index
    this.events.push(event)
  }

  /** What was taken down of that entry. */
  take(index: number): readonly WaitEvent[] {
    const taken = index === this.index ? this.events : []
    this.events = []
    return taken
  }
}
