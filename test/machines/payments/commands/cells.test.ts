import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../world.ts'

const IST = 'INVALID_STATE_TRANSITION'
const HASH = 'a'.repeat(64)

/** The states that the commands in scope lead to; `failed` is payment_pending with a failed payment. */
const STATES = [
  'requested',
  'approved',
  'payment_pending',
  'failed',
  'paid',
  'forms_required',
  'ready',
  'cancelled',
] as const
type State = (typeof STATES)[number]

interface Row {
  readonly command: string
  readonly issuers: readonly string[]
  readonly input: (world: World, id: string) => Value
  /** Per state: the error code, or what the answer holds. */
  readonly cells: { readonly [Name in State]: string | { readonly [key: string]: Value } }
}

const all = (code: string): Record<State, string> =>
  Object.fromEntries(STATES.map((state) => [state, code])) as Record<State, string>

const attemptOf = (world: World, id: string): string => world.view(id).attemptList.at(-1)?.id ?? 'att-none'
const UNKNOWN = { result: 'UNKNOWN_ATTEMPT', bookingId: null }

const TABLE: readonly Row[] = [
  {
    command: 'approve',
    issuers: [THERAPIST, ADMIN],
    input: (_, id) => ({ id, expectPriceMinor: PRICE }),
    cells: { ...all(IST), requested: { session: 'approved', payment: 'pending' } },
  },
  {
    command: 'decline',
    issuers: [THERAPIST],
    input: (_, id) => ({ id }),
    cells: { ...all(IST), requested: { session: 'cancelled', payment: 'cancelled' } },
  },
  {
    command: 'initiatePayment',
    issuers: [CLIENT],
    input: (_, id) => ({ id, phone: PHONE }),
    cells: {
      ...all(IST),
      approved: { session: 'payment_pending', payment: 'initiated', no: 1 },
      payment_pending: 'CONFLICT',
      failed: { session: 'payment_pending', payment: 'initiated', no: 2 },
    },
  },
  {
    command: 'paymentCallback',
    issuers: [WORKER],
    input: (world, id) => callbackOf({ transactionId: 'tx-new', attemptId: attemptOf(world, id) }),
    cells: {
      requested: UNKNOWN,
      approved: UNKNOWN,
      payment_pending: { result: 'APPLIED', session: 'paid' },
      failed: { result: 'APPLIED_LATE', session: 'paid' },
      paid: { result: 'ORPHANED', session: 'paid' },
      forms_required: { result: 'ORPHANED', session: 'forms_required' },
      ready: { result: 'ORPHANED', session: 'ready' },
      cancelled: { result: 'ORPHANED', session: 'cancelled' },
    },
  },
  {
    command: 'paymentCallback failure',
    issuers: [WORKER],
    input: (world, id) =>
      callbackOf({ transactionId: 'tx-new', attemptId: attemptOf(world, id), outcome: 'failure', resultCode: 1 }),
    cells: {
      requested: UNKNOWN,
      approved: UNKNOWN,
      payment_pending: { result: 'APPLIED', payment: 'failed', session: 'payment_pending' },
      failed: { result: 'IGNORED_STALE', payment: 'failed' },
      paid: { result: 'IGNORED_STALE', payment: 'confirmed' },
      forms_required: { result: 'IGNORED_STALE', payment: 'confirmed' },
      ready: { result: 'IGNORED_STALE', payment: 'confirmed' },
      cancelled: { result: 'IGNORED_STALE', payment: 'refunded' },
    },
  },
  {
    command: 'verifyPaymentManually',
    issuers: [ADMIN],
    input: (_, id) => ({ id, transactionId: 'R-1', amountMinor: PRICE, note: 'seen in the statement' }),
    cells: {
      ...all(IST),
      payment_pending: { result: 'APPLIED', session: 'paid' },
      failed: { result: 'APPLIED_LATE', session: 'paid' },
    },
  },
  {
    command: 'routeAfterPayment',
    issuers: [THERAPIST, ADMIN],
    input: (_, id) => ({ id }),
    cells: { ...all(IST), paid: { session: 'forms_required' } },
  },
  {
    command: 'completeForm',
    issuers: [CLIENT],
    input: (_, id) => ({ id, formId: 'intake', contentHash: HASH }),
    cells: {
      requested: 'PAYMENT_REQUIRED',
      approved: 'PAYMENT_REQUIRED',
      payment_pending: 'PAYMENT_REQUIRED',
      failed: 'PAYMENT_REQUIRED',
      paid: { session: 'paid', formsOpen: 0 },
      forms_required: { session: 'ready', formsOpen: 0 },
      // Its form is complete with this very content: answered before the state is looked at.
      ready: { session: 'ready', duplicate: true },
      cancelled: IST,
    },
  },
  {
    command: 'recordVerbalConsent',
    issuers: [THERAPIST],
    input: (_, id) => ({ id, note: 'by phone' }),
    cells: { ...all(IST), forms_required: { session: 'ready' } },
  },
  {
    command: 'cancel',
    issuers: [CLIENT, THERAPIST, ADMIN],
    input: (_, id) => ({ id, reason: 'emergency' }),
    cells: {
      requested: { payment: 'cancelled', session: 'cancelled' },
      approved: { payment: 'cancelled', session: 'cancelled' },
      payment_pending: { payment: 'cancelled', session: 'cancelled' },
      failed: { payment: 'cancelled', session: 'cancelled' },
      paid: { payment: 'refunded', session: 'cancelled' },
      forms_required: { payment: 'refunded', session: 'cancelled' },
      ready: { payment: 'refunded', session: 'cancelled' },
      cancelled: IST,
    },
  },
]

const nameOf = (row: Row): string => row.command.split(' ')[0] ?? ''

describe('domain.md §3.4 every command in every state', () => {
  for (const row of TABLE) {
    for (const state of STATES) {
      const expected = row.cells[state]
      const text = typeof expected === 'string' ? expected : JSON.stringify(expected)
      test(`domain.md §3.4 ${row.command} in ${state}: ${text}`, () => {
        for (const issuer of row.issuers) {
          const world = new World()
          const id = world.booked(state)
          const before = world.view(id)
          const input = row.input(world, id)
          const rejectedBefore = world.audit(undefined, 'rejected').length
          if (typeof expected === 'string') {
            expect(world.refused(issuer, nameOf(row), input)).toMatchObject({ code: expected })
            expect(world.view(id)).toEqual(before)
            const rejected = world.audit(undefined, 'rejected')
            expect(rejected).toHaveLength(rejectedBefore + 1)
            expect(rejected.at(-1)).toMatchObject({ code: expected, action: nameOf(row), by: issuer, bookingId: id })
          } else {
            expect(world.ok(issuer, nameOf(row), input)).toMatchObject(expected)
          }
        }
      })
    }
  }

  test('domain.md §3.4 a command by anybody else is FORBIDDEN, and of an unknown booking NOT_FOUND', () => {
    const world = new World()
    const id = world.booked('requested')
    for (const row of TABLE.filter((candidate) => nameOf(candidate) !== 'paymentCallback')) {
      for (const issuer of [CLIENT, THERAPIST, ADMIN, STRANGER, WORKER].filter((name) => !row.issuers.includes(name))) {
        expect(world.refused(issuer, nameOf(row), row.input(world, id)), `${issuer} ${row.command}`).toMatchObject({
          code: 'FORBIDDEN',
        })
      }
      const input = { ...(row.input(world, id) as object), id: 'bkg-404' } as Value
      expect(world.refused(STRANGER, nameOf(row), input)).toMatchObject({
        code: 'NOT_FOUND',
        details: { id: 'bkg-404' },
      })
    }
    for (const issuer of [CLIENT, THERAPIST, ADMIN, STRANGER]) {
      expect(world.refused(issuer, 'paymentCallback', callbackOf({ attemptId: 'att-1' }))).toMatchObject({
        code: 'FORBIDDEN',
      })
    }
    for (const issuer of [ADMIN, WORKER]) {
      const input = {
        therapistId: THERAPIST,
        startsAt: world.now + 1,
        durationMin: 60,
        priceMinor: 100,
        currency: 'KES',
      }
      expect(world.refused(issuer, 'requestBooking', input)).toMatchObject({ code: 'FORBIDDEN' })
    }
  })

  test('domain.md §0.5 a query outside a session is UNAUTHENTICATED', () => {
    const world = new World()
    world.booked('requested')
    for (const [query, input] of [
      ['get', { id: 'bkg-1' }],
      ['list', {}],
      ['audit', {}],
      ['stuck', {}],
      ['totals', {}],
    ] as const) {
      expect(world.ask(null, query, input)).toMatchObject({ code: 'UNAUTHENTICATED' })
    }
  })
})

describe('domain.md §3.4 what each command checks beside the state', () => {
  test('domain.md §3.4 requestBooking refuses the past, oneself, forms named twice, and what does not fit', () => {
    const world = new World()
    const input = { therapistId: THERAPIST, startsAt: world.now + 1, durationMin: 60, priceMinor: 100, currency: 'KES' }
    const bad: readonly [object, string][] = [
      [{ startsAt: world.now }, 'startsAt'],
      [{ therapistId: CLIENT }, 'therapistId'],
      [{ priceMinor: 150 }, 'priceMinor'],
      [
        {
          forms: [
            { formId: 'a', required: true },
            { formId: 'a', required: false },
          ],
        },
        'forms',
      ],
    ]
    for (const [change, field] of bad) {
      const refusal = world.refused(CLIENT, 'requestBooking', { ...input, ...change })
      expect(refusal).toMatchObject({ code: 'VALIDATION_ERROR', details: { field } })
    }
    const misfits = [
      { durationMin: 14 },
      { durationMin: 241 },
      { priceMinor: 0 },
      { priceMinor: 1.5 },
      { currency: 'kes' },
      { extra: 1 },
      { therapistId: 'admin:x' },
      { forms: [{ formId: '', required: true }] },
    ]
    for (const misfit of misfits) {
      expect(world.refused(CLIENT, 'requestBooking', { ...input, ...misfit } as Value)).toEqual({
        kind: 'reject',
        code: 'VALIDATION_ERROR',
        details: null,
      })
    }
    expect(world.totals().bookings.count).toBe(0)
  })

  test('domain.md §3.4 approve at another price is STALE_STATE', () => {
    const world = new World()
    const id = world.booked('requested')
    expect(world.refused(THERAPIST, 'approve', { id, expectPriceMinor: 1 })).toMatchObject({
      code: 'STALE_STATE',
      details: { field: 'priceMinor', expected: 1, actual: PRICE },
    })
  })

  test('domain.md §3.4 initiatePayment takes Kenyan mobile numbers only, and one payment at a time', () => {
    const world = new World()
    const id = world.booked('approved')
    for (const phone of ['254212345678', '0712345678', '+254712345678', '25471234567', '2547123456789']) {
      expect(world.refused(CLIENT, 'initiatePayment', { id, phone })).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
    world.ok(CLIENT, 'initiatePayment', { id, phone: '254112345678' })
    expect(world.refused(CLIENT, 'initiatePayment', { id, phone: PHONE })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'PAYMENT_IN_FLIGHT' },
    })
  })

  test('domain.md §3.4 cancel takes the reasons of the list, and none of the system', () => {
    const world = new World()
    const id = world.booked('requested')
    for (const reason of ['request_expired', 'both_absent', 'bored', '']) {
      expect(world.refused(CLIENT, 'cancel', { id, reason })).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
  })

  test('domain.md §3.4 paymentStarted: unknown attempt, repeat, other ids, ids of another attempt', () => {
    const world = new World()
    const first = world.attempt(world.booked('payment_pending'))
    const second = world.attempt(world.booked('payment_pending', { startsAt: world.now + 9e8 }))
    const ids = { attemptId: first, checkoutRequestId: 'co-1', merchantRequestId: 'm-1' }
    expect(world.refused(CLIENT, 'paymentStarted', ids)).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.refused(WORKER, 'paymentStarted', { ...ids, attemptId: 'att-9' })).toMatchObject({ code: 'NOT_FOUND' })
    const started = world.ok(WORKER, 'paymentStarted', ids)
    expect(world.ok(WORKER, 'paymentStarted', ids)).toEqual({ ...started, duplicate: true })
    expect(world.refused(WORKER, 'paymentStarted', { ...ids, merchantRequestId: 'm-2' })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'OTHER_IDS' },
    })
    expect(world.refused(WORKER, 'paymentStarted', { ...ids, attemptId: second })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'CHECKOUT_TAKEN' },
    })
  })

  test('domain.md §3.4 completeForm: unknown form, same content, other content, optional forms, consent', () => {
    const world = new World()
    const id = world.booked('forms_required')
    const form = { id, formId: 'intake', contentHash: HASH }
    expect(world.refused(CLIENT, 'completeForm', { ...form, formId: 'none' })).toMatchObject({ code: 'NOT_FOUND' })
    const optional = { ...form, formId: 'extra' }
    expect(world.ok(CLIENT, 'completeForm', optional)).toMatchObject({ session: 'forms_required', formsOpen: 1 })
    expect(world.ok(CLIENT, 'completeForm', optional)).toMatchObject({ duplicate: true })
    expect(world.refused(CLIENT, 'completeForm', { ...optional, contentHash: 'b'.repeat(64) })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'FORM_COMPLETED' },
    })
    expect(world.ok(THERAPIST, 'recordVerbalConsent', { id, note: 'read aloud' })).toMatchObject({ session: 'ready' })
    expect(world.refused(CLIENT, 'completeForm', form)).toMatchObject({ code: IST })
    expect(world.answer(CLIENT, 'canJoin', { id })).toMatchObject({ code: 'OUTSIDE_JOIN_WINDOW' })
  })

  test('domain.md §3.4 without a required form the way leads from paid to ready', () => {
    const world = new World()
    const id = world.booked('paid', { forms: [{ formId: 'extra', required: false }] })
    expect(world.ok(ADMIN, 'routeAfterPayment', { id })).toMatchObject({ session: 'ready' })
  })
})
