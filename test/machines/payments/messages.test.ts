import { expect, test } from 'vitest'
import { MINUTE_MS } from '../../../src/base/time.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { describeRejection } from '../../../src/machine/define/rejection.ts'
import { crossSync, MACHINE_CODES, payments } from '../../../src/machines/index.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from './world.ts'

/** Every code of the machine payments, provoked by a real command, and what is said of it: what happened, and what to do. */

const HASH = 'a'.repeat(64)
const move = (id: string, ...moves: readonly (readonly [entity: string, to: string])[]): Value => ({
  id,
  steps: moves.map(([entity, to]) => ({ entity, to })),
  reason: 'by hand',
})
/** What a command was refused with, in words. */
const refused = (world: World, by: string, command: string, input: Value): string => {
  const { code, details } = world.refused(by, command, input)
  return describeRejection(code, details)
}
const transition = (world: World, state: string, ...moves: readonly (readonly [string, string])[]): string =>
  refused(world, ADMIN, 'transition', move(world.booked(state), ...moves))
const callback = (world: World, told: { readonly [name: string]: Value }): string =>
  String(world.callback({ attemptId: world.attempt('bkg-1'), ...told })['result'])
/** Kinds of the alerts, and of what is to be reviewed. */
const alerts = (world: World): string => JSON.stringify(world.notes(ADMIN).map(({ body }) => body['kind'] ?? ''))
const reviews = (world: World): string => JSON.stringify(world.answer(ADMIN, 'reviews', {}))
const request = (world: World, changes: { readonly [name: string]: Value }): Value => ({
  therapistId: THERAPIST,
  startsAt: world.now + 1e8,
  durationMin: 60,
  priceMinor: PRICE,
  currency: 'KES',
  ...changes,
})
/** A booking that awaits a payment whose push is `co-1`. */
const pushed = (world: World): string => {
  const id = world.booked('payment_pending')
  const ids = { checkoutRequestId: 'co-1', merchantRequestId: 'm-1' }
  world.ok(WORKER, 'paymentStarted', { attemptId: world.attempt(id), ...ids })
  return id
}

/** By code: how it is provoked, and where it was seen. */
const PROVOKED: { readonly [code: string]: (world: World) => string } = {
  SLOT_TAKEN: (world) => {
    const { startsAt } = world.view(world.request())
    return refused(world, STRANGER, 'requestBooking', request(world, { startsAt }))
  },
  CURRENCY_NOT_PAYABLE: (world) => refused(world, CLIENT, 'requestBooking', request(world, { currency: 'USD' })),
  PAYMENT_IN_FLIGHT: (world) =>
    refused(world, CLIENT, 'initiatePayment', { id: world.booked('payment_pending'), phone: PHONE }),
  FORM_COMPLETED: (world) => {
    const form = { id: world.booked('paid'), formId: 'intake' }
    world.ok(CLIENT, 'completeForm', { ...form, contentHash: HASH })
    return refused(world, CLIENT, 'completeForm', { ...form, contentHash: 'b'.repeat(64) })
  },
  PAYMENT_REQUIRED: (world) => transition(world, 'requested', ['session', 'ready']),
  IDEMPOTENCY_CONFLICT: (world) => {
    const attemptId = world.attempt(world.booked('payment_pending'))
    world.callback({ attemptId })
    return refused(world, WORKER, 'paymentCallback', callbackOf({ attemptId, outcome: 'failure', resultCode: 1 }))
  },
  OTHER_IDS: (world) => {
    const attemptId = world.attempt(pushed(world))
    return refused(world, WORKER, 'paymentStarted', { attemptId, checkoutRequestId: 'co-2', merchantRequestId: 'm' })
  },
  CHECKOUT_TAKEN: (world) => {
    pushed(world)
    const attemptId = world.attempt(world.booked('payment_pending', { startsAt: world.now + 9e8 }))
    return refused(world, WORKER, 'paymentStarted', { attemptId, checkoutRequestId: 'co-1', merchantRequestId: 'm-1' })
  },
  FORMS_REQUIRED: (world) => transition(world, 'paid', ['session', 'in_progress']),
  FORMS_INCOMPLETE: (world) => refused(world, CLIENT, 'joinVideo', { id: world.booked('paid') }),
  UNPAID_ACCESS: (world) => refused(world, CLIENT, 'joinVideo', { id: world.booked('approved') }),
  RETROACTIVE_PAYMENT: (world) => transition(world, 'completed', ['session', 'payment_pending']),
  RETROACTIVE_CHANGE: (world) => transition(world, 'paid', ['payment', 'pending']),
  AUTHORITY_VIOLATION: (world) => transition(world, 'payment_pending', ['payment', 'confirmed'], ['session', 'paid']),
  TOO_EARLY: (world) => refused(world, CLIENT, 'markNoShow', { id: world.booked('ready'), who: 'therapist' }),
  ATTENDED: (world) => {
    const id = world.booked('ready_waiting')
    world.passToStart(id, 15 * MINUTE_MS - 1)
    world.ok(CLIENT, 'leaveVideo', { id })
    world.ok(THERAPIST, 'joinVideo', { id })
    world.ok(THERAPIST, 'leaveVideo', { id })
    world.passToStart(id, 16 * MINUTE_MS)
    return refused(world, THERAPIST, 'markNoShow', { id, who: 'client' })
  },
  BOOKING_CLOSED: (world) => refused(world, CLIENT, 'joinVideo', { id: world.booked('cancelled') }),
  VIDEO_FAILED: (world) => refused(world, CLIENT, 'joinVideo', { id: world.booked('ready_failed') }),
  OUTSIDE_JOIN_WINDOW: (world) => refused(world, CLIENT, 'joinVideo', { id: world.booked('ready') }),
  PAYMENT_SESSION_SYNC: (world) => transition(world, 'approved', ['session', 'payment_pending']),
  SESSION_VIDEO_SYNC: (world) => transition(world, 'in_progress', ['video', 'ended']),
  UNKNOWN_ATTEMPT: (world) => String(world.callback({ checkoutRequestId: 'co-9' })['result']) + alerts(world),
  SAME_RECEIPT: (world) => {
    const id = world.booked('payment_pending')
    callback(world, { transactionId: 'co-1', receipt: 'R-1' })
    callback(world, { transactionId: 'co-2', receipt: 'R-1' })
    return JSON.stringify(world.audit(id).map(({ to }) => to))
  },
  OTHER_MONEY: (world) => {
    world.booked('payment_pending')
    for (const receipt of ['R-1', 'R-2']) callback(world, { receipt })
    return alerts(world)
  },
  RECEIPT_MISSING: (world) => {
    world.booked('payment_pending')
    callback(world, {})
    return reviews(world)
  },
  RECEIPT_OTHER_BOOKING: (world) => {
    world.booked('payment_pending')
    callback(world, { receipt: 'R-1' })
    callback(world, { transactionId: 'co-2', receipt: 'R-1', amountMinor: 100 })
    return alerts(world) + reviews(world)
  },
  RECEIPT_TAKEN: (world) => {
    world.booked('payment_pending')
    callback(world, {})
    callback(world, { transactionId: 'co-2', receipt: 'R-1' })
    callback(world, { receipt: 'R-1' })
    return alerts(world) + reviews(world)
  },
  AMOUNT_ABSURD: (world) => {
    world.booked('payment_pending')
    return callback(world, { amountMinor: 999_999_999_999_999 }) + alerts(world) + reviews(world)
  },
  CALLBACK_CONFLICT: (world) => {
    const attemptId = world.attempt(world.booked('paid'))
    const told = { transactionId: 'tx-bkg-1', attemptId, outcome: 'failure', resultCode: 1 }
    world.refused(WORKER, 'paymentCallback', callbackOf(told))
    return alerts(world)
  },
  CALLBACK_UNPARSED: (world) => {
    world.ok(WORKER, 'keepUnparsed', { field: 'body', reason: 'is not JSON', body: '{', bytes: 1 })
    return alerts(world)
  },
  PUSH_FAILED: (world) => {
    const id = world.booked('payment_pending')
    for (const task of world.tasks('payment.stk_push')) world.fail(task)
    return JSON.stringify([world.view(id).attemptList, world.notes(CLIENT)])
  },
  PUSH_CONFLICT: (world) => {
    pushed(world)
    for (const task of world.tasks('payment.stk_push')) {
      world.complete(task, { checkoutRequestId: 'co-2', merchantRequestId: 'm-2' })
    }
    return alerts(world)
  },
  QUERY_CONFLICT: (world) => {
    pushed(world)
    world.pass(5 * MINUTE_MS)
    const [task] = world.tasks('payment.query')
    world.callback({ transactionId: 'co-1', checkoutRequestId: 'co-1', receipt: 'R-1' })
    const final = { transactionId: 'co-1', outcome: 'failure', resultCode: 1032, resultDesc: '' }
    if (task !== undefined) world.complete(task, { final })
    return alerts(world)
  },
  PAYMENT_TIMEOUT: (world) => {
    pushed(world)
    world.pass(31 * MINUTE_MS)
    return alerts(world)
  },
  OTHER_RECEIPT: (world) => {
    const attemptId = world.attempt(world.booked('paid'))
    world.callback({ transactionId: 'co-7', attemptId, amountMinor: 6_000_000, receipt: 'R-7' })
    return refused(world, ADMIN, 'approveRefund', { refundId: 'ref-1', receipt: 'R-8' })
  },
  REFERENCE_TAKEN: (world) => {
    const attemptId = world.attempt(world.booked('paid'))
    for (const receipt of ['A', 'B']) world.callback({ transactionId: receipt, attemptId, receipt })
    for (const task of world.tasks('payment.refund')) world.complete(task, { providerRef: 'B2C-1' })
    return alerts(world)
  },
  REFUND_FAILED: (world) => {
    world.ok(THERAPIST, 'cancel', { id: world.booked('paid'), reason: 'illness' })
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const task = world.tasks('payment.refund').at(-1)
      if (task !== undefined) world.fail(task)
      world.pass(10_000)
    }
    return alerts(world)
  },
  ALERT_CLIENT_RETRY: (world) => {
    const id = world.booked('failed')
    const { payment, session, video } = world.view(id)
    return JSON.stringify(crossSync(payment, session, video, 'amended'))
  },
}

const CODES = MACHINE_CODES['payments'] ?? {}

test('every code of payments is provoked here: one that cannot be is no code', () => {
  expect(Object.keys(PROVOKED).sort()).toEqual(Object.keys(CODES).sort())
  const declared = Object.keys(payments.schema.errors)
  expect(declared.filter((code) => PROVOKED[code] === undefined)).toEqual([])
})

test.each(Object.keys(PROVOKED))('%s is given by a real command', (code) => {
  expect(PROVOKED[code]?.(new World())).toContain(code)
})

test('what is said of each: what happened, and what to do', () => {
  const said = Object.entries(CODES).map(([code, { cause, cure }]) => `${code}: ${cause} → ${cure}`)
  expect(said.filter((message) => !/^[A-Z_]+: [^→]+\. → [^→]+\.$/.test(message))).toEqual([])
  expect(said.join('\n')).toMatchInlineSnapshot(`
    "SLOT_TAKEN: Reason of CONFLICT: the therapist has a booking then. → Ask for another time.
    CURRENCY_NOT_PAYABLE: Reason of VALIDATION_ERROR and CONFLICT: money comes in the currency of the provider alone, \`payable\`. → Book at a price in that currency.
    PAYMENT_IN_FLIGHT: Reason of CONFLICT: an attempt to pay is under way. → Wait for its result; its deadline ends it.
    FORM_COMPLETED: Reason of CONFLICT: the form was completed with other content. → Read the form.
    PAYMENT_REQUIRED: The booking is not paid. → Pay first.
    IDEMPOTENCY_CONFLICT: The transaction was told otherwise before, and what is told now brings no money. → Nothing changed: compare both with the statement of the provider.
    OTHER_IDS: Reason of CONFLICT: the attempt has other ids at the provider. → Look the attempt up at the provider.
    CHECKOUT_TAKEN: Reason of CONFLICT: the checkout id belongs to another attempt. → Look it up at the provider.
    FORMS_REQUIRED: The session cannot begin while forms are missing. → Complete the forms.
    FORMS_INCOMPLETE: Forms are missing, so nobody joins. → Complete the forms.
    UNPAID_ACCESS: The booking is not paid, so nobody joins. → Pay first.
    RETROACTIVE_PAYMENT: A session that is over cannot go back to being paid for. → Book again, or refund.
    RETROACTIVE_CHANGE: What is done cannot be undone by a transition. → Refund, or book again.
    AUTHORITY_VIOLATION: Only money makes a booking paid: no command of an administrator does. → Have the callback sent again, or verifyPaymentManually with the receipt.
    TOO_EARLY: Nobody is absent before 15 minutes after the start. → Wait until \`notBefore\`; a timer marks it then.
    ATTENDED: Reason of CONFLICT: that person did join the call. → End the session or cancel it.
    BOOKING_CLOSED: The session is not one that can be joined. → Book again.
    VIDEO_FAILED: The video of the session has failed. → retryVideo, then join again.
    OUTSIDE_JOIN_WINDOW: It is too early or too late to join. → Join between \`opensAt\` and \`closesAt\`.
    PAYMENT_SESSION_SYNC: The states of payment and session do not belong together. → The verdict names the states; an operator decides.
    SESSION_VIDEO_SYNC: The states of session and video do not belong together. → The verdict names the states; an operator decides.
    UNKNOWN_ATTEMPT: Result and alert: the provider tells of an attempt that nobody knows. → It is settled when the attempt becomes known; else \`matchSuspense\` or \`refundSuspense\`.
    SAME_RECEIPT: Result: the money of another transaction, told again. → Nothing to do.
    OTHER_MONEY: Alert: a second success of one transaction, with another amount or receipt. → Nothing to do: it is other money, and goes back.
    RECEIPT_MISSING: Review, and reason of CONFLICT: money came without a receipt, so its refund cannot be sent. → A repeat may bring it; else look it up at the provider: \`approveRefund\` takes it. Then \`closeReview\`.
    OTHER_RECEIPT: Reason of CONFLICT: the money of this refund has another receipt than the one given. → Leave it out to approve the refund as it is, or look up whose receipt was given.
    RECEIPT_OTHER_BOOKING: Alert and review: a receipt was told for another booking or amount than its money. → Find out whose money it is, then \`closeReview\`.
    RECEIPT_TAKEN: Alert and review: a success turned out to have the receipt of other money. → Two captures were one payment: stop the refund with \`rejectRefund\`, then \`closeReview\`.
    AMOUNT_ABSURD: Result, alert and review: more money was told of than anything costs, or than can be added up. → It is in no sum: find out what was paid, verifyPaymentManually with its receipt, then \`closeReview\`.
    CALLBACK_CONFLICT: Alert: the provider told two different things of one transaction. → Look it up at the provider.
    CALLBACK_UNPARSED: Alert: a body of the provider could not be read; nothing was done with it. → Read it with the query \`unparsed\`: if it speaks of money, compare it with the statement.
    PUSH_FAILED: The request to pay did not reach the payer. → Initiate the payment again.
    PUSH_CONFLICT: Alert: the worker names ids of the provider that the attempt cannot have. → Look the attempt up at the provider.
    QUERY_CONFLICT: Alert: what the provider answered contradicts what it had told. → Look the transaction up at the provider.
    PAYMENT_TIMEOUT: Alert: an attempt to pay had no result in time. → Initiate the payment again; late money is noted.
    REFUND_FAILED: Alert: no attempt to refund succeeded. → \`retryRefund\`, or pay by hand and say so: \`settleRefundManually\`.
    REFERENCE_TAKEN: Alert, and reason of CONFLICT: the number of a payment back is that of another refund already. → Look both up at the provider: one payment settles one refund.
    ALERT_CLIENT_RETRY: A payment failed: the client is asked to pay again. → Initiate the payment again."
  `)
})
