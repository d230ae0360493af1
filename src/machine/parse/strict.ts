import { z } from 'zod'

/**
 * The same schema with every plain object in it strict: unknown keys are refused, not dropped (domain.md §0.5), so that a
 * misspelt optional field cannot pass unseen. `z.looseObject`, `catchall` and intersections stay as written.
 */
export function strictly(schema: z.core.$ZodType): z.core.$ZodType {
  return rebuild(schema, new Map())
}

type Seen = Map<z.core.$ZodType, z.core.$ZodType>

function rebuild(schema: z.core.$ZodType, seen: Seen): z.core.$ZodType {
  const known = seen.get(schema)
  if (known !== undefined) return known
  const changes = changesOf((schema as z.core.$ZodTypes)._zod.def, seen)
  if (changes === null) return schema
  const strict = z.core.clone(schema, { ...schema._zod.def, ...changes } as typeof schema._zod.def)
  seen.set(schema, strict)
  return strict
}

/** The fields of a definition that hold other schemas, made strict; null for a schema that holds none. */
function changesOf(def: z.core.$ZodTypes['_zod']['def'], seen: Seen): object | null {
  const of = (inner: z.core.$ZodType): z.core.$ZodType => rebuild(inner, seen)
  switch (def.type) {
    case 'object':
      return { shape: lazyShape(def.shape, seen), catchall: def.catchall ?? z.never() }
    case 'array':
      return { element: of(def.element) }
    case 'tuple':
      return { items: def.items.map(of), rest: def.rest === null ? null : of(def.rest) }
    case 'union':
      return { options: def.options.map(of) }
    case 'record':
      return { valueType: of(def.valueType) }
    case 'pipe':
      return { in: of(def.in), out: of(def.out) }
    case 'lazy':
      return { getter: () => of(def.getter()) }
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return { innerType: of(def.innerType) }
    default:
      return null
  }
}

/** Getters, because a recursive schema names itself in its own shape. */
function lazyShape(shape: z.core.$ZodShape, seen: Seen): z.core.$ZodShape {
  const strict = {}
  for (const key of Object.keys(shape)) {
    const get = (): z.core.$ZodType | undefined => {
      const inner = shape[key]
      return inner === undefined ? undefined : rebuild(inner, seen)
    }
    Object.defineProperty(strict, key, { get, enumerable: true })
  }
  return strict
}
