import type { z } from 'zod'
import type { Opened } from '../personal/personal.ts'
import type { Rejection } from './rejection.ts'
import type { Parsed } from './schema.ts'

/** Schemas of what a command or query takes and gives. The input is strict: unknown keys are refused (domain.md §0.5). */
export interface InputOutput<Input extends z.ZodType, Output extends z.ZodType> {
  readonly input: Input
  readonly output: Output
}

/** Codes that a handler refuses with, for the compiler alone; `string` where it could not tell. */
export interface RefusesWith<Code extends string> {
  /** Never there at run time. */
  readonly refusesWith?: Code
}

/** A command as `command` makes it, before its machine gives it a name. */
export interface Command<Context, Input extends z.ZodType, Output extends z.ZodType, Code extends string = string>
  extends InputOutput<Input, Output> {
  readonly kind: 'command'
  handler(context: Context, input: Parsed<Input>): Parsed<Output> | Rejection<Code>
}

/** A command of a defined machine: the handle for `ctx.call` and for typed clients. */
export interface CommandRef<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Code extends string = string,
> extends InputOutput<Input, Output>,
    RefusesWith<Code> {
  readonly kind: 'command'
  readonly machine: string
  readonly name: string
}

/** A query as `query` makes it. */
export interface Query<Views, Context, Input extends z.ZodType, Output extends z.ZodType, Code extends string = string>
  extends InputOutput<Input, Output> {
  readonly kind: 'query'
  handler(view: Views, input: Parsed<Input>, context: Context): Parsed<Output> | Rejection<Code>
}

/** A query of a defined machine. */
export interface QueryRef<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Code extends string = string,
> extends InputOutput<Input, Output>,
    RefusesWith<Code> {
  readonly kind: 'query'
  readonly machine: string
  readonly name: string
}

/**
 * A command: its schemas and its handler, `(ctx, input) => output | ctx.reject(…)`. Inside `defineMachine` the context is
 * typed by the machine's schema; in a file of its own annotate it: `(ctx: Context<typeof schema>, input) => …`. The codes that
 * clients are shown are read from what the handler returns. It is synchronous, and a throw in it is a bug (MACHINE_ERROR).
 */
export function command<Context, Input extends z.ZodType, Output extends z.ZodType, Code extends string = never>(
  schemas: InputOutput<Input, Output>,
  handler: (context: Context, input: Parsed<Input>) => Parsed<Output> | Rejection<Code>,
): Command<Context, Input, Output, NoInfer<Code>> {
  return { kind: 'command', input: schemas.input, output: schemas.output, handler }
}

/** A query: `(view, input, context) => output | context.reject(…)` over read-only tables; it never enters the log. */
export function query<Views, Context, Input extends z.ZodType, Output extends z.ZodType, Code extends string = never>(
  schemas: InputOutput<Input, Output>,
  handler: (view: Views, input: Parsed<Input>, context: Context) => Parsed<Output> | Rejection<Code>,
): Query<Views, Context, Input, Output, NoInfer<Code>> {
  return { kind: 'query', input: schemas.input, output: schemas.output, handler }
}

/** Plain type of what a client sends to a command or query (before defaults and transforms). */
export type InputOf<Reference> = Reference extends { readonly input: infer Input extends z.ZodType }
  ? z.input<Input>
  : never
/** Plain type of what a command or query answers its client, personal fields opened. */
export type OutputOf<Reference> = Reference extends { readonly output: infer Output extends z.ZodType }
  ? Opened<Parsed<Output>>
  : never
/** Codes that the handler of a command or query refuses with; `string` where the compiler could not tell. */
export type CodesOf<Reference> = Reference extends RefusesWith<infer Code> ? Code : string
