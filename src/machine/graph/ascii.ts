import { type Drawable, firstIn, kindText, nestedState, statesIn } from './drawable.ts'

/**
 * A table for a terminal: each state with what leaves it, in the table's own order; states that lie in another one are below
 * it. A star is where it begins. Ends with a line break.
 */
export function ascii(table: Drawable): string {
  const edges = table.edges()
  const width = Math.max(0, ...edges.map(({ label }) => label?.length ?? 0))
  const linesOf = (state: string, depth: number): readonly string[] => {
    const node = nestedState(table, state)
    const indent = '  '.repeat(depth)
    const end = table.terminal.includes(state) ? ' (end)' : ''
    return [
      `${indent}${begins(table, state) ? '*' : ' '} ${node.name}${kindText(node)}${end}`,
      ...node.work.map((work) => `${indent}    invoke ${work}`),
      ...edges
        .filter(({ from }) => from === state)
        .map(({ to, label }) => {
          return `${indent}    ${width === 0 ? '' : `${(label ?? '').padEnd(width, '-')}-`}-> ${pathOf(table, to)}`
        }),
      ...statesIn(table, state).flatMap((inner) => linesOf(inner, depth + 1)),
    ]
  }
  return `${statesIn(table, null)
    .flatMap((state) => linesOf(state, 0))
    .join('\n')}\n`
}

function begins(table: Drawable, state: string): boolean {
  const { parent } = nestedState(table, state)
  return parent === null ? state === table.initial : firstIn(table, parent).includes(state)
}

/** Names from below the root down to the state; the root itself by its own. */
function pathOf(table: Drawable, state: string): string {
  const { parent, name } = nestedState(table, state)
  return parent === null || parent === table.initial ? name : `${pathOf(table, parent)}.${name}`
}
