import { assert } from '../../base/assert.ts'
import { failure, success, type Result } from '../../base/result.ts'
import type { Edge, InvalidTransition, TransitionOptions } from './transitions.ts'

/** A state graph: state → the states that it may go to. A state without targets is terminal. */
export type GraphTable<State extends string> = { readonly [From in State]: readonly NoInfer<State>[] }

/** A table by target state, for rules written as `(from, to)` (machines.md §3); `transitions` is the one by event. */
export interface StateGraph<State extends string> {
  readonly entity: string
  readonly initial: State
  readonly states: readonly State[]
  readonly terminal: readonly State[]
  isTerminal(state: State): boolean
  can(from: State, to: State): boolean
  /** `to` when the step is legal, else the details of the refusal. */
  check(from: State, to: State): Result<State, InvalidTransition>
  /** Where a state may go, in the table's order. */
  targets(from: State): readonly State[]
  edges(): readonly Edge[]
}

/** One pair of states as a test case. */
export interface StateGraphCase<State extends string> {
  readonly name: string
  readonly from: State
  readonly to: State
  readonly legal: boolean
}

/** A graph of states: `stateGraph({ pending: ['paid', 'cancelled'], paid: [], cancelled: [] }, { entity: 'payment' })`. */
export function stateGraph<State extends string>(
  table: GraphTable<State>,
  options: TransitionOptions<NoInfer<State>> = {},
): StateGraph<State> {
  // The keys of the literal are its states.
  const states = Object.keys(table) as State[]
  const [first] = states
  assert(first !== undefined, 'a state graph has at least one state')
  const known = new Set<string>(states)
  for (const from of states) {
    for (const to of table[from]) assert(known.has(to), 'an edge leads to no state of its graph', { from, to })
  }
  const entity = options.entity ?? 'entity'
  const targets = (from: State): readonly State[] => (known.has(from) ? table[from] : [])
  return {
    entity,
    initial: options.initial ?? first,
    states,
    terminal: states.filter((state) => targets(state).length === 0),
    isTerminal: (state) => targets(state).length === 0,
    can: (from, to) => targets(from).includes(to),
    check: (from, to) =>
      targets(from).includes(to) ? success(to) : failure({ entity, from, to, allowed: targets(from) }),
    targets,
    edges: () => states.flatMap((from) => targets(from).map((to) => ({ from, to, label: null }))),
  }
}

/** Every ordered pair of states: each edge must be taken, every other pair refused. */
export function stateGraphCases<State extends string>(graph: StateGraph<State>): readonly StateGraphCase<State>[] {
  return graph.states.flatMap((from) =>
    graph.states.map((to) => {
      const legal = graph.can(from, to)
      return { name: `${graph.entity}: ${from} → ${to} ${legal ? 'is taken' : 'is refused'}`, from, to, legal }
    }),
  )
}
