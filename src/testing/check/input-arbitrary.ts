import type fc from 'fast-check'

/** fast-check, as it was loaded. */
export type FastCheck = typeof fc

/** A zod schema, as far as a generator looks into it. */
interface Schema {
  readonly _zod: { readonly def: Definition }
}

interface Definition {
  readonly type: string
  readonly [field: string]: unknown
}

/** What checks say of a text's or a list's length, or of a number. */
interface Bounds {
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly format?: string
  readonly pattern?: RegExp
}

/** Few, so that commands meet at the same keys; some that locales treat in their own way. */
const TEXTS = ['a', 'b', 'c', 'I', 'i', 'ä', 'z', 'aB']
const LENGTH_MAX = 12
const ITEMS_MAX = 4
const DEPTH_MAX = 4
const SMALL = 12
const EARLIEST = new Date('2000-01-01T00:00:00Z')
const LATEST = new Date('2100-01-01T00:00:00Z')
const LARGE = 1_000_000

/**
 * Values that a zod schema takes, small and often equal ones first. What the schema refuses all the same (a refinement) is left
 * to its parser; kinds that cannot be generated give null, which most schemas refuse.
 */
export function inputArbitrary(fastCheck: FastCheck, schema: unknown): fc.Arbitrary<unknown> {
  return new Generator(fastCheck).of(schema as Schema, 0)
}

class Generator {
  private readonly fc: FastCheck

  constructor(fastCheck: FastCheck) {
    this.fc = fastCheck
  }

  of(schema: Schema, depth: number): fc.Arbitrary<unknown> {
    const { fc } = this
    const { def } = schema._zod
    const inner = (field: string): fc.Arbitrary<unknown> => this.of(def[field] as Schema, depth)
    switch (def.type) {
      case 'string':
        return this.text(boundsOf(def))
      case 'number':
      case 'int':
        return this.number(boundsOf(def))
      case 'boolean':
        return fc.boolean()
      case 'literal':
        return fc.constantFrom(...(def['values'] as unknown[]))
      case 'enum':
        return fc.constantFrom(...Object.values(def['entries'] as object))
      case 'object':
        return this.object(def['shape'] as { readonly [name: string]: Schema }, depth)
      case 'array':
        return this.list(def['element'] as Schema, boundsOf(def), depth)
      case 'tuple':
        return fc.tuple(...(def['items'] as Schema[]).map((item) => this.of(item, depth + 1)))
      case 'record':
        return fc.dictionary(inner('keyType') as fc.Arbitrary<string>, inner('valueType'), {
          maxKeys: ITEMS_MAX,
          noNullPrototype: true,
        })
      case 'union':
        return fc.oneof(...(def['options'] as Schema[]).map((option) => this.of(option, depth)))
      case 'intersection':
        return fc
          .tuple(inner('left'), inner('right'))
          .map(([left, right]) => ({ ...(left as object), ...(right as object) }))
      case 'nullable':
        return fc.oneof({ weight: 3, arbitrary: inner('innerType') }, fc.constant(null))
      case 'optional':
      case 'default':
      case 'prefault':
      case 'nonoptional':
      case 'readonly':
      case 'catch':
        return inner('innerType')
      case 'pipe':
        return inner('in')
      case 'lazy':
        return depth > DEPTH_MAX ? fc.constant(null) : this.of((def['getter'] as () => Schema)(), depth + 1)
      case 'any':
      case 'unknown':
        return fc.oneof(fc.constantFrom(...TEXTS), fc.integer({ min: 0, max: SMALL }), fc.constant(null))
      default:
        return fc.constant(null)
    }
  }

  private text({ minimum = 0, maximum = minimum + LENGTH_MAX, format, pattern }: Bounds): fc.Arbitrary<string> {
    const { fc } = this
    if (format === 'uuid' || format === 'guid') return fc.uuid()
    if (format === 'email') return fc.constantFrom(...TEXTS.map((text) => `${text.replace('ä', 'ae')}@example.com`))
    if (format === 'url') return fc.webUrl()
    if (format === 'datetime')
      return fc.date({ noInvalidDate: true, min: EARLIEST, max: LATEST }).map((date) => date.toISOString())
    if (pattern !== undefined) return fc.stringMatching(pattern)
    const texts = TEXTS.map((text) => text.padEnd(minimum, text).slice(0, maximum))
    return fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...texts) },
      fc.string({ minLength: minimum, maxLength: Math.min(maximum, minimum + LENGTH_MAX) }),
    )
  }

  private number(bounds: Bounds): fc.Arbitrary<number> {
    const { fc } = this
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf = 1, format } = bounds
    const whole = format !== undefined || multipleOf !== 1
    const low = Math.max(minimum ?? -LARGE, exclusiveMinimum === undefined ? -LARGE : exclusiveMinimum + 1)
    const high = Math.min(
      maximum ?? Math.max(low, LARGE),
      exclusiveMaximum === undefined ? LARGE : exclusiveMaximum - 1,
    )
    const [least, most] = [
      Math.ceil(low / multipleOf),
      Math.max(Math.ceil(low / multipleOf), Math.floor(high / multipleOf)),
    ]
    const near = Math.min(Math.max(0, least), most)
    const few = fc.integer({ min: Math.max(least, near - 2), max: Math.min(most, near + SMALL) })
    const integers = fc.oneof({ weight: 4, arbitrary: few }, fc.integer({ min: least, max: most }))
    const scaled = integers.map((integer) => integer * multipleOf)
    if (whole) return scaled
    return fc.oneof(
      { weight: 4, arbitrary: scaled },
      few.map((integer) => Math.min(integer + 0.5, high)),
    )
  }

  private object(shape: { readonly [name: string]: Schema }, depth: number): fc.Arbitrary<unknown> {
    const members = Object.entries(shape).map(([name, schema]) => [name, this.of(schema, depth + 1)] as const)
    const required = Object.entries(shape)
      .filter(([, schema]) => !mayBeAbsent(schema))
      .map(([name]) => name)
    return this.fc.record(Object.fromEntries(members), { requiredKeys: required, noNullPrototype: true })
  }

  private list(
    element: Schema,
    { minimum = 0, maximum = minimum + ITEMS_MAX }: Bounds,
    depth: number,
  ): fc.Arbitrary<unknown> {
    const maxLength = depth > DEPTH_MAX ? minimum : Math.min(maximum, minimum + ITEMS_MAX)
    return this.fc.array(this.of(element, depth + 1), { minLength: minimum, maxLength })
  }
}

/** A field that its object may lack. */
function mayBeAbsent({ _zod: { def } }: Schema): boolean {
  return def.type === 'optional' || def.type === 'default' || def.type === 'prefault'
}

/** What the definition itself says, and its checks after it. */
function boundsOf(def: Definition): Bounds {
  const checks = (def['checks'] as readonly { readonly _zod: { readonly def: Definition } }[] | undefined) ?? []
  return Object.assign({}, boundOf(def), ...checks.map(({ _zod }) => boundOf(_zod.def))) as Bounds
}

function boundOf({ check, value, inclusive, minimum, maximum, length, format, pattern }: Definition): object {
  switch (check) {
    case 'greater_than':
      return inclusive === true ? { minimum: value } : { exclusiveMinimum: value }
    case 'less_than':
      return inclusive === true ? { maximum: value } : { exclusiveMaximum: value }
    case 'multiple_of':
      return { multipleOf: value }
    case 'min_length':
      return { minimum }
    case 'max_length':
      return { maximum }
    case 'length_equals':
      return { minimum: length, maximum: length }
    case 'number_format':
      return { format }
    case 'string_format':
      return { format, ...(pattern instanceof RegExp ? { pattern } : {}) }
    default:
      return {}
  }
}
