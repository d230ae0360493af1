import { assert } from '../../base/assert.ts'
import { type DeclaredIndex, describeIndex } from '../define/indexes.ts'
import { type KeyCodec, prefixEnd } from './table-key.ts'

/**
 * Where an index lies and how its rows are written: `<machine>/.<table>/<fields>/`, then the fields in key parts, then the
 * primary key. No table has a name with a dot, and what an index orders by is in the key of each of its rows, so that a later
 * version of the machine sees which of them are still its own.
 */
export interface IndexPlace {
  /** `table.index`, as it is declared. */
  readonly name: string
  readonly codec: KeyCodec
  readonly prefix: string
  /** First key after the index. */
  readonly end: string
  readonly fields: readonly IndexField[]
  /** Key parts that the fields take: what follows them is the primary key. */
  readonly parts: number
}

/** One field of an index; a `fraction` takes two key parts. */
export interface IndexField {
  readonly name: string
  readonly fraction: boolean
}

/** Where the rows of all indexes of a machine begin. */
export const indexesPrefix = (machine: string): string => `${machine}/.`

/** Where a declared index lies. */
export function indexPlace(
  codec: KeyCodec,
  { machine, table, index }: { readonly machine: string; readonly table: string; readonly index: DeclaredIndex },
): IndexPlace {
  const { fields } = index
  const prefix = `${indexesPrefix(machine)}${table}/${describeIndex(index)}/`
  const parts = fields.reduce((sum, { fraction }) => sum + (fraction ? 2 : 1), 0)
  return { name: `${table}.${index.name}`, codec, prefix, end: prefixEnd(prefix), fields, parts }
}

/**
 * The fields of a row in key parts; null: it has none of them all, and is not in the index. A field that cannot be ordered
 * crashes; of a row that an earlier version may have left (`earlier`) it is taken for absent.
 */
export function fieldsText(place: IndexPlace, row: unknown, earlier: boolean): string | null {
  let text = ''
  for (const { name, fraction } of place.fields) {
    const value = held(row, name)
    if (value === null || value === undefined) return null
    const part = partOf(place.codec, value, fraction)
    if (part === null) {
      assert(earlier, 'a row holds what an index cannot order by: text, a number, a boolean or bytes', {
        index: place.name,
        field: name,
        type: typeof value,
      })
      return null
    }
    text += part
  }
  return text
}

/** The first fields of an index in key parts, as somebody asks for them. */
export function prefixText({ codec, fields, name }: IndexPlace, values: readonly unknown[]): string {
  assert(values.length <= fields.length, 'an index is asked for more fields than it has', { index: name })
  let text = ''
  for (const [at, value] of values.entries()) {
    const part = partOf(codec, value, fields[at]?.fraction === true)
    if (part === null) assert(false, 'an index is asked for what it cannot hold', { index: name, field: at })
    text += part
  }
  return text
}

/** Where in the key of an index's row the primary key begins. */
export function primaryAt({ prefix, parts }: IndexPlace, key: string): number {
  let at = prefix.length
  // A part is a tag and eight bytes, or a tag and text up to a byte that stands nowhere within (codec/rows/key.ts).
  for (let part = 0; part < parts; part += 1)
    at = key.charCodeAt(at) === NUMBER_TAG ? at + NUMBER_LENGTH : key.indexOf('\u0000', at) + 1
  return at
}

const NUMBER_TAG = 1
const NUMBER_LENGTH = 9

/** Whether the fields are the same in two rows, as far as a look tells: equal bytes in two places are not. */
export function sameFields({ fields }: IndexPlace, before: unknown, after: unknown): boolean {
  for (const { name } of fields) if (held(before, name) !== held(after, name)) return false
  return true
}

function held(row: unknown, field: string): unknown {
  if (typeof row !== 'object' || row === null) return undefined
  // A field that the row lacks is not that of every object.
  return Object.hasOwn(row, field) ? (row as { readonly [name: string]: unknown })[field] : undefined
}

/** Null for what has no order: a fraction where integers are declared is of that kind. */
function partOf(codec: KeyCodec, value: unknown, fraction: boolean): string | null {
  switch (typeof value) {
    case 'string':
      return codec.keyPart(value)
    case 'number':
      if (fraction) return fractionText(codec, value)
      return Number.isSafeInteger(value) ? codec.keyPart(value) : null
    case 'boolean':
      return codec.keyPart(value ? 1 : 0)
    default:
      return value instanceof Uint8Array ? codec.keyPart(bytesText(value)) : null
  }
}

/** Code units in the order of the bytes, because text is ordered by code point. */
function bytesText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/**
 * A number's IEEE 754 bits in two integers that sort as it does: with the sign bit set where it is positive, and all bits
 * turned round where it is negative. Null for NaN and the infinities, which are no values.
 */
function fractionText(codec: KeyCodec, value: number): string | null {
  if (!Number.isFinite(value)) return null
  const view = new DataView(new ArrayBuffer(8))
  // −0 is no value either; a bound of it means 0.
  view.setFloat64(0, value + 0)
  const [high, low] = [view.getUint32(0), view.getUint32(4)]
  const negative = high >= 0x80000000
  return negative
    ? codec.keyPart(~high >>> 0) + codec.keyPart(~low >>> 0)
    : codec.keyPart((high | 0x80000000) >>> 0) + codec.keyPart(low)
}
