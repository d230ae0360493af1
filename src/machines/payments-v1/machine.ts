import { defineMachine, type MachineDefinition } from '../../machine/define/define-machine.ts'
import { audit } from './queries/audit-query.ts'
import { approve, cancel, decline, requestBooking } from './commands/booking-commands.ts'
import { paymentCallback, verifyPaymentManually } from './commands/callback-commands.ts'
import { fireTimers } from './commands/fire-timers.ts'
import { completeForm, recordVerbalConsent, routeAfterPayment } from './commands/form-commands.ts'
import { initiatePayment, paymentStarted, pushTask, queryTask } from './commands/payment-commands.ts'
import { canJoin, get, list, refundQuote } from './queries/booking-queries.ts'
import { stuck, totals } from './queries/operator-queries.ts'
import { refundTask } from './change/refunds.ts'
import { paymentsSchema } from './facts/payments-schema.ts'

/**
 * Version 1 of the machine payments, as the first release had it: kept so that its logs and directories replay to the same
 * byte, until the leader switches to version 2. Nothing here changes any more; the golden logs of its test say so.
 */
export const paymentsV1: MachineDefinition = defineMachine('payments', paymentsSchema, {
  commands: {
    requestBooking,
    approve,
    decline,
    initiatePayment,
    paymentStarted,
    paymentCallback,
    verifyPaymentManually,
    routeAfterPayment,
    completeForm,
    recordVerbalConsent,
    cancel,
  },
  queries: { get, list, canJoin, refundQuote, audit, stuck, totals },
  timers: { booking: (ctx, _payload, bookingId) => fireTimers(ctx, bookingId) },
  tasks: { 'payment.stk_push': pushTask, 'payment.query': queryTask, 'payment.refund': refundTask },
})
