import type { Value } from '../../client/index.ts'
import { usageError } from '../terminal/exit.ts'

/** JSON as a value: `{"$bytes":"base64"}` are bytes. A usage error for what is no JSON, or no base64. */
export function valueOfJson(text: string): Value {
  try {
    return JSON.parse(text, (_name, value: unknown) => (isBytes(value) ? bytesOf(value.$bytes) : value)) as Value
  } catch (error) {
    throw usageError(
      `the input is no JSON: ${error instanceof Error ? error.message : String(error)}`,
      'Quote it for the shell, as in \'{"name":"visits","by":1}\'; bytes are {"$bytes":"base64"}.',
    )
  }
}

/** A value as JSON can say it, bytes as `valueOfJson` reads them. */
export function jsonOfValue(value: Value): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map((item: Value) => jsonOfValue(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, jsonOfValue(member)]))
}

function isBytes(value: unknown): value is { readonly $bytes: string } {
  if (typeof value !== 'object' || value === null || !('$bytes' in value)) return false
  return typeof value.$bytes === 'string' && Object.keys(value).length === 1
}

function bytesOf(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) throw new Error('$bytes is no base64')
  return new Uint8Array(bytes)
}
