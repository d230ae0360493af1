import type { Drawable } from './drawable.ts'

/** The text of a table in Graphviz's language, in the table's own order. Ends with a line break. */
export function dot(table: Drawable): string {
  const lines = [
    'digraph {',
    '  rankdir=LR',
    '  node [shape=box style=rounded]',
    '  "" [shape=point]',
    ...table.states.map((state) => `  ${quoted(state)}${table.terminal.includes(state) ? ' [peripheries=2]' : ''}`),
    `  "" -> ${quoted(table.initial)}`,
    ...table
      .edges()
      .map(
        ({ from, to, label }) =>
          `  ${quoted(from)} -> ${quoted(to)}${label === null ? '' : ` [label=${quoted(label)}]`}`,
      ),
    '}',
  ]
  return `${lines.join('\n')}\n`
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
