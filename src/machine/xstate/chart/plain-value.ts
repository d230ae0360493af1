import { VALUE_BOUNDS } from '../../../codec/value/bounds.ts'
import {
  checkNumber,
  checkPlainArray,
  dataElement,
  dataProperty,
  isBytes,
  notPlainMessage,
  plainKeys,
  refuse,
  utf8Length,
} from '../../../codec/value/plain.ts'
import { ValueError } from '../../../codec/value/value-error.ts'
import type { Value } from '../../../codec/value/value.ts'

/**
 * Arrays and objects inside each other in what a chart hands over. A row wraps it at most three times (the event of a timer:
 * row, timers, timer), and all of them together have to fit what a machine may set.
 */
const DEPTH_MAX = VALUE_BOUNDS.depth - 3

/**
 * A context, an output or an event as plain data: fields that are undefined are left out, as JSON leaves them out, and
 * anything else that a machine may not set is refused with its path, never converted: `ValueError`. What is plain comes back
 * as it is, but bytes, which cannot be frozen, as a copy. `known` is what stood in the same place and was checked before:
 * parts that are the same are not read again.
 */
export function plainValue(value: unknown, path: string, known?: Value): Value {
  if (value === undefined) return null
  const walk = new PlainWalk()
  try {
    return walk.member(value, known)
  } catch (error) {
    throw error instanceof ValueError ? walk.located(error, path) : error
  }
}

/** PERF: steps are kept as they are; a path is made of them only for a refusal. */
class PlainWalk {
  private readonly steps: (string | number)[] = []
  private nodes = 0

  member(value: unknown, known: Value | undefined): Value {
    this.nodes += 1
    // One part may be met many times: without a bound thirty of them could be a thousand million.
    if (this.nodes > VALUE_BOUNDS.nodes) refuse('TOO_LARGE', 'a value has too many nodes')
    switch (typeof value) {
      case 'string':
        utf8Length(value)
        return value
      case 'boolean':
        return value
      case 'number':
        checkNumber(value)
        return value
      case 'object':
        return value === null ? null : this.structure(value, known)
      case 'undefined':
        return refuse('UNDEFINED', 'undefined is not a value')
      default:
        return refuse('NOT_PLAIN', notPlainMessage(value))
    }
  }

  located({ reason, message }: ValueError, path: string): ValueError {
    const steps = this.steps.slice(0, STEPS_SHOWN).map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    const place = `${path}${steps.join('')}${this.steps.length > STEPS_SHOWN ? '…' : ''}`
    return new ValueError(reason, place, `${place}: ${message}; ${PLAIN}`)
  }

  private structure(value: object, known: Value | undefined): Value {
    if (isBytes(value)) return value.slice()
    if (value === known) return known
    // A value that contains itself would fill the engine's stack, and stop every node.
    if (this.steps.length >= DEPTH_MAX) refuse('TOO_DEEP', `nested more than ${DEPTH_MAX} deep, or contains itself`)
    return Array.isArray(value) ? this.items(value, known) : this.fields(value, known)
  }

  private items(value: readonly unknown[], known: Value | undefined): Value {
    checkPlainArray(value)
    const before: readonly Value[] = Array.isArray(known) ? known : []
    let copy: Value[] | null = null
    for (let at = 0; at < value.length; at += 1) {
      const item = dataElement(value, at)
      this.steps.push(at)
      const plain = this.member(item, before[at])
      this.steps.pop()
      // Those before it came back as they were.
      if (plain !== item) copy ??= value.slice(0, at) as Value[]
      copy?.push(plain)
    }
    return copy ?? (value as Value)
  }

  private fields(value: object, known: Value | undefined): Value {
    const before = fieldsOf(known)
    const keys = plainKeys(value)
    let copy: { [name: string]: Value } | null = null
    for (let at = 0; at < keys.length; at += 1) {
      const key = keys[at] ?? ''
      this.steps.push(key)
      utf8Length(key)
      const field = dataProperty(value, key)
      const plain = field === undefined ? undefined : this.member(field, before[key])
      this.steps.pop()
      if (plain !== field || plain === undefined) copy ??= fieldsBefore(value, keys, at)
      if (copy !== null && plain !== undefined) copy[key] = plain
    }
    return copy ?? (value as Value)
  }
}

/** Of a path; a value that contains itself has a long one. */
const STEPS_SHOWN = 8
const PLAIN = 'what an entity keeps or sends is plain data: null, boolean, finite number, text, bytes, array, object'

type Fields = { readonly [name: string]: Value }
const NO_FIELDS: Fields = {}

const fieldsOf = (known: Value | undefined): Fields =>
  typeof known !== 'object' || known === null || Array.isArray(known) || known instanceof Uint8Array
    ? NO_FIELDS
    : (known as Fields)

/** Those in front of `keys[end]`, which came back as they were. */
const fieldsBefore = (value: object, keys: readonly string[], end: number): { [name: string]: Value } =>
  Object.fromEntries(keys.slice(0, end).map((key) => [key, dataProperty(value, key) as Value]))

/** Plain data whose bytes are nobody else's; without bytes itself. */
export function bytesApart(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) {
    const items = value.map(bytesApart)
    return items.every((item, at) => item === value[at]) ? value : Object.freeze(items)
  }
  const given = value as Fields
  let copy: { [name: string]: Value } | null = null
  for (const [name, field] of Object.entries(given)) {
    const apart = bytesApart(field)
    if (apart === field) continue
    const fields: { [name: string]: Value } = copy ?? { ...given }
    fields[name] = apart
    copy = fields
  }
  return copy === null ? value : Object.freeze(copy)
}

/** A frozen copy of plain data: what is written to it throws, and nobody else holds it. */
export function frozenCopy(value: unknown, path: string): Value {
  return frozen(plainValue(value, path))
}

function frozen(plain: Value): Value {
  if (typeof plain !== 'object' || plain === null || plain instanceof Uint8Array) return plain
  if (Array.isArray(plain)) return Object.freeze(plain.map(frozen))
  return Object.freeze(Object.fromEntries(Object.entries(plain).map(([name, field]) => [name, frozen(field)])))
}
