import type { Value } from '../../codec/value/value.ts'

/** Most events in one transaction: handlers that publish for each other would never end. */
export const EVENTS_MAX = 256

/** An event that was published and not yet delivered. */
export interface PublishedEvent {
  readonly machine: string
  readonly event: string
  /** Frozen: every listener gets the same object. */
  readonly payload: Value
}

/** The events of the transaction that is going on, first in, first out. */
export class EventQueue {
  private readonly published: PublishedEvent[] = []
  private taken = 0

  /** Forgets what an earlier transaction left, because it ended in a rejection or a throw. */
  begin(): void {
    this.published.length = 0
    this.taken = 0
  }

  add(event: PublishedEvent): void {
    if (this.published.length >= EVENTS_MAX) {
      throw new Error(`more than ${EVENTS_MAX} events in one entry: do handlers publish for each other without end?`)
    }
    this.published.push(event)
  }

  /** The oldest event that was not taken yet, or null. */
  take(): PublishedEvent | null {
    const event = this.published[this.taken]
    if (event === undefined) return null
    this.taken += 1
    return event
  }
}
