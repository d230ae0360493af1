/** What a machine's own code says and what to do about it. */
export interface MachineCode {
  readonly cause: string
  readonly cure: string
}

/** The codes that the machines of this package add to those that every machine has: by machine, for `holdfast explain`. */
export const MACHINE_CODES: { readonly [machine: string]: { readonly [code: string]: MachineCode } } = {
  counter: {
    TOO_BIG: { cause: 'The counter would pass its largest value.', cure: 'Count with another name.' },
  },
  payments: {
    SLOT_TAKEN: { cause: 'Reason of CONFLICT: the therapist has a booking then.', cure: 'Ask for another time.' },
    PAYMENT_IN_FLIGHT: {
      cause: 'Reason of CONFLICT: an attempt to pay is under way.',
      cure: 'Wait for its result; its deadline ends it.',
    },
    FORM_COMPLETED: { cause: 'Reason of CONFLICT: the form was completed with other content.', cure: 'Read the form.' },
    PAYMENT_REQUIRED: { cause: 'The booking is not paid.', cure: 'Pay first.' },
    IDEMPOTENCY_CONFLICT: {
      cause: 'The transaction was told otherwise before, and what is told now brings no money.',
      cure: 'Nothing changed: compare both with the statement of the provider.',
    },
    OTHER_IDS: {
      cause: 'Reason of CONFLICT: the attempt has other ids at the provider.',
      cure: 'Look the attempt up at the provider.',
    },
    CHECKOUT_TAKEN: {
      cause: 'Reason of CONFLICT: the checkout id belongs to another attempt.',
      cure: 'Look it up at the provider.',
    },
    FORMS_REQUIRED: { cause: 'The session cannot begin while forms are missing.', cure: 'Complete the forms.' },
    FORMS_INCOMPLETE: { cause: 'Forms are missing, so nobody joins.', cure: 'Complete the forms.' },
    UNPAID_ACCESS: { cause: 'The booking is not paid, so nobody joins.', cure: 'Pay first.' },
    RETROACTIVE_PAYMENT: {
      cause: 'A session that is over cannot go back to being paid for.',
      cure: 'Book again, or refund.',
    },
    RETROACTIVE_CHANGE: { cause: 'What is done cannot be undone by a transition.', cure: 'Refund, or book again.' },
    AUTHORITY_VIOLATION: {
      cause: 'Only money makes a booking paid: no command of an administrator does.',
      cure: 'Have the callback sent again, or verifyPaymentManually with the receipt.',
    },
    TOO_EARLY: {
      cause: 'Nobody is absent before 15 minutes after the start.',
      cure: 'Wait until `notBefore`; a timer marks it then.',
    },
    ATTENDED: { cause: 'Reason of CONFLICT: that person did join the call.', cure: 'End the session or cancel it.' },
    BOOKING_CLOSED: { cause: 'The session is not one that can be joined.', cure: 'Book again.' },
    VIDEO_FAILED: { cause: 'The video of the session has failed.', cure: 'retryVideo, then join again.' },
    OUTSIDE_JOIN_WINDOW: {
      cause: 'It is too early or too late to join.',
      cure: 'Join between `opensAt` and `closesAt`.',
    },
    PAYMENT_SESSION_SYNC: {
      cause: 'The states of payment and session do not belong together.',
      cure: 'The verdict names the states; an operator decides.',
    },
    SESSION_VIDEO_SYNC: {
      cause: 'The states of session and video do not belong together.',
      cure: 'The verdict names the states; an operator decides.',
    },
    UNKNOWN_ATTEMPT: {
      cause: 'Result and alert: the provider tells of an attempt that nobody knows.',
      cure: 'It is settled when the attempt becomes known; else `matchSuspense` or `refundSuspense`.',
    },
    SAME_RECEIPT: { cause: 'Result: the money of another transaction, told again.', cure: 'Nothing to do.' },
    OTHER_MONEY: {
      cause: 'Alert: a second success of one transaction, with another amount or receipt.',
      cure: 'Nothing to do: it is other money, and goes back.',
    },
    RECEIPT_MISSING: {
      cause: 'Review: money came without a receipt.',
      cure: 'A repeat may bring it; else look it up at the provider, then `closeReview`.',
    },
    RECEIPT_OTHER_BOOKING: {
      cause: 'Alert and review: a receipt was told for another booking or amount than its money.',
      cure: 'Find out whose money it is, then `closeReview`.',
    },
    RECEIPT_TAKEN: {
      cause: 'Alert and review: a success turned out to have the receipt of other money.',
      cure: 'Two captures were one payment: stop one of the refunds, then `closeReview`.',
    },
    CALLBACK_CONFLICT: {
      cause: 'Alert: the provider told two different things of one transaction.',
      cure: 'Look it up at the provider.',
    },
    PUSH_FAILED: { cause: 'The request to pay did not reach the payer.', cure: 'Initiate the payment again.' },
    PUSH_CONFLICT: {
      cause: 'Alert: the worker names ids of the provider that the attempt cannot have.',
      cure: 'Look the attempt up at the provider.',
    },
    QUERY_CONFLICT: {
      cause: 'Alert: what the provider answered contradicts what it had told.',
      cure: 'Look the transaction up at the provider.',
    },
    PAYMENT_TIMEOUT: {
      cause: 'Alert: an attempt to pay had no result in time.',
      cure: 'Initiate the payment again; late money is noted.',
    },
    REFUND_FAILED: { cause: 'Alert: no attempt to refund succeeded.', cure: 'Refund by hand and say so.' },
    ALERT_CLIENT_RETRY: {
      cause: 'A payment failed: the client is asked to pay again.',
      cure: 'Initiate the payment again.',
    },
  },
  session: {
    INVITATION_NOT_SENT: {
      cause: 'The invitation is still a draft.',
      cure: 'Its creator sends it with `invite`.',
    },
    INVITATION_EXPIRED: {
      cause: 'The invitation was not answered in time, and the dialogue was abandoned.',
      cure: 'Ask for a new one.',
    },
    COOLING: {
      cause: 'Whoever paused the dialogue asked for time in which nobody else resumes it.',
      cure: 'Wait until `coolUntil`, or let whoever paused resume.',
    },
    GATES_NOT_SATISFIED: {
      cause: 'Steps of the stage are missing: `unsatisfied` names them.',
      cure: 'Do them; those of the partner need the partner.',
    },
    PARTNER_NOT_READY: { cause: 'The partner is not at the last stage yet.', cure: 'Wait for the partner.' },
    AGREEMENT_NOT_CONFIRMED: {
      cause: 'No agreement was confirmed by both.',
      cure: 'Let the other one confirm it, then resolve.',
    },
    ACTIVE_SESSION_EXISTS: {
      cause: 'Reason of CONFLICT: the two have an open dialogue already, `sid`.',
      cure: 'Go on there, or withdraw from it first.',
    },
    MAX_RESENDS: {
      cause: 'Reason of RATE_LIMITED: the invitation was sent again three times.',
      cure: 'Withdraw, and begin a new dialogue.',
    },
  },
}
