import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { DAY_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { type MpesaCallback, parseStkCallback } from '../../../../src/machines/payments/tools/mpesa.ts'
import { parseStkCallbacks } from '../../../../src/machines/payments/tools/replay-bodies.ts'
import { ADMIN, PHONE, THERAPIST, CLIENT, WORKER, World } from '../world.ts'

/** Shapes that providers, gateways and aggregators were seen to deliver; their values are invented. */
const { bodies, sequences } = JSON.parse(readFileSync(new URL('mpesa-cases.json', import.meta.url), 'utf8')) as {
  readonly bodies: { readonly [name: string]: string }
  readonly sequences: { readonly [name: string]: readonly string[] }
}
const body = (name: string): string => {
  const text = bodies[name]
  if (text === undefined) throw new Error(`there is no case ${name}`)
  return text
}

const SUCCESSES: readonly (readonly [name: string, amountMinor: number, receipt: string | null])[] = [
  ['01-sandbox-success-balance-without-value', 100, 'TAA1AAAA01'],
  ['02-production-success-amount-2-decimals-no-balance', 150_000, 'TAA1AAAA02'],
  ['03-2025-uuid-like-merchant-id', 250_000, 'TAA1AAAA03'],
  ['10-success-code-and-all-values-as-strings', 100_000, 'TAA1AAAA10'],
  ['11-aggregator-extra-fields-inside-stkCallback', 100, 'TAA1AAAA11'],
  ['15-success-balance-with-value-0', 100, 'TAA1AAAA15'],
  ['16-success-masked-phone-string', 50_000, 'TAA1AAAA16'],
  ['17-success-items-in-another-order-and-unknown-item', 50_000, 'TAA1AAAA17'],
  ['18-success-receipt-item-without-value', 50_000, null],
  ['19-success-receipt-empty-string', 50_000, null],
  ['31-success-balance-item-is-null', 100, 'TAA1AAAA31'],
  ['32-success-item-twice-same-value', 100, 'TAA1AAAA32'],
]
const FAILURES: readonly (readonly [name: string, code: string])[] = [
  ['04-failure-1032-no-metadata-STK_CB-prefix', '1032'],
  ['05-failure-2001-MpesaCB-prefix', '2001'],
  ['06-failure-code-alphanumeric-SFC_IC0003', 'SFC_IC0003'],
  ['07-failure-1019-expired', '1019'],
  ['08-failure-1037-no-response', '1037'],
  ['09-failure-result-code-as-string', '1032'],
  ['12-aggregator-failure-1031-extra-fields', '1031'],
  ['13-failure-with-null-metadata', '1'],
  ['14-failure-with-metadata-items-without-value', '1037'],
]
const REFUSED = '20-success-without-metadata'

/** A booking at that price, whose push the provider knows by this id. */
function pushed(world: World, checkoutRequestId: string, priceMinor: number, days = 1): string {
  const startsAt = world.now + days * DAY_MS
  const id = String(
    world.ok(CLIENT, 'requestBooking', {
      therapistId: THERAPIST,
      startsAt,
      durationMin: 60,
      priceMinor,
      currency: 'KES',
    })['id'],
  )
  world.ok(THERAPIST, 'approve', { id, expectPriceMinor: priceMinor })
  const { attemptId = null } = world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
  world.ok(WORKER, 'paymentStarted', { attemptId, checkoutRequestId, merchantRequestId: 'm' })
  return id
}

const callbackIn = (text: string): MpesaCallback => {
  const found = parseStkCallback(text)
  if (!found.ok) throw new Error(`${found.field} ${found.reason}`)
  return found.callback
}

describe('domain.md §3.13 bodies as providers deliver them', () => {
  test.each(SUCCESSES)('%s is a success of %i minor units, receipt %s', (name, amountMinor, receipt) => {
    const callback = callbackIn(body(name))
    expect(callback).toMatchObject({ outcome: 'success', amountMinor, resultCode: '0' })
    expect(callback.receipt ?? null).toBe(receipt)
    const world = new World()
    const id = pushed(world, callback.checkoutRequestId, amountMinor)
    expect(world.ok(WORKER, 'paymentCallback', { ...callback } as Value)).toMatchObject({ result: 'APPLIED' })
    expect(world.triple(id)).toBe('confirmed/paid/not_started')
    const review = receipt === null ? [{ kind: 'RECEIPT_MISSING', transactionId: callback.transactionId }] : []
    expect(world.answer(ADMIN, 'reviews', {})['reviews']).toMatchObject(review)
  })

  test.each(FAILURES)('%s is a final failure of its push, code %s', (name, resultCode) => {
    const callback = callbackIn(body(name))
    expect(callback).toMatchObject({ outcome: 'failure', resultCode })
    const world = new World()
    const id = pushed(world, callback.checkoutRequestId, 100)
    expect(world.ok(WORKER, 'paymentCallback', { ...callback } as Value)).toMatchObject({ payment: 'failed' })
    expect(world.view(id).captures).toEqual([])
  })

  test(`${REFUSED} is refused with the field that is missing`, () => {
    expect(parseStkCallback(body(REFUSED))).toEqual({
      ok: false,
      field: 'Body.stkCallback.CallbackMetadata',
      reason: 'is missing',
    })
  })

  test('every case is told of', () => {
    const told = [...SUCCESSES, ...FAILURES, [REFUSED]].map(([name]) => name)
    expect(told.sort()).toEqual(Object.keys(bodies).sort())
  })
})

describe('domain.md §3.5 deliveries in order', () => {
  /** Feeds a sequence to bookings of 1,500 shillings, one per push; answers in order, or the codes of refusals. */
  function fed(name: string): { world: World; ids: string[]; answers: unknown[] } {
    const callbacks = (sequences[name] ?? []).map(callbackIn)
    const world = new World()
    const pushes = [...new Set(callbacks.map(({ checkoutRequestId }) => checkoutRequestId))]
    const ids = pushes.map((push, at) => pushed(world, push, 150_000, at + 1))
    const answers = callbacks.map((callback) => {
      const outcome = world.send(WORKER, 'paymentCallback', { ...callback } as Value)
      return outcome.kind === 'value' ? outcome.value : outcome.code
    })
    expect(world.totals().money.balanced).toBe(true)
    return { world, ids, answers }
  }
  const captures = (world: World, id: string): number => world.view(id).captures.length

  test('a2 two customers whose merchant ids end alike: two bookings, both paid', () => {
    const { world, ids } = fed('a2-two-customers-uuid-merchant-id-hex-tail')
    expect(ids.map((id) => world.triple(id))).toEqual(['confirmed/paid/not_started', 'confirmed/paid/not_started'])
  })

  test.each(['d-same-checkout-other-merchant-id', 'h-amount-1500-then-1500.00'])(
    '%s: one capture, the second is a duplicate',
    (name) => {
      const { world, ids, answers } = fed(name)
      expect(answers).toMatchObject([{ result: 'APPLIED' }, { result: 'APPLIED', duplicate: true }])
      expect(captures(world, ids[0] ?? '')).toBe(1)
    },
  )

  test('c a failure told first, then the success of the same checkout: the money is applied', () => {
    const { world, ids, answers } = fed('c-failure-then-success-same-checkout')
    expect(answers).toMatchObject([{ payment: 'failed' }, { result: 'APPLIED_LATE', session: 'paid' }])
    expect(captures(world, ids[0] ?? '')).toBe(1)
  })

  test('i a success, then a failure of the same checkout: the success stands, people are told', () => {
    const { world, ids, answers } = fed('i-success-then-failure')
    expect(answers).toMatchObject([{ result: 'APPLIED' }, 'IDEMPOTENCY_CONFLICT'])
    expect(world.triple(ids[0] ?? '')).toBe('confirmed/paid/not_started')
    expect(world.notes(ADMIN)).toMatchObject([{ body: { kind: 'CALLBACK_CONFLICT' } }])
  })

  test('every sequence is told of', () => {
    expect(Object.keys(sequences).map((name) => name.split('-')[0])).toEqual(['a2', 'c', 'd', 'h', 'i'])
  })
})

const GOOD = '02-production-success-amount-2-decimals-no-balance'
const paid = { ok: true, callback: { outcome: 'success', amountMinor: 150_000, receipt: 'TAA1AAAA02' } } as const
const change = (from: string | RegExp, to: string): string => {
  const changed = body(GOOD).replace(from, to)
  if (changed === body(GOOD)) throw new Error(`nothing was changed: ${String(from)}`)
  return changed
}

describe('domain.md §3.13 more shapes', () => {
  test.each<[string, string, readonly object[]]>([
    ['a byte-order mark before the body', `\uFEFF${body(GOOD)}`, [paid]],
    [
      'printed over several lines that end in CR LF',
      JSON.stringify(JSON.parse(body(GOOD)), null, 2).replaceAll('\n', '\r\n'),
      [paid],
    ],
    ['a receipt in lower case, between spaces', change('TAA1AAAA02', ' taa1aaaa02 '), [paid]],
    ['a code of 0.0', change('"ResultCode":0', '"ResultCode":0.0'), [paid]],
    ['an amount as text with three zeros', change('1500.00', '"1500.000"'), [paid]],
    [
      'an amount told twice, once as text',
      change('{"Name":"Amount","Value":1500.00}', '{"Name":"Amount","Value":1500},{"Name":"Amount","Value":"1500.00"}'),
      [paid],
    ],
    [
      'a receipt that is a number',
      change('"TAA1AAAA02"', '20261001'),
      [{ ok: true, callback: { receipt: '20261001' } }],
    ],
    ['a receipt that is null', change('"TAA1AAAA02"', 'null'), [{ ok: true, callback: { amountMinor: 150_000 } }]],
    ['a receipt that is an object', change('"TAA1AAAA02"', '{}'), [{ ok: true, callback: { amountMinor: 150_000 } }]],
    [
      'a receipt longer than any',
      change('TAA1AAAA02', 'A'.repeat(129)),
      [{ ok: true, callback: { amountMinor: 150_000 } }],
    ],
    [
      'an amount told twice with two values',
      change('{"Name":"Amount","Value":1500.00}', '{"Name":"Amount","Value":1500},{"Name":"Amount","Value":15}'),
      [{ ok: false, field: 'Body.stkCallback.CallbackMetadata.Item.Amount' }],
    ],
    [
      'two bodies behind each other',
      `${body(GOOD)}${body('07-failure-1019-expired')}`,
      [paid, { callback: { resultCode: '1019' } }],
    ],
    ['two bodies with a comma between them', `${body(GOOD)}, ${body(GOOD)}`, [paid, paid]],
    ['a list of bodies, with a hole', `[${body(GOOD)},null]`, [paid, { ok: false, field: 'body' }]],
    ['a body and what a proxy left behind it', `${body(GOOD)} 200 OK`, [paid, { ok: false, field: 'body' }]],
    ['a body cut off behind a whole one', `${body(GOOD)}{"Body":{"stkC`, [paid, { ok: false, field: 'body' }]],
    [
      'braces and quotes within a text, twice',
      change('processed successfully.', 'a } \\" { b').repeat(2),
      [paid, paid],
    ],
    ['a list of nothing', '[]', [{ ok: false, field: 'body', reason: 'is not an object' }]],
    ['nothing', '', [{ ok: false, field: 'body', reason: 'is not JSON' }]],
  ])('domain.md §3.13 %s', (_what, text, expected) => {
    expect(parseStkCallbacks(text)).toMatchObject(expected)
    expect(parseStkCallbacks(text)).toHaveLength(expected.length)
  })
})
