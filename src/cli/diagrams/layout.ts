import { Graph, layout } from '@dagrejs/dagre'
import type { Drawable, Edge } from '../../machine/index.ts'

/** All lengths of a laid-out diagram are in SVG user units, y downwards. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** A box for a state, or the mark where the graph begins. `x` and `y` are its middle. */
export interface PlacedState extends Point {
  /** Null: the mark before the initial state. */
  readonly name: string | null
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
}

/** Width of one column of the typeface: labels are drawn in a monospaced one, so that no font has to be measured. */
const COLUMN = 7.8
const LINE_HEIGHT = 16
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
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ nodesep: 36, edgesep: 18, ranksep: 34, marginx: MARGIN, marginy: MARGIN })
  graph.setNode(START, { ...MARK })
  for (const state of table.states)
    graph.setNode(state, { width: textWidth(state) + 2 * STATE.padding, height: STATE.height })
  graph.setEdge(START, table.initial, { width: 0, height: 0 }, START)
  const edges = table.edges()
  edges.forEach(({ from, to, label }, position) => {
    const size = label === null ? { width: 0, height: 0 } : { width: textWidth(label) + 8, height: LINE_HEIGHT }
    graph.setEdge(from, to, { ...size, labelpos: 'c' }, String(position))
  })
  layout(graph)
  const { width = 0, height = 0 } = graph.graph()
  const boxOf = (state: string): PlacedState => {
    const { x, y, width, height } = graph.node(state)
    return { name: state === START ? null : state, x, y, width, height }
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
  }
}

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
