import { MINUTE_MS } from '../../../base/time.ts'
import type { Value } from '../../../client/index.ts'
import { textField } from '../../payments/outcome.ts'
import type { Flow, Stage, Told } from '../flow.ts'

const PRICE_MINOR = 500_000
const PHONE = '254712345678'
/** So soon that the door of the call is open from the booking on (from 15 minutes before until 120 after the start). */
const STARTS_IN_MS = 10 * MINUTE_MS

/** The canonical flow of payments (domain.md §3.10). Nothing waits for a clock: the appointment is in ten minutes. */
export const bookingFlow: Flow = {
  title: 'An appointment: booked, paid at the second try, held, and paid once too often',
  cast: {
    carol: { principal: 'user:carol', roles: [], is: 'a client: she books and pays' },
    tom: { principal: 'user:tom', roles: [], is: 'a client: the therapist' },
    till: { principal: 'worker:till', roles: ['payments'], is: "a worker: it speaks with the money's provider" },
    second: { principal: 'worker:second', roles: ['payments'], is: 'another worker, with a session of its own' },
  },
  last: 'payments.list',
  play: async (stage) => {
    const id = await book(stage)
    await pay(stage, id)
    await prepare(stage, id)
    await meet(stage, id)
    await payOnceTooOften(stage, id)
  },
}

async function book(stage: Stage): Promise<string> {
  stage.scene('1', 'Carol asks for an hour with Tom, in ten minutes, for 5,000 shillings.')
  const forms = ['intake', 'consent'].map((formId) => ({ formId, required: true }))
  const terms = { durationMin: 60, priceMinor: PRICE_MINOR, currency: 'KES', forms }
  const wish = { therapistId: stage.principal('tom'), startsAt: stage.now + STARTS_IN_MS, ...terms }
  const booked = await stage.act('carol', 'payments.requestBooking', wish, {
    gives: { session: 'requested', payment: 'pending', video: 'not_started' },
    shows: ['id'],
    told: { tom: [['booking.requested']] },
  })
  const id = textField(booked, 'id') ?? ''

  stage.scene('2', 'Tom approves it at that price.')
  await stage.act(
    'tom',
    'payments.approve',
    { id, expectPriceMinor: PRICE_MINOR },
    {
      gives: { session: 'approved' },
      told: { carol: [['booking.approved']] },
    },
  )
  return id
}

async function pay(stage: Stage, id: string): Promise<void> {
  stage.scene('3', 'She pays by telephone: the cluster gives a worker the task of asking the provider for a push.')
  const one = await push(stage, id, 1)

  stage.scene('4', 'The push fails: she took too long.')
  const failure = { ...one, outcome: 'failure', resultCode: '1037', resultDesc: 'No response from user.' }
  await stage.act('till', 'payments.paymentCallback', failure, {
    gives: { result: 'APPLIED', payment: 'failed', session: 'payment_pending' },
    told: { carol: [['payment.retry_needed']] },
  })

  stage.scene('5', 'The second time it works. The provider says so three times, to two workers: it counts once.')
  const two = await push(stage, id, 2)
  const success = paid(two, stage.unique('qk7abc'))
  const applied = { result: 'APPLIED', payment: 'confirmed', session: 'paid' }
  const confirmed: readonly Told[] = [['payment.confirmed']]
  await stage.act('till', 'payments.paymentCallback', success, {
    gives: applied,
    told: { carol: confirmed, tom: confirmed },
  })
  for (const worker of ['till', 'second']) {
    await stage.act(worker, 'payments.paymentCallback', success, { gives: { ...applied, duplicate: true } })
  }
}

async function prepare(stage: Stage, id: string): Promise<void> {
  stage.scene('6', 'Forms are open, and the call stays closed until Carol has filled them in.')
  await stage.act(
    'tom',
    'payments.routeAfterPayment',
    { id },
    {
      gives: { session: 'forms_required' },
      told: { carol: [['booking.forms_required', { open: 2 }]] },
    },
  )
  await stage.act('carol', 'payments.joinVideo', { id }, { refused: 'FORMS_INCOMPLETE' })
  await stage.act(
    'carol',
    'payments.completeForm',
    { id, formId: 'intake', contentHash: 'a'.repeat(64) },
    {
      gives: { formsOpen: 1 },
    },
  )
  await stage.act(
    'carol',
    'payments.completeForm',
    { id, formId: 'consent', contentHash: 'b'.repeat(64) },
    {
      gives: { formsOpen: 0, session: 'ready' },
      told: { carol: [['booking.ready']], tom: [['booking.ready']] },
    },
  )
}

async function meet(stage: Stage, id: string): Promise<void> {
  const waiting = 'waiting_for_participants'
  stage.scene('7', 'Carol comes to the call and waits; with Tom the session begins.')
  await stage.act(
    'carol',
    'payments.joinVideo',
    { id },
    {
      gives: { session: 'ready', video: waiting },
      told: { tom: [['video.waiting', { who: 'client' }]] },
    },
  )
  await stage.act(
    'tom',
    'payments.joinVideo',
    { id },
    {
      gives: { session: 'in_progress', video: 'active' },
      told: { carol: [['session.started']], tom: [['session.started']] },
    },
  )

  stage.scene('8', 'The picture is gone. They join again; the session goes on.')
  await stage.act(
    'carol',
    'payments.reportVideoFailure',
    { id, detail: 'no picture' },
    {
      gives: { video: 'failed' },
      told: { carol: [['video.failed']], tom: [['video.failed']] },
    },
  )
  await stage.act('tom', 'payments.retryVideo', { id }, { gives: { session: 'in_progress', video: waiting } })
  await stage.act(
    'tom',
    'payments.joinVideo',
    { id },
    {
      gives: { video: waiting },
      told: { carol: [['video.waiting', { who: 'therapist' }]] },
    },
  )
  await stage.act('carol', 'payments.joinVideo', { id }, { gives: { session: 'in_progress', video: 'active' } })

  stage.scene('9', 'Tom ends it: session and call end in one step.')
  await stage.act(
    'tom',
    'payments.endSession',
    { id },
    {
      gives: { session: 'completed', payment: 'confirmed', video: 'ended' },
      told: { carol: [['session.completed']], tom: [['session.completed']] },
    },
  )
}

async function payOnceTooOften(stage: Stage, id: string): Promise<void> {
  stage.scene('10', 'The first push was paid after all. That money is owed to Carol, and goes back.')
  const late = { ...paid(pushIds(stage, 1), stage.unique('qk7xyz')), transactionId: stage.unique('ws_CO_3') }
  await stage.act('till', 'payments.paymentCallback', late, {
    gives: { result: 'ORPHANED', payment: 'confirmed', session: 'completed' },
    told: { carol: [['refund.status', { status: 'QUEUED', amountMinor: PRICE_MINOR }]] },
  })
  await stage.work(
    'till',
    'payment.refund',
    { providerRef: stage.unique('B2C-1') },
    {
      gives: { status: 'SETTLED' },
      told: { carol: [['refund.status', { status: 'SETTLED', amountMinor: PRICE_MINOR }]] },
    },
  )
  await stage.ask(
    'carol',
    'payments.get',
    { id },
    {
      gives: { payment: 'confirmed', session: 'completed', capturedMinor: 2 * PRICE_MINOR, refundedMinor: PRICE_MINOR },
    },
  )
}

/** An attempt at paying, until the provider has taken it. */
async function push(stage: Stage, id: string, no: number): Promise<PushIds> {
  await stage.act(
    'carol',
    'payments.initiatePayment',
    { id, phone: PHONE },
    {
      gives: { payment: 'initiated', session: 'payment_pending', no },
      told: { carol: [['payment.initiated', { no }]] },
    },
  )
  const ids = pushIds(stage, no)
  const { checkoutRequestId, merchantRequestId } = ids
  await stage.work('till', 'payment.stk_push', { checkoutRequestId, merchantRequestId })
  return ids
}

/** What the provider calls one push. */
interface PushIds {
  readonly transactionId: string
  readonly checkoutRequestId: string
  readonly merchantRequestId: string
}

function pushIds(stage: Stage, no: number): PushIds {
  const checkoutRequestId = stage.unique(`ws_CO_${no}`)
  return { transactionId: checkoutRequestId, checkoutRequestId, merchantRequestId: stage.unique(`2917-${no}`) }
}

function paid(push: PushIds, receipt: string): { readonly [name: string]: Value } {
  const money = { amountMinor: PRICE_MINOR, receipt: receipt.toUpperCase() }
  return { ...push, outcome: 'success', ...money, resultCode: '0', resultDesc: 'Processed successfully.' }
}
