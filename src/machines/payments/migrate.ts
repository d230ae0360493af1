import { queryPush } from './change/attempts.ts'
import { LEDGER_KEY } from './change/journal.ts'
import { renewTask } from './change/refunds.ts'
import { bringReceipt } from './change/repeats.ts'
import { normalReceipt } from './facts/fields.ts'
import type { PaymentsContext } from './facts/payments-schema.ts'
import type { CallbackRecord, Refund } from './facts/rows.ts'
import { addTotals, totalAt, totalPosition } from './facts/totals.ts'

/** A transaction's record as version 1 wrote it: what it told stands in `digest`. */
type RecordV1 = Pick<
  CallbackRecord,
  'bookingId' | 'attemptId' | 'result' | 'payment' | 'session' | 'at' | 'index' | 'response'
> & { readonly digest: string }

/** A callback that came too early, as version 1 kept it. */
interface WaitingV1 {
  readonly outcome: 'success' | 'failure'
  readonly receipt: string | null
}

/**
 * From version 1 to version 2: receipts in one form, records of transactions with what they told, money in suspense, and the
 * sums that its conservation is checked by. What version 1 did not keep stays unknown: the receipt of a failure or of a
 * success that named none, and that of unknown money without a CheckoutRequestID.
 */
export function* migrateFromV1(ctx: PaymentsContext): Generator<void, void> {
  const { receipts, again } = yield* migrateReceipts(ctx)
  const checkouts = yield* migrateWaiting(ctx, receipts, again)
  const suspense = yield* migrateCallbacks(ctx, receipts, checkouts)
  yield* migrateTotals(ctx, suspense)
  // Version 1 took a receipt in other letters, and one of a callback that came too early, for other money. It is the same,
  // as if its receipt were told only now: the one in suspense, or not yet sent back, is counted no more.
  for (const [transactionId, receipt] of again) {
    bringReceipt(ctx, 'migration', transactionId, receipt)
    yield
  }
  yield* migrateTasks(ctx)
}

/** Transaction → receipt, trimmed and upper-case. Of two that become one the first keeps it; `again`: the other. */
function* migrateReceipts(
  ctx: PaymentsContext,
): Generator<void, { receipts: Map<string, string>; again: Map<string, string> }> {
  const [receipts, again] = [new Map<string, string>(), new Map<string, string>()]
  const rows: (readonly [string, string])[] = []
  for (const row of ctx.state.receipts.each()) {
    rows.push(row)
    ctx.state.receipts.delete(row[0])
    yield
  }
  for (const [typed, transactionId] of rows) {
    yield
    const receipt = normalReceipt(typed)
    if (receipt === '') continue
    if (ctx.state.receipts.has(receipt)) {
      again.set(transactionId, receipt)
      continue
    }
    ctx.state.receipts.set(receipt, transactionId)
    receipts.set(transactionId, receipt)
  }
  return { receipts, again }
}

/** Transaction → CheckoutRequestID of callbacks that came too early; their receipts are added to the others. */
function* migrateWaiting(
  ctx: PaymentsContext,
  receipts: Map<string, string>,
  again: Map<string, string>,
): Generator<void, Map<string, string>> {
  const checkouts = new Map<string, string>()
  for (const [key, row] of ctx.state.waiting.each()) {
    yield
    const [checkoutRequestId, transactionId] = key
    const { outcome, receipt } = row as unknown as WaitingV1
    // A failure brings no money, whatever receipt it names.
    const normal = outcome === 'failure' || receipt === null ? '' : normalReceipt(receipt)
    ctx.state.waiting.set(key, null)
    checkouts.set(transactionId, checkoutRequestId)
    if (normal === '') continue
    if (ctx.state.receipts.has(normal)) {
      again.set(transactionId, normal)
      continue
    }
    ctx.state.receipts.set(normal, transactionId)
    receipts.set(transactionId, normal)
  }
  return checkouts
}

/** Rewrites the records; returns how much money is in suspense. */
function* migrateCallbacks(
  ctx: PaymentsContext,
  receipts: ReadonlyMap<string, string>,
  checkouts: ReadonlyMap<string, string>,
): Generator<void, { readonly count: number; readonly minor: number }> {
  let [count, minor] = [0, 0]
  for (const [transactionId, row] of ctx.state.callbacks.each()) {
    yield
    const { digest, ...kept } = row as unknown as RecordV1
    const [outcome, amount, resultCode = ''] = digest.split('|')
    const amountMinor = amount === '' ? null : Number(amount)
    const receipt = receipts.get(transactionId) ?? null
    const told = { amountMinor, resultCode, receipt, merchantRequestId: null } as const
    const record: CallbackRecord = {
      outcome: outcome === 'success' ? 'success' : 'failure',
      ...told,
      ...kept,
      failed: null,
      of: null,
      others: 0,
      // Version 1 kept what administrators vouched for under its receipt.
      matched: receipt === normalReceipt(transactionId),
    }
    ctx.state.callbacks.set(transactionId, record)
    if (record.outcome === 'failure' || record.result !== 'UNKNOWN_ATTEMPT') continue
    const checkoutRequestId = checkouts.get(transactionId) ?? null
    ctx.state.suspense.set(transactionId, { checkoutRequestId, amountMinor: amountMinor ?? 0, receipt, at: kept.at })
    count += 1
    minor += amountMinor ?? 0
  }
  return { count, minor }
}

/** Refunds get the receipt of their money; the new sums are what the old rows add up to. */
function* migrateTotals(
  ctx: PaymentsContext,
  suspense: { readonly count: number; readonly minor: number },
): Generator<void, void> {
  const ledger = ctx.state.ledger.get(LEDGER_KEY)
  if (ledger === undefined) return
  const [positions, deltas]: [number[], number[]] = [[], []]
  const add = (position: number, delta: number): void => {
    positions.push(position)
    deltas.push(delta)
  }
  const total = (family: 'captures', name: 'applied' | 'orphan' | 'applied.minor' | 'orphan.minor'): number =>
    totalAt(ledger.totals, totalPosition(family, name))
  const captured = total('captures', 'applied.minor') + total('captures', 'orphan.minor')
  add(totalPosition('money', 'received'), total('captures', 'applied') + total('captures', 'orphan') + suspense.count)
  add(totalPosition('money', 'received.minor'), captured + suspense.minor)
  add(totalPosition('money', 'kept.minor'), captured)
  add(totalPosition('money', 'suspense'), suspense.count)
  add(totalPosition('money', 'suspense.minor'), suspense.minor)
  for (const [id, row] of ctx.state.refunds.each()) {
    yield
    const { receipt: _none, ...refund }: Refund = row
    const receipt =
      refund.transactionId === null ? null : (ctx.state.callbacks.get(refund.transactionId)?.receipt ?? null)
    ctx.state.refunds.set(id, { ...refund, receipt })
    if (refund.transactionId !== null) ctx.state.refundOf.set(refund.transactionId, id)
    if (refund.providerRef !== null) ctx.state.payouts.set(normalReceipt(refund.providerRef), id)
    add(totalPosition('refundMinor', refund.status), refund.amountMinor)
    add(totalPosition('money', 'kept.minor'), -refund.amountMinor)
  }
  ctx.state.ledger.set(LEDGER_KEY, { ...ledger, totals: addTotals(ledger.totals, positions, deltas) })
}

/**
 * Open tasks of version 1 say less than a worker of version 2 is promised: the amount of a push that is asked about, the
 * receipt and the payer of a refund. They are made anew. A worker that has one hears STALE_TASK, and a refund that it paid has
 * the same idempotency key.
 */
function* migrateTasks(ctx: PaymentsContext): Generator<void, void> {
  for (const { taskId, ref } of ctx.openTasks('payment.query')) {
    yield
    const attempt = ctx.state.attempts.get(ref)
    const booking = attempt === undefined ? undefined : ctx.state.bookings.get(attempt.bookingId)
    if (attempt === undefined || booking === undefined) continue
    ctx.cancelTask(taskId)
    queryPush(ctx, attempt, booking.currency)
  }
  for (const { taskId, ref } of ctx.openTasks('payment.refund')) {
    yield
    const refund = ctx.state.refunds.get(ref)
    if (refund?.status === 'QUEUED') renewTask(ctx, refund, taskId)
  }
}
