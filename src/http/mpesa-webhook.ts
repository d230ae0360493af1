import { hash, timingSafeEqual } from 'node:crypto'
import type { CommandOutcome } from '../client/calls/call.ts'
import { bodiesOf, MPESA_ACCEPTED, parseStkCallback, UNPARSED_LENGTH_MAX } from '../machines/index.ts'
import { accepted, type HttpAnswer, problem } from './http-answer.ts'
import { ANSWER_MS_MAX, CALLBACKS_MAX, KEEP_MS_MAX, RETRY_AFTER_S } from './http-bounds.ts'
import type { HttpResource } from './http-server.ts'
import type { NodeClient } from './node-client.ts'
import { textOf } from './read-body.ts'

/** A body that is no callback. */
export interface UnparsedBody {
  /** The path of what does not fit, as in the provider's body; `body` for the whole. */
  readonly field: string
  readonly reason: string
  readonly body: string
}

export interface MpesaWebhookOptions {
  readonly client: Pick<NodeClient, 'execute'>
  /** Last part of the path; null: the path has none. */
  readonly secret: string | null
  /** Nobody but the log keeps this body. */
  readonly onUnparsed: (unparsed: UnparsedBody) => void
  /** A callback was answered 503, by the code of why. */
  readonly onNotCommitted: (code: string) => void
}

const PATH = '/webhooks/mpesa'

/**
 * `POST /webhooks/mpesa[/SECRET]`: Safaricom's callback as it is (domain.md §3.13). It is answered 200 once the command is
 * committed, whatever became of it: a duplicate, money that nobody knows and a contradiction are noted and need no repeat.
 * Several callbacks in one body, behind each other or as a list, are each taken.
 */
export function mpesaWebhook(options: MpesaWebhookOptions): HttpResource {
  const { client, secret, onNotCommitted } = options
  return {
    matches: pathOf(secret),
    post: async (_path, bytes, signal) => {
      const text = textOf(bytes)
      const unparsed = (field: string, reason: string): Promise<HttpAnswer> =>
        keep(options, { field, reason, body: text ?? bytes.toString('latin1') }, { bytes: bytes.length, signal })
      if (text === null) return unparsed('body', 'is not UTF-8')
      const bodies = bodiesOf(text)
      if (bodies.length > CALLBACKS_MAX) return unparsed('body', `holds more than ${CALLBACKS_MAX} callbacks`)
      const parsed = bodies.length === 0 ? [parseStkCallback(text)] : bodies.map((body) => parseStkCallback(body))
      const calls = parsed.flatMap((one) => (one.ok ? [one.callback] : []))
      const outcomes = await Promise.all(
        calls.map((input) =>
          client.execute(
            { machine: 'payments', command: 'paymentCallback', input },
            { deadlineMs: ANSWER_MS_MAX, signal },
          ),
        ),
      )
      // Whoever sends it again sends all of it: what was committed is then a duplicate.
      for (const outcome of outcomes) {
        if (isCommitted(outcome) || outcome.code === 'VALIDATION_ERROR') continue
        onNotCommitted(outcome.code)
        return notCommitted(outcome)
      }
      const refused = parsed.flatMap((one, at) => (one.ok ? [] : [{ ...one, at }]))
      const [first] = refused
      if (first !== undefined && parsed.length === 1) return unparsed(first.field, first.reason)
      if (first !== undefined) {
        const kept = refused.map(({ field, reason, at }) => {
          const body = asText(bodies[at])
          return keep(options, { field, reason, body }, { bytes: Buffer.byteLength(body), signal })
        })
        await Promise.all(kept)
        return problem('BODY_MALFORMED', {
          field: first.field,
          reason: ofSeveral(first.reason, first.at, parsed.length),
        })
      }
      if (!outcomes.every(isCommitted)) return unparsed('body', 'is not what payments takes')
      return accepted(MPESA_ACCEPTED)
    },
  }
}

/** Keeps a body that cannot be read, for a person: replicated while there is a leader, else in the log of this node. */
async function keep(
  { client, onUnparsed }: MpesaWebhookOptions,
  unparsed: UnparsedBody,
  { bytes, signal }: { readonly bytes: number; readonly signal: AbortSignal },
): Promise<HttpAnswer> {
  const { field, reason } = unparsed
  // The cut may part a pair of UTF-16, and half of it is no text.
  const body = unparsed.body.slice(0, UNPARSED_LENGTH_MAX).replace(/\p{Cs}/u, '\uFFFD')
  const call = { machine: 'payments', command: 'keepUnparsed', input: { field, reason, body, bytes } }
  const { kind } = await client.execute(call, { deadlineMs: KEEP_MS_MAX, signal })
  if (kind !== 'ok') onUnparsed(unparsed)
  return problem('BODY_MALFORMED', { field, reason })
}

/** One body of several, as it came or as a list held it. */
function asText(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** Of several callbacks in one body, which one; the others were taken. */
function ofSeveral(reason: string, at: number, count: number): string {
  return `${reason} (callback ${at + 1} of ${count}; those that can be read were taken)`
}

/** A contradiction is refused for good, and its alert is kept: the provider need not say it again. */
function isCommitted(outcome: CommandOutcome): outcome is Extract<CommandOutcome, { kind: 'ok' }> {
  return outcome.kind === 'ok' || (outcome.kind === 'rejected' && outcome.code === 'IDEMPOTENCY_CONFLICT')
}

function notCommitted({ kind, code }: Exclude<CommandOutcome, { kind: 'ok' }>): HttpAnswer {
  const after = { 'retry-after': String(RETRY_AFTER_S) }
  return problem(kind === 'unknown' ? 'OUTCOME_UNKNOWN' : 'NOT_EXECUTED', { reason: code }, after)
}

/** How long comparing takes tells nothing of the secret: digests are of one length, and are compared to their ends. */
function pathOf(secret: string | null): (path: string) => boolean {
  const wanted = secret === null ? PATH : `${PATH}/${secret}`
  const digest = digestOf(wanted)
  return (path) => timingSafeEqual(digestOf(path), digest)
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
