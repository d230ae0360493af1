import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { findBooking, workerOnly } from '../change/access.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { Change } from '../change/change.ts'
import { refused, refusedState } from '../change/refusals.ts'
import { Journal } from '../change/journal.ts'
import { WAITING_MAX } from '../../payments/facts/payment-bounds.ts'
import type { Attempt, CallbackRecord, CallbackResponse, CallbackResult } from '../facts/rows.ts'
import { callbackResponse } from '../facts/rows.ts'
import { id, minor, text } from '../../payments/facts/fields.ts'
import type { PaymentsContext, ProviderResult, Refusal } from '../facts/payments-schema.ts'
import { AMOUNT_MISSING, namesAmount, providerResult } from '../facts/payments-schema.ts'
import { settle, type Told } from '../change/settle.ts'

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
  .refine((input) => input.attemptId !== undefined || input.checkoutRequestId !== undefined, {
    path: ['attemptId'],
    error: 'attemptId or checkoutRequestId says which push this is',
  })

/** `duplicate` stands only in repeats; everything else is the first answer, unchanged. */
const callbackOutput = callbackResponse.extend({ duplicate: z.literal(true).optional() })

/** The first answer to a transaction; a repeat has `duplicate` besides. */
export type CallbackAnswer = CallbackResponse & { readonly duplicate?: true }

/** A worker tells what the provider said of a push: success or failure. */
export const paymentCallback = command(
  { input: callbackInput, output: callbackOutput },
  (ctx: PaymentsContext, input) => {
    const action = 'paymentCallback'
    const { transactionId, amountMinor } = input
    const stranger = workerOnly(ctx, action, transactionId)
    if (stranger !== null) return stranger
    const answer = takeResult(ctx, action, input)
    if (!(answer instanceof Contradiction)) return answer
    const { bookingId } = answer
    if (answer.losesMoney) ctx.alert('CALLBACK_CONFLICT', { transactionId, bookingId, amountMinor: amountMinor ?? 0 })
    return conflict(ctx, action, transactionId, bookingId)
  },
)

/** Where a provider's answer came from: what it names its attempt by. */
type Incoming = ProviderResult & {
  readonly attemptId?: string | undefined
  readonly checkoutRequestId?: string | undefined
}

/** The answer's transaction was told before, with another content: what was told first stands. */
export class Contradiction {
  readonly bookingId: string | null
  /** It speaks of money, and what was told first did not: nothing captures it or pays it back. */
  readonly losesMoney: boolean

  constructor(bookingId: string | null, losesMoney: boolean) {
    this.bookingId = bookingId
    this.losesMoney = losesMoney
  }
}

/** Takes one answer of the provider: as a callback, or as the result of `payment.query`. */
export function takeResult(ctx: PaymentsContext, action: string, input: Incoming): CallbackAnswer | Contradiction {
  const { transactionId, checkoutRequestId } = input
  const push = pushOf(ctx, input)
  const told = toldOf(input)
  const digest = digestOf(told, push?.attemptId ?? input.attemptId ?? `checkout:${checkoutRequestId ?? ''}`)
  const seen = ctx.state.callbacks.get(transactionId)
  if (seen !== undefined) {
    if (seen.digest !== digest) {
      return new Contradiction(seen.bookingId, speaksOfMoney(digest) && !speaksOfMoney(seen.digest))
    }
    return repeat(ctx, transactionId, seen)
  }
  if (push === undefined) return unknownAttempt(ctx, action, { told, digest, checkoutRequestId })
  return takeFirst(ctx, action, { bookingId: push.bookingId, attemptId: push.attemptId, told, digest })
}

/** A transaction that is new, and the attempt that it speaks of. */
interface First {
  readonly bookingId: string
  readonly attemptId: string
  readonly told: Told
}

/** A transaction that is new, of an attempt that is known. */
function takeFirst(ctx: PaymentsContext, action: string, first: First & { readonly digest: string }): CallbackAnswer {
  const { change, result, told: before } = judge(ctx, action, first)
  change.journal.count('callback', result, 1)
  change.commit()
  const { bookingId, attemptId, told, digest } = first
  const { payment, session } = change.booking
  const { now: at, index } = ctx
  const record = { digest, bookingId, attemptId, result, payment, session, at, index, response: before }
  ctx.state.callbacks.set(told.transactionId, record)
  return before === null ? { result, bookingId, attemptId, payment, session } : { ...before, duplicate: true }
}

/** What `judge` found out. The change is not committed yet. */
interface Judged {
  readonly change: Change
  readonly result: CallbackResult
  /** The answer that this money got under another transaction; null for money that is new. */
  readonly told: CallbackResponse | null
}

/**
 * Applies the table of domain.md §3.5, unless the receipt was captured under another transaction: then it is the same
 * money, told twice, and there is neither capture nor refund. The callback's own record stands last in its audit
 * group.
 */
function judge(ctx: PaymentsContext, action: string, first: First, reason: string | null = null): Judged {
  const { bookingId, attemptId, told } = first
  const booking = ctx.state.bookings.get(bookingId)
  if (booking === undefined) throw new Error(`attempt ${attemptId} has no booking ${bookingId}`)
  const change = new Change(ctx, action, booking)
  const before = captured(ctx, told)
  const result = before === null ? settle(change, attemptId, told) : 'SAME_RECEIPT'
  change.journal.note({ entity: 'callback', from: null, to: result, reason, ref: told.transactionId })
  return { change, result, told: before }
}

/** Nobody made such an attempt, or its `paymentStarted` is still on the way: kept, and told to the administrators. */
function unknownAttempt(
  ctx: PaymentsContext,
  action: string,
  { told, digest, checkoutRequestId }: { told: Told; digest: string; checkoutRequestId: string | undefined },
): CallbackAnswer {
  const { transactionId, outcome, amountMinor, receipt, resultCode } = told
  const response: CallbackResponse = {
    result: 'UNKNOWN_ATTEMPT',
    bookingId: null,
    attemptId: null,
    payment: null,
    session: null,
  }
  const { now: at, index } = ctx
  ctx.state.callbacks.set(transactionId, { digest, ...response, at, index, response: null })
  if (checkoutRequestId !== undefined) {
    ctx.state.waiting.set([checkoutRequestId, transactionId], { outcome, amountMinor, receipt, resultCode })
  }
  ctx.alert('UNKNOWN_ATTEMPT', { transactionId })
  const journal = new Journal(ctx, action, null)
  journal.note({ entity: 'callback', from: null, to: 'UNKNOWN_ATTEMPT', ref: transactionId })
  journal.count('callback', 'UNKNOWN_ATTEMPT', 1)
  journal.endGroup(0)
  return response
}

/** The answer to whoever captured this receipt under another transaction, or null when nobody did. */
function captured(ctx: PaymentsContext, { receipt, outcome, transactionId }: Told): CallbackResponse | null {
  if (receipt === null || outcome === 'failure') return null
  const owner = ctx.state.receipts.get(receipt)
  if (owner === undefined || owner === transactionId) return null
  const record = ctx.state.callbacks.get(owner)
  return record === undefined ? null : responseOf(record)
}

/**
 * `paymentStarted` has named a push: callbacks that overtook it are judged now. The answer that was given stays what
 * repeats get; the record's result and digest become what they would have been.
 */
export function judgeWaiting(ctx: PaymentsContext, attempt: Attempt, checkoutRequestId: string): void {
  for (const [key, early] of ctx.state.waiting.range({ prefix: [checkoutRequestId], limit: WAITING_MAX })) {
    const [, transactionId] = key
    const record = ctx.state.callbacks.get(transactionId)
    ctx.state.waiting.delete(key)
    if (record?.result !== 'UNKNOWN_ATTEMPT') continue
    const told = { ...early, transactionId }
    const { bookingId, id: attemptId } = attempt
    const { change, result } = judge(ctx, 'paymentStarted', { bookingId, attemptId, told })
    change.journal.count('callback', 'UNKNOWN_ATTEMPT', -1)
    change.journal.count('callback', result, 1)
    change.commit()
    const judged = { digest: digestOf(told, attemptId), bookingId, attemptId, result, response: responseOf(record) }
    ctx.state.callbacks.set(transactionId, { ...record, ...judged })
  }
}

/** An administrator vouches for money that was seen elsewhere: a success whose receipt is the transaction. */
export const verifyPaymentManually = command(
  { input: z.object({ id, transactionId: id, amountMinor: minor, note: text }), output: callbackOutput },
  (ctx: PaymentsContext, input) => {
    const action = 'verifyPaymentManually'
    const found = findBooking(ctx, { action, id: input.id, roles: ['admin'] })
    if (isRejection(found)) return found
    const { booking } = found
    const { transactionId, amountMinor, note } = input
    const told = { transactionId, outcome: 'success', amountMinor, receipt: transactionId, resultCode: '0' } as const
    const known = ctx.state.callbacks.get(ctx.state.receipts.get(transactionId) ?? transactionId)
    if (known !== undefined) {
      const same = known.bookingId === booking.id && known.digest.startsWith(digestOf(told, ''))
      return same ? repeat(ctx, transactionId, known) : conflict(ctx, action, transactionId, booking.id)
    }
    if (booking.session !== 'payment_pending') return refusedState(ctx, booking, action, 'paid')
    const { id: bookingId, attemptId } = booking
    if (attemptId === null) throw new Error(`${bookingId} awaits a payment without an attempt`)
    const { change, result } = judge(ctx, action, { bookingId, attemptId, told }, note)
    change.journal.count('callback', result, 1)
    change.commit()
    const { payment, session } = change.booking
    const response: CallbackResponse = { result, bookingId, attemptId, payment, session }
    const digest = digestOf(told, attemptId)
    const { now: at, index } = ctx
    ctx.state.callbacks.set(transactionId, { digest, ...response, at, index, response: null })
    return response
  },
)

/** The attempt that the provider speaks of and its booking; undefined when nobody made it, or not yet. */
function pushOf(ctx: PaymentsContext, { attemptId, checkoutRequestId }: Incoming) {
  if (attemptId === undefined) {
    return checkoutRequestId === undefined ? undefined : ctx.state.checkouts.get(checkoutRequestId)
  }
  const attempt = ctx.state.attempts.get(attemptId)
  return attempt === undefined ? undefined : { attemptId, bookingId: attempt.bookingId }
}

function toldOf(input: ProviderResult): Told {
  const { transactionId, outcome, amountMinor = null, receipt = null, resultCode } = input
  return { transactionId, outcome, amountMinor, receipt, resultCode }
}

/** What a repeat must agree with (domain.md §3.5). The attempt stands last: manual verification compares all but it. */
function digestOf({ outcome, amountMinor, resultCode }: Told, attempt: string): string {
  return `${outcome}|${amountMinor ?? ''}|${resultCode}|${attempt}`
}

/** Is this the digest of a success of more than nothing? */
function speaksOfMoney(digest: string): boolean {
  const [told, amountMinor] = digest.split('|')
  return told === 'success' && Number(amountMinor) > 0
}

function repeat(ctx: PaymentsContext, key: string, record: CallbackRecord): CallbackAnswer {
  ctx.log('duplicate', { key, firstIndex: record.index })
  return { ...responseOf(record), duplicate: true }
}

/** The first answer to a transaction, which repeats get as well. */
function responseOf({ result, bookingId, attemptId, payment, session, response }: CallbackRecord): CallbackResponse {
  return response ?? { result, bookingId, attemptId, payment, session }
}

function conflict(ctx: PaymentsContext, action: string, transactionId: string, bookingId: string | null): Refusal {
  const rejection = ctx.reject('IDEMPOTENCY_CONFLICT', { transactionId })
  return refused(ctx, rejection, { action, bookingId, entity: 'callback', ref: transactionId })
}
