import { z } from 'zod'

/**
 * The same schema with every plain object in it strict: unknown keys are refused, not dropped (domain.md §0.5), so that a
 * misspelt optional field cannot pass unseen. `z.looseObject`, `catchall` and intersections stay as written.
 */
export function strictly(schema: z.core.$ZodType): z.core.$ZodType {
  return rebuild(schema)
}

/**
 * Schemas never change, so each is made strict once. PERF: zod compiles an object's parser when it is first used, which every
 * mount of the same machine paid again: simulated nodes, and the replicas of a check, by the thousand.
 */
const STRICT = new WeakMap<z.core.$ZodType, z.core.$ZodType>()

function rebuild(schema: z.core.$ZodType): z.core.$ZodType {
  const known = STRICT.get(schema)
  if (known !== undefined) return known
  const changes = changesOf((schema as z.core.$ZodTypes)._zod.def)
  if (changes === null) return schema
  const strict = z.core.clone(schema, { ...schema._zod.def, ...changes } as typeof schema._zod.def)
  STRICT.set(schema, strict)
  return strict
}

/** The fields of a definition that hold other schemas, made strict; null for a schema that holds none. */
function changesOf(def: z.core.$ZodTypes['_zod']['def']): object | null {
  switch (def.type) {
    case 'object':
      return { shape: lazyShape(def.shape), catchall: def.catchall ?? z.never() }
    case 'array':
      return { element: rebuild(def.element) }
    case 'tuple':
      return { items: def.items.map(rebuild), rest: def.rest === null ? null : rebuild(def.rest) }
    case 'union':
      return { options: def.options.map(rebuild) }
    case 'record':
      return { valueType: rebuild(def.valueType) }
    case 'pipe':
      return { in: rebuild(def.in), out: rebuild(def.out) }
    case 'lazy':
      // zod keeps what the getter gave in the definition, so that clones share it: this one is to have its own.
      return { getter: () => rebuild(def.getter()), _cachedInner: undefined }
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return { innerType: rebuild(def.innerType) }
    default:
      return null
  }
}

/** Getters, because a recursive schema names itself in its own shape. */
function lazyShape(shape: z.core.$ZodShape): z.core.$ZodShape {
  const strict = {}
  for (const key of Object.keys(shape)) {
    const get = (): z.core.$ZodType | undefined => {
      const inner = shape[key]
      return inner === undefined ? undefined : rebuild(inner)
    }
    Object.defineProperty(strict, key, { get, enumerable: true })
  }
  return strict
}
