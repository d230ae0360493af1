import type { AnyStateNode } from 'xstate'
import type { Millis } from '../../../base/brand.ts'
import type { Value } from '../../../codec/value/value.ts'
import type { Chart } from '../chart/chart.ts'
import { isDelay, isFunction } from '../chart/guarded-action.ts'
import { plainValue } from '../chart/plain-value.ts'
import type { Effect } from './effects.ts'
import type { EntityRow, TimerRow } from './entity-row.ts'
import { completed, type SnapshotPart } from './step.ts'

/** What a new version of a chart makes of an entity. */
export interface MigratedEntity {
  readonly part: SnapshotPart
  /** Timers that wait for what no active state waits for any more. */
  readonly dropped: readonly TimerRow[]
  readonly armed: readonly Omit<TimerRow, 'n' | 'held'>[]
  /** Actors to stop and to spawn. */
  readonly effects: readonly Effect[]
}

/** A timer's event type holds the delay's number or name and the state's id. */
const AFTER = 'xstate.after.'

/**
 * An entity under a new version of its chart. XState would enter new regions and inner states without their timers and
 * actors, and would ignore a timer whose number has changed, for ever (the tests of X5 and X10): what the chart waits for in
 * its states is armed and queued here. A delay that has changed counts from when its state was entered. Entry actions do not
 * run. Throws for a state that the chart lacks.
 */
export function migrateEntity(chart: Chart, row: EntityRow, { now }: { readonly now: Millis }): MigratedEntity {
  const { value, nodes } = chart.rest(completed(chart, row.value))
  const part = { ...row, value }
  const wanted = nodes.flatMap((node) => delaysOf(chart, node, part.context))
  const types = new Set(wanted.map(({ type }) => type))
  const stale = row.timers.filter(({ event }) => event.type.startsWith(AFTER) && !types.has(event.type))
  const missing = wanted.filter(({ type }) => !row.timers.some(({ event }) => event.type === type))
  const armed = missing.map(({ node, type, ms }) => {
    const since = stale.filter(({ event }) => event.type.endsWith(`.${node}`)).map(({ armedAt }) => armedAt)
    const armedAt = since.length === 0 ? now : Math.min(...since)
    const dueAt = Math.max(now, armedAt + Math.ceil(ms))
    return { id: type, event: { type }, to: { kind: 'self' } as const, armedAt, dueAt }
  })
  return { part, dropped: stale, armed, effects: actorsOf(chart, row, nodes, part.context) }
}

/** What a state waits for: types of its timers' events, with their delays. */
function delaysOf(
  { machine }: Chart,
  { id, config }: AnyStateNode,
  context: SnapshotPart['context'],
): readonly { readonly node: string; readonly type: string; readonly ms: number }[] {
  const { after = {} } = config as { readonly after?: object }
  return Object.keys(after).map((delay) => {
    const named: unknown = machine.implementations.delays[delay]
    const given = isFunction(named) ? named({ context, event: MIGRATED }) : (named ?? Number(delay))
    if (!isDelay(given)) throw new Error(`the delay ${delay} of ${id} is no finite number of milliseconds, 0 or more`)
    return { node: id, type: `${AFTER}${delay}.${id}`, ms: given }
  })
}

/** Actors of other logic than the chart names are stopped, those that it invokes and that are not there are spawned. */
function actorsOf(
  chart: Chart,
  { actors }: EntityRow,
  nodes: readonly AnyStateNode[],
  context: SnapshotPart['context'],
): readonly Effect[] {
  const invoked = nodes.flatMap(({ invoke }) => invoke)
  const other = (id: string): boolean => invoked.some((one) => one.id === id && one.src !== actors[id]?.src)
  const stale = Object.entries(actors).filter(([id, { src }]) => !chart.names(src) || other(id))
  const gone = new Set(stale.map(([id]) => id))
  const missing = invoked.filter(({ id }) => actors[id] === undefined || gone.has(id))
  return [
    ...stale.map(([id]): Effect => ({ kind: 'stop', id })),
    ...missing.map(({ id, src, input }): Effect => {
      const given: Value = plainValue(
        isFunction(input) ? input({ context, event: MIGRATED }) : input,
        `the input of ${id}`,
      )
      return { kind: 'spawn', id, src: String(src), input: given }
    }),
  ]
}

/** What inputs and delays of new states are given as their event. */
const MIGRATED = Object.freeze({ type: 'xstate.init' })
