import { assert } from '../../base/assert.ts'
import { failure, success, type Result } from '../../base/result.ts'

/** A transition table by event: state → event → next state. A state without events is terminal. */
export type TransitionTable = { readonly [state: string]: { readonly [event: string]: string } }

/** Constrains a table so that every target is one of its states. */
export type Closed<Table> = { readonly [State in keyof Table]: { readonly [event: string]: keyof Table & string } }

/** The states of a table. */
export type StateOf<Table> = keyof Table & string
/** The events of a table, in any state. */
export type EventOf<Table> = { [State in keyof Table]: keyof Table[State] & string }[keyof Table]

/** Details of INVALID_STATE_TRANSITION: what was, what was asked for, and what the state allows instead. */
export type InvalidTransition = {
  readonly entity: string
  readonly from: string
  readonly event?: string
  readonly to?: string
  /** Events (or target states) that are allowed, in the table's order; empty for a terminal state. */
  readonly allowed: readonly string[]
}

/** One cell of a table, as a test case: `to` is null where the step must be refused. */
export interface TransitionCase<State extends string, Event extends string> {
  readonly name: string
  readonly from: State
  readonly event: Event
  readonly to: State | null
}

/** A table of transitions with its arithmetic (machines.md §3). Pure; make it once, beside the machine. */
export interface Transitions<Table> {
  readonly entity: string
  readonly initial: StateOf<Table>
  readonly table: Table
  readonly states: readonly StateOf<Table>[]
  readonly events: readonly EventOf<Table>[]
  /** States that nothing leaves. */
  readonly terminal: readonly StateOf<Table>[]
  isTerminal(state: StateOf<Table>): boolean
  /** The next state, or why not; the error is the rejection's details: `ctx.reject('INVALID_STATE_TRANSITION', error)`. */
  next(state: StateOf<Table>, event: EventOf<Table>): Result<StateOf<Table>, InvalidTransition>
  allowedEvents(state: StateOf<Table>): readonly EventOf<Table>[]
  /** Edges in the table's order: what the diagram draws. */
  edges(): readonly Edge[]
}

/** One step that a table or graph allows, for a diagram. */
export interface Edge {
  readonly from: string
  readonly to: string
  /** What is written at it, for a table the event; null where the table has none. */
  readonly label: string | null
  /** Of a chart's: the type of the event that takes it; null where it is taken by itself. Absent: the label is the event. */
  readonly event?: string | null
}

/** What a table does not say itself. */
export interface TransitionOptions<State> {
  /** Name of what moves, for the refusal's details. Default `entity`. */
  readonly entity?: string
  /** Where it begins. Default: the first state written. */
  readonly initial?: State
}

/**
 * A transition table: `transitions({ pending: { pay: 'paid', cancel: 'cancelled' }, paid: {}, cancelled: {} })`.
 * Types are exhaustive: a target that is no state does not compile.
 */
export function transitions<const Table extends Closed<Table> & TransitionTable>(
  table: Table,
  options: TransitionOptions<StateOf<Table>> = {},
): Transitions<Table> {
  type State = StateOf<Table>
  type Event = EventOf<Table>
  // The keys of a literal are its states and events: Object.keys and lookups forget that, the type does not.
  const states = Object.keys(table) as State[]
  const [first] = states
  assert(first !== undefined, 'a transition table has at least one state')
  const rows = new Map(states.map((state) => [state, new Map(Object.entries(table[state])) as Map<Event, State>]))
  for (const [from, row] of rows) {
    for (const [event, to] of row)
      assert(rows.has(to), 'a transition leads to no state of its table', { from, event, to })
  }
  const entity = options.entity ?? 'entity'
  const allowedEvents = (state: State): readonly Event[] => [...(rows.get(state)?.keys() ?? [])]
  return {
    entity,
    initial: options.initial ?? first,
    table,
    states,
    events: [...new Set(states.flatMap(allowedEvents))],
    terminal: states.filter((state) => allowedEvents(state).length === 0),
    isTerminal: (state) => allowedEvents(state).length === 0,
    allowedEvents,
    next: (state, event) => {
      const to = rows.get(state)?.get(event)
      return to === undefined ? failure({ entity, from: state, event, allowed: allowedEvents(state) }) : success(to)
    },
    edges: () => states.flatMap((from) => [...(rows.get(from) ?? [])].map(([label, to]) => ({ from, to, label }))),
  }
}

/** Every cell of a table: each edge with its target, each other (state, event) with null (machines.md §3). */
export function transitionCases<Table>(
  table: Transitions<Table>,
): readonly TransitionCase<StateOf<Table>, EventOf<Table>>[] {
  return table.states.flatMap((from) =>
    table.events.map((event) => {
      const next = table.next(from, event)
      const to = next.ok ? next.value : null
      return { name: `${table.entity}: ${from} ${event} ${to === null ? 'is refused' : `→ ${to}`}`, from, event, to }
    }),
  )
}
