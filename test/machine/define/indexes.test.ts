import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { declaredIndexes, describeIndex } from '../../../src/machine/define/indexes.ts'
import { identityOf } from '../../../src/machine/define/identity.ts'
import { defineMachine, table, type TableIndexes, type TableSchema } from '../../../src/machine/index.ts'

/** A table of such rows with indexes that the compiler was not asked about. */
const tableOf = (row: z.ZodType, indexes: TableIndexes): TableSchema => ({ key: z.string(), row, indexes })

function define(row: z.ZodType, indexes: TableIndexes) {
  return defineMachine('shop', { version: 1, state: { orders: tableOf(row, indexes) } }, { commands: {} })
}

const declared = (row: z.ZodType, ...fields: readonly string[]): string =>
  declaredIndexes('shop', 'orders', tableOf(row, { byIt: fields }))
    .map(describeIndex)
    .join()

describe('an index orders by a field that holds', () => {
  test.each<[string, z.ZodType, string]>([
    ['text', z.string().max(9), 'it'],
    ['text of a form', z.email(), 'it'],
    ['one of some words', z.enum(['a', 'b']), 'it'],
    ['literals', z.literal(['a', 'b', null]), 'it'],
    ['integers', z.int(), 'it'],
    ['numbers that are checked to be integers', z.number().min(1).int(), 'it'],
    ['integers of 32 bits', z.int32(), 'it'],
    ['numbers', z.number(), 'it~'],
    ['numbers or integers', z.union([z.int(), z.float64()]), 'it~'],
    ['true or false', z.boolean().default(false), 'it'],
    ['bytes', z.instanceof(Uint8Array), 'it'],
    ['something or null', z.string().nullable().optional(), 'it'],
    ['what a check of its own lets through', z.custom<string>((given) => typeof given === 'string'), 'it'],
    ['what a transform gives on', z.string().transform(Number).pipe(z.int()), 'it'],
    ['what is declared further on', z.lazy(() => z.string()), 'it'],
  ])('%s', (_what, field, expected) => {
    expect(declared(z.object({ it: field }), 'it')).toBe(expected)
  })

  test('the same in every kind of row that has it', () => {
    const row = z.union([
      z.object({ kind: z.literal('a'), it: z.string() }),
      z.object({ kind: z.literal('b') }).readonly(),
    ])
    expect(declared(row, 'kind', 'it')).toBe('kind,it')
    expect(declared(z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })), 'b', 'a')).toBe('b,a')
  })
})

describe('a definition is refused', () => {
  const row = z.object({ owner: z.string(), at: z.int(), tags: z.array(z.string()), 'a-b': z.string() })
  test.each<[string, z.ZodType, TableIndexes, string]>([
    ['for a field that rows do not have', row, { by: ['ownr'] }, 'rows of its table do not have'],
    ['for a field that only every object has', row, { by: ['toString'] }, 'rows of its table do not have'],
    ['for a list', row, { by: ['tags'] }, 'holds text, numbers, booleans or bytes'],
    ['for a field of any kind', z.object({ it: z.unknown() }), { by: ['it'] }, 'holds text, numbers'],
    ['for a date', z.object({ it: z.date() }), { by: ['it'] }, 'holds text, numbers'],
    ['for an object of a class', z.object({ it: z.instanceof(Map) }), { by: ['it'] }, 'holds text, numbers'],
    ['for text or numbers', z.object({ it: z.union([z.string(), z.int()]) }), { by: ['it'] }, 'values of one kind'],
    [
      'for text or fractions',
      z.object({ it: z.union([z.string(), z.number()]) }),
      { by: ['it'] },
      'values of one kind',
    ],
    ['for rows that are no objects', z.string(), { by: ['length'] }, 'rows of its table do not have'],
    ['for no fields', row, { by: [] }, '1 to 8 fields'],
    ['for a field twice', row, { by: ['at', 'at'] }, 'names a field twice'],
    ['for a name that a table has', row, { range: ['at'] }, 'the name of what a table does'],
    ['for a name with a sign', row, { 'by-at': ['at'] }, 'an index is named by'],
    ['for a field whose name has a sign', row, { by: ['a-b'] }, 'an indexed field is named by'],
    ['for two that order alike', row, { a: ['at'], b: ['at'] }, 'order by the same fields'],
    [
      'for too many',
      row,
      Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`by${at}`, ['at']])),
      'more indexes than it may have',
    ],
  ])('%s', (_what, rows, indexes, message) => {
    expect(() => define(rows, indexes)).toThrow(message)
  })
})

describe('the fingerprint of a machine', () => {
  const row = z.object({ owner: z.string(), at: z.int() })
  const schemaOf = (indexes: TableIndexes): string => identityOf(define(row, indexes)).schema

  test('covers what its indexes order by, not their names or their order', () => {
    const same = schemaOf({ byOwner: ['owner'], byAt: ['at'] })
    expect(schemaOf({ at: ['at'], owner: ['owner'] })).toBe(same)
    expect(schemaOf({ byOwner: ['owner'] })).not.toBe(same)
    expect(schemaOf({ byBoth: ['owner', 'at'] })).not.toBe(schemaOf({ byBoth: ['at', 'owner'] }))
  })

  test('is what it was without any', () => {
    const plain = defineMachine('shop', { version: 1, state: { orders: table(z.string(), row) } }, { commands: {} })
    expect(schemaOf({})).toBe(identityOf(plain).schema)
    // Taken before there were indexes.
    expect(identityOf(plain).schema).toBe('9a81d2e2cb716e5cd30e7aca067c9d8e9a8620d6754f9bf2f1725222b859e7d9')
  })
})
