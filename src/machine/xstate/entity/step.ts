import type { AnyMachineSnapshot, AnyStateNode, StateValue } from 'xstate'
import type { Value } from '../../../codec/value/value.ts'
import type { Chart } from '../chart/chart.ts'
import { inDocumentOrder, sortedIds } from '../chart/document-order.ts'
import { bytesApart, plainValue } from '../chart/plain-value.ts'
import { effectsOf, type Effect } from './effects.ts'
import type { ActorRow, EntityRow, EventRow } from './entity-row.ts'
import { Window, type StepPlace } from './window.ts'

/** What of a row a step decides. */
export type SnapshotPart = Pick<EntityRow, 'status' | 'value' | 'context' | 'history' | 'output' | 'error'>

/** Outcome of a step: the snapshot, and what is to be done. */
export interface Step {
  readonly part: SnapshotPart
  readonly effects: readonly Effect[]
}

/** What a step restores from. */
export type Restorable = SnapshotPart & { readonly actors: { readonly [id: string]: ActorRow } }

/** The first step of an entity. Throws what the chart throws (XState would put it into the snapshot: the tests of X6). */
export function firstStep(chart: Chart, input: Value, place: StepPlace): Step {
  const window = theWindow().open(place)
  const snapshot = chart.machine.getInitialSnapshot(window.scope, input ?? undefined)
  if (snapshot.status === 'error') throw snapshot.error
  return stepOf({ chart, before: UNBORN, snapshot, place })
}

/** One event. Throws what a guard or an action throws. */
export function nextStep(chart: Chart, row: Restorable, event: EventRow, place: StepPlace): Step {
  const window = theWindow().open(place)
  const before = asked?.row === row && asked.chart === chart ? asked.snapshot : restored(chart, row, place)
  // It was restored for this event alone.
  asked = null
  const snapshot: AnyMachineSnapshot = chart.machine.transition(before, event, window.scope)
  return stepOf({ chart, before: row, snapshot, place })
}

/** Whether the present state takes an event. Throws what a guard throws. */
export function takes(chart: Chart, row: Restorable, event: EventRow, place: StepPlace): boolean {
  theWindow().open(place)
  const snapshot = restored(chart, row, place)
  asked = { chart, row, snapshot }
  return snapshot.can(event)
}

/** A state value under a chart that has changed: new regions and inner states are in it, as XState enters them. */
export function completed({ machine }: Chart, value: Value): StateValue {
  const known = inDocumentOrder(machine.root, value as StateValue)
  return machine.resolveState({ value: known, context: {} }).value as StateValue
}

const UNBORN: Restorable = {
  status: 'active',
  value: {},
  context: {},
  history: {},
  output: null,
  error: null,
  actors: {},
}

let window: Window | null = null
const theWindow = (): Window => (window ??= new Window())

/** What `takes` restored, for the step of the same event; a snapshot is never used for two steps (the tests of X1). */
let asked: { readonly chart: Chart; readonly row: Restorable; readonly snapshot: AnyMachineSnapshot } | null = null

/**
 * The snapshot as XState has it between events, in document order, made anew for every event and never kept (the tests of
 * X1). PERF: XState's own `restoreSnapshot` walks chart and context each time, and makes an actor of each child.
 */
export function restored(
  chart: Chart,
  { status, value, context, history, actors }: Restorable,
  place: StepPlace,
): AnyMachineSnapshot {
  const rest = chart.rest(value as StateValue)
  // New regions and inner states would be entered without their actions, timers and actors (the tests of X10).
  if (!rest.whole)
    throw new Error(`entity ${place.id} is in a state that the chart has changed: a new version migrates it`)
  return {
    ...chart.blank,
    status,
    value: rest.value,
    _nodes: rest.nodes as AnyStateNode[],
    tags: rest.tags as Set<string>,
    // A chart's function may change bytes, and would change the row.
    context: bytesApart(context),
    children: theWindow().children(actors),
    historyValue: remembered(chart, history),
  } as AnyMachineSnapshot
}

const NO_HISTORY = Object.freeze({})

/** States that the chart has no more are left out, as XState leaves them out (the tests of X20). */
function remembered(chart: Chart, history: EntityRow['history']): { readonly [id: string]: readonly AnyStateNode[] } {
  const entries = Object.entries(history)
  if (entries.length === 0) return NO_HISTORY
  const found = entries.map(([id, states]) => [id, states.flatMap((state) => chart.state(state) ?? [])] as const)
  return Object.fromEntries(found.filter(([, nodes]) => nodes.length > 0))
}

interface Transitioned {
  readonly chart: Chart
  readonly before: Restorable
  readonly snapshot: AnyMachineSnapshot
  readonly place: StepPlace
}

function stepOf({ chart, before, snapshot, place }: Transitioned): Step {
  const { self, parent, actions } = theWindow()
  const effects = effectsOf(actions, snapshot, { self, parent, named: place.named })
  for (const id of Object.keys(snapshot.children)) {
    if (Object.hasOwn(before.actors, id) || effects.some((effect) => effect.kind === 'spawn' && effect.id === id))
      continue
    throw new Error(
      `spawn() in assign made an actor ${id} that no replica knows: use spawnChild(src, { id }), or invoke`,
    )
  }
  return { part: partOf(chart, before, snapshot), effects }
}

function partOf(chart: Chart, before: Restorable, snapshot: AnyMachineSnapshot): SnapshotPart {
  const { status, value, context, output, error, historyValue } = snapshot
  return {
    status,
    value: chart.rest(value as StateValue).value,
    context: plainValue(context, 'context', before.context) as SnapshotPart['context'],
    history: historyOf(before.history, historyValue),
    output: plainValue(output, 'output'),
    error: plainValue(error, 'error'),
  }
}

function historyOf(before: EntityRow['history'], after: AnyMachineSnapshot['historyValue']): EntityRow['history'] {
  const entries = Object.entries(after)
  if (entries.length === 0 && Object.keys(before).length === 0) return before
  return Object.fromEntries(entries.map(([id, nodes]) => [id, sortedIds(nodes ?? [])]))
}
