import type { HistoryValue } from '../../history/edn/history-value.ts'
import type { HistoryEvent } from '../../history/history.ts'

/** An operation that is to stand in the history. */
export interface Recorded {
  /** What is asked for, e.g. `write`. */
  readonly name: string
  /** Which of many independent objects; absent: there is one. */
  readonly key?: string
  /** What it is asked with. Default null. */
  readonly input?: HistoryValue
}

/** How a call of a session ended. */
export type RecordedOutcome = { readonly kind: string; readonly value?: unknown; readonly index?: number }

/** What all clients of a seed were told, in the order in which they heard it. */
export class Recorder {
  readonly events: HistoryEvent[] = []
  /** Operations that were asked for while faults struck, and those whose outcome nobody knows. */
  duringFaults = 0
  unknown = 0
  private processes = 0
  private readonly nowMicros: () => number
  private readonly faulty: () => boolean

  constructor(world: { nowMicros(): number; faulty(): boolean }) {
    this.nowMicros = () => world.nowMicros()
    this.faulty = () => world.faulty()
  }

  get operations(): number {
    return this.events.filter(({ kind }) => kind === 'invoke').length
  }

  /** A number that no process had before. */
  newProcess(): number {
    this.processes += 1
    return this.processes - 1
  }

  invoked(by: number, recorded: Recorded): void {
    const { name, input = null } = recorded
    if (this.faulty()) this.duringFaults += 1
    this.add({ kind: 'invoke', process: by, name, key: recorded.key ?? null, value: input, logIndex: null })
  }

  /**
   * `ok` with its value and index. What was refused, or was not executed and will not be, changed nothing; everything else
   * may have happened. Tells whether the process may ask again.
   */
  completed(
    by: number,
    recorded: Recorded,
    outcome: RecordedOutcome,
    answerOf: (value: unknown) => HistoryValue,
  ): boolean {
    const { name, key = null, input = null } = recorded
    const event = { process: by, name, key, logIndex: null }
    if (outcome.kind === 'ok') {
      this.add({ ...event, kind: 'ok', value: answerOf(outcome.value), logIndex: outcome.index ?? null })
      return true
    }
    const known = outcome.kind !== 'unknown'
    if (!known) this.unknown += 1
    this.add({ ...event, kind: known ? 'fail' : 'info', value: input })
    return known
  }

  private add(event: Omit<HistoryEvent, 'time'>): void {
    this.events.push({ ...event, time: this.nowMicros() * 1000 })
  }
}
