import type { Drawable } from './drawable.ts'

/**
 * The mermaid text (`stateDiagram-v2`) of a table, in the table's own order, so that a committed diagram changes only when the
 * table does (machines.md §5). Ends with a line break.
 */
export function mermaid(table: Drawable): string {
  const ids = new Map(table.states.map((state, position) => [state, identifier(state, position)]))
  const idOf = (state: string): string => ids.get(state) ?? state
  const aliases = table.states.filter((state) => idOf(state) !== state)
  const lines = [
    'stateDiagram-v2',
    ...aliases.map((state) => `  state "${state.replaceAll('"', "'")}" as ${idOf(state)}`),
    `  [*] --> ${idOf(table.initial)}`,
    ...table
      .edges()
      .map(({ from, to, label }) => `  ${idOf(from)} --> ${idOf(to)}${label === null ? '' : ` : ${label}`}`),
    ...table.terminal.map((state) => `  ${idOf(state)} --> [*]`),
  ]
  return `${lines.join('\n')}\n`
}

/** Mermaid reads letters, digits and underscores as an identifier; `end` and `state` are its own words. */
const identifier = (state: string, position: number): string =>
  /^[A-Za-z_]\w*$/.test(state) && state !== 'end' && state !== 'state' ? state : `state_${position}`
