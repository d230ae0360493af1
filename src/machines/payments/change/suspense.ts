import type { PaymentsContext } from '../facts/payments-schema.ts'
import type { Journal } from './journal.ts'

/** Money of a push that nobody started (domain.md §3.5). It counts as received, and leaves when it is captured or refunded. */

/** What came, under the transaction that names it. */
export interface SuspendedMoney {
  readonly transactionId: string
  readonly checkoutRequestId: string | null
  readonly amountMinor: number
  readonly receipt: string | null
}

/** Keeps it, with its receipt. */
export function suspend(ctx: PaymentsContext, journal: Journal, money: SuspendedMoney): void {
  const { transactionId, checkoutRequestId, amountMinor, receipt } = money
  ctx.state.suspense.set(transactionId, { checkoutRequestId, amountMinor, receipt, at: ctx.now })
  if (receipt !== null) ctx.state.receipts.set(receipt, transactionId)
  count(journal, amountMinor, 1)
}

/** Takes it out again, where it is: whoever captures it counts it once more as received. */
export function release(ctx: PaymentsContext, journal: Journal, transactionId: string): void {
  const money = ctx.state.suspense.get(transactionId)
  if (money === undefined) return
  ctx.state.suspense.delete(transactionId)
  if (money.checkoutRequestId !== null) ctx.state.waiting.delete([money.checkoutRequestId, transactionId])
  count(journal, money.amountMinor, -1)
}

function count(journal: Journal, amountMinor: number, sign: 1 | -1): void {
  journal.count('money', 'suspense', sign)
  journal.count('money', 'suspense.minor', sign * amountMinor)
  journal.count('money', 'received', sign)
  journal.count('money', 'received.minor', sign * amountMinor)
}
