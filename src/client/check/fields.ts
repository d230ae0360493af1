import { isName } from '../../codec/entry/client-request.ts'
import { NAME_BYTES_MAX } from '../../protocol/limits.ts'
import { TIMER_MS_MAX } from '../connection/ports.ts'
import { InvalidArgument } from './invalid-argument.ts'

/** The value's own properties, to be read one by one; refuses what is no object. Reading one may still throw. */
export function fieldsOf(value: unknown, field: string): { readonly [key: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(field, 'must be an object', value)
  return value as { readonly [key: string]: unknown } // an object, checked above
}

/** A whole number in [least, most]. */
export function integer(value: unknown, field: string, [least, most]: readonly [number, number]): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value + 0
  return refuse(field, `must be a whole number from ${least} to ${most}`, value)
}

/** Milliseconds to wait, at most what a timer can; a fraction may remain of a calculation. */
export function waitMs(value: unknown, field: string): number {
  if (typeof value === 'number' && value >= 0 && value <= TIMER_MS_MAX) return value
  return refuse(field, `must be milliseconds from 0 to ${TIMER_MS_MAX}`, value)
}

/** A name as the log holds it: printable ASCII without spaces. */
export function name(value: unknown, field: string): string {
  if (typeof value === 'string' && value.length <= NAME_BYTES_MAX && isName(value)) return value
  return refuse(field, `must be 1 to ${NAME_BYTES_MAX} printable ASCII characters without spaces`, value)
}

/** A text of at most `most` UTF-16 units that has an encoding in UTF-8. */
export function text(value: unknown, field: string, [least, most]: readonly [number, number]): string {
  const fits = typeof value === 'string' && value.length >= least && value.length <= most
  if (fits && !LONE_SURROGATE.test(value)) return value
  return refuse(field, `must be a text of ${least} to ${most} characters`, value)
}

export function boolean(value: unknown, field: string): boolean {
  return typeof value === 'boolean' ? value : refuse(field, 'must be true or false', value)
}

/** A list of at most `most`, each read by `item` with its own path; a copy. */
export function list<Item>(
  value: unknown,
  field: string,
  { least = 0, most, item }: { least?: number; most: number; item: (value: unknown, field: string) => Item },
): readonly Item[] {
  if (!Array.isArray(value)) refuse(field, 'must be a list', value)
  const { length } = value
  if (length < least || length > most)
    throw new InvalidArgument(field, `must have ${least} to ${most} items, not ${length}`)
  return Array.from({ length }, (_, index) => item(value[index], `${field}[${index}]`))
}

/** Refuses what is no function. */
export function callback(value: unknown, field: string): asserts value is (...values: never[]) => unknown {
  if (typeof value !== 'function') refuse(field, 'must be a function', value)
}

/** What a reader gives, or `fallback` where nothing was handed over. */
export function optional<Read, Fallback>(
  value: unknown,
  field: string,
  { read, fallback }: { read: (value: unknown, field: string) => Read; fallback: Fallback },
): Read | Fallback {
  return value === undefined ? fallback : read(value, field)
}

export function refuse(field: string, problem: string, value: unknown): never {
  throw new InvalidArgument(field, `${problem}, not ${shown(value)}`)
}

const LONE_SURROGATE = /\p{Surrogate}/u
const SHOWN_CHARS_MAX = 40

/** A value in few words; none of its properties is read. */
function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= SHOWN_CHARS_MAX ? JSON.stringify(value) : `a text of ${value.length} characters`
    case 'number':
      return Object.is(value, -0) ? '-0' : `${value}`
    case 'boolean':
    case 'undefined':
      return `${value}`
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object'
    default:
      return `a ${typeof value}`
  }
}
