import type { z } from 'zod'
import { assert } from '../../base/assert.ts'
import { subjectFieldOf } from './personal.ts'
import type { MachineSchema } from '../define/schema.ts'

type Inputs = { readonly [name: string]: { readonly input: z.core.$ZodType } }

/**
 * Crashes for personal fields that cannot work, with what to change: in keys and indexes, which would order by ciphertext; in
 * what
 * apply itself parses, and in the inputs of queries, which no proposer seals; and in an input of a command without its subject
 * beside it, or inside what would see it before it is sealed.
 */
export function checkPersonal(
  machine: string,
  schema: MachineSchema,
  inputs: { readonly commands: Inputs; readonly queries: Inputs },
): void {
  for (const [table, { key }] of Object.entries(schema.state)) {
    assert(!holdsPersonal(key), 'a key holds no personal field: rows would be found by ciphertext', { machine, table })
  }
  for (const [task, { result }] of Object.entries(schema.tasks ?? {})) {
    const sentence = 'the result of a task holds no personal field: have the worker send it by a command'
    assert(!holdsPersonal(result), sentence, { machine, task })
  }
  for (const [query, { input }] of Object.entries(inputs.queries)) {
    assert(!holdsPersonal(input), 'the input of a query holds no personal field: it is never stored', {
      machine,
      query,
    })
  }
  for (const [command, { input }] of Object.entries(inputs.commands)) checkInput({ machine, command }, input)
}

/** Whether a value of the schema may hold a personal field. */
export function holdsPersonal(schema: z.core.$ZodType): boolean {
  return found(schema, (part) => subjectFieldOf(part) !== null)
}

function checkInput(where: { machine: string; command: string }, input: z.core.$ZodType): void {
  let placed = 0
  const inside = new Set<z.core.$ZodType>()
  found(input, (part) => {
    const def = defOf(part)
    if (subjectFieldOf(part) !== null) inside.add(part)
    else if (def.type === 'pipe')
      assert(!holdsPersonal(def.in), 'a transform around a personal field would see it; put it inside', where)
    else if (def.type === 'object')
      for (const field of Object.values(def.shape)) placed += checkField(where, def, field)
    return false
  })
  assert(placed >= inside.size, 'a personal field stands in an object, beside the field of its subject', where)
}

/** 1 for a field that is personal, and stands beside its subject. */
function checkField(
  where: { machine: string; command: string },
  { shape }: { readonly shape: z.core.$ZodShape },
  field: z.core.$ZodType,
): number {
  const subject = subjectFieldOf(unwrapped(field))
  if (subject === null) return 0
  const beside = shape[subject]
  const sentence = 'the subject of a personal field is a text beside it, and none of its own'
  assert(beside !== undefined && defOf(unwrapped(beside)).type === 'string', sentence, { ...where, subject })
  return 1
}

/** Without what only says that it may be absent, null or given. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const def = defOf(schema)
  return 'innerType' in def ? unwrapped(def.innerType) : schema
}

/** Schemas that are looked at: some make new ones of themselves for ever. */
const PARTS_MAX = 5_000

/** Whether a schema or one of its parts is what is looked for; recursive ones are looked at once. */
function found(
  schema: z.core.$ZodType,
  wanted: (part: z.core.$ZodType) => boolean,
  seen = new Set<unknown>(),
): boolean {
  const def = defOf(schema)
  // A lazy schema may be made anew by each access, by one and the same function.
  const identity = def.type === 'lazy' ? def.getter : schema
  if (seen.has(identity) || seen.size >= PARTS_MAX) return false
  seen.add(identity)
  return wanted(schema) || partsOf(schema).some((part) => found(part, wanted, seen))
}

/** None of a schema whose parts are not defined yet, further down in its module: the parser finds what stands there. */
function partsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  try {
    return definedParts(schema)
  } catch (error) {
    if (error instanceof ReferenceError) return []
    throw error
  }
}

function definedParts(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const def = defOf(schema)
  switch (def.type) {
    case 'object':
      return [...Object.values(def.shape), ...(def.catchall === undefined ? [] : [def.catchall])]
    case 'array':
      return [def.element]
    case 'tuple':
      return [...def.items, ...(def.rest === null ? [] : [def.rest])]
    case 'union':
      return def.options
    case 'intersection':
      return [def.left, def.right]
    case 'record':
      return [def.keyType, def.valueType]
    case 'map':
      return [def.keyType, def.valueType]
    case 'set':
      return [def.valueType]
    case 'pipe':
      return [def.in, def.out]
    case 'lazy':
      return [def.getter()]
    default:
      return 'innerType' in def ? [def.innerType] : []
  }
}

function defOf(schema: z.core.$ZodType): z.core.$ZodTypes['_zod']['def'] {
  return (schema as z.core.$ZodTypes)._zod.def
}
