import type { Value } from '../codec/value/value.ts'

/**
 * The value with all bytes in it as `open` gives them; the same object where none is another. Undefined as soon as `open` is.
 * Frozen parts are not changed.
 */
export function openParts(value: Value, open: (bytes: Uint8Array) => Value | undefined): Value | undefined {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return open(value)
  if (Array.isArray(value)) {
    const items = openAll(value as readonly Value[], open)
    return items === value ? value : items
  }
  const names = Object.keys(value)
  const fields = names.map((name) => (value as { readonly [name: string]: Value })[name] ?? null)
  const opened = openAll(fields, open)
  if (opened === undefined || opened === fields) return opened === fields ? value : undefined
  return Object.fromEntries(names.map((name, at) => [name, opened[at] ?? null]))
}

function openAll(
  items: readonly Value[],
  open: (bytes: Uint8Array) => Value | undefined,
): readonly Value[] | undefined {
  let changed: Value[] | null = null
  for (let at = 0; at < items.length; at += 1) {
    const item = items[at] ?? null
    const opened = openParts(item, open)
    if (opened === undefined) return undefined
    if (opened === item) continue
    changed ??= [...items]
    changed[at] = opened
  }
  return changed ?? items
}
