import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

/** Money at the edges of what the machine takes: other currencies, counts that must not fall below nothing. */

const NOT_PAYABLE = { field: 'currency', reason: 'CURRENCY_NOT_PAYABLE', currency: 'USD', payable: 'KES' }

describe('domain.md §3.5 a callback pays in KES', () => {
  test('a booking in another currency, which nothing could pay for, is refused, with cents or without', () => {
    const world = new World()
    const terms = { therapistId: THERAPIST, startsAt: world.now + 1e8, durationMin: 60, currency: 'USD' }
    for (const priceMinor of [PRICE, 150_050]) {
      expect(world.refused(CLIENT, 'requestBooking', { ...terms, priceMinor })).toEqual({
        kind: 'reject',
        code: 'VALIDATION_ERROR',
        details: NOT_PAYABLE,
      })
    }
    expect(world.totals().bookings.count).toBe(0)
  })

  test('for one that version 1 took nobody is asked to pay, and no money is taken by hand', () => {
    const world = new World(undefined, 1)
    const forms: Value = []
    const [approved, pending] = [1, 2].map((day) => {
      const id = world.request({ currency: 'USD', startsAt: world.now + day * 864e5, forms })
      world.ok(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })
      return id
    }) as [string, string]
    world.ok(CLIENT, 'initiatePayment', { id: pending, phone: PHONE })
    world.advance()
    world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-9' })
    const verify = { id: pending, amountMinor: PRICE, note: '' }
    const refused: readonly (readonly [string, string, Value])[] = [
      [CLIENT, 'initiatePayment', { id: approved, phone: PHONE }],
      [ADMIN, 'verifyPaymentManually', { ...verify, transactionId: 'BANK-1' }],
      [ADMIN, 'verifyPaymentManually', { ...verify, transactionId: 'R-9' }],
      [ADMIN, 'matchSuspense', { transactionId: 'co-9', bookingId: pending, note: '' }],
    ]
    for (const [by, command, input] of refused) {
      expect([command, world.refused(by, command, input)]).toMatchObject([
        command,
        { code: 'CONFLICT', details: NOT_PAYABLE },
      ])
    }
    expect(world.triple(pending)).toBe('initiated/payment_pending/not_started')
    expect(world.view(pending).refunds).toEqual([])
    // What the push brings all the same is other money, and goes back.
    expect(world.callback({ attemptId: world.attempt(pending), receipt: 'R-1' })).toMatchObject({
      result: 'REJECTED_AMOUNT',
    })
    expect(world.tasks('payment.refund')).toMatchObject([{ payload: { currency: 'KES', amountMinor: PRICE } }])
  })
})

describe('domain.md §3.5 the count of attempts that nobody knows', () => {
  const told = { transactionId: 'co-9', checkoutRequestId: 'co-9' }
  const unknown = (world: World): number | undefined => world.totals().callbacks['UNKNOWN_ATTEMPT']

  test('falls once when a failure that came too early is judged, and not again when its money comes', () => {
    const world = new World()
    world.callback({ ...told, outcome: 'failure', resultCode: 1 })
    expect(unknown(world)).toBe(1)
    const id = world.booked('payment_pending')
    const ids = { checkoutRequestId: 'co-9', merchantRequestId: 'm' }
    world.ok(WORKER, 'paymentStarted', { attemptId: world.attempt(id), ...ids })
    expect(unknown(world)).toBe(0)
    world.callback({ ...told, receipt: 'R-9' })
    expect(unknown(world)).toBe(0)
  })

  test('falls when an administrator vouches for money whose failure nobody knew', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback({ ...told, transactionId: 'R-1', outcome: 'failure', resultCode: 1 })
    world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-1', amountMinor: PRICE, note: '' })
    expect(unknown(world)).toBe(0)
  })
})

interface Review {
  readonly kind: string
  readonly transactionId: string
}
const reviewsOf = (world: World, input: Value = {}) =>
  world.answer<{ readonly reviews: readonly Review[]; readonly next: Value }>(ADMIN, 'reviews', input)

describe('domain.md §3.5 an amount that nothing costs', () => {
  const HUGE = 999_999_999_999_999
  const BOUND = 1_000_000_000_000

  test('is kept for a person, with an alert, and is in no sum: the booking goes on as if nothing had been told', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    for (let number = 1; number <= 12; number += 1) {
      const told = { transactionId: `h-${number}`, attemptId, receipt: `H-${number}`, amountMinor: HUGE }
      expect(world.callback(told)).toMatchObject({ result: 'AMOUNT_ABSURD', bookingId: id, payment: 'initiated' })
      expect(world.callback(told)).toMatchObject({ result: 'AMOUNT_ABSURD', duplicate: true })
    }
    world.callback({ transactionId: 'over', attemptId, amountMinor: BOUND + 1 })
    expect(world.totals()).toMatchObject({
      callbacks: { AMOUNT_ABSURD: 13 },
      money: { receivedMinor: 0, balanced: true },
    })
    expect(world.view(id)).toMatchObject({ capturedMinor: 0, captures: [], refunds: [] })
    expect(world.answer(ADMIN, 'receipts', {})).toMatchObject({ receipts: [] })
    expect(reviewsOf(world).reviews.map(({ kind }) => kind)).toEqual(Array(13).fill('AMOUNT_ABSURD'))
    const alerts = world.notes(ADMIN).filter(({ body }) => body['kind'] === 'AMOUNT_ABSURD')
    expect(alerts[0]?.body['details']).toMatchObject({ transactionId: 'h-1', amountMinor: HUGE, receipt: 'H-1' })
    expect(alerts).toHaveLength(13)
    // The receipt is free for the payment that it turns out to be.
    const real = { id, transactionId: 'H-1', amountMinor: PRICE, note: 'the statement says so' }
    expect(world.ok(ADMIN, 'verifyPaymentManually', real)).toMatchObject({ result: 'APPLIED' })
  })

  test('of a push that nobody started is not in suspense', () => {
    const world = new World()
    const told = { transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-9' }
    expect(world.callback({ ...told, amountMinor: HUGE })).toMatchObject({ result: 'AMOUNT_ABSURD', bookingId: null })
    expect(world.totals()).toMatchObject({ suspense: { count: 0 }, money: { receivedMinor: 0 } })
    const id = world.booked('payment_pending')
    const ids = { checkoutRequestId: 'co-9', merchantRequestId: 'm' }
    world.ok(WORKER, 'paymentStarted', { attemptId: world.attempt(id), ...ids })
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
    // What the provider says of it afterwards counts.
    expect(world.callback(told)).toMatchObject({ result: 'APPLIED' })
    expect(world.totals().money).toMatchObject({ receivedMinor: PRICE, balanced: true })
  })

  test.each([
    ['success', 'APPLIED', 'paid'],
    ['failure', 'APPLIED', 'payment_pending'],
  ])('corrected by a %s is judged by that', (outcome, result, session) => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.callback({ attemptId, amountMinor: HUGE, receipt: 'R-1' })
    const corrected = outcome === 'success' ? { receipt: 'R-1' } : { outcome, resultCode: 1032 }
    expect(world.callback({ attemptId, ...corrected })).toMatchObject({ result, session })
    // Told once more it is other money of a success, which it cannot be, or a success of what failed.
    expect(world.callback({ attemptId, amountMinor: HUGE })).toMatchObject({ result: 'AMOUNT_ABSURD' })
    expect(world.totals().money.balanced).toBe(true)
  })

  test('as other money of a transaction, or in the answer to a query, is none either', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.pass(5 * 60_000)
    const [task] = world.tasks('payment.query')
    const told = { transactionId: 'tx-1', outcome: 'success', resultCode: 0, resultDesc: '' }
    if (task !== undefined) world.complete(task, { final: { ...told, amountMinor: HUGE } })
    world.callback({ attemptId, receipt: 'R-1' })
    expect(world.callback({ attemptId, receipt: 'R-2', amountMinor: HUGE })).toMatchObject({ result: 'AMOUNT_ABSURD' })
    expect(world.view(id)).toMatchObject({ session: 'paid', capturedMinor: PRICE, refunds: [] })
  })

  test('is refused in a manual verification, where somebody mistyped', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const verify = { id, transactionId: 'R-1', amountMinor: BOUND + 1, note: '' }
    expect(world.refused(ADMIN, 'verifyPaymentManually', verify)).toMatchObject({ code: 'VALIDATION_ERROR' })
  })

  test('makes no sum too large: what would pass the last exact integer is kept for a person', () => {
    // Version 1 took any amount, and what it left in suspense is counted.
    const world = new World(undefined, 1)
    const told = (number: number) => ({
      transactionId: `h-${number}`,
      checkoutRequestId: `h-${number}`,
      receipt: `H-${number}`,
      resultCode: '0',
    })
    for (let number = 1; number <= 9; number += 1) world.callback({ ...told(number), amountMinor: HUGE })
    world.advance()
    const receivedMinor = 9 * HUGE
    expect(world.totals().money).toMatchObject({ receivedMinor, suspenseMinor: receivedMinor, balanced: true })
    expect(world.callback(told(10))).toMatchObject({ result: 'AMOUNT_ABSURD' })
    expect(world.totals().money).toMatchObject({ receivedMinor, suspenseMinor: receivedMinor, balanced: true })
    // Refunding what is there adds nothing to it.
    expect(world.ok(ADMIN, 'refundSuspense', { transactionId: 'h-1', note: '' })).toMatchObject({ amountMinor: HUGE })
    expect(world.totals().money).toMatchObject({ receivedMinor, owedMinor: HUGE, balanced: true })
  })
})

describe('domain.md §3.5 a transaction whose id looks like other money', () => {
  const pay = (world: World, transactionId: string, told: { readonly [name: string]: Value } = {}) =>
    world.callback({ transactionId, attemptId: world.attempt('bkg-1'), ...told })

  test.each([['co-1#2'], ['co-1#2#'], ['co-1#3']])(
    '%s and the other money of co-1 do not meet, whichever comes first',
    (id) => {
      for (const order of [0, 1]) {
        const world = new World()
        world.booked('payment_pending')
        const told = [
          () => pay(world, id, { receipt: 'R-9' }),
          () => {
            pay(world, 'co-1', { receipt: 'R-1' })
            pay(world, 'co-1', { receipt: 'R-2', amountMinor: 700_000 })
            pay(world, 'co-1', { receipt: 'R-3', amountMinor: 800_000 })
          },
        ]
        for (const tell of order === 0 ? told : told.toReversed()) tell()
        const { receipts } = world.answer<{ receipts: readonly { receipt: string; transactionId: string }[] }>(
          ADMIN,
          'receipts',
          {},
        )
        expect(receipts.map(({ receipt }) => receipt).sort()).toEqual(['R-1', 'R-2', 'R-3', 'R-9'])
        expect(world.totals().money).toMatchObject({ receivedMinor: 2_500_000, keptMinor: PRICE, balanced: true })
        const again = pay(world, id, { receipt: 'R-9' })
        expect(again).toMatchObject({ duplicate: true })
        // What version 2 calls it is what its commands take.
        const named = receipts.find(({ receipt }) => receipt === 'R-9')?.transactionId ?? ''
        const captures = world.view('bkg-1').captures.map(({ transactionId }) => transactionId)
        expect(captures).toContain(named)
        expect(new Set(captures).size).toBe(4)
      }
    },
  )

  test('that version 1 kept is found again, and no other money takes its place', () => {
    const world = new World(undefined, 1)
    world.booked('payment_pending')
    const first = pay(world, 'co-1#2', { receipt: 'R-9', resultCode: '0' })
    world.advance()
    expect(pay(world, 'co-1#2', { receipt: 'R-9' })).toEqual({ ...first, duplicate: true })
    pay(world, 'co-1', { receipt: 'R-1' })
    pay(world, 'co-1', { receipt: 'R-2' })
    expect(pay(world, 'co-1', { receipt: 'R-2' })).toMatchObject({ duplicate: true })
    expect(world.totals().money).toMatchObject({ receivedMinor: 3 * PRICE, keptMinor: PRICE, balanced: true })
    expect(world.view('bkg-1').captures.map(({ transactionId }) => transactionId)).toEqual(['co-1#2', 'co-1', 'co-1#3'])
  })
})

describe('domain.md §3.9 lists that people read have pages', () => {
  test('reviews: the kinds that come last are found too', () => {
    const world = new World()
    const attemptId = world.attempt(world.booked('paid'))
    for (let number = 0; number < 9; number += 1) {
      world.callback({ transactionId: `n-${number}`, attemptId, amountMinor: 100 })
    }
    world.callback({ transactionId: 'q-1', attemptId, receipt: 'Q', amountMinor: 100 })
    world.callback({ transactionId: 'q-2', attemptId, receipt: 'Q', amountMinor: 200 })
    const all: string[] = []
    for (let after: Value | undefined = null, pages = 0; after !== undefined && pages < 20; pages += 1) {
      const page = reviewsOf(world, { after, limit: 3 })
      expect(page.reviews.length).toBeLessThanOrEqual(3)
      all.push(...page.reviews.map(({ kind, transactionId }) => `${kind} ${transactionId}`))
      after = page.next ?? undefined
    }
    expect(all).toHaveLength(10)
    expect(new Set(all).size).toBe(10)
    expect(all).toContain('RECEIPT_OTHER_BOOKING q-2')
  })

  test('stuck: every booking and all money in suspense, each once', () => {
    const world = new World()
    const ids = Array.from({ length: 5 }, (_, day) => world.request({ startsAt: world.now + (day + 5) * 864e5 }))
    for (const number of [1, 2, 3]) {
      world.callback({ transactionId: `co-${number}`, checkoutRequestId: `co-${number}`, receipt: `R-${number}` })
    }
    const now = world.now + 3 * 864e5
    const found: string[] = []
    let pages = 0
    for (let after: Value | undefined = null; after !== undefined && pages < 20; pages += 1) {
      const page: { stuck: readonly { id: string; entity: string }[]; next: Value } = world.answer(ADMIN, 'stuck', {
        now,
        after,
        limit: 2,
      })
      found.push(...page.stuck.map(({ id, entity }) => `${id} ${entity}`))
      after = page.next ?? undefined
    }
    const wanted = [
      ...ids.flatMap((id) => [`${id} payment`, `${id} session`]),
      'co-1 money',
      'co-2 money',
      'co-3 money',
    ]
    expect(found).toEqual(wanted)
    expect(pages).toBe(5)
  })
})

describe('domain.md §3.4 a push that no worker was given yet', () => {
  const ENDINGS: readonly (readonly [name: string, end: (world: World, id: string) => void])[] = [
    ['of a booking that is cancelled', (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'other' })],
    [
      'of a payment that was seen elsewhere',
      (world, id) => {
        world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-1', amountMinor: PRICE, note: 'statement' })
      },
    ],
    [
      'of a payment that an administrator lets fail',
      (world, id) => {
        const steps = [{ entity: 'payment', to: 'failed' }]
        world.ok(ADMIN, 'transition', { id, steps, reason: 'no worker' })
      },
    ],
  ]

  test.each(ENDINGS)('%s asks nobody for money any more', (_name, end) => {
    const world = new World()
    world.close(WORKER)
    end(world, world.booked('payment_pending'))
    world.open(WORKER, ['payments'])
    world.pass(1)
    expect(world.tasks('payment.stk_push')).toEqual([])
  })

  test('is not sent beside the one of the next try', () => {
    const world = new World()
    world.close(WORKER)
    const id = world.booked('payment_pending')
    world.ok(ADMIN, 'transition', { id, steps: [{ entity: 'payment', to: 'failed' }], reason: 'no worker' })
    const { attemptId } = world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    world.open(WORKER, ['payments'])
    world.pass(1)
    expect(world.tasks('payment.stk_push')).toMatchObject([{ payload: { attemptId } }])
  })

  test('stays with a worker that has it: the ids of a push that was sent are needed', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    world.startPushes()
    const told = { transactionId: 'tx-1', checkoutRequestId: `co-${world.attempt(id)}`, receipt: 'R-1' }
    expect(world.callback(told)).toMatchObject({ result: 'ORPHANED', bookingId: id })
  })
})
