import { z } from 'zod'
import type { EventRow } from './entity/entity-row.ts'

/**
 * What `send` takes. Types that begin with `xstate.` are XState's own: with them a client could stop a machine, or end a task
 * (the tests of X21).
 */
export function eventSchema(given: z.ZodType | null, timeField: string | null): z.ZodType<EventRow> {
  const any = z.looseObject({ type: z.string().min(1).max(256) })
  const checked = (given ?? any)
    .refine((event) => !reserved(event), 'types that begin with xstate. and the type * are not sent by clients')
    .refine((event) => timeField === null || !has(event, timeField), `the field ${timeField} is filled in by the log`)
  // An event of the author's schema is plain data with a type, as the chart's types demand.
  return checked as unknown as z.ZodType<EventRow>
}

/** What `create` takes as the chart's input. */
export function inputSchema(given: z.ZodType | null, timeField: string | null): z.ZodType {
  if (timeField === null) return given ?? z.unknown().optional()
  const filled = `the field ${timeField} is filled in by the log, so the input is an object without it, or none`
  const fits = (input: unknown): boolean =>
    input === undefined || input === null || (isFields(input) && !has(input, timeField))
  return (given ?? z.unknown()).refine(fits, filled).optional()
}

const isFields = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

function reserved(event: unknown): boolean {
  const { type } = (event ?? {}) as { readonly type?: unknown }
  return typeof type !== 'string' || type.startsWith('xstate.') || type === '*'
}

const has = (event: unknown, field: string): boolean => typeof event === 'object' && event !== null && field in event
