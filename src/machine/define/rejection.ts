import type { Value } from '../../codec/value/value.ts'

/**
 * Codes that every machine may reject with (domain.md §0.6), with what each means for whoever reads it. A machine that
 * declares one of them in its `errors` types the details.
 */
export const COMMON_ERRORS = {
  VALIDATION_ERROR: 'the input does not fit its schema, limits or enumerations',
  UNAUTHENTICATED: 'the client session has no principal',
  FORBIDDEN: 'the principal or its roles may not do this',
  NOT_FOUND: 'there is no such entity, or it is not visible to the issuer',
  CONFLICT: 'it was already done with other content, or a uniqueness rule is broken',
  RATE_LIMITED: 'too many in too short a time; details.retryAt says when to try again',
  SESSION_NOT_ACTIVE: 'the dialogue is not ACTIVE; details.status says what it is',
  INVALID_STATE_TRANSITION: 'the present state does not allow this; details.allowed says what it does allow',
  STALE_STATE: 'the expected value is not the current one',
  STALE_TASK: 'the task is closed or unknown',
  INTERNAL_INVARIANT: 'a bug: an invariant failed and everything was rolled back',
} as const

/** One of `COMMON_ERRORS`. */
export type CommonErrorCode = keyof typeof COMMON_ERRORS

declare const REJECTED: unique symbol

/** Details of a common error: free plain data. */
export type ErrorDetails = { readonly [name: string]: Value | undefined }

/**
 * A typed refusal, made by `ctx.reject` and returned by the handler. A function that a handler calls returns it as well,
 * and its caller passes it on: `const row = find(ctx, id); if (isRejection(row)) return row`. It is never thrown: a throw is
 * a bug (machines.md §1).
 */
export class Rejection<Code extends string = string, Details = unknown> {
  /** Never there at run time: the compiler reads from it, and from nothing that looks alike, what a handler refuses with. */
  declare readonly [REJECTED]: Code
  readonly code: NoInfer<Code>
  readonly details: Details

  constructor(code: Code, details: Details) {
    this.code = code
    this.details = details
  }
}

/** True for what `ctx.reject` made; narrows the rest to the value. */
export const isRejection = (value: unknown): value is Rejection => value instanceof Rejection

/**
 * The text that an answer carries beside code and details. It is derived, so it stands outside hash and cache, and no
 * test of behaviour reads it (domain.md §0.4).
 */
export function describeRejection(code: string, details: Value): string {
  if (code === 'INVALID_STATE_TRANSITION') return describeTransition(details)
  const meaning = code in COMMON_ERRORS ? `: ${COMMON_ERRORS[code as CommonErrorCode]}` : ''
  const text = details === null ? '' : JSON.stringify(details)
  return `${code}${meaning}${text === '' || text === '{}' ? '' : ` ${text}`}`
}

function describeTransition(details: Value): string {
  const fields = isRecord(details) ? details : {}
  const { entity, from, to, event, allowed } = fields
  const wanted = typeof to === 'string' ? `go to ${to}` : typeof event === 'string' ? `take ${event}` : 'do this'
  const choices = Array.isArray(allowed) ? allowed.join(', ') : ''
  const subject = `${typeof entity === 'string' ? entity : 'the entity'} in state ${typeof from === 'string' ? from : '?'}`
  return `${subject} cannot ${wanted}; ${choices === '' ? 'no further step is allowed' : `allowed: ${choices}`}`
}

const isRecord = (value: Value): value is { readonly [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
