import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { linesOf } from '../../../src/cli/payments/read-lines.ts'
import type { ReplayTotals } from '../../../src/cli/payments/replay-totals.ts'
import { temporaryDirectory } from '../../../src/storage/disk/temporary-directory.ts'
import { paymentsNode, replayLines } from './payments-node.ts'

const FOLDER = join(import.meta.dirname, '../../machines/payments/mpesa')

/** One body, as a provider sends it; a failure when there is no amount. */
function body(checkout: string, code: number, money?: { amount: number | string; receipt: string }): string {
  const ids = { MerchantRequestID: `m-${checkout}`, CheckoutRequestID: checkout, ResultCode: code, ResultDesc: 'x' }
  if (money === undefined) return JSON.stringify({ Body: { stkCallback: ids } })
  const Item = [
    { Name: 'Amount', Value: money.amount },
    { Name: 'MpesaReceiptNumber', Value: money.receipt },
  ]
  return JSON.stringify({ Body: { stkCallback: { ...ids, CallbackMetadata: { Item } } } })
}

const success = (checkout: string, receipt: string, amount: number | string = 1500): string =>
  body(checkout, 0, { amount, receipt })

interface Case {
  readonly name: string
  /** A file of the folder beside the machine's tests, or the lines themselves. */
  readonly from: string | readonly string[]
  readonly counted: Partial<ReplayTotals>
  /** In minor units. */
  readonly captured: { readonly applied: number; readonly orphan: number; readonly suspense?: number }
}

const CASES: readonly Case[] = [
  {
    name: 'a2: two customers, two bookings, both paid',
    from: 'seq-a2-two-customers-uuid-merchant-id-hex-tail.jsonl',
    counted: { received: 2, applied: 2, bookings: 2, confirmed: 2 },
    captured: { applied: 300_000, orphan: 0 },
  },
  {
    name: 'c: a failure told first, then the success of the same checkout: the money is applied',
    from: 'seq-c-failure-then-success-same-checkout.jsonl',
    counted: { received: 2, applied: 2, bookings: 1, confirmed: 1, rejected: {} },
    captured: { applied: 150_000, orphan: 0 },
  },
  {
    name: 'd: one capture; the second line, under another MerchantRequestID, is a duplicate',
    from: 'seq-d-same-checkout-other-merchant-id.jsonl',
    counted: { received: 2, applied: 1, replayed: 1, bookings: 1, confirmed: 1 },
    captured: { applied: 150_000, orphan: 0 },
  },
  {
    name: 'h: 1500 and 1500.00 are one amount',
    from: 'seq-h-amount-1500-then-1500.00.jsonl',
    counted: { received: 2, applied: 1, replayed: 1, bookings: 1, confirmed: 1 },
    captured: { applied: 150_000, orphan: 0 },
  },
  {
    name: 'i: the success stands; the later failure of the same checkout is refused',
    from: 'seq-i-success-then-failure.jsonl',
    counted: { received: 2, applied: 1, rejected: { IDEMPOTENCY_CONFLICT: 1 }, bookings: 1, confirmed: 1 },
    captured: { applied: 150_000, orphan: 0 },
  },
  {
    name: 'a second success of one checkout with another receipt is other money, and orphaned',
    from: [success('co-1', 'R1'), success('co-1', 'R2')],
    counted: { received: 2, applied: 1, orphaned: 1, suspense: 0, confirmed: 1 },
    captured: { applied: 150_000, orphan: 150_000 },
  },
  {
    name: 'one receipt under two checkouts is one money',
    from: [success('co-1', 'R1'), success('co-2', 'R1')],
    counted: { received: 2, applied: 1, replayed: 1, bookings: 2 },
    captured: { applied: 150_000, orphan: 0 },
  },
  {
    name: 'a second push of a booking that is paid already was never started: its money is in suspense, its failure unknown',
    from: [success('co-1', 'R1'), success('co-2', 'R2'), body('co-3', 1032)].map((line) =>
      line.replace(/m-co-\d/, 'm-1'),
    ),
    counted: { received: 3, applied: 1, suspense: 1, unknown: 1, orphaned: 0, bookings: 1, attempts: 1 },
    captured: { applied: 150_000, orphan: 0, suspense: 150_000 },
  },
  {
    name: 'a payment with cents is another amount than the price in whole shillings',
    from: [success('co-1', 'R1', '1500.50')],
    counted: { received: 1, applied: 0, rejected: { REJECTED_AMOUNT: 1 }, failed: 1 },
    captured: { applied: 0, orphan: 150_050 },
  },
  {
    name: 'a byte-order mark, several bodies on a line, and one that is torn',
    from: [`\uFEFF${success('co-1', 'R1')}${success('co-2', 'R2')}`, `${success('co-3', 'R3')},{"Body":{"stk`],
    counted: { received: 4, applied: 3, malformed: 1, bookings: 3, confirmed: 3 },
    captured: { applied: 450_000, orphan: 0 },
  },
]

test.each(CASES)(
  'domain.md §3.13 a replay of a sequence ends as it must: $name',
  async ({ from, counted, captured }) => {
    const backend = await paymentsNode()
    const lines = typeof from === 'string' ? await linesOf(join(FOLDER, from)) : from
    const totals = await replayLines(backend, lines)
    expect(totals).toMatchObject(counted)
    expect(sumOf(totals)).toBe(totals.received)
    const { applied, orphan, suspense = 0 } = captured
    expect(await backend.query('admin:test', 'payments', 'totals', {})).toMatchObject({
      kind: 'ok',
      value: {
        captures: { applied: { minor: applied }, orphan: { minor: orphan } },
        suspense: { minor: suspense },
        money: { balanced: true, receivedMinor: applied + orphan + suspense },
      },
    })
  },
)

function sumOf({ applied, replayed, ignored, orphaned, suspense, unknown, malformed, rejected }: ReplayTotals): number {
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  return applied + replayed + ignored + orphaned + suspense + unknown + malformed + refused
}

test('domain.md §3.13 lines end at line feeds alone: separators inside a description end none', async () => {
  const directory = await temporaryDirectory()
  onTestFinished(directory.remove)
  const file = join(directory.path, 'callbacks')
  await writeFile(file, 'one\u2028still one\r\n\r\ntwo \u2029\rtwo\nthree')
  expect(await linesOf(file)).toEqual(['one\u2028still one', '', 'two \u2029\rtwo', 'three'])
  await expect(linesOf(join(directory.path, 'none'))).rejects.toMatchObject({ exitCode: 1 })
})
