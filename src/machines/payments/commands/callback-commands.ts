import { z } from 'zod'
import { unreachable } from '../../../base/assert.ts'
import { command } from '../../../machine/define/command.ts'
import { providerOnly } from '../change/access.ts'
import {
  type CallbackAnswer,
  findOther,
  nextOther,
  otherKey,
  responseOf,
  transactionKey,
} from '../change/callback-records.ts'
import { judgeKept, judgeNew, keepUnknown, toldBy } from '../change/judge.ts'
import { refused } from '../change/refusals.ts'
import { repeat } from '../change/repeats.ts'
import type { Told } from '../change/settle.ts'
import { id } from '../facts/fields.ts'
import type { PaymentsContext, ProviderResult, Refusal } from '../facts/payments-schema.ts'
import { agreesWithCode, AMOUNT_MISSING, namesAmount, OTHER_CODE, providerResult } from '../facts/payments-schema.ts'
import { type CallbackRecord, callbackResponse } from '../facts/rows.ts'
import { compareTold, type Content, type Repeat } from '../rules/repeat.ts'

/** Provider transactions, each taken once (domain.md §3.5). */

const callbackInput = z
  .object({
    ...providerResult.shape,
    attemptId: id.optional(),
    /** Looked up when there is no attemptId. */
    checkoutRequestId: id.optional(),
    merchantRequestId: id.optional(),
  })
  .refine(namesAmount, AMOUNT_MISSING)
  .refine(agreesWithCode, OTHER_CODE)
  .refine((input) => input.attemptId !== undefined || input.checkoutRequestId !== undefined, {
    path: ['attemptId'],
    error: 'attemptId or checkoutRequestId says which push this is',
  })

/** `duplicate` stands only in repeats; everything else is the first answer, unchanged. */
export const callbackOutput = callbackResponse.extend({ duplicate: z.literal(true).optional() })

/** A worker tells what the provider said of a push: success or failure. */
export const paymentCallback = command(
  { input: callbackInput, output: callbackOutput },
  (ctx: PaymentsContext, input) => {
    const action = 'paymentCallback'
    const { transactionId, amountMinor = null } = input
    const stranger = providerOnly(ctx, action, transactionId)
    if (stranger !== null) return stranger
    const answer = takeResult(ctx, action, input)
    if (!(answer instanceof Contradiction)) return answer
    const { bookingId } = answer
    ctx.alert('CALLBACK_CONFLICT', { transactionId, bookingId, outcome: input.outcome, amountMinor })
    return conflict(ctx, action, transactionId, bookingId)
  },
)

/** Where a provider's answer came from: what it names its attempt by. */
type Incoming = ProviderResult & {
  readonly attemptId?: string | undefined
  readonly checkoutRequestId?: string | undefined
  readonly merchantRequestId?: string | undefined
}

/** The answer contradicts what its transaction told before, and brings no money: what was told first stands. */
export class Contradiction {
  readonly bookingId: string | null

  constructor(bookingId: string | null) {
    this.bookingId = bookingId
  }
}

/** Takes one answer of the provider: as a callback, or as the result of `payment.query`. */
export function takeResult(ctx: PaymentsContext, action: string, input: Incoming): CallbackAnswer | Contradiction {
  const push = pushOf(ctx, input)
  const told = toldOf(input, transactionKey(ctx, input.transactionId))
  const { transactionId: key } = told
  const record = ctx.state.callbacks.get(key)
  const checkoutRequestId = input.checkoutRequestId ?? null
  if (record === undefined) return takeNew(ctx, action, { push, told, checkoutRequestId })
  const attemptId = push?.attemptId ?? input.attemptId ?? null
  const how = isUnheardOf(ctx, record, told) ? 'otherMoney' : howTold(record, { ...told, attemptId })
  switch (how) {
    case 'same':
      return takeRepeat(ctx, action, { push, told, record })
    case 'moneyAfterFailure': {
      const failure = { resultCode: record.resultCode, response: responseOf(record) }
      const failed = record.outcome === 'failure' ? failure : record.failed
      const { others } = record
      return takeNew(ctx, action, { push: push ?? known(record), told, checkoutRequestId, rest: { failed, others } })
    }
    case 'failureAfterSuccess':
      // The very failure that came before the money, sent once more.
      if (record.failed?.resultCode === told.resultCode) return { ...record.failed.response, duplicate: true }
      return new Contradiction(record.bookingId)
    case 'otherAttempt':
      return new Contradiction(record.bookingId)
    case 'otherMoney':
      return takeOther(ctx, action, { record, push: push ?? known(record), told, checkoutRequestId })
    default:
      return unreachable(how)
  }
}

/**
 * A record without a receipt that is known to be the money of another one, told again: version 1 forgot the receipt, or it
 * could not be taken back (`RECEIPT_TAKEN`). Told with a receipt that no money has, it is money of its own: taken for a repeat,
 * it would be nobody's.
 */
function isUnheardOf(ctx: PaymentsContext, { result, receipt }: CallbackRecord, told: Told): boolean {
  if (receipt !== null || told.receipt === null || told.outcome === 'failure') return false
  const taken = ctx.state.reviews.get(['RECEIPT_TAKEN', told.transactionId])
  if (taken !== undefined) return taken.receipt !== told.receipt
  return result === 'SAME_RECEIPT' && !ctx.state.receipts.has(told.receipt)
}

/** An attempt and its booking. */
interface Push {
  readonly attemptId: string
  readonly bookingId: string
}

/** What is judged as if nothing had been told of it. */
interface New {
  readonly push: Push | undefined
  readonly told: Told
  readonly checkoutRequestId: string | null
  readonly other?: boolean
  readonly rest?: Partial<CallbackRecord>
}

function takeNew(ctx: PaymentsContext, action: string, { push, checkoutRequestId, ...what }: New): CallbackAnswer {
  if (push === undefined) return keepUnknown(ctx, action, { ...what, checkoutRequestId })
  return judgeNew(ctx, action, { ...push, ...what })
}

/** The same again. Money in suspense whose repeat names a push that was made waits no longer: it is judged now. */
function takeRepeat(
  ctx: PaymentsContext,
  action: string,
  { push, told, record }: { readonly push: Push | undefined; readonly told: Told; readonly record: CallbackRecord },
): CallbackAnswer {
  const { transactionId: key } = told
  const answer = repeat(ctx, action, { key, record }, told)
  const now = ctx.state.callbacks.get(key)
  if (push !== undefined && now?.result === 'UNKNOWN_ATTEMPT') {
    judgeKept(ctx, action, now, { ...push, told: toldBy(now, key) })
  }
  return answer
}

/** A second success with another amount or receipt: other money, which gets a record of its own and goes back. */
function takeOther(ctx: PaymentsContext, action: string, other: New & { readonly record: CallbackRecord }) {
  const { record, told, ...what } = other
  const { transactionId } = told
  const seen = findOther(ctx, transactionId, record, told)
  if (seen !== null) return repeat(ctx, action, seen, told)
  const number = nextOther(ctx, transactionId, record)
  ctx.state.callbacks.set(transactionId, { ...record, others: number - 1 })
  const moved = { ...told, transactionId: otherKey(transactionId, number), matched: record.matched }
  return takeNew(ctx, action, { ...what, told: moved, other: true, rest: { of: transactionId } })
}

/** The attempt that the provider speaks of and its booking; undefined when nobody made it, or not yet. */
function pushOf(ctx: PaymentsContext, { attemptId, checkoutRequestId }: Incoming): Push | undefined {
  if (attemptId === undefined) {
    return checkoutRequestId === undefined ? undefined : ctx.state.checkouts.get(checkoutRequestId)
  }
  const attempt = ctx.state.attempts.get(attemptId)
  if (attempt !== undefined) return { attemptId, bookingId: attempt.bookingId }
  // An id that nobody gave out hides no push that was started: its money would wait in suspense, and the payment time out.
  return checkoutRequestId === undefined ? undefined : ctx.state.checkouts.get(checkoutRequestId)
}

/** The attempt that the transaction was judged for. */
function known({ attemptId, bookingId }: CallbackRecord): Push | undefined {
  return attemptId === null || bookingId === null ? undefined : { attemptId, bookingId }
}

/** What came with an absurd amount told nothing: the first that is told otherwise counts. */
function howTold(record: CallbackRecord, now: Content): Repeat {
  const how = compareTold(record, now)
  return record.result === 'AMOUNT_ABSURD' && how !== 'same' ? 'moneyAfterFailure' : how
}

function toldOf(input: Incoming, transactionId: string): Told {
  const { outcome, amountMinor = null, resultCode, merchantRequestId = null } = input
  const receipt = input.receipt === undefined || input.receipt === '' ? null : input.receipt
  return { transactionId, outcome, amountMinor, resultCode, receipt, merchantRequestId, matched: false }
}

/** Refuses a contradiction; a record of the refusal stays. */
export function conflict(
  ctx: PaymentsContext,
  action: string,
  transactionId: string,
  bookingId: string | null,
): Refusal {
  const rejection = ctx.reject('IDEMPOTENCY_CONFLICT', { transactionId })
  return refused(ctx, rejection, { action, bookingId, entity: 'callback', ref: transactionId })
}
