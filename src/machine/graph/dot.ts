import { type Drawable, firstIn, isComposite, kindText, liesIn, nestedState, statesIn } from './drawable.ts'
import type { Edge } from './transitions.ts'

/** The text of a table in Graphviz's language, in the table's own order. Ends with a line break. */
export function dot(table: Drawable): string {
  const lines = [
    'digraph {',
    ...(table.nested === undefined ? ['  rankdir=LR'] : ['  compound=true']),
    '  node [shape=box style=rounded]',
    '  "" [shape=point]',
    ...statesIn(table, null).flatMap((state) => linesOf(table, state, '  ')),
    `  "" -> ${quoted(table.initial)}${attributes(clipped(table, null, table.initial))}`,
    ...table.edges().map((edge) => lineOf(table, edge)),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

function linesOf(table: Drawable, state: string, indent: string): readonly string[] {
  const node = nestedState(table, state)
  const label = [`${node.name}${kindText(node)}`, ...node.work.map((work) => `invoke ${work}`)].join('\n')
  const labelled = label === state ? [] : [`label=${quoted(label)}`]
  if (!isComposite(node)) {
    const end = node.kind === 'final' ? ['peripheries=2'] : []
    return [`${indent}${quoted(state)}${attributes([...labelled, ...end])}`]
  }
  // Steps lead to states, not to boxes: a title of its own stands for the box, and lines are cut at its border.
  const inner = `${indent}  `
  return [
    `${indent}subgraph ${quoted(clusterOf(state))} {`,
    `${inner}style=rounded`,
    `${inner}${quoted(state)}${attributes([...labelled, 'shape=plaintext'])}`,
    ...statesIn(table, state).flatMap((below) => linesOf(table, below, inner)),
    ...firstIn(table, state).map((first) => {
      const style = ['style=dotted', ...clipped(table, state, first)]
      return `${inner}${quoted(state)} -> ${quoted(first)}${attributes(style)}`
    }),
    `${indent}}`,
  ]
}

function lineOf(table: Drawable, { from, to, label }: Edge): string {
  const labelled = label === null ? [] : [`label=${quoted(label)}`]
  return `  ${quoted(from)} -> ${quoted(to)}${attributes([...labelled, ...clipped(table, from, to)])}`
}

/** A line ends at the border of a box that its other end does not lie in. */
function clipped(table: Drawable, from: string | null, to: string): readonly string[] {
  const outOf = from !== null && isComposite(nestedState(table, from)) && !liesIn(table, to, from)
  const into = isComposite(nestedState(table, to)) && (from === null || !liesIn(table, from, to))
  return [...(outOf ? [`ltail=${quoted(clusterOf(from))}`] : []), ...(into ? [`lhead=${quoted(clusterOf(to))}`] : [])]
}

/** Graphviz draws a box around a subgraph whose name begins so. */
const clusterOf = (state: string): string => `cluster ${state}`

const attributes = (list: readonly string[]): string => (list.length === 0 ? '' : ` [${list.join(' ')}]`)

const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
