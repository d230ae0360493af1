import type { Drawable } from './drawable.ts'

/** A table for a terminal: each state with what leaves it, in the table's own order. Ends with a line break. */
export function ascii(table: Drawable): string {
  const edges = table.edges()
  const width = Math.max(0, ...edges.map(({ label }) => label?.length ?? 0))
  const lines = table.states.flatMap((state) => [
    `${state === table.initial ? '*' : ' '} ${state}${table.terminal.includes(state) ? ' (end)' : ''}`,
    ...edges
      .filter(({ from }) => from === state)
      .map(({ to, label }) => `    ${width === 0 ? '' : `${(label ?? '').padEnd(width, '-')}-`}-> ${to}`),
  ])
  return `${lines.join('\n')}\n`
}
