import type { Value } from '../../codec/value/value.ts'
import type { Opened } from '../personal/personal.ts'
import type { CommonErrorCode, ErrorDetails } from './rejection.ts'
import type { ErrorsOf, MachineSchema, NameOf, Parsed } from './schema.ts'
import type { z } from 'zod'

/** What a client sees of a rejection: a code, and the details that go with it. */
export interface Refusal<Code extends string = string, Details = Value> {
  readonly code: Code
  readonly details: Details
}

/** What `ctx.reject` takes behind the code: declared details for a declared code, free and optional ones for a common one. */
export type RejectDetails<Schema extends MachineSchema, Code extends string> =
  Code extends NameOf<ErrorsOf<Schema>>
    ? [details: Parsed<ErrorsOf<Schema>[Code] & z.ZodType>]
    : [details?: ErrorDetails]

/**
 * Refusals of a command or query, one member per code. `Code` is what the compiler saw its handler return; where it saw only
 * that there are some (`string`: the handler is annotated so, or calls a machine by name), every code that the machine declares
 * and every common one stands in. A code that came from another machine has details of any kind.
 */
export type RefusalsOf<Schema, Code extends string> = string extends Code
  ? RefusalPerCode<Schema, NameOf<ErrorsOf<Schema>> | CommonErrorCode>
  : RefusalPerCode<Schema, Code>

type RefusalPerCode<Schema, Codes extends string> = {
  readonly [Code in Codes]: Refusal<Code, DetailsOf<Schema, Code>>
}[Codes]

type DetailsOf<Schema, Code extends string> =
  Code extends NameOf<ErrorsOf<Schema>>
    ? Opened<Parsed<ErrorsOf<Schema>[Code] & z.ZodType>>
    : Code extends CommonErrorCode
      ? { readonly [name: string]: Value }
      : Value
