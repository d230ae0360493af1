import type { HistoryValue } from '../../src/history/edn/history-value.ts'
import { type HistoryEvent, type Operation, operationsOf } from '../../src/history/history.ts'

type Place = { readonly key?: string; readonly logIndex?: number }

/** One event of a history; `at` is its process. */
export function event(
  kind: HistoryEvent['kind'],
  at: number,
  name: string,
  value: HistoryValue,
  { key, logIndex }: Place = {},
): HistoryEvent {
  return { kind, process: at, name, key: key ?? null, value, time: null, logIndex: logIndex ?? null }
}

/** An operation that was over before the next event of the list. */
export function done(
  at: number,
  name: string,
  input: HistoryValue,
  output: HistoryValue,
  place: Place = {},
): readonly HistoryEvent[] {
  const { logIndex: _, ...asked } = place
  return [event('invoke', at, name, input, asked), event('ok', at, name, output, place)]
}

/** Lists of events, one after the other, as operations. */
export function history(...parts: readonly (HistoryEvent | readonly HistoryEvent[])[]): readonly Operation[] {
  return operationsOf(parts.flat() as readonly HistoryEvent[])
}
