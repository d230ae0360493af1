import { STATUS_CODES } from 'node:http'
import { explainError } from '../protocol/errors.ts'

/** What a request is answered with. */
export interface HttpAnswer {
  readonly status: number
  /** `application/json`, or `application/problem+json` (RFC 9457) for what was refused. */
  readonly type: string
  readonly body: object
  readonly headers: { readonly [name: string]: string }
}

/** Statuses of the codes of scope `http`. */
const STATUS_OF = {
  REQUEST_MALFORMED: 400,
  BODY_MALFORMED: 400,
  NO_SUCH_RESOURCE: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  HEADERS_TOO_LARGE: 431,
  INTERNAL: 500,
  NOT_EXECUTED: 503,
  OUTCOME_UNKNOWN: 503,
  OVERLOADED: 503,
  SHUTTING_DOWN: 503,
} as const

/** A code of scope `http` in the registry of errors. */
export type HttpCode = keyof typeof STATUS_OF

/** 200 with a body. */
export function accepted(body: object): HttpAnswer {
  return { status: 200, type: 'application/json', body, headers: {} }
}

/** A refusal by its code; `more` are further members of the problem. */
export function problem(
  code: HttpCode,
  more: { readonly [member: string]: unknown } = {},
  headers: HttpAnswer['headers'] = {},
): HttpAnswer {
  return problemOf(STATUS_OF[code], { code, detail: explainError('http', code)?.cause, ...more }, headers)
}

/** A refusal whose code is of another scope. */
export function problemOf(
  status: number,
  members: { readonly code: string; readonly [member: string]: unknown },
  headers: HttpAnswer['headers'] = {},
): HttpAnswer {
  const title = STATUS_CODES[status] ?? ''
  const body = { type: 'about:blank', title, status, ...members }
  return { status, type: 'application/problem+json', body, headers }
}
