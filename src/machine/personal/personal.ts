import { z } from 'zod'
import type { Value } from '../../codec/value/value.ts'

declare const content: unique symbol

/**
 * A personal field as a machine has it: sealed under the key of its subject before the entry was made, and opened on its way
 * to a
 * client. A machine stores it, moves it, returns and emits it; there is nothing in it to read or to compare.
 */
export interface Personal<Content> {
  /** For the compiler alone. */
  readonly [content]: Content
}

/** What a client reads in place of a personal field whose subject was forgotten. */
export interface Forgotten {
  readonly $forgotten: true
}

/** Whether a personal field that was read is that of a forgotten subject. */
export function isForgotten(field: unknown): field is Forgotten {
  return typeof field === 'object' && field !== null && '$forgotten' in field && field.$forgotten === true
}

/** A type as clients get it: personal fields opened, or forgotten. */
export type Opened<Type> = [Value] extends [Type] ? Type : OpenedMember<Type>

type OpenedMember<Type> =
  Type extends Personal<infer Content>
    ? Content | Forgotten
    : Type extends string | number | boolean | null | undefined | Uint8Array
      ? Type
      : Type extends object
        ? { readonly [Key in keyof Type]: Opened<Type[Key]> }
        : Type

/** A parsed personal field, until it is sealed. Never leaves the parser. */
export class Unsealed {
  /** Name of the field beside it that says whose it is. */
  readonly subjectField: string
  readonly value: Value
  constructor(subjectField: string, value: Value) {
    this.subjectField = subjectField
    this.value = value
  }
}

/** The function of a personal field's transform, by which its schema is known again. */
type Sealing = ((value: unknown) => Unsealed) & { readonly subjectField: string }

/**
 * Declares a field that belongs to a person: `personal('customer', z.string())`, in an object whose field `customer` says who
 * that
 * is. The log and all that comes of it hold it encrypted under a key of that subject, until the subject is forgotten.
 */
export function personal<Schema extends z.ZodType>(
  subjectField: string,
  schema: Schema,
): z.ZodType<Personal<z.output<Schema>>, z.input<Schema>> {
  const seal = (value: unknown): Unsealed => new Unsealed(subjectField, value as Value) // the codec reads it next
  const sealing: Sealing = Object.assign(seal, { subjectField })
  // The brand is the compiler's alone: what the parser makes of it is sealed before anybody sees it.
  return z.pipe(schema as z.ZodType, z.transform(sealing)) as unknown as z.ZodType<
    Personal<z.output<Schema>>,
    z.input<Schema>
  >
}

/** Of a personal field: the name of the field that says whose it is; null for any other schema. */
export function subjectFieldOf(schema: z.core.$ZodType): string | null {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type !== 'pipe') return null
  const out = (def.out as z.core.$ZodTypes)._zod.def
  if (out.type !== 'transform' || !('subjectField' in out.transform)) return null
  return typeof out.transform.subjectField === 'string' ? out.transform.subjectField : null
}
