import { defineMachine } from '../../machine/define/define-machine.ts'
import { audit } from './queries/audit-query.ts'
import { approve, cancel, decline, requestBooking } from './commands/booking-commands.ts'
import { paymentCallback } from './commands/callback-commands.ts'
import { endSession, markNoShow } from './commands/ending-commands.ts'
import { fireTimers } from './commands/fire-timers.ts'
import { completeForm, recordVerbalConsent, routeAfterPayment } from './commands/form-commands.ts'
import { closeReview, matchSuspense, refundSuspense, verifyPaymentManually } from './commands/money-commands.ts'
import { migrateFromV1 } from './migrate.ts'
import { reviews, suspense } from './queries/money-queries.ts'
import { initiatePayment, paymentStarted, pushTask, queryTask } from './commands/payment-commands.ts'
import { approveRefund, rejectRefund, retryRefund, settleRefundManually } from './commands/refund-commands.ts'
import { transition } from './commands/transition-command.ts'
import { keepUnparsed } from './commands/unparsed-commands.ts'
import { joinVideo, leaveVideo, reportVideoFailure, retryVideo } from './commands/video-commands.ts'
import { canJoin, get, list, refundQuote } from './queries/booking-queries.ts'
import { stuck, totals } from './queries/operator-queries.ts'
import { unparsed } from './queries/unparsed-query.ts'
import { receipts, refunds } from './queries/receipt-queries.ts'
import { refundTask } from './change/refunds.ts'
import { paymentsSchema } from './facts/payments-schema.ts'

/**
 * Bookings: payment, session and video of one appointment, kept in step (domain.md §3), from `requestBooking` to the end of
 * the call, a no-show or a cancellation, with callbacks, refunds and what administrators do by hand.
 */
export const payments = defineMachine('payments', paymentsSchema, {
  commands: {
    requestBooking,
    approve,
    decline,
    initiatePayment,
    paymentStarted,
    paymentCallback,
    verifyPaymentManually,
    matchSuspense,
    refundSuspense,
    closeReview,
    routeAfterPayment,
    completeForm,
    recordVerbalConsent,
    cancel,
    joinVideo,
    leaveVideo,
    reportVideoFailure,
    retryVideo,
    endSession,
    markNoShow,
    approveRefund,
    rejectRefund,
    retryRefund,
    settleRefundManually,
    transition,
    keepUnparsed,
  },
  queries: { get, list, canJoin, refundQuote, audit, stuck, totals, suspense, reviews, receipts, refunds, unparsed },
  timers: { booking: (ctx, _payload, bookingId) => fireTimers(ctx, bookingId) },
  tasks: { 'payment.stk_push': pushTask, 'payment.query': queryTask, 'payment.refund': refundTask },
  migrations: { 2: migrateFromV1 },
})
