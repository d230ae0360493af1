import type { Millis, SessionId } from '../../../base/brand.ts'
import type { Value } from '../../../codec/value/value.ts'
import type { Chart } from '../chart/chart.ts'
import type { EntityRow } from './entity-row.ts'

/** What an entity's run needs of the handler's context. */
export interface RunContext {
  readonly now: Millis
  readonly state: {
    readonly entities: {
      get(id: string): EntityRow | undefined
      set(id: string, row: EntityRow): void
      delete(id: string): boolean
    }
  }
  task(kind: string, ref: string, payload: Value): string
  cancelTask(taskId: string): boolean
  schedule(kind: 'delayed', dueAt: Millis, payload: { readonly id: string; readonly n: number }, key: string): void
  cancel(kind: 'delayed', key: string): boolean
  emit(target: SessionId, type: 'emitted' | 'action', payload: Value): boolean
  log(message: string, fields?: { readonly [name: string]: Value }): void
}

/** The context of any handler whose schema holds the chart's: kinds and payloads are those of that schema. */
export interface ChartContext extends Pick<RunContext, 'now' | 'state' | 'cancelTask' | 'log'> {
  task(kind: never, ref: string, payload: never): string
  schedule(kind: never, dueAt: Millis, payload: never, key: string): void
  cancel(kind: never, key: string): boolean
  emit(target: SessionId, type: never, payload: never): boolean
}

/** What belongs to the definition. */
export interface RunParts {
  readonly chart: Chart
  /** Actions that become server requests; `drop`: they are left out. */
  readonly actions: ReadonlyMap<string, 'request' | 'drop'>
  /** Their names. */
  readonly named: ReadonlySet<string>
  /** The field of every event that holds the log's time; null for none. */
  readonly timeField: string | null
}
