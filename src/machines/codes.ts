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
    CURRENCY_NOT_PAYABLE: {
      cause: 'Reason of VALIDATION_ERROR and CONFLICT: money comes in the currency of the provider alone, `payable`.',
      cure: 'Book at a price in that currency.',
    },
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
      cause: 'Review, and reason of CONFLICT: money came without a receipt, so its refund cannot be sent.',
      cure: 'A repeat may bring it; else look it up at the provider: `approveRefund` takes it. Then `closeReview`.',
    },
    OTHER_RECEIPT: {
      cause: 'Reason of CONFLICT: the money of this refund has another receipt than the one given.',
      cure: 'Leave it out to approve the refund as it is, or look up whose receipt was given.',
    },
    RECEIPT_OTHER_BOOKING: {
      cause: 'Alert and review: a receipt was told for another booking or amount than its money.',
      cure: 'Find out whose money it is, then `closeReview`.',
    },
    RECEIPT_TAKEN: {
      cause: 'Alert and review: a success turned out to have the receipt of other money.',
      cure: 'Two captures were one payment: stop the refund with `rejectRefund`, then `closeReview`.',
    },
    AMOUNT_ABSURD: {
      cause: 'Result, alert and review: more money was told of than anything costs, or than can be added up.',
      cure: 'It is in no sum: find out what was paid, verifyPaymentManually with its receipt, then `closeReview`.',
    },
    CALLBACK_CONFLICT: {
      cause: 'Alert: the provider told two different things of one transaction.',
      cure: 'Look it up at the provider.',
    },
    CALLBACK_UNPARSED: {
      cause: 'Alert: a body of the provider could not be read; nothing was done with it.',
      cure: 'Read it with the query `unparsed`: if it speaks of money, compare it with the statement.',
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
    REFUND_FAILED: {
      cause: 'Alert: no attempt to refund succeeded.',
      cure: '`retryRefund`, or pay by hand and say so: `settleRefundManually`.',
    },
    REFERENCE_TAKEN: {
      cause: 'Alert, and reason of CONFLICT: the number of a payment back is that of another refund already.',
      cure: 'Look both up at the provider: one payment settles one refund.',
    },
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
  reconciler: {
    DRAFT_NOT_READY: {
      cause: 'The draft is not marked as ready to be shared.',
      cure: '`saveEmpathyDraft` of the machine gates with `readyToShare`, then consent to that version.',
    },
    OFFER_NOT_PENDING: {
      cause: 'There is no offer that waits for an answer: none was made, or it was answered or ran out.',
      cure: 'Ask `status`. One offer is made per direction, ever.',
    },
    IDENTICAL_RESUBMISSION: {
      cause: 'But for case and white space the statement is the one before.',
      cure: 'Write other words, or `skipRefinement`.',
    },
    CONSENT_REQUIRED: {
      cause: 'The partner has taken the consent to the attempt back, so it can be neither read nor judged.',
      cure: 'Wait: the partner may consent again.',
    },
    NOT_REVEALED: { cause: 'The partner’s attempt was not shown yet.', cure: 'Wait for `empathy.revealed`.' },
    AWAITING_REVISION: {
      cause: 'You sent feedback, and the partner’s revision was not shown yet.',
      cure: 'Wait for `empathy.revealed`.',
    },
    REFINE_OPEN: {
      cause: 'Reason of CONFLICT: a worker is wording the offer anew.',
      cure: 'Wait for `empathy.share_suggestion`, or answer the wording that is there.',
    },
    REASON_REQUIRED: {
      cause: 'Reason of VALIDATION_ERROR: whoever does not accept the difference says why.',
      cure: 'Give `reason`, or `willingToAccept`.',
    },
    FEEDBACK_REQUIRED: {
      cause: 'Reason of VALIDATION_ERROR: not right, and not a word of what is not.',
      cure: 'Give `feedback`.',
    },
  },
  concierge: {
    TURN_IN_PROGRESS: {
      cause: 'The agent has not answered the message before yet: `turn`.',
      cure: 'Wait for `concierge.reply`; one that no agent answers is closed by itself.',
    },
    TOO_MANY_CONVERSATIONS: {
      cause: 'Reason of CONFLICT: the contractor has as many conversations as there may be, `max`.',
      cure: '`destroy` one, or open one that is there by its key.',
    },
    TOO_MANY_REGISTRATIONS: {
      cause: 'Reason of CONFLICT: the contractor has as many registrations as there may be, and none is long over.',
      cure: 'Wait until an event was over for a day: it makes room.',
    },
    EVENT_FULL: {
      cause:
        'Reason of CONFLICT: so many contractors are registered that the end of the event could not be told in one entry.',
      cure: 'Give a part of them an event of its own.',
    },
    TIMES_ORDER: {
      cause: 'Reason of VALIDATION_ERROR: with this change the times of the event would not be in order.',
      cure: 'Give dayStartsAt ≤ startsAt < endsAt ≤ dayEndsAt, those that stay included.',
    },
  },
  gates: {
    WRONG_STAGE: {
      cause:
        'The command, or the keys asked for, belong to another stage: `required` says which, `actual` where you stand.',
      cure: 'Go on with `advanceStage`; a stage that was left is not opened again.',
    },
    DRAFT_LOCKED: {
      cause: 'The draft is shared as an attempt, which is not being refined.',
      cure: 'Wait for the partner, or take the attempt back by revoking its consent.',
    },
    PHASE_CLOSED: {
      cause: 'The last stage is in another phase: `phase`.',
      cure: 'Ask `strategies`; `reopenStrategies` collects again when nothing was in common.',
    },
    NO_STRATEGIES: {
      cause: 'You proposed no strategy.',
      cure: 'Propose one, or say `declareNone`.',
    },
    INVALID_STAGE_TRANSITION: {
      cause: 'Stages are taken one by one, from the one where you stand; the last is left by resolving the dialogue.',
      cure: 'Ask `progress`, and advance from that stage to the next.',
    },
    GATES_NOT_SATISFIED: {
      cause: 'Keys of the stage are false: `unsatisfied` names them in their order.',
      cure: 'Do what they need; those of the partner need the partner.',
    },
    PARTNER_NOT_READY: {
      cause: 'The partner has not done what both need here.',
      cure: 'Wait for the partner.',
    },
    RETRIEVAL_DENIED: {
      cause: 'Verdict of `retrieve`: this may not be asked for at this stage. It says nothing about what there is.',
      cure: 'Ask for what the contract of the stage allows; `canRetrieve` tells.',
    },
    INVALID_QUERY: {
      cause: 'Verdict of `retrieve`: there is no such query.',
      cure: 'Use one of the legal shapes, with all of its fields and no other.',
    },
    ALREADY_SIGNED: { cause: 'Reason of CONFLICT: you have signed.', cure: 'Advance when the partner has.' },
    ALREADY_CONFIRMED: {
      cause: 'Reason of CONFLICT: you have said that you feel heard.',
      cure: 'It cannot be taken back.',
    },
    ALREADY_DECIDED: {
      cause: 'Reason of CONFLICT: the consent was granted or denied.',
      cure: 'Take a granted one back with `revokeConsent`.',
    },
    OWN_PROPOSAL: {
      cause: 'Reason of CONFLICT: you have agreed to this one.',
      cure: 'Let the partner answer it.',
    },
    TOO_MANY: { cause: 'Reason of VALIDATION_ERROR: there is no room for more.', cure: 'Use those that are there.' },
    NOT_OWN: {
      cause: 'Reason of VALIDATION_ERROR: `needId` is no need of yours, or is named twice.',
      cure: 'Ask `needs`.',
    },
    UNDECIDED: {
      cause: 'Reason of VALIDATION_ERROR: an undecided need, `needId`, is not covered.',
      cure: 'Decide on every undecided need in one command.',
    },
    SHARED: {
      cause: 'Reason of VALIDATION_ERROR: the need `needId` is shared, so its decision stands.',
      cure: 'Revoke its consent first.',
    },
    NOT_CONFIRMED: {
      cause: 'Reason of VALIDATION_ERROR: `needId` is no confirmed need of yours.',
      cure: 'Confirm it first.',
    },
    NOT_SHARED_BY_BOTH: {
      cause: 'Reason of VALIDATION_ERROR: common ground rests on one shared need of each.',
      cure: 'Name one consent of yours and one of the partner’s; both must be active.',
    },
    UNKNOWN_ITEM: {
      cause: 'Reason of VALIDATION_ERROR: there is no common ground `cgId` that both can see.',
      cure: 'Ask `commonGround`.',
    },
    NOT_A_RANKING: {
      cause: 'Reason of VALIDATION_ERROR: a ranking names strategies of the pool, each once, at least one.',
      cure: 'Ask `strategies`.',
    },
    NOT_IN_POOL: {
      cause: 'Reason of VALIDATION_ERROR: there is no strategy `strategyId`.',
      cure: 'Ask `strategies`.',
    },
  },
}
