import type { Value } from '../../codec/value/value.ts'
import { Unsealed } from './personal.ts'

/** Longest name of a subject, UTF-16 units. */
export const SUBJECT_CHARS_MAX = 256

/** Why a personal field cannot be sealed: its subject is forgotten, or its key is not where it must be yet. */
export type SealRefusal = 'SUBJECT_FORGOTTEN' | 'SUBJECT_KEY_PENDING'

/** Seals personal fields under the keys of their subjects: the proposer's part, before the log. */
export interface FieldSealer {
  /** The sealed value, bytes; or why there is none. A key that is missing is on its way from then on. */
  seal(subject: string, value: Value): Uint8Array | SealRefusal
}

/** A parsed input whose personal fields are sealed; why one is not; or what is wrong with its subject, by its path. */
export type SealedInput =
  | { readonly kind: 'sealed'; readonly value: Value }
  | { readonly kind: 'refused'; readonly code: SealRefusal }
  | { readonly kind: 'invalid'; readonly path: string }

/** A parsed input with every personal field in it sealed. Of several that are refused, forgotten comes first. */
export function sealFields(parsed: Value, sealer: FieldSealer): SealedInput {
  const walk = new SealingWalk(sealer)
  const value = walk.part(parsed, '')
  if (walk.invalid !== null) return { kind: 'invalid', path: walk.invalid }
  return walk.refused === null ? { kind: 'sealed', value } : { kind: 'refused', code: walk.refused }
}

class SealingWalk {
  invalid: string | null = null
  refused: SealRefusal | null = null
  private readonly sealer: FieldSealer

  constructor(sealer: FieldSealer) {
    this.sealer = sealer
  }

  part(value: Value, path: string): Value {
    if (value instanceof Unsealed) {
      // In no object, and so without a subject: the definition was checked, but a schema may be made while it is parsed.
      this.invalid ??= path
      return null
    }
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    if (Array.isArray(value)) return value.map((item: Value, at) => this.part(item, `${path}[${at}]`))
    const fields = value as { readonly [name: string]: Value | Unsealed }
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => {
        const inner = `${path}.${name}`
        return [name, field instanceof Unsealed ? this.sealed(field, fields, inner) : this.part(field, inner)]
      }),
    )
  }

  private sealed({ subjectField, value }: Unsealed, beside: { readonly [name: string]: unknown }, path: string): Value {
    const subject = Object.hasOwn(beside, subjectField) ? beside[subjectField] : null
    if (typeof subject !== 'string' || subject === '' || subject.length > SUBJECT_CHARS_MAX) {
      this.invalid ??= `${path.slice(0, path.lastIndexOf('.'))}.${subjectField}`
      return null
    }
    const sealed = this.sealer.seal(subject, value)
    if (typeof sealed !== 'string') return sealed
    if (this.refused === null || sealed === 'SUBJECT_FORGOTTEN') this.refused = sealed
    return null
  }
}
