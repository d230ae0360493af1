import { describe, expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/client/index.ts'
import type { CommandOutcome } from '../../src/client/calls/call.ts'
import { type EmbeddedOptions, startEmbedded } from '../../src/host/index.ts'
import type { RunningNode } from '../../src/host/running-node.ts'
import { mpesaWebhook, type UnparsedBody } from '../../src/http/mpesa-webhook.ts'
import { temporaryDirectory } from '../cluster/processes.ts'
import { ask, post, successOf } from './asking.ts'

const ACCEPTED = { ResultCode: 0, ResultDesc: 'Accepted' }

async function served(options: Partial<EmbeddedOptions> = {}): Promise<{ node: RunningNode; http: string }> {
  const dataDirectory = await temporaryDirectory()
  const node = await startEmbedded({ dataDirectory, http: '127.0.0.1:0', logLevel: 'silent', ...options })
  onTestFinished(() => node.close())
  if (node.httpAddress === null) throw new Error('no HTTP port')
  return { node, http: node.httpAddress }
}

/** A booking that waits for the money of `ws_1`: 5,000 shillings. */
async function bookingThatWaits(node: RunningNode): Promise<void> {
  const open = (principal: string, roles: string[] = []) => connect({ embedded: node, principal, roles })
  const [client, therapist, worker] = [await open('user:c'), await open('user:t'), await open('worker:w', ['payments'])]
  for (const session of [client, therapist]) session.on('*', () => undefined)
  const task = worker.serverRequests().next()
  const must = async (session: typeof client, command: string, input: object): Promise<{ id: string }> => {
    const outcome = await session.execute('payments', command, input as never)
    expect(outcome).toMatchObject({ kind: 'ok' })
    return (outcome as unknown as { value: { id: string } }).value
  }
  const startsAt = Date.now() + 7 * 86_400_000
  const terms = { durationMin: 60, priceMinor: 500_000, currency: 'KES', forms: [] }
  const { id } = await must(client, 'requestBooking', { therapistId: 'user:t', startsAt, ...terms })
  await must(therapist, 'approve', { id, expectPriceMinor: 500_000 })
  await must(client, 'initiatePayment', { id, phone: '254712345678' })
  const given = (await task).value?.payload as { taskId: string; attempt: number }
  const result = { checkoutRequestId: 'ws_1', merchantRequestId: 'm-ws_1' }
  const told = { taskId: given.taskId, attempt: given.attempt, result }
  expect(await worker.execute('task', 'complete', told)).toMatchObject({ kind: 'ok' })
  for (const session of [client, therapist, worker]) await session.close()
}

/** What the totals count. */
async function totalsOf(node: RunningNode): Promise<{ captures: { applied: { count: number } }; callbacks: object }> {
  const admin = await connect({ embedded: node, principal: 'admin:a' })
  const outcome = await admin.query('payments', 'totals', {})
  await admin.close()
  if (outcome.kind !== 'ok') throw new Error(outcome.code)
  return outcome.value as never
}

describe('POST /webhooks/mpesa', () => {
  test('answers 200 for money that is applied, for its repeats, and for money that nobody knows', async () => {
    const { node, http } = await served()
    await bookingThatWaits(node)
    for (let copy = 0; copy < 3; copy += 1) {
      const { status, headers, body } = await post(http, '/webhooks/mpesa', successOf('ws_1', 5000, 'R1'))
      expect([status, headers['content-type'], body]).toEqual([200, 'application/json', ACCEPTED])
    }
    expect(await post(http, '/webhooks/mpesa', successOf('ws_unknown', 70, 'R2'))).toMatchObject({ status: 200 })
    expect(await totalsOf(node)).toMatchObject({
      captures: { applied: { count: 1, minor: 500_000 } },
      callbacks: { APPLIED: 1, UNKNOWN_ATTEMPT: 1 },
    })
  })

  test('is given no tasks, which it could not do', async () => {
    const { node, http } = await served()
    // The webhook has its session before there is a worker.
    expect(await post(http, '/webhooks/mpesa', successOf('ws_0', 70, 'R0'))).toMatchObject({ status: 200 })
    await bookingThatWaits(node)
  })

  test('answers 400 for a body that is no callback, names the field, and keeps the body for administrators', async () => {
    const { node, http } = await served()
    for (const [body, field] of MALFORMED) {
      const answer = await post(http, '/webhooks/mpesa', body)
      const { code, field: named } = answer.body
      expect([body, answer.status, answer.headers['content-type'], code, named]).toEqual([
        body,
        400,
        'application/problem+json',
        'BODY_MALFORMED',
        field,
      ])
    }
    // What is no text is kept as far as it can be.
    const sent = { headers: { 'content-type': 'application/json' }, body: Buffer.from('7b22ff', 'hex') }
    expect(await ask(http, '/webhooks/mpesa', sent)).toMatchObject({ status: 400, body: { reason: 'is not UTF-8' } })
    expect(await ask(http, '/webhooks/mpesa', sent)).toMatchObject({ status: 400 })
    const long = await post(http, '/webhooks/mpesa', `${'x'.repeat(4095)}\u{1f4b0}`)
    expect(long).toMatchObject({ status: 400 })
    const admin = await connect({ embedded: node, principal: 'admin:a' })
    admin.on('*', () => undefined)
    const kept = await admin.query('payments', 'unparsed', {})
    const { bodies } = (kept as unknown as { value: { bodies: { body: string; bytes: number; times: number }[] } })
      .value
    expect(bodies.map(({ body }) => body)).toEqual(
      [...MALFORMED.map(([body]) => body), '{"\xff', `${'x'.repeat(4095)}\uFFFD`].toReversed(),
    )
    expect(bodies.slice(0, 2)).toMatchObject([
      { bytes: 4099, times: 1 },
      { bytes: 3, times: 2 },
    ])
    await admin.close()
  })

  test('takes each of several callbacks in one body, behind each other, on lines or as a list', async () => {
    const { node, http } = await served()
    const [a, b, c] = [1, 2, 3].map((number) => JSON.stringify(successOf(`ws_${number}`, 70, `R${number}`)))
    for (const body of [`${a}${b}`, `${a}\n${b}\r\n${c}\n`, `[${a},${b},${c}]`, `\uFEFF${a}`]) {
      expect([body, await post(http, '/webhooks/mpesa', body)]).toMatchObject([body, { status: 200, body: ACCEPTED }])
    }
    expect(await totalsOf(node)).toMatchObject({ callbacks: { UNKNOWN_ATTEMPT: 3 } })
  })

  test('takes those that can be read, says which cannot, and keeps each of these', async () => {
    const { node, http } = await served()
    const [a, b] = [1, 2].map((number) => JSON.stringify(successOf(`ws_${number}`, 70, `R${number}`)))
    const half = '{"Body":{"stkCallback":{}}}'
    expect(await post(http, '/webhooks/mpesa', `${a}\n${half}\n${b}\nrest`)).toMatchObject({
      status: 400,
      body: {
        code: 'BODY_MALFORMED',
        field: 'Body.stkCallback.MerchantRequestID',
        reason: 'is missing (callback 2 of 4; those that can be read were taken)',
      },
    })
    expect(await totalsOf(node)).toMatchObject({ callbacks: { UNKNOWN_ATTEMPT: 2 } })
    expect(await post(http, '/webhooks/mpesa', JSON.stringify(Array(101).fill(7)))).toMatchObject({
      status: 400,
      body: { field: 'body', reason: 'holds more than 100 callbacks' },
    })
    const admin = await connect({ embedded: node, principal: 'admin:a' })
    admin.on('*', () => undefined)
    const kept = (await admin.query('payments', 'unparsed', {})) as unknown as { value: { bodies: { body: string }[] } }
    expect(kept.value.bodies.map(({ body }) => body).sort()).toEqual([`[${Array(101).fill(7)}]`, 'rest', half].sort())
    await admin.close()
  })

  test('with a secret is found by the whole of it alone', async () => {
    const webhookSecret = 'correct-horse-battery'
    const { http } = await served({ webhookSecret })
    const callback = successOf('ws_s', 70, 'R9')
    expect(await post(http, `/webhooks/mpesa/${webhookSecret}`, callback)).toMatchObject({ status: 200 })
    expect(await post(http, `/webhooks/mpesa/${webhookSecret}?source=a`, callback)).toMatchObject({ status: 200 })
    const wrong = [
      '',
      '/',
      '/correct-horse-batter',
      '/correct-horse-batteryy',
      `/${webhookSecret}/`,
      '/Correct-horse-battery',
    ]
    for (const end of wrong) {
      expect([end, (await post(http, `/webhooks/mpesa${end}`, callback)).status]).toEqual([end, 404])
    }
  })

  test('has no secret unless one is set', async () => {
    const { http } = await served()
    expect(await post(http, '/webhooks/mpesa/anything-at-all-here', successOf('ws', 70, 'R'))).toMatchObject({
      status: 404,
    })
  })

  test('takes UTF-8 JSON alone, by POST alone', async () => {
    const { http } = await served()
    const body = JSON.stringify(successOf('ws_t', 70, 'R7'))
    const typed = (type: string, more: object = {}) =>
      ask(http, '/webhooks/mpesa', { headers: { 'content-type': type, ...more }, body })
    expect(await typed('application/json; charset=UTF-8')).toMatchObject({ status: 200 })
    expect(await typed('Application/JSON')).toMatchObject({ status: 200 })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16', '']) {
      expect([type, await typed(type)]).toMatchObject([
        type,
        { status: 415, headers: { accept: 'application/json' }, body: { code: 'MEDIA_TYPE_UNSUPPORTED' } },
      ])
    }
    expect(await typed('application/json', { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 })
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const refused = await ask(http, '/webhooks/mpesa', { method })
      expect([method, refused.status, refused.headers.allow, refused.body['code']]).toEqual([
        method,
        405,
        'POST',
        'METHOD_NOT_ALLOWED',
      ])
    }
    expect(await ask(http, '/webhooks/mpesa', { method: 'HEAD' })).toMatchObject({ status: 405 })
    for (const path of [
      '/',
      '/webhooks',
      '/webhooks/mpesa/',
      '/webhooks//mpesa',
      '/webhooks/%6Dpesa',
      '/validate/gates',
    ]) {
      expect([path, await post(http, path, {})]).toMatchObject([
        path,
        { status: 404, body: { code: 'NO_SUCH_RESOURCE' } },
      ])
    }
  })
})

/** The webhook over a session that gives this outcome. */
async function answered(outcome: CommandOutcome) {
  const told: { unparsed: UnparsedBody[]; codes: string[] } = { unparsed: [], codes: [] }
  const webhook = mpesaWebhook({
    client: { execute: async () => outcome },
    secret: null,
    onUnparsed: (unparsed) => void told.unparsed.push(unparsed),
    onNotCommitted: (code) => void told.codes.push(code),
  })
  const body = Buffer.from(JSON.stringify(successOf('ws_1', 5000, 'R1')))
  return { answer: await webhook.post('/webhooks/mpesa', body, new AbortController().signal), told }
}

describe('what became of a callback', () => {
  const index = { requestId: 1, index: 9, replayed: false }

  test('is told to the provider once it is committed: a contradiction has its alert and is not asked for again', async () => {
    for (const outcome of [
      { kind: 'ok', value: {}, ...index },
      { kind: 'rejected', code: 'IDEMPOTENCY_CONFLICT', details: { transactionId: 'ws_1' }, ...index },
    ] as const) {
      expect(await answered(outcome)).toEqual({
        answer: { status: 200, type: 'application/json', body: ACCEPTED, headers: {} },
        told: { unparsed: [], codes: [] },
      })
    }
  })

  test.each([
    ['NO_LEADER', { kind: 'notExecuted', requestId: 0, code: 'NO_LEADER', details: null }, 'NOT_EXECUTED'],
    ['OVERLOADED', { kind: 'notExecuted', requestId: 0, code: 'OVERLOADED', details: null }, 'NOT_EXECUTED'],
    ['UNKNOWN_MACHINE', { kind: 'notExecuted', requestId: 0, code: 'UNKNOWN_MACHINE', details: null }, 'NOT_EXECUTED'],
    ['FORBIDDEN', { kind: 'rejected', code: 'FORBIDDEN', details: null, ...index }, 'NOT_EXECUTED'],
    ['MACHINE_ERROR', { kind: 'rejected', code: 'MACHINE_ERROR', details: null, ...index }, 'NOT_EXECUTED'],
    ['DEADLINE_EXCEEDED', { kind: 'unknown', requestId: 1, code: 'DEADLINE_EXCEEDED' }, 'OUTCOME_UNKNOWN'],
    ['LEADER_LOST', { kind: 'unknown', requestId: 1, code: 'LEADER_LOST' }, 'OUTCOME_UNKNOWN'],
  ] as const)(
    'is asked for again where nothing is committed, or nobody can tell: %s',
    async (reason, outcome, code) => {
      const { answer, told } = await answered(outcome)
      expect(answer).toMatchObject({
        status: 503,
        type: 'application/problem+json',
        headers: { 'retry-after': '5' },
        body: { status: 503, code, reason },
      })
      expect(told).toEqual({ unparsed: [], codes: [reason] })
    },
  )

  test('stands in the log of the node where it is none and nobody leads: the rest of it is lost with the caller', async () => {
    const told: UnparsedBody[] = []
    const webhook = mpesaWebhook({
      client: { execute: async () => ({ kind: 'notExecuted', requestId: 0, code: 'NO_LEADER', details: null }) },
      secret: null,
      onUnparsed: (unparsed) => void told.push(unparsed),
      onNotCommitted: () => undefined,
    })
    const answer = await webhook.post('/webhooks/mpesa', Buffer.from('{"Body":7}'), new AbortController().signal)
    expect(answer).toMatchObject({ status: 400 })
    expect(told).toEqual([{ field: 'Body', reason: 'is not an object', body: '{"Body":7}' }])
  })

  test('is a body that cannot be read where the machine does not take it', async () => {
    const { answer, told } = await answered({
      kind: 'notExecuted',
      requestId: 0,
      code: 'VALIDATION_ERROR',
      details: null,
    })
    expect(answer).toMatchObject({ status: 400, body: { code: 'BODY_MALFORMED', field: 'body' } })
    expect(told.unparsed).toHaveLength(1)
  })
})

/** Bodies and the field that each is refused for. */
const MALFORMED: readonly (readonly [string, string])[] = [
  ['', 'body'],
  ['{', 'body'],
  ['null', 'body'],
  ['[]', 'body'],
  ['7', 'body'],
  ['"text"', 'body'],
  ['{}', 'Body'],
  ['{"Body":{}}', 'Body.stkCallback'],
  ['{"Body":{"stkCallback":[]}}', 'Body.stkCallback'],
  ['{"Body":{"stkCallback":{}}}', 'Body.stkCallback.MerchantRequestID'],
  ['{"Body":{"stkCallback":{"MerchantRequestID":"m"}}}', 'Body.stkCallback.CheckoutRequestID'],
  ['{"Body":{"stkCallback":{"MerchantRequestID":7,"CheckoutRequestID":"c"}}}', 'Body.stkCallback.MerchantRequestID'],
  ['{"Body":{"stkCallback":{"MerchantRequestID":"m","CheckoutRequestID":"c"}}}', 'Body.stkCallback.ResultCode'],
]
