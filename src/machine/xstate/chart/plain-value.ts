import type { Value } from '../../../codec/value/value.ts'

/**
 * A context, an output or an event as plain data: fields that are undefined are left out, as JSON leaves them out, and
 * anything else that is no plain data is refused with its path, never converted. What is plain comes back as it is.
 */
export function plainValue(value: unknown, path: string): Value {
  if (value === undefined) return null
  return member(value, path)
}

function member(value: unknown, path: string): Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refusal(path, String(value))
      return value
    case 'object':
      return value === null ? null : structure(value, path)
    default:
      throw refusal(path, `a ${typeof value}`)
  }
}

function structure(value: object, path: string): Value {
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) {
    const items = value.map((item, at) => member(item, `${path}[${at}]`))
    return items.every((item, at) => item === value[at]) ? (value as Value) : items
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw refusal(path, `a ${value.constructor?.name ?? 'special object'}`)
  }
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  const plain = fields.map(([name, field]) => [name, member(field, `${path}.${name}`)] as const)
  const same = fields.length === Object.keys(value).length && plain.every(([, field], at) => field === fields[at]?.[1])
  return same ? (value as Value) : Object.fromEntries(plain)
}

const refusal = (path: string, what: string): TypeError =>
  new TypeError(
    `${path} is ${what}; what an entity keeps or sends is plain data: null, boolean, finite number, text, bytes, array, object`,
  )

/** A frozen copy of plain data: what is written to it throws, and nobody else holds it. */
export function frozenCopy(value: unknown, path: string): Value {
  const plain = plainValue(value, path)
  if (typeof plain !== 'object' || plain === null || plain instanceof Uint8Array) return plain
  if (Array.isArray(plain)) return Object.freeze(plain.map((item, at) => frozenCopy(item, `${path}[${at}]`)))
  const fields = Object.entries(plain).map(([name, field]) => [name, frozenCopy(field, `${path}.${name}`)] as const)
  return Object.freeze(Object.fromEntries(fields))
}
