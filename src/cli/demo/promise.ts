import type { Value } from '../../client/index.ts'

/** The first place where `seen` is not as promised; null: it holds. Objects may have more fields, lists no more items. */
export function differenceOf(promised: Value, seen: Value, path = ''): string | null {
  if (isList(promised)) return listDifference(promised, seen, path)
  if (isObject(promised)) {
    if (!isObject(seen)) return sentence(promised, seen, path)
    for (const [name, value] of Object.entries(promised)) {
      const difference = differenceOf(value, seen[name] ?? null, path === '' ? name : `${path}.${name}`)
      if (difference !== null) return difference
    }
    return null
  }
  return promised === seen ? null : sentence(promised, seen, path)
}

/** The part of `seen` that was promised, as it is. */
export function promisedPart(promised: Value, seen: Value): Value {
  if (isList(promised) && isList(seen)) return seen.map((item, at) => promisedPart(promised[at] ?? null, item))
  if (!isObject(promised) || !isObject(seen)) return seen
  return Object.fromEntries(
    Object.entries(promised).map(([name, value]) => [name, promisedPart(value, seen[name] ?? null)]),
  )
}

function listDifference(promised: readonly Value[], seen: Value, path: string): string | null {
  if (!isList(seen) || seen.length !== promised.length) return sentence(promised, seen, path)
  const differences = promised.map((item, at) => differenceOf(item, seen[at] ?? null, `${path}[${at}]`))
  return differences.find((difference) => difference !== null) ?? null
}

function sentence(promised: Value, seen: Value, path: string): string {
  return `${path === '' ? 'the answer' : path} is ${JSON.stringify(seen)} instead of ${JSON.stringify(promised)}`
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

/** Neither a list nor bytes. */
export function isObject(value: Value): value is { readonly [name: string]: Value } {
  return typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array)
}
