import type { z } from 'zod'
import type { Value } from '../../codec/value/value.ts'

/**
 * Bytes are the one part of a row that cannot be frozen, so tables hand out copies of them and keep copies (machines.md §1).
 * This decides, once per table, whether a row may hold any: true unless the schema rules it out.
 */
export function mayHoldBytes(schema: z.core.$ZodType): boolean {
  return mayHold(schema, new Set())
}

function mayHold(schema: z.core.$ZodType, seen: Set<z.core.$ZodType>): boolean {
  // A schema that is being asked already adds nothing: a recursive row holds bytes where another of its parts does.
  if (seen.has(schema)) return false
  seen.add(schema)
  const inside = (part: z.core.$ZodType): boolean => mayHold(part, seen)
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
    case 'undefined':
    case 'literal':
    case 'enum':
    case 'template_literal':
      return false
    case 'object':
      return Object.values(def.shape).some(inside) || (def.catchall !== undefined && inside(def.catchall))
    case 'array':
      return inside(def.element)
    case 'tuple':
      return def.items.some(inside) || (def.rest !== null && inside(def.rest))
    case 'union':
      return def.options.some(inside)
    case 'record':
      return inside(def.valueType)
    case 'lazy':
      return inside(def.getter())
    case 'never':
      return false
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return inside(def.innerType)
    default:
      // Whatever a transform, a custom check or `z.unknown()` lets through.
      return true
  }
}

/** Deeper than any row may be: what goes on is circular. */
const DEPTH_MAX = 64

/**
 * The row with its bytes copied and what holds them frozen; parts without bytes are shared, so a row without any is
 * returned itself. A row that is not plain data comes back as it is, for the walk over it to refuse.
 */
export function copyBytes(row: Value): Value {
  return copyPart(row, 0) ?? row
}

/** Undefined for what is not plain data. */
function copyPart(part: Value, depth: number): Value | undefined {
  if (typeof part !== 'object' || part === null) return part
  if (depth > DEPTH_MAX) return undefined
  const prototype = Object.getPrototypeOf(part)
  if (prototype === Uint8Array.prototype) return (part as Uint8Array).slice()
  if (prototype === Array.prototype) return copyArray(part as readonly Value[], depth + 1)
  return prototype === Object.prototype ? copyObject(part as { readonly [key: string]: Value }, depth + 1) : undefined
}

function copyArray(part: readonly Value[], depth: number): Value | undefined {
  // One more than the elements, the length: else it has holes or names.
  if (Reflect.ownKeys(part).length !== part.length + 1) return undefined
  let copied: Value[] | null = null
  for (let index = 0; index < part.length; index += 1) {
    const descriptor = Object.getOwnPropertyDescriptor(part, index)
    if (descriptor === undefined || !('value' in descriptor)) return undefined
    const copy = copyPart(descriptor.value, depth)
    if (copy === undefined) return undefined
    if (copy === descriptor.value) continue
    copied ??= [...part]
    copied[index] = copy
  }
  return copied === null ? part : Object.freeze(copied)
}

function copyObject(part: { readonly [key: string]: Value }, depth: number): Value | undefined {
  const entries: [string, Value][] = []
  let copied = false
  for (const key of Reflect.ownKeys(part)) {
    const descriptor = Object.getOwnPropertyDescriptor(part, key)
    if (typeof key !== 'string' || descriptor?.enumerable !== true || !('value' in descriptor)) return undefined
    const copy = copyPart(descriptor.value, depth)
    if (copy === undefined) return undefined
    if (copy !== descriptor.value) copied = true
    entries.push([key, copy])
  }
  return copied ? Object.freeze(Object.fromEntries(entries)) : part
}
