import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../src/base/time.ts'
import { type AuditRecord, brokenAt, FIRST_HASH } from '../../../src/machines/payments/change/audit.ts'
import { planCompound } from '../../../src/machines/payments/rules/compounds.ts'
import {
  entityTransition,
  INITIAL_TRIPLE,
  isTerminalSession,
  type Entity,
} from '../../../src/machines/payments/facts/states.ts'
import { codec } from '../../session/log.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, THERAPIST, WORKER, World, type Answer, type View } from './world.ts'
import { sample } from '../../effort.ts'

const REACHABLE = new Set([
  'pending/requested/not_started',
  'pending/approved/not_started',
  'initiated/payment_pending/not_started',
  'failed/payment_pending/not_started',
  'confirmed/paid/not_started',
  'confirmed/forms_required/not_started',
  'confirmed/ready/not_started',
  'cancelled/cancelled/not_started',
  'refunded/cancelled/not_started',
])

/** One thing that may happen to a booking; what its state does not allow is refused and changes nothing. */
type Event =
  | {
      readonly kind: 'success' | 'failure'
      readonly tx: number
      readonly attempt: number
      readonly amount: number
      readonly receipt: number
    }
  | { readonly kind: 'verify'; readonly receipt: number; readonly amount: number }
  | { readonly kind: 'pass'; readonly minutes: number }
  | {
      readonly kind:
        | 'approve'
        | 'pay'
        | 'push'
        | 'route'
        | 'form'
        | 'consent'
        | 'cancel'
        | 'decline'
        | 'settle'
        | 'fail'
    }

const callbackEvent = fc.record({
  kind: fc.constantFrom('success' as const, 'success' as const, 'failure' as const),
  tx: fc.integer({ min: 1, max: 5 }),
  attempt: fc.integer({ min: 1, max: 3 }),
  amount: fc.constantFrom(PRICE, PRICE, PRICE, PRICE - 1),
  receipt: fc.integer({ min: 1, max: 4 }),
})

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: callbackEvent },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('verify' as const),
      receipt: fc.integer({ min: 1, max: 4 }),
      amount: fc.constant(PRICE),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), minutes: fc.constantFrom(1, 6, 31, 60 * 24) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'approve',
        'pay',
        'pay',
        'push',
        'route',
        'form',
        'consent',
        'cancel',
        'decline',
        'settle',
        'fail',
      ),
    }),
  },
)

function happen(world: World, id: string, what: Event): void {
  switch (what.kind) {
    case 'success':
    case 'failure': {
      const common = { transactionId: `tx-${what.tx}`, attemptId: `att-${what.attempt}` }
      const money =
        what.kind === 'success'
          ? { amountMinor: what.amount, receipt: `R-${what.receipt}` }
          : { outcome: 'failure', resultCode: 1 }
      world.send(WORKER, 'paymentCallback', callbackOf({ ...common, ...money }))
      return
    }
    case 'verify':
      world.send(ADMIN, 'verifyPaymentManually', {
        id,
        transactionId: `R-${what.receipt}`,
        amountMinor: what.amount,
        note: '',
      })
      return
    case 'pass':
      return world.pass(what.minutes * MINUTE_MS)
    case 'approve':
      world.send(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })
      return
    case 'pay':
      world.send(CLIENT, 'initiatePayment', { id, phone: PHONE })
      return
    case 'push':
    case 'settle':
    case 'fail':
      return work(world, what.kind)
    case 'route':
      world.send(THERAPIST, 'routeAfterPayment', { id })
      return
    case 'form':
      world.send(CLIENT, 'completeForm', { id, formId: 'intake', contentHash: 'a'.repeat(64) })
      return
    case 'consent':
      world.send(THERAPIST, 'recordVerbalConsent', { id, note: '' })
      return
    case 'cancel':
      world.send(CLIENT, 'cancel', { id, reason: 'other' })
      return
    case 'decline':
      world.send(THERAPIST, 'decline', { id })
  }
}

/** The worker answers its newest task, well or badly. */
function work(world: World, how: 'push' | 'settle' | 'fail'): void {
  const task = world.tasks(how === 'push' ? 'payment.stk_push' : 'payment.refund').at(-1)
  if (task === undefined) return
  const { taskId, attempt } = task
  if (how === 'fail') world.send(WORKER, 'fail', { taskId, attempt, reason: 'DOWN' }, 'task')
  else {
    const result =
      how === 'push' ? { checkoutRequestId: `co-${taskId}`, merchantRequestId: 'm' } : { providerRef: `B2C-${taskId}` }
    world.send(WORKER, 'complete', { taskId, attempt, result }, 'task')
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
const tripleOf = ({ payment, session, video }: View): string => `${payment}/${session}/${video}`

/** PP3, PP4, PP11 and PP12 of a booking as it stands. */
function checkMoney(view: View): void {
  const live = view.refunds.filter(({ status }) => status !== 'FAILED_MANUAL')
  const captured = sum(view.captures.map(({ amountMinor }) => amountMinor))
  const applied = view.captures.filter((capture) => capture.applied)
  expect(captured).toBe(view.capturedMinor)
  expect(sum(live.map(({ amountMinor }) => amountMinor))).toBe(view.refundedMinor)
  expect(view.refundedMinor).toBeLessThanOrEqual(captured)
  expect(applied.length).toBeLessThanOrEqual(1)
  if (['paid', 'forms_required', 'ready'].includes(view.session))
    expect(applied).toMatchObject([{ amountMinor: PRICE }])
  for (const capture of view.captures) {
    const back = live.filter(({ transactionId }) => transactionId === capture.transactionId)
    expect(sum(back.map(({ amountMinor }) => amountMinor))).toBeLessThanOrEqual(capture.amountMinor)
    const orphans = view.refunds.filter(
      ({ transactionId, reason }) => transactionId === capture.transactionId && reason === 'ORPHAN',
    )
    expect(orphans.map(({ amountMinor }) => amountMinor)).toEqual(capture.applied ? [] : [capture.amountMinor])
  }
  // What is not to go back is kept, and only the price of a booking is kept; a refused part of it follows the tiers.
  const kept = captured - sum(view.refunds.map(({ amountMinor }) => amountMinor))
  const cancelled = view.refunds.find(({ reason }) => reason !== 'ORPHAN')
  expect(kept).toBe(applied.length === 0 ? 0 : PRICE - (cancelled?.amountMinor ?? 0))
}

/** Everything that successes told of, each money once: a receipt is one, whoever tells it, with the amount that came first. */
function received(callbacks: readonly { kind: string; receipt: number; amount: number }[]): number {
  const money = new Map<number, number>()
  for (const { kind, receipt, amount } of callbacks) {
    if (kind === 'success' && !money.has(receipt)) money.set(receipt, amount)
  }
  return sum([...money.values()])
}

/** PP2: steps are in the tables, groups are contiguous, and replaying them gives the triple. */
function checkAudit(records: readonly AuditRecord[], view: View): void {
  const states: Record<Entity, string> = { ...INITIAL_TRIPLE }
  const closed = new Set<number>()
  let group = 0
  for (const record of records) {
    if (record.group !== group) {
      expect(closed.has(record.group)).toBe(false)
      closed.add(group)
      group = record.group
    }
    const { entity, from, to } = record
    if (entity !== 'payment' && entity !== 'session' && entity !== 'video') continue
    if (from === null) continue
    expect(from).toBe(states[entity])
    expect('error' in entityTransition(entity, from, to ?? '')).toBe(false)
    states[entity] = to ?? ''
  }
  expect(states).toEqual({ payment: view.payment, session: view.session, video: view.video })
}

describe('domain.md §3.12 properties', () => {
  test('PP1 PP2 PP4 PP6 PP11 PP12 hold after every event of any history', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 5, maxLength: 25 }), (events) => {
        const world = new World()
        const id = world.booked('approved')
        let before = world.view(id)
        for (const what of events) {
          happen(world, id, what)
          const view = world.view(id)
          expect(REACHABLE, tripleOf(view)).toContain(tripleOf(view))
          if (isTerminalSession(before.session)) expect(tripleOf(view)).toBe(tripleOf(before))
          checkMoney(view)
          before = view
        }
        checkAudit(world.audit(id), before)
        expect(world.totals().money.balanced).toBe(true)
        expect(brokenAt(world.audit(), codec.sha256Hex, FIRST_HASH)).toBeNull()
        expect(world.log.reports.filter(({ kind }) => kind === 'failure')).toEqual([])
      }),
      { numRuns: sample(40) },
    )
  })

  test('PP5 any multiset of callbacks in any order has one effect per transaction; repeats get the answer', () => {
    const delivery = fc.array(callbackEvent, { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(delivery, fc.boolean(), (callbacks, retry) => {
        const world = new World()
        const id = world.booked('payment_pending')
        if (retry) {
          world.callback({ transactionId: 'tx-0', attemptId: 'att-1', outcome: 'failure', resultCode: 1 })
          world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
        }
        const first = new Map<string, Answer>()
        for (const [index, callback] of callbacks.entries()) {
          if (index % 7 === 3) world.open(WORKER, ['payments'])
          const { kind, tx, attempt, amount, receipt } = callback
          const money =
            kind === 'success'
              ? { amountMinor: amount, receipt: `R-${receipt}` }
              : { outcome: 'failure', resultCode: 1 }
          const outcome = world.send(
            WORKER,
            'paymentCallback',
            callbackOf({ transactionId: `tx-${tx}`, attemptId: `att-${attempt}`, ...money }),
          )
          if (outcome.kind === 'reject') {
            // Only what brings no money is refused: a failure after a success, or the same of another attempt.
            expect(outcome.code).toBe('IDEMPOTENCY_CONFLICT')
            continue
          }
          // The very same again gets the very same answer.
          const content = JSON.stringify([tx, kind, attempt, money])
          const seen = first.get(content)
          const { duplicate, ...answer } = outcome.value as Answer
          if (seen === undefined) first.set(content, answer)
          else expect({ duplicate, answer }).toEqual({ duplicate: true, answer: seen })
        }
        const view = world.view(id)
        expect(view.captures.filter(({ applied }) => applied).length).toBeLessThanOrEqual(1)
        const captured = view.captures.map(({ transactionId }) => transactionId)
        expect(new Set(captured).size).toBe(captured.length)
        expect(world.totals().money).toMatchObject({ balanced: true, receivedMinor: received(callbacks) })
        checkMoney(view)
      }),
      { numRuns: sample(40) },
    )
  })

  test('PP11 any order of success, failure, time-out and cancellation conserves the client’s money', () => {
    const steps = ['success', 'failure', 'timeout', 'cancel'] as const
    fc.assert(
      fc.property(fc.shuffledSubarray([...steps], { minLength: 4 }), (order) => {
        const world = new World()
        const id = world.booked('payment_pending')
        world.startPushes()
        for (const step of order) {
          if (step === 'timeout') world.pass(31 * MINUTE_MS)
          else if (step === 'cancel') world.send(CLIENT, 'cancel', { id, reason: 'other' })
          else
            world.send(
              WORKER,
              'paymentCallback',
              callbackOf({
                transactionId: `tx-${step}`,
                attemptId: 'att-1',
                outcome: step,
                resultCode: step === 'success' ? 0 : 1,
              }),
            )
        }
        const view = world.view(id)
        expect(view.session).toBe('cancelled')
        expect(view.capturedMinor).toBe(PRICE)
        // Refundable is what goes back by itself or, when nobody works on it, by hand.
        expect(sum(view.refunds.map(({ amountMinor }) => amountMinor))).toBe(PRICE)
      }),
      { numRuns: sample(24) },
    )
  })

  test('PP7 a compound whose step does not fit changes nothing, whichever step it is', () => {
    for (const payment of ['pending', 'failed', 'cancelled', 'refunded'] as const) {
      const triple = { payment, session: 'ready', video: 'not_started' } as const
      expect('error' in planCompound('cancelPaid', triple)).toBe(true)
    }
    expect(planCompound('confirm', { payment: 'initiated', session: 'paid', video: 'not_started' })).toMatchObject({
      error: 'INVALID_STATE_TRANSITION',
      entity: 'session',
      from: 'paid',
      to: 'paid',
    })
    const world = new World()
    const id = world.booked('approved')
    const before = { view: world.view(id), audit: world.audit(), totals: world.totals() }
    expect(world.refused(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
    })
    expect({ view: world.view(id), audit: world.audit(), totals: world.totals() }).toEqual(before)
  })

  test('PP10 the bookings of one therapist never overlap, whoever asks and in whatever order', () => {
    const request = fc.record({
      client: fc.constantFrom('user:a', 'user:b', 'user:c'),
      start: fc.integer({ min: 1, max: 40 }),
      quarters: fc.integer({ min: 1, max: 16 }),
      end: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
        const world = new World()
        for (const client of ['user:a', 'user:b', 'user:c']) world.open(client)
        const startsAt = world.now + HOUR_MS
        for (const { client, start, quarters, end } of requests) {
          const input = {
            therapistId: THERAPIST,
            startsAt: startsAt + start * 15 * MINUTE_MS,
            durationMin: quarters * 15,
            priceMinor: 100,
            currency: 'KES',
          }
          const open = world.answer<{ bookings: { startsAt: number; durationMin: number; session: string }[] }>(
            THERAPIST,
            'list',
            {},
          ).bookings
          const endsAt = input.startsAt + input.durationMin * MINUTE_MS
          const free = open.every(
            (other) =>
              other.session === 'cancelled' ||
              other.startsAt >= endsAt ||
              other.startsAt + other.durationMin * MINUTE_MS <= input.startsAt,
          )
          const outcome = world.send(client, 'requestBooking', input)
          expect(outcome.kind).toBe(free ? 'value' : 'reject')
          if (end && outcome.kind === 'value')
            world.ok(client, 'cancel', { id: (outcome.value as Answer)['id'] ?? '', reason: 'other' })
        }
      }),
      { numRuns: sample(40) },
    )
  })
})
