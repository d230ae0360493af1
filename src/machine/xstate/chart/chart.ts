import {
  StateMachine,
  type AnyActorLogic,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type StateValue,
} from 'xstate'
import { assert } from '../../../base/assert.ts'
import { actorKind, isMachine, type ActorKind } from './actor-kind.ts'
import { checkChart, type KnownNames } from './check-chart.ts'
import { hasStates } from './document-order.ts'
import { checkedDelay, guardedAction, isFunction } from './guarded-action.ts'
import { frozenCopy } from './plain-value.ts'
import { Rests, type Rest } from './rest.ts'

/** How many microsteps one event may take where the chart gives no `maxIterations`: without one a loop would stop the node. */
const ITERATIONS_MAX = 1_000

/** Logic that does nothing: actors of an entity are tasks and other entities, so XState only has to know their ids. */
export const INERT: AnyActorLogic = {
  transition: (snapshot: unknown) => snapshot,
  getInitialSnapshot: (_scope: unknown, input: unknown) => ({
    status: 'active',
    output: undefined,
    error: undefined,
    input,
  }),
  getPersistedSnapshot: (snapshot: unknown) => snapshot,
  restoreSnapshot: (snapshot: unknown) => snapshot,
} as unknown as AnyActorLogic

/** One state machine of the author's, checked and made fit for replicas, with those that it invokes or spawns. */
export class Chart {
  /** Names of logics from the mounted machine down to this one. */
  readonly path: readonly string[]
  /** A copy of the author's machine, whose actors are inert and whose delays and targets are checked. */
  readonly machine: AnyStateMachine
  /** A snapshot of it, with all that is the same in every one. */
  readonly blank: AnyMachineSnapshot
  private readonly rests: Rests
  private readonly states: ReadonlyMap<string, AnyStateNode>
  private readonly delays: ReadonlyMap<string, string>
  private readonly kinds: ReadonlyMap<string, ActorKind>
  private readonly charts = new Map<string, Chart>()
  private readonly authored: AnyStateMachine
  private readonly known: KnownNames

  constructor(authored: AnyStateMachine, names: KnownNames, path: readonly string[] = []) {
    checkChart(authored, names)
    this.path = path
    this.authored = authored
    this.known = names
    this.machine = replicable(authored)
    this.blank = this.machine.resolveState({ value: {}, context: {} })
    this.rests = new Rests(this.machine.root)
    this.states = statesOf(this.machine.root)
    this.delays = new Map([...this.states.values()].flatMap(delaysOf))
    this.kinds = new Map(
      Object.entries(authored.implementations.actors).flatMap(([src, logic]) => {
        const kind = actorKind(logic)
        return kind === null ? [] : [[src, kind] as const]
      }),
    )
    this.checkChildren()
  }

  kindOf(src: string): ActorKind {
    const kind = this.kinds.get(src)
    assert(kind !== undefined, 'an actor has a logic that the chart names', { src, chart: this.machine.id })
    return kind
  }

  /** Whether it has a logic of that name. */
  names(src: string): boolean {
    return this.kinds.has(src)
  }

  /** What follows from a state value. Throws for a state that the chart lacks. */
  rest(value: StateValue): Rest {
    return this.rests.of(value)
  }

  /** The state whose `after` an event of that type is; null for any other event. */
  waiting(type: string): string | null {
    return type.startsWith(AFTER) ? (this.delays.get(type) ?? null) : null
  }

  /** Whether it has all states of a value. */
  has(value: StateValue): boolean {
    return hasStates(this.machine.root, value)
  }

  /** The state of an id; undefined when the chart has none. */
  state(id: string): AnyStateNode | undefined {
    return this.states.get(id)
  }

  /** The chart of a child; made when it is first asked for, because a chart may invoke itself. */
  child(src: string): Chart {
    const known = this.charts.get(src)
    if (known !== undefined) return known
    const logic: unknown = this.authored.implementations.actors[src]
    assert(isMachine(logic), 'an entity has a logic that is a machine', { src, chart: this.machine.id })
    const chart = new Chart(logic, this.known, [...this.path, src])
    this.charts.set(src, chart)
    return chart
  }

  /** The chart of an entity, from the one that is mounted. */
  at(path: readonly string[]): Chart {
    return path.reduce<Chart>((chart, src) => chart.child(src), this)
  }

  /** Refused at definition as the chart itself is; one that invokes itself is checked once. */
  private checkChildren(seen: Set<AnyStateMachine> = new Set([this.authored])): void {
    const machines = Object.values(this.authored.implementations.actors).filter(isMachine)
    for (const machine of machines) checkBelow(machine, this.known, seen)
  }
}

function checkBelow(machine: AnyStateMachine, names: KnownNames, seen: Set<AnyStateMachine>): void {
  if (seen.has(machine)) return
  seen.add(machine)
  checkChart(machine, names)
  for (const inner of Object.values(machine.implementations.actors).filter(isMachine)) checkBelow(inner, names, seen)
}

const AFTER = 'xstate.after.'

/** The type of the event of `after`, as XState makes it of the delay's number or name and the state's id. */
export const afterType = (delay: string, state: string): string => `${AFTER}${delay}.${state}`

/** Types of the events that a state waits for, with its id. */
function delaysOf({ id, config }: AnyStateNode): readonly (readonly [string, string])[] {
  const { after = {} } = config as { readonly after?: object }
  return Object.keys(after).map((delay) => [afterType(delay, id), id] as const)
}

/** Every state, by its id. */
function statesOf(node: AnyStateNode, found: Map<string, AnyStateNode> = new Map()): ReadonlyMap<string, AnyStateNode> {
  found.set(node.id, node)
  for (const child of Object.values<AnyStateNode>(node.states)) statesOf(child, found)
  return found
}

function replicable({ config, implementations }: AnyStateMachine): AnyStateMachine {
  const { context, options } = config as {
    readonly context?: unknown
    readonly options?: { readonly maxIterations?: number }
  }
  const { actions, delays, actors, guards } = implementations
  const machine = new StateMachine(
    {
      ...config,
      // A literal context would be shared by all entities, and with the author's module.
      context: context === undefined || isFunction(context) ? context : frozenCopy(context, 'context'),
      options: { ...options, maxIterations: options?.maxIterations ?? ITERATIONS_MAX },
    },
    {
      guards,
      actions: eachValue(actions, guardedAction),
      delays: eachValue(delays, (delay, name) => (isFunction(delay) ? checkedDelay(name, delay) : delay)),
      actors: eachValue(actors, () => INERT),
    } as typeof implementations,
  )
  guardNode(machine.root)
  return machine
}

/** The nodes are this copy's own; what stands in their lists may be the author's and is replaced, never changed. */
function guardNode(node: AnyStateNode): void {
  node.entry = node.entry.map(guardedAction) as typeof node.entry
  node.exit = node.exit.map(guardedAction) as typeof node.exit
  const transitions = [
    ...node.transitions.values(),
    node.always ?? [],
    node.type === 'compound' ? [node.initial] : [],
  ].flat()
  for (const transition of transitions) {
    const own: { actions: readonly unknown[] } = transition
    own.actions = own.actions.map(guardedAction)
  }
  for (const child of Object.values<AnyStateNode>(node.states)) guardNode(child)
}

function eachValue(
  record: object,
  change: (value: unknown, name: string) => unknown,
): { readonly [name: string]: unknown } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]))
}
