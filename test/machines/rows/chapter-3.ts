import { cells, type Chapter, rows } from './named-rows.ts'

const TRIPLES = rows(`
  pending/requested/not_started
  pending/approved/not_started
  initiated/payment_pending/not_started
  failed/payment_pending/not_started
  confirmed/paid/not_started
  confirmed/forms_required/not_started
  confirmed/ready/not_started
  confirmed/ready/waiting_for_participants
  confirmed/ready/failed
  confirmed/in_progress/waiting_for_participants
  confirmed/in_progress/active
  confirmed/in_progress/failed
  confirmed/completed/ended
  cancelled/cancelled/not_started
  refunded/cancelled/not_started
  refunded/cancelled/ended
  confirmed/no_show_client/not_started
  confirmed/no_show_client/ended
  refunded/no_show_therapist/not_started
  refunded/no_show_therapist/ended`)

const PAYMENT = rows(`pending
  initiated
  confirmed
  failed
  refunded
  cancelled`)
const SESSION = rows(`requested
  approved
  payment_pending
  paid
  forms_required
  ready
  in_progress
  completed
  cancelled
  no_show_client
  no_show_therapist`)
const VIDEO = rows(`not_started
  waiting_for_participants
  active
  failed
  ended`)

const EDGES = rows(`
  payment pending→initiated
  payment pending→cancelled
  payment initiated→confirmed
  payment initiated→failed
  payment initiated→cancelled
  payment confirmed→refunded
  payment failed→initiated
  payment failed→cancelled
  session requested→approved
  session requested→cancelled
  session approved→payment_pending
  session approved→cancelled
  session payment_pending→paid
  session payment_pending→cancelled
  session paid→forms_required
  session paid→ready
  session paid→cancelled
  session forms_required→ready
  session forms_required→cancelled
  session ready→in_progress
  session ready→no_show_client
  session ready→no_show_therapist
  session ready→cancelled
  session in_progress→completed
  session in_progress→cancelled
  video not_started→waiting_for_participants
  video waiting_for_participants→active
  video waiting_for_participants→failed
  video waiting_for_participants→ended
  video active→ended
  video active→failed
  video failed→waiting_for_participants`)

/** The columns of the table command × state: `payment_pending` with a payment initiated or failed, `closed` state by state. */
const STATES = rows(`
  requested
  approved
  payment_pending
  failed
  paid
  forms_required
  ready
  ready_waiting
  ready_failed
  in_progress
  in_progress_waiting
  in_progress_failed
  completed
  cancelled
  no_show_client
  no_show_therapist`)
const COMMANDS = rows(`
  approve
  decline
  initiatePayment
  paymentCallback success
  paymentCallback failure
  verifyPaymentManually
  routeAfterPayment
  completeForm
  recordVerbalConsent
  joinVideo client
  joinVideo therapist
  leaveVideo client
  leaveVideo therapist
  reportVideoFailure
  retryVideo
  endSession
  markNoShow client
  markNoShow therapist
  cancel`)

/** Every table of chapter 3 of the design, row by row. */
export const CHAPTER_3: Chapter = {
  folders: ['machines/payments/', 'machines/rows/'],
  tables: {
    '3.1 the tables, pair by pair': [
      ...cells(['payment'], ' ', cells(PAYMENT, '→', PAYMENT)),
      ...cells(['session'], ' ', cells(SESSION, '→', SESSION)),
      ...cells(['video'], ' ', cells(VIDEO, '→', VIDEO)),
    ],
    '3.1 every edge by its command': cells(EDGES, ' ', ['is taken by its command']),
    '3.2 what the sync rules imply': rows(`
      there are 330 triples; 46 are legal literally and 23 as amended
      thirteen literal pairs of payment and session
      the literal matrices: exactly these 46 of 330 triples
      one machine at a time reaches literal 10
      one machine at a time reaches amended 2
      one step of each machine at once reaches literal 46
      one step of each machine at once reaches amended 21
      multi-step compounds reach literal 46
      multi-step compounds reach amended 23
      no_show_client is never reachable literally`),
    '3.2 findings': rows(`
      F1 approved→payment_pending
      F2 initiated→confirmed
      F3 before the payment
      F4 after
      F5 ready→no_show_therapist
      F6 ready→no_show_client is impossible
      F7 in_progress→completed
      F8 a cancellation during a call
      F9 a call can fail nowhere
      F10 a failed call
      F11 among sessions with a row
      F12 these five payment steps
      F13 a refund of nothing
      F14 a cancelled payment`),
    '3.3 amendments': rows(`
      A1 A2 A3 the amended matrices
      A3 every session state says
      A4 a failed call ends through waiting
      A4 from every legal triple
      the three triples that no other command reaches`),
    '3.3 legal triples': cells(['out of'], ' ', TRIPLES),
    '3.4 commands': rows(`
      requestBooking is issued by CTX
      approve is issued by TA
      decline is issued by T
      initiatePayment is issued by C
      paymentStarted is issued by W
      paymentCallback is issued by W
      verifyPaymentManually is issued by A
      routeAfterPayment is issued by TA
      completeForm is issued by C
      recordVerbalConsent is issued by T
      joinVideo is issued by CT
      leaveVideo is issued by CT
      reportVideoFailure is issued by CTW
      retryVideo is issued by CT
      endSession is issued by CT
      cancel is issued by CTA
      markNoShow client is issued by TA
      markNoShow therapist is issued by CA
      approveRefund is issued by A
      rejectRefund is issued by A
      transition is issued by A
      refundResult is the result of the task payment.refund`),
    '3.4 errors beyond the common ones': rows(`
      requestBooking refuses the past
      approve at another price is STALE_STATE
      initiatePayment takes Kenyan mobile numbers only
      paymentStarted: unknown attempt, repeat, other ids
      completeForm: unknown form, same content, other content
      cancel takes the reasons of the list
      who came, however briefly, is CONFLICT ATTENDED
      approveRefund: unknown NOT_FOUND
      rejectRefund: unknown NOT_FOUND
      a step to refunded gives the whole price back`),
    '3.4 command × state': cells(COMMANDS, ' in ', STATES),
    '3.4 cancellation reasons': ['cancellation reasons: eight of people, five that only the system gives'],
    '3.4 compounds': rows(`
      K1 initiatePayment
      K1 initiatePayment, retry
      K2 a success callback
      K2 verifyPaymentManually
      K2L a late success callback
      K3 a failure callback
      K4 decline
      K4 cancel before payment, requested
      K4 cancel before payment, approved
      K4 cancel before payment, initiated
      K4 cancel before payment, failed
      K5 cancel paid
      K5 cancel forms_required
      K5 cancel ready, video not_started
      K5 cancel ready, video waiting
      K5 cancel ready, video failed
      K6 cancel in_progress, video waiting
      K6 cancel in_progress, video active
      K6 cancel in_progress, video failed
      K7 complete, video waiting
      K7 complete, video active
      K7 complete, video failed
      K8 no_show_therapist, video not_started
      K8 no_show_therapist, video waiting
      K8 no_show_therapist, video failed
      K9 no_show_client, video not_started
      K9 no_show_client, video waiting
      K9 no_show_client, video failed`),
    '3.4 refund amount': rows(`
      PP8 cancelled by the client
      cancelled by the client
      above 5,000,000 minor units somebody approves the refund first
      the amount is rounded half up
      a refund that fails three times is left to people`),
    '3.5 callbacks': rows(`
      success with the price: APPLIED
      an older attempt's success: APPLIED, the current attempt is SUPERSEDED
      success with another amount, current attempt: REJECTED_AMOUNT
      success with another amount, older attempt: REJECTED_AMOUNT
      failure of the current attempt: APPLIED
      failure of an older attempt: IGNORED_STALE
      success of the %s attempt: APPLIED_LATE
      success with another amount: REJECTED_AMOUNT, the money goes back, still failed
      failure of the %s attempt: IGNORED_STALE
      confirmed / success
      confirmed / failure: IGNORED_STALE
      refunded / success
      refunded / failure: IGNORED_STALE
      cancelled / success
      cancelled / failure: IGNORED_STALE
      a callback of no known attempt is an ok result`).map((row) => row.replace('%s', 'current')),
    '3.5 what providers really do': rows(`
      P8b success after a told failure: new money, APPLIED_LATE
      P8b success after a told failure of a booking that is over: ORPHANED
      P8b success after a failure that the query told
      P8c failure after a success: IDEMPOTENCY_CONFLICT with an alert, the success stands
      P8 a second success with another amount
      P8 a second success with another receipt
      receipts are trimmed and upper-case
      one receipt told for another booking: the same money, an alert and a task for a person
      a success without receipt is kept for review, and takes the receipt of its repeat
      the task names receipt, amount, payer in full and masked, and the idempotency key
      the task of a query has the amount
      the code 4999 is not final in a query
      the code 500.001.1001 is not final in a query
      the code NEVER_SEEN is not final in a query
      a price with cents is refused at booking
      a callback pays in KES
      a success for a checkout nobody started: totals, query, stuck and alert
      paymentStarted with its CheckoutRequestID judges it`),
    '3.6 join rules': rows(`
      rule 1 stranger
      rule 2 session requested/approved/payment_pending
      rule 3 session paid/forms_required, or a required form open without verbal consent
      rule 4 terminal session
      rule 5 t < startsAt − 15 min
      rule 5 t > startsAt + 120 min
      rule 6 video failed
      rule 7 ok
      canJoin says in every state what joinVideo would`),
    '3.7 order of refusals': rows(`
      (1) an unknown entity or state
      (2) STALE_STATE comes before the forbidden table
      (3) before (4)
      (4) before (5)
      (5) before (6)
      authority: ready with an open form is FORMS_REQUIRED`),
    '3.7 forbidden pairs': rows(`
      session requested→ready is PAYMENT_REQUIRED
      session approved→in_progress is PAYMENT_REQUIRED
      session paid→in_progress is FORMS_REQUIRED
      session completed→payment_pending is RETROACTIVE_PAYMENT
      payment confirmed→pending is RETROACTIVE_CHANGE
      video join + session payment_pending is UNPAID_ACCESS
      session payment_pending→ready is PAYMENT_REQUIRED
      session requested→in_progress is PAYMENT_REQUIRED
      session approved→ready is PAYMENT_REQUIRED
      session forms_required→in_progress is FORMS_REQUIRED
      session completed→paid is RETROACTIVE_CHANGE`),
    '3.7 every pair out of every triple': cells(['out of'], ' ', [
      ...cells(TRIPLES, ' ', ['every forbidden pair is refused', 'every edge alone is taken, or refused']),
    ]),
    '3.8 timers': rows(`
      request-alert: +24 h in requested
      request-alert: never after startsAt
      request-expiry: +48 h in requested
      request-expiry: never after startsAt
      approve-remind: +60 min in approved
      approve-expiry: +24 h in approved
      approve-expiry: never after startsAt
      payment-query: +5 min in initiated
      payment-timeout: +30 min in initiated
      failed-expiry: +24 h in failed
      failed-expiry: never after startsAt
      auto-route: +30 min in paid
      forms-remind: startsAt − 60 min in forms_required
      lapse: startsAt + 15 min in paid, system_lapse 100 %
      lapse: startsAt + 15 min in forms_required, forms_lapsed client tier
      no-show: startsAt + 15 min in ready, only C attended, K8
      no-show: startsAt + 15 min in ready, only T attended, K9
      no-show: startsAt + 15 min in ready, nobody, both_absent 100 %, manualReview
      waiting-alert: +15 min in video waiting
      overrun: actualStart + duration + 30 min in in_progress`),
    '3.9 notifications': rows(`
      booking.requested → T
      booking.approved → C
      booking.cancelled {by, role, refundPct} → the other parties, by C
      booking.cancelled {by, role, refundPct} → the other parties, by T
      booking.cancelled {by, role, refundPct} → the other parties, by A
      booking.cancelled {by, role, refundPct} → the other parties, by S
      payment.initiated → C
      payment.confirmed → C, T
      payment.retry_needed {reason} → C
      booking.forms_required → C
      booking.ready → C, T
      video.waiting {who} → the other
      video.failed → C, T
      session.started → C, T
      session.completed → C, T
      booking.no_show {who} → C, T
      refund.status {status, amountMinor} → C
      admin.alert {kind} → every admin principal known
      no notification carries the phone number`),
    '3.9 queries': rows(`
      get shows client, therapist and administrators
      get shows receipts to administrators alone
      list pages through one’s own bookings
      canJoin opens 15 min before the start
      nothing is quoted before the payment
      audit: administrators all of it
      stuck names what stays for more than twice the expected time
      the expected minutes per state`),
    '3.10 canonical flow': ['steps 1 to 10'],
    '3.11 abuse cases': rows(`
      P1 join with session payment_pending
      P2 join with session paid
      P3 transition session requested→ready
      P4 transition session paid→in_progress
      P5 transition session completed→payment_pending; payment confirmed→pending
      P6 transition session approved→payment_pending alone
      P7 transition session payment_pending→paid + payment initiated→confirmed by admin
      P8 same transactionId, other amount, both successes
      P8b failure told first, then success of the same transactionId
      P8c success, then failure of the same transactionId
      P9 another client’s user joins, reads, cancels
      P10 cancel twice; cancel a completed booking
      P11 client marks therapist no-show 10 min after start
      P12 second booking of the therapist in the same hour
      P13 join 16 min early / 121 min late
      P14 success callback after cancellation`),
    'PP1 to PP12, the properties of 3.12': rows(`
      PP1
      PP2
      PP3
      PP4
      PP5 any multiset of callbacks
      PP6
      PP7 a compound whose step does not fit changes nothing
      PP8 the share never grows with lateness
      PP9 the chain verifies, and a change of any field of any record breaks it
      PP10 the bookings of one therapist never overlap
      PP11 any order of success, failure, time-out and cancellation
      PP12 one receipt`),
    '3.13 bodies and replay files': rows(`
      ResultCode 0 is success as number and as text
      a failure needs no metadata
      every amount up to fifteen digits survives
      any JSON is a value, never a throw
      0 is a success, as text and as a number
      a byte-order mark before a body is taken
      several bodies on one line are each taken
      a push is its CheckoutRequestID alone
      no two bookings of one client or therapist overlap`),
  },
}
