import { expect, test } from 'vitest'
import { owedText } from '../../../src/cli/payments/replay.ts'
import { paymentsNode, replayLines } from './payments-node.ts'

/** Two successes of one push with two receipts: the second goes back. */
function twice(checkout: string): string[] {
  return ['R1', 'R2'].map((receipt) => {
    const Item = [
      { Name: 'Amount', Value: 1500 },
      { Name: 'MpesaReceiptNumber', Value: `${checkout}-${receipt}` },
    ]
    const ids = { MerchantRequestID: `m-${checkout}`, CheckoutRequestID: checkout, ResultCode: 0, ResultDesc: 'x' }
    return JSON.stringify({ Body: { stkCallback: { ...ids, CallbackMetadata: { Item } } } })
  })
}

test.each([
  [false, { owedMinor: 150_000, refundedMinor: 0 }, 'the cluster owes 1,500.00 KES in refunds: 1 QUEUED'],
  [true, { owedMinor: 0, refundedMinor: 150_000 }, 'the cluster owes no refund'],
])('a replay that orphaned money says what is owed; asked to carry refunds out: %s', async (refunds, money, text) => {
  const backend = await paymentsNode()
  expect(await replayLines(backend, twice('co'), 'run', refunds)).toMatchObject({ applied: 1, orphaned: 1 })
  const totals = await backend.query('admin:a', 'payments', 'totals', {})
  expect(totals).toMatchObject({ kind: 'ok', value: { money: { ...money, balanced: true } } })
  expect(owedText(totals.kind === 'ok' ? totals.value : null)).toBe(text)
})
