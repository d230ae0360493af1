import {
  createActor,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type ExecutableActionObject,
  type Snapshot,
  type StateValue,
} from 'xstate'
import type { Value } from '../../../codec/value/value.ts'
import { INERT, type Chart } from '../chart/chart.ts'
import { inDocumentOrder, sameValue, sortedIds } from '../chart/document-order.ts'
import { effectsOf, type Effect } from './effects.ts'
import type { ActorRow, EntityRow, EventRow } from './entity-row.ts'
import { plainValue } from '../chart/plain-value.ts'

/** What a step needs to know beside chart and row. */
export interface StepPlace {
  /** The entity's id, and what XState knows it by. */
  readonly id: string
  /** The parent's id; null for an entity that a client created. */
  readonly parent: string | null
  readonly named: ReadonlySet<string>
}

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
  const window = new Window(place)
  const snapshot = chart.machine.getInitialSnapshot(window.scope, input ?? undefined)
  if (snapshot.status === 'error') throw snapshot.error
  return window.step(chart, snapshot, [])
}

/** One event. Throws what a guard or an action throws. */
export function nextStep(chart: Chart, row: Restorable, event: EventRow, place: StepPlace): Step {
  const window = new Window(place)
  const before = window.restore(chart, row)
  const after: AnyMachineSnapshot = chart.machine.transition(before, event, window.scope)
  return window.step(chart, after, Object.keys(row.actors))
}

/** The snapshot as XState has it between events: for questions, never kept. */
export function restored(chart: Chart, row: Restorable, place: StepPlace): AnyMachineSnapshot {
  return new Window(place).restore(chart, row)
}

/** A row under a chart that has changed: new regions and inner states are in its value, entered as XState enters them. */
export function completed(chart: Chart, row: Restorable, place: StepPlace): SnapshotPart {
  return partOf(chart, new Window(place).restore(chart, row, 'completed'))
}

/**
 * What XState's pure functions are given in place of a running actor. Its `transition` makes one of its own, which has no
 * parent, a new name each time, and runs the machine's start once more (the tests of X15 and X19); this one does nothing.
 */
class Window {
  readonly scope: Parameters<Chart['machine']['transition']>[2]
  private readonly self: AnyActorRef
  private readonly parent: AnyActorRef | null
  private readonly place: StepPlace
  private readonly actions: ExecutableActionObject[] = []

  constructor(place: StepPlace) {
    this.place = place
    this.parent = place.parent === null ? null : createActor(INERT, { id: place.parent })
    const self = createActor(INERT, { id: place.id, ...(this.parent === null ? {} : { parent: this.parent }) })
    // By default a number of this process.
    self.sessionId = place.id
    self.send = notHere('self.send')
    self.getSnapshot = notHere('self.getSnapshot')
    self.system.get = notHere('system.get')
    this.self = self
    this.scope = {
      self,
      id: place.id,
      sessionId: place.id,
      system: self.system,
      logger: () => {},
      defer: () => {},
      emit: () => {},
      stopChild: () => {},
      actionExecutor: (action) => {
        this.actions.push(action)
      },
    }
  }

  restore({ machine }: Chart, row: Restorable, form: 'same' | 'completed' = 'same'): AnyMachineSnapshot {
    const { status, context, history, actors } = row
    const value = inDocumentOrder(machine.root, row.value as StateValue)
    const snapshot = {
      status,
      value,
      context,
      output: undefined,
      error: undefined,
      children: Object.fromEntries(Object.entries(actors).map(([id, { src }]) => [id, { src, snapshot: RUNNING }])),
      historyValue: Object.fromEntries(
        Object.entries(history).map(([id, states]) => [id, states.map((state) => ({ id: state }))]),
      ),
    }
    const found = machine.restoreSnapshot(snapshot as unknown as Snapshot<unknown>, this.scope)
    // New regions and inner states would be entered without their actions, timers and actors (the tests of X10).
    const same = sameValue(inDocumentOrder(machine.root, found.value as StateValue), value)
    if (!same && form === 'same')
      throw new Error(`entity ${this.place.id} is in a state that the chart has changed: a new version migrates it`)
    return found
  }

  step(chart: Chart, snapshot: AnyMachineSnapshot, before: readonly string[]): Step {
    const { self, parent, actions } = this
    const effects = effectsOf(actions, snapshot, { self, parent, named: this.place.named })
    const announced = new Set(effects.flatMap((effect) => (effect.kind === 'spawn' ? [effect.id] : [])))
    for (const id of Object.keys(snapshot.children)) {
      if (announced.has(id) || before.includes(id)) continue
      throw new Error(
        `spawn() in assign made an actor ${id} that no replica knows: use spawnChild(src, { id }), or invoke`,
      )
    }
    return { part: partOf(chart, snapshot), effects }
  }
}

const RUNNING = Object.freeze({ status: 'active', output: undefined, error: undefined })

const notHere = (what: string) => (): never => {
  throw new Error(`${what} reaches actors of one process; here use sendTo, raise or the context`)
}

function partOf({ machine }: Chart, snapshot: AnyMachineSnapshot): SnapshotPart {
  const { status, value, context, output, error, historyValue } = snapshot
  const history = Object.entries(historyValue).map(([id, nodes]) => [id, sortedIds(nodes ?? [])] as const)
  return {
    status,
    // A state value is plain data by its form, and so is a context by its check.
    value: inDocumentOrder(machine.root, value as StateValue) as Value,
    context: plainValue(context, 'context') as SnapshotPart['context'],
    history: Object.fromEntries(history),
    output: plainValue(output, 'output'),
    error: plainValue(error, 'error'),
  }
}
