import type { z } from 'zod'
import { assert } from '../../base/assert.ts'

/** Indexes of one table, and fields of one index. */
export const TABLE_INDEXES_MAX = 16
export const INDEX_FIELDS_MAX = 8

/** What a table has by itself, so that no index has this name. */
const TABLE_MEMBERS = ['get', 'has', 'count', 'range', 'each', 'set', 'delete'] as const
type TableMember = (typeof TABLE_MEMBERS)[number]

/** What a field may hold that an index orders by; null and an absent field keep the row out of the index. */
export type IndexedValue = string | number | boolean | Uint8Array

/** Indexes of a table by their names: the fields of its rows that each orders by, the most significant one first. */
export type TableIndexes = { readonly [index: string]: readonly string[] }

/** A table without any. */
export type NoIndexes = { readonly [index in never]: never }

/** Names of the fields of a row that an index may order by; of a union, the fields of all its members. */
export type IndexedField<Row> = Row extends object
  ? {
      [Name in keyof Row & string]-?: [Row[Name]] extends [IndexedValue | null | undefined] ? Name : never
    }[keyof Row & string]
  : never

/** What a table of such rows may declare as its indexes. */
export type IndexesOn<Row> = {
  readonly [index: string]: readonly [IndexedField<Row>, ...IndexedField<Row>[]]
} & { readonly [Member in TableMember]?: never }

/** What is read of a table's declaration. */
interface Indexed {
  readonly row: z.core.$ZodType
  readonly indexes?: TableIndexes
}

/** One field of an index. */
export interface DeclaredField {
  readonly name: string
  /** It may hold numbers that are no integers: all of its numbers are then written as such. */
  readonly fraction: boolean
}

/** An index as the kit keeps it. */
export interface DeclaredIndex {
  readonly name: string
  readonly fields: readonly DeclaredField[]
}

/**
 * The indexes of a table, in the order of what they order by, so that replicas write their rows in one order whatever the
 * declaration's is. Crashes for a declaration that cannot work, with what to change.
 */
export function declaredIndexes(machine: string, table: string, schema: Indexed): readonly DeclaredIndex[] {
  const declared = Object.entries(schema.indexes ?? {})
  const where = { machine, table }
  assert(declared.length <= TABLE_INDEXES_MAX, 'a table has more indexes than it may have', {
    ...where,
    indexes: declared.length,
    max: TABLE_INDEXES_MAX,
  })
  const indexes = declared.map(([name, fields]) => declaredIndex({ ...where, index: name }, fields, schema.row))
  const order = indexes.map((index) => [describeIndex(index), index] as const).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [at, [fields]] of order.entries())
    assert(fields !== order[at + 1]?.[0], 'two indexes of a table order by the same fields; keep one', {
      ...where,
      fields,
    })
  return order.map(([, index]) => index)
}

/** Its fields as part of keys and of fingerprints: `owner,createdAt`; `~` behind one that may hold fractions. */
export function describeIndex({ fields }: DeclaredIndex): string {
  return fields.map(({ name, fraction }) => (fraction ? `${name}~` : name)).join(',')
}

type IndexName = { readonly machine: string; readonly table: string; readonly index: string }

function declaredIndex(where: IndexName, fields: readonly string[], row: z.core.$ZodType): DeclaredIndex {
  const { index } = where
  assert(
    /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(index),
    'an index is named by 1–64 of A-Z a-z 0-9 _, a letter first',
    where,
  )
  const taken: readonly string[] = TABLE_MEMBERS
  assert(!taken.includes(index), 'an index has the name of what a table does; choose another', where)
  assert(fields.length > 0 && fields.length <= INDEX_FIELDS_MAX, 'an index orders by 1 to 8 fields', {
    ...where,
    fields: fields.length,
  })
  assert(new Set(fields).size === fields.length, 'an index names a field twice', { ...where, fields: fields.join() })
  return { name: index, fields: fields.map((name) => declaredField({ ...where, field: name }, row)) }
}

function declaredField(where: IndexName & { readonly field: string }, row: z.core.$ZodType): DeclaredField {
  const name = where.field
  assert(/^[A-Za-z_$][\w$]{0,63}$/.test(name), 'an indexed field is named by 1–64 letters, digits, _ or $', where)
  const kinds = new Set<Kind>()
  const found = fieldSchemas(row, name, new Set())
  assert(found.length > 0, 'an index names a field that the rows of its table do not have', where)
  for (const schema of found) addKinds(schema, kinds, new Set())
  assert(
    !kinds.has('other'),
    'an indexed field holds text, numbers, booleans or bytes, and null where it is nullable',
    {
      ...where,
      kinds: [...kinds].join(),
    },
  )
  const fraction = kinds.delete('fraction')
  if (fraction) kinds.delete('integer')
  kinds.delete('custom')
  assert(kinds.size + Number(fraction) <= 1, 'an indexed field holds values of one kind, or they have no order', {
    ...where,
    kinds: [...kinds, ...(fraction ? ['number'] : [])].join(),
  })
  return { name, fraction }
}

/** What a field holds; `custom` is whatever its own check lets through, `other` what has no place in a key. */
type Kind = 'text' | 'integer' | 'fraction' | 'boolean' | 'bytes' | 'custom' | 'other'

/** The schemas of a field, one for each kind of row that has it. */
function fieldSchemas(row: z.core.$ZodType, field: string, seen: Set<z.core.$ZodType>): readonly z.core.$ZodType[] {
  if (seen.has(row)) return []
  seen.add(row)
  const { def } = (row as z.core.$ZodTypes)._zod
  const within = (part: z.core.$ZodType): readonly z.core.$ZodType[] => fieldSchemas(part, field, seen)
  switch (def.type) {
    case 'object': {
      const schema = Object.hasOwn(def.shape, field) ? def.shape[field] : undefined
      return schema === undefined ? [] : [schema]
    }
    case 'union':
      return def.options.flatMap(within)
    case 'intersection':
      return [...within(def.left), ...within(def.right)]
    case 'readonly':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'catch':
      return within(def.innerType)
    case 'pipe':
      return within(def.out)
    case 'lazy':
      return within(def.getter())
    default:
      return []
  }
}

function addKinds(schema: z.core.$ZodType, kinds: Set<Kind>, seen: Set<z.core.$ZodType>): void {
  if (seen.has(schema)) return
  seen.add(schema)
  const { def, bag } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'string':
    case 'template_literal':
      kinds.add('text')
      return
    case 'number':
      kinds.add(isInteger(def) ? 'integer' : 'fraction')
      return
    case 'boolean':
      kinds.add('boolean')
      return
    case 'null':
    case 'undefined':
    case 'never':
      return
    case 'literal':
      for (const value of def.values) addKindOf(value, kinds)
      return
    case 'enum':
      for (const value of Object.values(def.entries)) addKindOf(value, kinds)
      return
    case 'union':
      for (const option of def.options) addKinds(option, kinds, seen)
      return
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      addKinds(def.innerType, kinds, seen)
      return
    case 'pipe':
      addKinds(def.out, kinds, seen)
      return
    case 'lazy':
      addKinds(def.getter(), kinds, seen)
      return
    case 'custom': {
      const { Class } = bag as { readonly Class?: unknown }
      kinds.add(Class === undefined ? 'custom' : Class === Uint8Array ? 'bytes' : 'other')
      return
    }
    default:
      kinds.add('other')
  }
}

function addKindOf(value: unknown, kinds: Set<Kind>): void {
  if (value === null || value === undefined) return
  if (typeof value === 'string') kinds.add('text')
  else if (typeof value === 'boolean') kinds.add('boolean')
  else if (typeof value === 'number') kinds.add(Number.isSafeInteger(value) ? 'integer' : 'fraction')
  else kinds.add('other')
}

/** `z.int()`, and `z.number()` with a check that says so. */
function isInteger(def: z.core.$ZodNumberDef): boolean {
  const formats = [def, ...(def.checks ?? []).map(({ _zod }) => _zod.def)].map((part) => {
    return (part as { readonly format?: unknown }).format
  })
  return formats.some((format) => typeof format === 'string' && format.includes('int'))
}
