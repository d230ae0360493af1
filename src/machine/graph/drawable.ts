import type { Edge } from './transitions.ts'

/** What a diagram needs: transition tables, state graphs and charts have it. */
export interface Drawable {
  readonly initial: string
  readonly states: readonly string[]
  readonly terminal: readonly string[]
  edges(): readonly Edge[]
  /** Of a chart: how each of its states lies in the others. Absent where all states stand side by side. */
  readonly nested?: ReadonlyMap<string, NestedState>
}

/** A state of a chart, among the others. The root is a state too: `initial` of the chart names it. */
export interface NestedState {
  /** Null for the root. */
  readonly parent: string | null
  /** What it is called within its parent. */
  readonly name: string
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history' | 'deepHistory'
  /** Where a compound state begins; null for the other kinds. */
  readonly initial: string | null
  /** What runs while it is active, by the names that its chart has for it. */
  readonly work: readonly string[]
}

/** States that lie right in a state, in the chart's order; with null those that lie in none. */
export function statesIn(graph: Drawable, parent: string | null): readonly string[] {
  if (graph.nested === undefined) return parent === null ? graph.states : []
  return graph.states.filter((state) => graph.nested?.get(state)?.parent === parent)
}

/** A state's place among the others; side by side where the graph knows no nesting. */
export function nestedState(graph: Drawable, state: string): NestedState {
  const known = graph.nested?.get(state)
  if (known !== undefined) return known
  const kind = graph.terminal.includes(state) ? 'final' : 'atomic'
  return { parent: null, name: state, kind, initial: null, work: [] }
}

/** States that are entered with it where nothing says otherwise: all regions of a parallel one. */
export function firstIn(graph: Drawable, state: string): readonly string[] {
  const { kind, initial } = nestedState(graph, state)
  if (kind !== 'parallel') return initial === null ? [] : [initial]
  return statesIn(graph, state).filter((inner) => !isHistory(nestedState(graph, inner)))
}

/** Whether other states may lie in it. */
export const isComposite = ({ kind }: NestedState): boolean => kind === 'compound' || kind === 'parallel'

const isHistory = ({ kind }: NestedState): boolean => kind === 'history' || kind === 'deepHistory'

/** Whether `inner` is `outer` or lies in it, at any depth. */
export function liesIn(graph: Drawable, inner: string, outer: string): boolean {
  for (let at: string | null = inner; at !== null; at = nestedState(graph, at).parent) if (at === outer) return true
  return false
}

/** What stands beside a state's name in a diagram, where it is more than a state. */
export function kindText({ kind }: NestedState): string {
  const texts = {
    atomic: '',
    compound: '',
    parallel: 'parallel',
    final: '',
    history: 'history',
    deepHistory: 'deep history',
  }
  return texts[kind] === '' ? '' : ` (${texts[kind]})`
}
