import { Graph, layout } from '@dagrejs/dagre'
import { type Drawable, type Edge, firstIn, isComposite, kindText, nestedState } from '../../machine/index.ts'

/** All lengths of a laid-out diagram are in SVG user units, y downwards. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A box for a state, or the mark where the graph begins. `x` and `y` are its middle. */
export interface PlacedState extends Point {
  /** Null: the mark before the initial state. */
  readonly name: string | null
  /** `title`: that of a frame. Steps from and to a state that others lie in begin and end at its title. */
  readonly shape: 'mark' | 'state' | 'end' | 'title'
  /** What is written in it, line by line. */
  readonly text: readonly string[]
  readonly width: number
  readonly height: number
}

/** Around a state's title and all that lies in it. `x` and `y` are its middle. */
export interface PlacedFrame extends Point {
  readonly width: number
  readonly height: number
}

/** A step from border to border: points of its line, of a loop those of a cubic curve. `at`: its label's middle. */
export interface PlacedEdge {
  readonly edge: Edge
  readonly points: readonly Point[]
  readonly at: Point
}

/** A graph with a place for everything, none of it negative. */
export interface PlacedGraph {
  readonly width: number
  readonly height: number
  readonly states: readonly PlacedState[]
  readonly edges: readonly PlacedEdge[]
  /** Outer ones before those that lie in them. */
  readonly frames: readonly PlacedFrame[]
}

/** Width of one column of the typeface: labels are drawn in a monospaced one, so that no font has to be measured. */
const COLUMN = 7.8
export const LINE_HEIGHT = 16
const STATE = { padding: 14, height: 34 }
const MARK = { width: 12, height: 12 }
const START = '\u0000start'
const MARGIN = 12
/** Between the ends of a step from a state to itself, above and below the middle of its side. */
const LOOP_HALF = 8

/**
 * Places states and steps in layers from the initial state down. Depends on nothing but the table and the pinned release of the
 * library: equal tables give equal places.
 */
export function placed(table: Drawable): PlacedGraph {
  const graph = new Graph({ multigraph: true, compound: table.nested !== undefined })
  graph.setGraph({ nodesep: 36, edgesep: 18, ranksep: 34, marginx: MARGIN, marginy: MARGIN })
  graph.setNode(START, { ...MARK })
  for (const state of table.states) graph.setNode(state, sizeOf(textOf(table, state)))
  const framed = table.states.filter((state) => isComposite(nestedState(table, state)))
  // The library draws no step to a frame: to the title in it, then.
  for (const state of framed) {
    graph.setNode(frameOf(state), {})
    graph.setParent(state, frameOf(state))
  }
  for (const state of table.states) {
    const { parent } = nestedState(table, state)
    if (parent !== null) graph.setParent(framed.includes(state) ? frameOf(state) : state, frameOf(parent))
  }
  // From a title to where its state begins.
  const begins = framed.flatMap((from) => firstIn(table, from).map((to): Edge => ({ from, to, label: null })))
  const edges = [...begins, ...table.edges()]
  graph.setEdge(START, table.initial, { width: 0, height: 0 }, START)
  edges.forEach(({ from, to, label }, position) => {
    const size = label === null ? { width: 0, height: 0 } : { width: textWidth(label) + 8, height: LINE_HEIGHT }
    graph.setEdge(from, to, { ...size, labelpos: 'c' }, String(position))
  })
  layout(graph)
  const { width = 0, height = 0 } = graph.graph()
  const boxOf = (state: string): PlacedState => {
    const { x, y, width, height } = graph.node(state)
    const text = state === START ? [] : textOf(table, state)
    const shape = framed.includes(state) ? 'title' : table.terminal.includes(state) ? 'end' : 'state'
    return { name: state === START ? null : state, shape: state === START ? 'mark' : shape, text, x, y, width, height }
  }
  const begin: Edge = { from: START, to: table.initial, label: null }
  const steps = [{ edge: begin, name: START }, ...edges.map((edge, position) => ({ edge, name: String(position) }))]
  return {
    width,
    height,
    states: [START, ...table.states].map(boxOf),
    edges: steps.map(({ edge, name }) => {
      const { x = 0, y = 0, points = [] } = graph.edge(edge.from, edge.to, name)
      const loop = edge.from === edge.to
      return { edge, points: loop ? loopAt(boxOf(edge.from), x) : points, at: { x, y } }
    }),
    frames: framed.map((state) => {
      const { x, y, width, height } = graph.node(frameOf(state))
      return { x, y, width, height }
    }),
  }
}

function textOf(table: Drawable, state: string): readonly string[] {
  const node = nestedState(table, state)
  return [`${node.name}${kindText(node)}`, ...node.work.map((work) => `invoke ${work}`)]
}

function sizeOf(text: readonly string[]): { readonly width: number; readonly height: number } {
  const width = Math.max(...text.map(textWidth)) + 2 * STATE.padding
  return { width, height: STATE.height + (text.length - 1) * LINE_HEIGHT }
}

const frameOf = (state: string): string => `\u0000frame ${state}`

/**
 * Out of the right side of a box and back into it, around a label whose middle is at `x`: ends and control points of a cubic
 * curve. The library finds room for such a label but no line that meets the box.
 */
function loopAt(box: PlacedState, x: number): readonly Point[] {
  const side = box.x + box.width / 2
  // Such a curve goes three quarters of the way to control points side by side.
  const pull = side + ((x - side) * 4) / 3
  const [above, below] = [box.y - LOOP_HALF, box.y + LOOP_HALF]
  return [
    { x: side, y: above },
    { x: pull, y: above - LOOP_HALF },
    { x: pull, y: below + LOOP_HALF },
    { x: side, y: below },
  ]
}

/** Of a text in columns: letters of the East take two. */
function textWidth(text: string): number {
  let columns = 0
  for (const letter of text) columns += (letter.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1
  return columns * COLUMN
}
