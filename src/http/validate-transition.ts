import { bookingSessionTransition, forbiddenCode, paymentTransition, videoTransition } from '../machines/index.ts'
import { accepted, type HttpAnswer, problem, problemOf } from './http-answer.ts'
import type { HttpResource } from './http-server.ts'
import { textOf } from './read-body.ts'

const TRANSITIONS = { payment: paymentTransition, session: bookingSessionTransition, video: videoTransition }
type Validated = keyof typeof TRANSITIONS

/**
 * `POST /validate/{payment|session|video}` with `{from, to}`: whether the tables of payments allow that step of a booking
 * (domain.md §3.7). It reads no booking, so it can be asked of any node.
 */
export const validateTransition: HttpResource = {
  matches: (path) => entityOf(path) !== null,
  post: async (path, body) => {
    const entity = entityOf(path)
    const step = stepOf(body)
    if (entity === null) return problem('NO_SUCH_RESOURCE')
    return 'problem' in step ? problem('BODY_MALFORMED', step.problem) : judge(entity, step)
  },
}

interface Step {
  readonly from: string
  readonly to: string
}

function judge(entity: Validated, { from, to }: Step): HttpAnswer {
  const verdict = TRANSITIONS[entity](from, to)
  if (!('error' in verdict)) return accepted({ valid: true, entity, from, to })
  const { error: code, allowed } = verdict
  if (code === 'VALIDATION_ERROR') {
    const message = `${entity} has no such state: ${from} or ${to}`
    return problemOf(400, { code, detail: message, error: 'Unknown state', message, entity, from, to })
  }
  const where = allowed.length === 0 ? 'it leads nowhere' : `it leads to ${allowed.join(', ')}`
  const message = `${entity} cannot go from ${from} to ${to}: ${where}`
  // A pair with a code of its own is refused by it where a command takes the step.
  const forbidden = forbiddenCode(entity, from, to)
  const because = forbidden === null ? {} : { forbidden }
  const error = 'Invalid state transition'
  return problemOf(400, { code, detail: message, error, message, entity, from, to, allowed, ...because })
}

function entityOf(path: string): Validated | null {
  const name = /^\/validate\/(payment|session|video)$/.exec(path)?.[1]
  // One of the three, as the expression says.
  return name === undefined ? null : (name as Validated)
}

function stepOf(bytes: Buffer): Step | { readonly problem: { readonly field: string; readonly reason: string } } {
  const read = (): unknown => {
    try {
      return JSON.parse(textOf(bytes) ?? '')
    } catch {
      return undefined
    }
  }
  const value = read()
  if (typeof value !== 'object' || value === null) return { problem: { field: 'body', reason: 'is not a JSON object' } }
  const { from, to } = value as { readonly [name: string]: unknown }
  if (!isState(from)) return { problem: { field: 'from', reason: 'is not the name of a state' } }
  if (!isState(to)) return { problem: { field: 'to', reason: 'is not the name of a state' } }
  return { from, to }
}

/** A text that may be said again in an answer: no state has a longer name than this. */
function isState(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z_]{1,64}$/i.test(value)
}
