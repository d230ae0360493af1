import type { HistoryValue } from './edn/history-value.ts'

/** How an event stands to its operation: it is asked for; it happened; it did not and never will; nobody knows. */
export type EventKind = 'invoke' | 'ok' | 'fail' | 'info'

/** One event of a history, in the order in which its one observer saw them. */
export interface HistoryEvent {
  readonly kind: EventKind
  /** Who asked. A process has one operation open at a time; after `info` it may be used again, or never. */
  readonly process: number
  /** What is asked for: `read`, `write`, `cas`, `append`, `txn`, … */
  readonly name: string
  /** Which of many independent objects it is about; null: there is one. */
  readonly key: string | null
  /** On `invoke` what is asked with, on `ok` what was answered; elsewhere it is not looked at. */
  readonly value: HistoryValue
  /** Nanoseconds since the history began; null: not known. Nothing is judged by it. */
  readonly time: number | null
  /** Index of the log at which it was executed, on `ok` (of a read: that it shows), and on `info` where it is known. */
  readonly logIndex: number | null
}

/** An operation from its invocation to its completion. */
export interface Operation {
  readonly process: number
  readonly name: string
  readonly key: string | null
  readonly input: HistoryValue
  /** What it came to. `unknown`: it may happen at any time after its invocation, once, or never. */
  readonly outcome: 'ok' | 'failed' | 'unknown'
  /** What was answered; null unless `ok`. */
  readonly output: HistoryValue
  /** Place of its invocation among the events of the history. */
  readonly invoked: number
  /** Place of its completion, > `invoked`; Infinity where it is unknown. */
  readonly completed: number
  readonly logIndex: number | null
}

/** A history that is none: what is wrong with it, and at which event or line. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError'
}

/**
 * The operations of a history, in the order of their invocations. One without a completion is unknown.
 *
 * Throws HistoryError where a process asks twice at a time, or is answered what it has not asked.
 */
export function operationsOf(events: readonly HistoryEvent[]): readonly Operation[] {
  const operations: Operation[] = []
  /** Place of the operation that a process has open. */
  const open = new Map<number, number>()
  events.forEach((event, at) => {
    const { process: asker, kind } = event
    const place = open.get(asker)
    if (kind === 'invoke') {
      if (place !== undefined) throw new HistoryError(`event ${at}: process ${asker} asks before it was answered`)
      open.set(asker, operations.push(invokedBy(event, at)) - 1)
      return
    }
    const operation = place === undefined ? undefined : operations[place]
    if (place === undefined || operation?.name !== event.name)
      throw new HistoryError(`event ${at}: process ${asker} is answered a ${event.name} that it has not asked for`)
    open.delete(asker)
    operations[place] = completedBy(operation, event, at)
  })
  return operations
}

function invokedBy(event: HistoryEvent, at: number): Operation {
  const { name, key, value } = event
  const unknown = { outcome: 'unknown', output: null, completed: Number.POSITIVE_INFINITY, logIndex: null } as const
  return { process: event.process, name, key, input: value, invoked: at, ...unknown }
}

function completedBy(operation: Operation, { kind, value, logIndex }: HistoryEvent, at: number): Operation {
  if (kind === 'ok') return { ...operation, outcome: 'ok', output: value, completed: at, logIndex }
  if (kind === 'fail') return { ...operation, outcome: 'failed', completed: at, logIndex }
  return { ...operation, logIndex }
}

/** Operations by their key, in the order of the keys' first invocations. */
export function byKey(operations: readonly Operation[]): ReadonlyMap<string | null, readonly Operation[]> {
  const keys = new Map<string | null, Operation[]>()
  for (const operation of operations) {
    const same = keys.get(operation.key)
    if (same === undefined) keys.set(operation.key, [operation])
    else same.push(operation)
  }
  return keys
}
