import { z } from 'zod'
import { SECOND_MS } from '../../../base/time.ts'
import type { Context, QueryContext, TableViews } from '../../../machine/define/context.ts'
import { table, tableSharingBytes, task } from '../../../machine/define/schema.ts'
import { stateGraph } from '../../../machine/graph/state-graph.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { CAPTURE_MINOR_MAX } from './payment-bounds.ts'
import {
  attemptRow,
  auditGroupRow,
  auditRejectedRow,
  bookingRow,
  callbackRow,
  captureRow,
  checkoutRow,
  formRow,
  ledgerRow,
  refundRow,
  REVIEW_KINDS,
  reviewRow,
  suspenseRow,
} from './rows.ts'
import { currency, id, millis, minor, outcome, receipt, resultCode, text } from './fields.ts'
import { unparsedRow } from './unparsed.ts'
import { PAYMENT_TRANSITIONS, SESSION_TRANSITIONS, VIDEO_TRANSITIONS } from './states.ts'

/** What the provider says about one push, as a callback or as the answer to a question. */
export const providerResult = z.object({
  transactionId: id,
  outcome,
  amountMinor: minor.max(CAPTURE_MINOR_MAX).optional(),
  receipt: receipt.optional(),
  resultCode,
  resultDesc: text,
})

/** A success names its amount: taken as 0, real money would be refused. */
export const namesAmount = (told: { readonly outcome: string; readonly amountMinor?: number | undefined }): boolean =>
  told.outcome === 'failure' || told.amountMinor !== undefined
/** The issue of a success without an amount. */
export const AMOUNT_MISSING = { path: ['amountMinor'], error: 'a success names its amount' }

/** 0 is the one code of a success: with any other a worker read the answer wrong, and must not make money of it, or none. */
export const agreesWithCode = (told: { readonly outcome: string; readonly resultCode: string }): boolean =>
  (told.outcome === 'success') === (told.resultCode === '0')
/** The issue of an outcome that its code contradicts. */
export const OTHER_CODE = { path: ['resultCode'], error: 'the code of a success is 0, and of a failure any other' }

const state = {
  bookings: table(z.string(), bookingRow),
  /** [booking, form] */
  forms: table(z.tuple([z.string(), z.string()]), formRow),
  attempts: table(z.string(), attemptRow),
  /** [booking, number] → attempt */
  attemptsOf: table(z.tuple([z.string(), z.int()]), z.string()),
  /** CheckoutRequestID → attempt, and its booking: a callback need not look the attempt up. */
  checkouts: table(z.string(), checkoutRow),
  /** transaction → what became of it */
  callbacks: table(z.string(), callbackRow),
  /** [CheckoutRequestID, transaction]: callbacks that came too early; what they told stands in `callbacks` */
  waiting: table(z.tuple([z.string(), z.string()]), z.null()),
  /** transaction → money that no booking is known for */
  suspense: table(z.string(), suspenseRow),
  /** [why, transaction]: what a person must look at */
  reviews: table(z.tuple([z.enum(REVIEW_KINDS), z.string()]), reviewRow),
  /** receipt → the transaction whose money it is, over all bookings and the money in suspense */
  receipts: table(z.string(), z.string()),
  /** [booking, transaction] */
  captures: table(z.tuple([z.string(), z.string()]), captureRow),
  refunds: table(z.string(), refundRow),
  /** [booking, number of the refund] → refund */
  refundsOf: table(z.tuple([z.string(), z.int()]), z.string()),
  /** transaction → the refund of its money: there is never more than one */
  refundOf: table(z.string(), z.string()),
  /** the provider's number of a refund → that refund: one payment settles one */
  payouts: table(z.string(), z.string()),
  /** [principal, startsAt] of bookings that are not over → booking and its end */
  slots: table(
    z.tuple([z.string(), z.int()]),
    z.object({ bookingId: z.string(), endsAt: z.int(), client: z.boolean() }),
  ),
  /** [principal, number of the booking] */
  bookingsOf: table(z.tuple([z.string(), z.int()]), z.string()),
  /** Keyed by the first seq of the group. */
  audit: table(z.int(), auditGroupRow),
  auditRejected: table(z.int(), auditRejectedRow),
  /** `rejected`: where that chain ends. The other ends in the ledger. */
  chains: table(z.string(), z.object({ seq: z.int(), hash: z.string() })),
  /** number → a body of the provider that cannot be read */
  unparsed: table(z.int(), unparsedRow),
  /** digest of such a body → its number */
  unparsedOf: table(z.string(), z.int()),
  /** One row, `all`; `addTotals` makes new bytes. */
  ledger: tableSharingBytes(z.string(), ledgerRow),
}

const inSession = z.object({ session: z.string() })
/** A step that is refused, in whose table. */
const pair = z.object({ entity: z.string(), from: z.string(), to: z.string() })
const states = z.object({ payment: z.string(), session: z.string(), video: z.string() })

/** Codes beside the common ones, with what their details name (domain.md §3.4, §3.6, §3.7). */
const errors = {
  IDEMPOTENCY_CONFLICT: z.object({ transactionId: z.string() }),
  PAYMENT_REQUIRED: z.union([inSession, pair]),
  FORMS_REQUIRED: pair,
  RETROACTIVE_PAYMENT: pair,
  RETROACTIVE_CHANGE: pair,
  AUTHORITY_VIOLATION: pair,
  PAYMENT_SESSION_SYNC: states,
  SESSION_VIDEO_SYNC: states,
  UNPAID_ACCESS: z.union([inSession, pair]),
  FORMS_INCOMPLETE: z.union([inSession, pair]),
  BOOKING_CLOSED: inSession,
  VIDEO_FAILED: inSession,
  OUTSIDE_JOIN_WINDOW: z.object({ opensAt: millis, closesAt: millis }),
  TOO_EARLY: z.object({ notBefore: millis }),
}

const pushPayload = z.object({
  bookingId: id,
  attemptId: id,
  phone: z.string(),
  amountMinor: minor,
  currency,
  /** Unique for ever, for the provider's account reference. */
  reference: z.string(),
})

/** The schema of the machine payments: tables, errors, timers and tasks (domain.md §3.1, §0.7). */
export const paymentsSchema = {
  version: 2,
  state,
  errors,
  graphs: {
    payment: stateGraph(PAYMENT_TRANSITIONS),
    session: stateGraph(SESSION_TRANSITIONS),
    video: stateGraph(VIDEO_TRANSITIONS),
  },
  timers: {
    /** The next timer of the booking that is its key (`nextTimer`). */
    booking: z.null(),
  },
  tasks: {
    'payment.stk_push': task({
      role: 'payments',
      leaseMs: 30 * SECOND_MS,
      maxAttempts: 1,
      backoffMs: [],
      payload: pushPayload,
      result: z.object({ checkoutRequestId: id, merchantRequestId: id }),
    }),
    'payment.query': task({
      role: 'payments',
      leaseMs: 30 * SECOND_MS,
      maxAttempts: 3,
      backoffMs: [30 * SECOND_MS, 60 * SECOND_MS],
      payload: z.object({
        bookingId: id,
        attemptId: id,
        checkoutRequestId: z.string().nullable(),
        /** What was asked for: the provider's answer to a query names no amount. */
        amountMinor: minor,
        currency,
      }),
      /** `final: null`: the provider does not know yet. */
      result: z.object({
        final: providerResult.refine(namesAmount, AMOUNT_MISSING).refine(agreesWithCode, OTHER_CODE).nullable(),
      }),
    }),
    'payment.refund': task({
      role: 'payments',
      leaseMs: 30 * SECOND_MS,
      maxAttempts: 3,
      backoffMs: [5 * SECOND_MS, 5 * SECOND_MS],
      payload: z.object({
        refundId: id,
        bookingId: id.nullable(),
        transactionId: z.string().nullable(),
        /** The provider's receipt of the payment that is undone; null when it never gave one. */
        receipt: z.string().nullable(),
        amountMinor: minor,
        currency,
        /** Who paid: the number in full, for the worker alone, and as it may be shown. Null for money in suspense. */
        payer: z.string().nullable(),
        payerMasked: z.string().nullable(),
        /** Unique for ever, so that the provider pays once. */
        idempotencyKey: z.string(),
      }),
      result: z.object({ providerRef: id }),
    }),
  },
} as const

/** `ctx` in its commands, timers and tasks. */
export type PaymentsContext = Context<typeof paymentsSchema>
/** The same in its queries. */
export type PaymentsQueryContext = QueryContext<typeof paymentsSchema>
/** Its tables, as queries read them. */
export type PaymentsView = TableViews<typeof paymentsSchema>
/** What a handler returns when it refuses. */
export type Refusal = Rejection
/** What the provider said, parsed. */
export type ProviderResult = Readonly<z.output<typeof providerResult>>
