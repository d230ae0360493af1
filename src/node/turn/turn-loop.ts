import type { RaftEvent } from '../../raft/types.ts'
import { Alarm } from './alarm.ts'
import type { Clock } from '../ports/clock.ts'
import type { ReceivedMessage } from '../peers/received-message.ts'

/** What waits for the driver's next turn. */
export type QueuedEvent = RaftEvent | ReceivedMessage

/**
 * The driver's one queue: a turn runs once per event-loop turn for as long as there is something to do, after everything
 * that the sockets held has been read.
 */
export class TurnLoop {
  /**
   * Monotonic time at which the running (or pending) turn was asked for. What had arrived by then is in the queue when the
   * turn runs; what arrived since may still lie in a socket, hidden by other work.
   */
  askedAt = 0
  private readonly clock: Clock
  private readonly turn: () => void
  private readonly alarm: Alarm
  private readonly events: QueuedEvent[] = []
  private pending = false
  private stopped = false

  constructor(clock: Clock, turn: () => void) {
    this.clock = clock
    this.turn = turn
    // Through the queue: messages that are already there are read before an election timer fires.
    this.alarm = new Alarm(clock, () => this.schedule())
  }

  /** Events that wait. */
  get length(): number {
    return this.events.length
  }

  enqueue(event: QueuedEvent): void {
    if (this.stopped) return
    this.events.push(event)
    this.schedule()
  }

  /** Asks for a turn. */
  schedule(): void {
    if (this.pending || this.stopped) return
    this.pending = true
    this.askedAt = this.clock.monotonicMs()
    this.clock.defer(() => {
      this.pending = false
      if (!this.stopped) this.turn()
    })
  }

  /** A turn is due at `at` (monotonic ms) at the latest; infinite: only an event can change anything. */
  wakeAt(at: number): void {
    if (!this.stopped) this.alarm.set(at)
  }

  /**
   * Hands over what waits, in order, what is enqueued meanwhile included. Pre-vote requests come last: a leader whose
   * messages wait here as well has been heard, and no election is wanted.
   */
  drain(handle: (event: QueuedEvent) => void): void {
    const { events } = this
    const preVotes: QueuedEvent[] = []
    for (let next = 0; next < events.length; next += 1) {
      const event = events[next]
      if (event === undefined) continue
      if (event.kind === 'received' && event.message.kind === 'preVoteRequest') preVotes.push(event)
      else handle(event)
    }
    events.length = 0
    for (const event of preVotes) handle(event)
  }

  /** No turn runs any more. */
  stop(): void {
    this.stopped = true
    this.alarm.cancel()
  }
}
