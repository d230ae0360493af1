import type { Description } from '../../machine/index.ts'

/** Where two descriptions of a machine part, e.g. `commands.reserve.input.shape.count.kind`, and what stands there. */
export interface Difference {
  readonly path: string
  /** JSON; null: nothing stands there. */
  readonly before: string | null
  readonly after: string | null
}

/** What a pair in these groups of a machine holds. */
const PAIRS: { readonly [group: string]: readonly string[] } = { state: ['key', 'row'], commands: ['input', 'output'] }

/** The first path, in the order of the description, at which two descriptions differ; null: they are equal. */
export function descriptionDifference(before: Description, after: Description): Difference | null {
  return differenceAt([], before, after)
}

function differenceAt(
  path: readonly string[],
  before: Description | undefined,
  after: Description | undefined,
): Difference | null {
  if (JSON.stringify(before) === JSON.stringify(after)) return null
  const left = membersOf(path, before)
  const right = membersOf(path, after)
  if (left === null || right === null) return { path: path.join('.'), before: shown(before), after: shown(after) }
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const found = differenceAt([...path, name], left.get(name), right.get(name))
    if (found !== null) return found
  }
  // The same members in another order.
  return { path: path.join('.'), before: [...left.keys()].join(', '), after: [...right.keys()].join(', ') }
}

/** Named members of an object, of a list of `[name, member]`, or of a list; null: a plain value, or nothing. */
function membersOf(path: readonly string[], value: Description | undefined): Map<string, Description> | null {
  if (typeof value !== 'object' || value === null) return null
  if (!Array.isArray(value)) return new Map(Object.entries(value))
  const items: readonly Description[] = value
  const named = items.flatMap((item) =>
    Array.isArray(item) && item.length === 2 && typeof item[0] === 'string' ? [item as [string, Description]] : [],
  )
  if (named.length === items.length && new Set(named.map(([name]) => name)).size === items.length) return new Map(named)
  const [group = ''] = path
  const names = path.length === 2 && items.length === 2 ? PAIRS[group] : undefined
  return new Map(items.map((item, at) => [names?.[at] ?? String(at), item]))
}

const SHOWN_LENGTH_MAX = 120

function shown(value: Description | undefined): string | null {
  if (value === undefined) return null
  const text = JSON.stringify(value)
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text
}
