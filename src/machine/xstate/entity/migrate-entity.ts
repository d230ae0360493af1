import type { AnyStateNode } from 'xstate'
import type { Millis } from '../../../base/brand.ts'
import type { Value } from '../../../codec/value/value.ts'
import { afterType, type Chart } from '../chart/chart.ts'
import { isDelay, isFunction } from '../chart/guarded-action.ts'
import { plainValue } from '../chart/plain-value.ts'
import type { Effect } from './effects.ts'
import type { EntityRow, TimerRow } from './entity-row.ts'
import { completed, type SnapshotPart } from './step.ts'

/** A timer that is to be armed. */
export type NewTimer = Omit<TimerRow, 'n' | 'held' | 'state' | 'fired'>

/** What a new version of a chart makes of an entity. */
export interface MigratedEntity {
  readonly part: SnapshotPart
  /** Timers that wait for what no active state waits for any more. */
  readonly dropped: readonly TimerRow[]
  readonly armed: readonly NewTimer[]
  /** Actors to stop and to spawn. */
  readonly effects: readonly Effect[]
}

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
  const dropped = row.timers.filter((timer) => timer.state !== null && !wanted.some((delay) => keeps(timer, delay)))
  const missing = wanted.filter((delay) => !row.timers.some((timer) => keeps(timer, delay)))
  const armed = missing.map(({ state, type, ms }): NewTimer => {
    const since = row.timers.filter((timer) => timer.state === state).map(({ armedAt }) => armedAt)
    const armedAt = Math.min(now, ...since)
    return { id: type, event: { type }, to: { kind: 'self' }, armedAt, dueAt: armedAt + Math.ceil(ms) }
  })
  return { part, dropped, armed, effects: actorsOf(chart, row, nodes, part.context) }
}

/** What an active state of the new chart waits for. */
interface Delay {
  readonly state: string
  readonly type: string
  readonly ms: number
  /** By a function of the context, which may give another number now than when the state was entered. */
  readonly computed: boolean
}

/** One that has fired is not armed again; a named delay may have a new number. */
function keeps({ event, fired, armedAt, dueAt }: TimerRow, { type, ms, computed }: Delay): boolean {
  return event.type === type && (fired || computed || dueAt - armedAt === Math.ceil(ms))
}

/** What a state waits for: types of its timers' events, with their delays. */
function delaysOf(
  { machine }: Chart,
  { id, config }: AnyStateNode,
  context: SnapshotPart['context'],
): readonly Delay[] {
  const { after = {} } = config as { readonly after?: object }
  return Object.keys(after).map((delay) => {
    const named: unknown = machine.implementations.delays[delay]
    const given = isFunction(named) ? named({ context, event: MIGRATED }) : (named ?? Number(delay))
    if (!isDelay(given)) throw new Error(`the delay ${delay} of ${id} is no finite number of milliseconds, 0 or more`)
    return { state: id, type: afterType(delay, id), ms: given, computed: isFunction(named) }
  })
}

/**
 * Actors of other logic than the chart names, and those that were invoked by what is no active state any more, are stopped;
 * those that active states invoke and that are not there are spawned.
 */
function actorsOf(
  chart: Chart,
  { actors }: EntityRow,
  nodes: readonly AnyStateNode[],
  context: SnapshotPart['context'],
): readonly Effect[] {
  const wanted = nodes.flatMap(({ invoke }) => invoke)
  const stale = Object.entries(actors).filter(([id, { src, kind, invoked }]) => {
    const of = wanted.find((one) => one.id === id)
    if (of === undefined ? invoked : of.src !== src) return true
    return !chart.names(src) || (chart.kindOf(src) === 'machine') !== (kind === 'entity')
  })
  const gone = new Set(stale.map(([id]) => id))
  const missing = wanted.filter(({ id }) => actors[id] === undefined || gone.has(id))
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
