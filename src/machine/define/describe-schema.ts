import { z } from 'zod'
import { subjectFieldOf } from '../personal/personal.ts'

/** Plain JSON: what a description is made of. */
export type Description =
  | string
  | number
  | boolean
  | null
  | readonly Description[]
  | { readonly [name: string]: Description }

/** How deep and how large a description may grow: schemas that make new ones of themselves for ever end here. */
const DEPTH_MAX = 64
const PARTS_MAX = 5_000

/** Parameters of a schema or check that decide what it takes, by their names in zod's definitions. */
const PARAMETERS = [
  'alg',
  'coerce',
  'delimiter',
  'discriminator',
  'format',
  'hostname',
  'includes',
  'inclusive',
  'length',
  'local',
  'maximum',
  'mime',
  'minimum',
  'normalize',
  'offset',
  'partial',
  'position',
  'precision',
  'prefix',
  'property',
  'protocol',
  'size',
  'suffix',
  'value',
  'version',
] as const

/** Fields that hold one schema each, and fields that hold a list of them. */
const CHILDREN = [
  'catchall',
  'element',
  'in',
  'innerType',
  'keyType',
  'left',
  'out',
  'rest',
  'right',
  'valueType',
] as const

type Fields = { readonly [name: string]: unknown }

/**
 * What a schema takes, in words of our own over zod's definitions (machine-identity.md). It does not depend on the order in
 * which fields, members of an enumeration and plain checks were written, on descriptions and messages, nor on what zod
 * computes beside them. A function says no more than that there is one: `custom`.
 */
export function describeSchema(schema: z.core.$ZodType, options: { readonly values: boolean }): Description {
  return new Describer(options.values).describe(schema)
}

class Describer {
  /** Values of defaults belong to the description: the schema is one that apply itself parses with. */
  private readonly values: boolean
  /** The schemas that are being described, outermost first; a recursive one is named by its distance. */
  private readonly stack: unknown[] = []
  private parts = 0

  constructor(values: boolean) {
    this.values = values
  }

  describe(schema: z.core.$ZodType): Description {
    const def = schema._zod.def as unknown as Fields
    // A lazy schema may be made anew by each access, by one and the same function.
    const identity = def.type === 'lazy' ? def.getter : schema
    const known = this.stack.lastIndexOf(identity)
    if (known >= 0) return { again: this.stack.length - known }
    this.parts += 1
    if (this.stack.length >= DEPTH_MAX || this.parts > PARTS_MAX) return { kind: 'beyond' }
    this.stack.push(identity)
    const described = this.membersOf(schema, def)
    this.stack.pop()
    return described
  }

  private membersOf(schema: z.core.$ZodType, def: Fields): Description {
    const kind = String(def.type)
    const found: { [name: string]: Description } = { kind, ...parametersOf(schema, this.values) }
    for (const name of CHILDREN) {
      const child = def[name]
      // Every plain object is made strict where it is parsed (parse/strict.ts), so `never` says nothing.
      if (isSchema(child) && !(name === 'catchall' && kindOf(child) === 'never')) found[name] = this.describe(child)
    }
    for (const name of ['items', 'parts'] as const) {
      const list = def[name]
      if (Array.isArray(list)) found[name] = list.map((item) => (isSchema(item) ? this.describe(item) : plain(item)))
    }
    this.special(schema, def, found)
    const checks = this.checksOf(def)
    if (checks.length > 0) found.checks = checks
    return found
  }

  /** The kinds whose parts are no plain fields. */
  private special(schema: z.core.$ZodType, def: Fields, found: { [name: string]: Description }): void {
    switch (def.type) {
      case 'object':
        found.shape = this.shapeOf(def.shape as z.core.$ZodShape)
        return
      case 'union': {
        const options = (def.options as readonly z.core.$ZodType[]).map((option) => this.describe(option))
        // By a discriminator at most one fits; else the first that fits wins, or (xor) the only one.
        if (def.inclusive === false) found.exclusive = true
        found.options = def.discriminator === undefined ? options : sorted(options)
        return
      }
      case 'enum':
        found.values = sorted(Object.values(def.entries as Fields).map(plain))
        return
      case 'literal':
        found.values = sorted((def.values as readonly unknown[]).map(plain))
        return
      case 'lazy':
        found.innerType = this.describe((schema as unknown as z.core.$ZodLazy)._zod.innerType)
        return
      case 'optional':
        if (schema._zod.traits.has('$ZodExactOptional')) found.exact = true
        return
      case 'default':
      case 'prefault':
        if (this.values) found.value = settled(def)
        return
      case 'pipe': {
        const subject = subjectFieldOf(schema)
        if (subject !== null) found.subject = subject
        return
      }
      default:
        if ([def.fn, def.transform, def.catchValue].some((part) => typeof part === 'function')) found.custom = true
    }
  }

  private shapeOf(shape: z.core.$ZodShape): Description {
    const fields: [string, Description][] = []
    for (const name of Object.keys(shape).sort()) {
      const field = shape[name]
      if (field !== undefined) fields.push([name, this.describe(field)])
    }
    return fields
  }

  /** Plain bounds are in no order; one that changes the value, or a function that may, keeps every check where it is. */
  private checksOf(def: Fields): readonly Description[] {
    const checks = (def.checks ?? []) as readonly z.core.$ZodCheck[]
    const described = checks.map((check): Description => {
      const fields = check._zod.def as unknown as Fields
      const inner = isSchema(fields.schema) ? { schema: this.describe(fields.schema) } : {}
      return { check: String(fields.check), ...parametersOf(check, this.values), ...inner }
    })
    const moves = checks.some(({ _zod }) => _zod.def.check === 'overwrite' || _zod.def.check === 'custom')
    return moves ? described : sorted(described)
  }
}

/** The parameters that are set: what is absent, null or false is the same. */
function parametersOf(
  part: z.core.$ZodType | z.core.$ZodCheck,
  inApply: boolean,
): { readonly [name: string]: Description } {
  const def = part._zod.def as unknown as Fields
  const found: { [name: string]: Description } = {}
  for (const name of PARAMETERS) {
    const value = def[name]
    if (value !== undefined && value !== null && value !== false && !isSchema(value)) found[name] = plain(value)
  }
  // Where apply itself parses, zod's own pattern decides an outcome as well, and its next release may have another one.
  const pattern = inApply && def.pattern instanceof RegExp ? def.pattern : ownPattern(part, def)
  if (pattern !== null) found.pattern = plain(pattern)
  return found
}

/** A pattern that the user gave; what zod itself means by `email` may be put better in its next release. */
function ownPattern(part: z.core.$ZodType | z.core.$ZodCheck, def: Fields): RegExp | null {
  const { pattern } = def
  if (!(pattern instanceof RegExp)) return null
  if (def.format === 'regex') return pattern
  if (Object.values(z.core.regexes).some((known) => known === pattern)) return null
  const { constr } = part._zod as unknown as { readonly constr: new (def: unknown) => z.core.$ZodType }
  const byDefault = (new constr({ ...def, pattern: undefined })._zod.def as unknown as Fields).pattern
  return byDefault instanceof RegExp && String(byDefault) === String(pattern) ? null : pattern
}

/** A default's value; one that is another at every look is computed. */
function settled(def: Fields): Description {
  const first = plain(def.defaultValue)
  return JSON.stringify(first) === JSON.stringify(plain(def.defaultValue)) ? first : { computed: true }
}

/** Any value as JSON, so that different ones stay different. */
function plain(value: unknown): Description {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0)) return value
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof RegExp) return { pattern: value.source, flags: value.flags }
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (typeof value === 'object') {
    const names = Object.keys(value).sort()
    return { object: names.map((name) => [name, plain((value as Fields)[name])]) }
  }
  if (typeof value === 'function') return { custom: true }
  return { [typeof value]: Object.is(value, -0) ? '-0' : String(value) }
}

function sorted(list: readonly Description[]): readonly Description[] {
  return [...list].sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value
}

function kindOf(schema: z.core.$ZodType): string {
  return schema._zod.def.type
}
