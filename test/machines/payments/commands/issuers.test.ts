import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, callbackOf, HASH, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../world.ts'

/** The column "issuer" of domain.md §3.4: C client, T therapist, A administrator, W worker of the provider, X a stranger. */
const ISSUERS: { readonly [letter: string]: string } = { C: CLIENT, T: THERAPIST, A: ADMIN, W: WORKER, X: STRANGER }

interface Row {
  readonly issuers: string
  /** A state of `World.booked` in which the command is taken, and what else comes before. */
  readonly from: string
  readonly first?: (world: World, id: string) => void
  readonly input: (world: World, id: string) => Value
}

const only = (_: World, id: string): Value => ({ id })
const atStart = (world: World, id: string): void => world.passToStart(id, 0)
const steps = [{ entity: 'session', to: 'approved' }]

/** Nobody came, and the timer has not fired yet: the money came after the start. */
const NOBODY = { startsAt: 10 * MINUTE_MS }

const ROWS: { readonly [command: string]: Row } = {
  requestBooking: {
    issuers: 'CTX',
    from: '',
    input: (world) => ({
      therapistId: 'user:other',
      startsAt: world.now + 9e8,
      durationMin: 60,
      priceMinor: PRICE,
      currency: 'KES',
      forms: [],
    }),
  },
  approve: { issuers: 'TA', from: 'requested', input: (_, id) => ({ id, expectPriceMinor: PRICE }) },
  decline: { issuers: 'T', from: 'requested', input: only },
  initiatePayment: { issuers: 'C', from: 'approved', input: (_, id) => ({ id, phone: PHONE }) },
  paymentStarted: {
    issuers: 'W',
    from: 'payment_pending',
    input: () => ({ attemptId: 'att-1', checkoutRequestId: 'co-1', merchantRequestId: 'm-1' }),
  },
  paymentCallback: { issuers: 'W', from: 'payment_pending', input: () => callbackOf({ attemptId: 'att-1' }) },
  verifyPaymentManually: {
    issuers: 'A',
    from: 'payment_pending',
    input: (_, id) => ({ id, transactionId: 'R-1', amountMinor: PRICE, note: '' }),
  },
  routeAfterPayment: { issuers: 'TA', from: 'paid', input: only },
  completeForm: {
    issuers: 'C',
    from: 'forms_required',
    input: (_, id) => ({ id, formId: 'intake', contentHash: HASH }),
  },
  recordVerbalConsent: { issuers: 'T', from: 'forms_required', input: (_, id) => ({ id, note: 'by phone' }) },
  joinVideo: { issuers: 'CT', from: 'ready', first: atStart, input: only },
  leaveVideo: { issuers: 'CT', from: 'in_progress', input: only },
  reportVideoFailure: { issuers: 'CTW', from: 'in_progress', input: (_, id) => ({ id, detail: 'no sound' }) },
  retryVideo: { issuers: 'CT', from: 'in_progress_failed', input: only },
  endSession: { issuers: 'CT', from: 'in_progress', input: only },
  cancel: { issuers: 'CTA', from: 'ready', input: (_, id) => ({ id, reason: 'other' }) },
  'markNoShow client': { issuers: 'TA', from: 'nobody', input: (_, id) => ({ id, who: 'client' }) },
  'markNoShow therapist': { issuers: 'CA', from: 'nobody', input: (_, id) => ({ id, who: 'therapist' }) },
  approveRefund: { issuers: 'A', from: 'refund', input: () => ({ refundId: 'ref-1' }) },
  rejectRefund: { issuers: 'A', from: 'refund', input: () => ({ refundId: 'ref-1', note: 'paid in cash' }) },
  transition: { issuers: 'A', from: 'requested', input: (_, id) => ({ id, steps, reason: 'by hand' }) },
}

function bookingFor(world: World, { from, first }: Row): string {
  if (from === '') return ''
  if (from === 'refund') {
    const id = world.booked('paid', { priceMinor: 6_000_000 })
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    return id
  }
  if (from === 'nobody') {
    const id = world.booked('payment_pending', { startsAt: world.now + NOBODY.startsAt, forms: [] })
    world.startPushes()
    world.pass(25 * MINUTE_MS)
    world.callback({ attemptId: world.attempt(id) })
    world.ok(THERAPIST, 'routeAfterPayment', { id })
    return id
  }
  const id = world.booked(from)
  first?.(world, id)
  return id
}

describe('domain.md §3.4 who may issue what', () => {
  for (const [command, row] of Object.entries(ROWS)) {
    test(`domain.md §3.4 ${command} is issued by ${row.issuers}, and by nobody else`, () => {
      const name = command.split(' ')[0] ?? ''
      const refusing = new World()
      const id = bookingFor(refusing, row)
      for (const [letter, principal] of Object.entries(ISSUERS)) {
        if (!row.issuers.includes(letter)) {
          const refusal = refusing.refused(principal, name, row.input(refusing, id))
          expect(refusal, principal).toMatchObject({ code: 'FORBIDDEN' })
          continue
        }
        const world = new World()
        const own = bookingFor(world, row)
        expect(world.send(principal, name, row.input(world, own)), principal).toMatchObject({ kind: 'value' })
      }
      // Nobody who was refused did anything: it is still open to those who may.
      if (id !== '') {
        const first = ISSUERS[row.issuers.slice(0, 1)] ?? ''
        expect(refusing.send(first, name, row.input(refusing, id))).toMatchObject({ kind: 'value' })
      }
    })
  }

  test('domain.md §3.4 refundResult is the result of the task payment.refund, of a worker with the role and nobody else', () => {
    const world = new World()
    const id = world.booked('paid')
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    const [task] = world.tasks('payment.refund')
    const input = { taskId: task?.taskId ?? '', attempt: 1, result: { providerRef: 'B2C-1' } }
    for (const principal of [CLIENT, THERAPIST, ADMIN, STRANGER]) {
      expect(world.refused(principal, 'complete', input, 'task')).toMatchObject({ code: 'FORBIDDEN' })
    }
    expect(world.view(id).refunds).toMatchObject([{ status: 'QUEUED' }])
    world.ok(WORKER, 'complete', input, 'task')
    expect(world.view(id).refunds).toMatchObject([{ status: 'SETTLED' }])
    const path = world.audit(id).filter(({ entity, action }) => entity === 'refund' && action === 'payment.refund')
    expect(path.map(({ from, to }) => `${from}→${to}`)).toEqual(['QUEUED→SENT', 'SENT→SETTLED'])
  })

  test('domain.md §3.4 cancellation reasons: eight of people, five that only the system gives', () => {
    const people = [
      'schedule_conflict',
      'emergency',
      'illness',
      'therapist_unavailable',
      'technical_issues',
      'financial_reasons',
      'personal_reasons',
      'other',
    ]
    for (const reason of people) {
      const world = new World()
      const id = world.booked('requested')
      world.ok(CLIENT, 'cancel', { id, reason })
      expect(world.view(id).cancel).toMatchObject({ reason, role: 'client' })
    }
    const world = new World()
    const id = world.booked('requested')
    const system = [
      'request_expired',
      'payment_expired',
      'forms_lapsed',
      'system_lapse',
      'both_absent',
      'SOMETHING',
      '',
    ]
    for (const command of ['cancel', 'decline']) {
      for (const reason of system) {
        expect(world.refused(THERAPIST, command, { id, reason }), reason).toMatchObject({ code: 'VALIDATION_ERROR' })
      }
    }
  })
})
