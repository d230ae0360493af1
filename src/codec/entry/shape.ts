import type { Value } from '../value/value.ts'
import { ValueError } from '../value/value-error.ts'

/**
 * Shapes of payloads, checked by hand: this folder has no schema library, and an entry that is in the log must decode
 * the same everywhere for ever. A shape returns the value with its type, or throws ValueError with the path.
 */
export type Shape<Type> = (value: unknown, path: string) => Type

/** The type that a shape checks. */
export type ShapeOf<Checker> = Checker extends Shape<infer Type> ? Type : never

/** Integer in [minimum, maximum]; by default any natural number up to 2^53−1. */
export function integer(minimum = 0, maximum: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, path) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value
    return wrong(path, `an integer from ${minimum} to ${maximum}`)
  }
}

/** Integer in [0, 2^32). */
export const uint32: Shape<number> = integer(0, 0xffffffff)

/** String of at most `lengthMax` UTF-16 units, and of the pattern if there is one. */
export function string(lengthMax: number, pattern?: RegExp): Shape<string> {
  return (value, path) => {
    if (typeof value === 'string' && value.length <= lengthMax && (pattern === undefined || pattern.test(value)))
      return value
    return wrong(path, `a string of at most ${lengthMax}${pattern === undefined ? '' : ` like ${pattern.source}`}`)
  }
}

/** One of these words. */
export function oneOf<Word extends string>(...words: readonly Word[]): Shape<Word> {
  return (value, path) => words.find((word) => word === value) ?? wrong(path, `one of ${words.join(', ')}`)
}

export const boolean: Shape<boolean> = (value, path) => (typeof value === 'boolean' ? value : wrong(path, 'a boolean'))

/** Bytes of one of these lengths. A Buffer becomes a plain Uint8Array, so that it encodes. */
export function bytes(...lengths: readonly number[]): Shape<Uint8Array> {
  return (value, path) => {
    if (!(value instanceof Uint8Array) || !lengths.includes(value.length))
      return wrong(path, `${lengths.join(' or ')} bytes`)
    return Object.getPrototypeOf(value) === Uint8Array.prototype ? value : new Uint8Array(value)
  }
}

/** Array of at most `lengthMax` elements of one shape. */
export function list<Item>(item: Shape<Item>, lengthMax: number): Shape<readonly Item[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > lengthMax) return wrong(path, `a list of at most ${lengthMax}`)
    return value.map((element, index) => item(element, `${path}[${index}]`))
  }
}

/** Any value under string keys; what the values are was checked by the codec. */
export const dictionary: Shape<{ readonly [name: string]: Value }> = (value, path) => {
  if (isObject(value)) return value as { readonly [name: string]: Value } // the codec knows nothing but values
  return wrong(path, 'an object')
}

/** Object with exactly these fields, returned with its keys in this order, whatever order it came in. */
export function object<Fields extends { readonly [name: string]: Shape<unknown> }>(
  fields: Fields,
): Shape<{ readonly [Name in keyof Fields]: ShapeOf<Fields[Name]> }> {
  const names = Object.keys(fields)
  return (value, path) => {
    if (!isObject(value)) return wrong(path, 'an object')
    const result: { [name: string]: unknown } = {}
    for (const name of names) result[name] = fields[name]?.(value[name], `${path}.${name}`)
    const extra = Object.keys(value).find((name) => !(name in result))
    if (extra !== undefined) return wrong(`${path}.${extra}`, 'no such field')
    return result as { readonly [Name in keyof Fields]: ShapeOf<Fields[Name]> } // each field was checked by its shape
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function wrong(path: string, expected: string): never {
  throw new ValueError(
    'BAD_BYTES',
    path,
    `a payload does not fit: expected ${expected}${path === '' ? '' : ` at ${path}`}`,
  )
}
