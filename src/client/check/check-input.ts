import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { Value } from '../../codec/value/value.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { CAPABILITY_BYTES_MAX } from '../../protocol/limits.ts'
import { fieldsOf } from './fields.ts'
import { InvalidArgument, sentenceOf } from './invalid-argument.ts'

/**
 * The encoding of a value. Refuses what is no plain data with the path to it: functions, symbols, bigints, cycles, class
 * instances, getters, proxies that throw.
 */
export function encoded(value: unknown, field: string, code?: string): Uint8Array {
  try {
    return encodeValue(value as Value) // what is no value is refused by the encoder
  } catch (error) {
    if (error instanceof ValueError) throw new InvalidArgument(`${field}${error.path}`, error.message, code)
    throw new InvalidArgument(field, `cannot be encoded: ${sentenceOf(error)}`, code)
  }
}

/** A copy of a session's capabilities, which nobody can change later: they are said again in every copy of an open. */
export function capabilities(value: unknown, field: string): { readonly [name: string]: Value } {
  fieldsOf(value, field)
  const bytes = encoded(value, field)
  if (bytes.length > CAPABILITY_BYTES_MAX)
    throw new InvalidArgument(field, `must be at most ${CAPABILITY_BYTES_MAX} bytes when encoded, not ${bytes.length}`)
  const copy = decodeValue(bytes)
  // Bytes, a Uint8Array, are an object as well, and no dictionary.
  if (copy instanceof Uint8Array) throw new InvalidArgument(field, 'must be an object, not bytes')
  return copy as { readonly [name: string]: Value } // the encoding of an object that is neither list nor bytes
}
