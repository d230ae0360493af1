import { expect, test } from 'vitest'
import type { Backend, BackendSession } from '../../../src/cli/payments/backend.ts'
import { knownOf } from '../../../src/cli/payments/reconcile.ts'
import { generateCallbacks } from '../../../src/machines/payments/tools/generate-callbacks.ts'
import { parseStkCallback } from '../../../src/machines/payments/tools/mpesa.ts'
import { readStatement } from '../../../src/machines/payments/tools/statement.ts'
import { reconcile } from '../../../src/machines/payments/tools/statement-match.ts'
import { paymentsNode, replayLines } from './payments-node.ts'

const HEADER = 'Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Linked Transaction ID'

/** What the provider's own books say of a file of callbacks: every receipt once. */
function statementOf(lines: readonly string[]): Map<string, number> {
  const paid = new Map<string, number>()
  for (const line of lines) {
    const parsed = parseStkCallback(line)
    if (!parsed.ok || parsed.callback.outcome === 'failure') continue
    paid.set(parsed.callback.receipt ?? '', parsed.callback.amountMinor ?? 0)
  }
  return paid
}

function csv(paid: ReadonlyMap<string, number>, more: readonly string[] = []): string {
  const rows = [...paid].map(([receipt, minor]) => {
    const amount = `"${Math.floor(minor / 100).toLocaleString('en-US')}.${String(minor % 100).padStart(2, '0')}"`
    return `${receipt},01-10-2026 10:15:12,Pay Bill,Completed,${amount},,`
  })
  return [HEADER, ...rows, ...more].join('\n')
}

test('domain.md §3.14 a node that took every callback agrees with the statement to the cent, over several pages', async () => {
  const backend = await paymentsNode()
  const lines = [...generateCallbacks({ count: 150, seed: 4 })]
  await replayLines(backend, lines)
  const paid = statementOf(lines)
  const known = await knownOf(backend, {})
  expect(known.receipts.length).toBeGreaterThan(100)
  const statement = readStatement(csv(paid))
  const result = reconcile(statement, known)
  expect(result.differences).toEqual([])
  const minor = [...paid.values()].reduce((sum, amount) => sum + amount, 0)
  const sum = { count: paid.size, minor }
  expect(result.received).toEqual({ statement: sum, known: sum, matched: sum })

  // A cent, a receipt the node was never told of, one that the statement lacks, and a refund that nobody decided.
  const [first = '', second = ''] = paid.keys()
  const wrong = new Map(paid)
  wrong.set(first, (wrong.get(first) ?? 0) + 1)
  wrong.delete(second)
  wrong.set('LOST1', 100)
  const out = `X1,01-10-2026 10:15:12,Reversal,Completed,,1.00,${first}`
  const { differences } = reconcile(readStatement(csv(wrong, [out])), known)
  expect(differences.map(({ what, direction, receipt }) => [what, direction, receipt])).toEqual([
    ['otherAmount', 'in', first],
    ['notInMachine', 'in', 'LOST1'],
    ['notInStatement', 'in', second],
    ['notInMachine', 'out', 'X1'],
  ])
  expect((await knownOf(backend, { until: 0 })).receipts).toEqual([])
})

test('domain.md §3.14 money that went back stands on both sides, and what waits for a person on the statement alone', async () => {
  const backend = await paymentsNode()
  const { worker, refunded } = await payingWorker(backend)
  await booked(backend)
  // One applied, one that comes under the same push and is orphaned, and one of a push that nobody started.
  for (const [transactionId, amountMinor, receipt] of [
    ['co-1', 150_000, 'R1'],
    ['co-1', 70_000, 'R2'],
    ['co-2', 6_000_000, 'R3'],
  ] as const) {
    const told = { outcome: 'success', amountMinor, receipt, resultCode: '0', resultDesc: '' }
    const callback = { transactionId, checkoutRequestId: transactionId, ...told }
    expect(await worker.command('payments', 'paymentCallback', callback)).toMatchObject({ kind: 'ok' })
  }
  await refunded
  const known = await knownOf(backend, {})
  const paid = new Map([
    ['R1', 150_000],
    ['R2', 70_000],
    ['R3', 6_000_000],
  ])
  const back = 'P-R2,01-10-2026 10:20:00,Business Payment,Completed,,"700.00",'
  expect(reconcile(readStatement(csv(paid, [back])), known)).toMatchObject({
    differences: [],
    received: { matched: { count: 3, minor: 6_220_000 } },
    refunded: { matched: { count: 1, minor: 70_000 } },
  })
  expect(reconcile(readStatement(csv(paid)), known).differences).toMatchObject([
    { what: 'notInStatement', direction: 'out', receipt: 'p-r2', knownMinor: 70_000 },
  ])
})

test('domain.md §3.14 receipts and refunds are for administrators', async () => {
  const backend = await paymentsNode()
  for (const query of ['receipts', 'refunds']) {
    expect(await backend.query('user:anna', 'payments', query, {})).toMatchObject({
      kind: 'rejected',
      code: 'FORBIDDEN',
    })
  }
})

/** A worker that starts every push as `co-1` and pays every refund as `p-r2`. */
async function payingWorker(backend: Backend): Promise<{ worker: BackendSession; refunded: Promise<void> }> {
  const results = {
    'payment.stk_push': { checkoutRequestId: 'co-1', merchantRequestId: 'm' },
    'payment.refund': { providerRef: 'p-r2' },
  }
  let resolve = (): void => undefined
  let reject = (_error: unknown): void => undefined
  const refunded = new Promise<void>((done, failed) => {
    resolve = done
    reject = failed
  })
  const session: Promise<BackendSession> = backend.open({
    principal: 'worker:payments',
    roles: ['payments'],
    onTask: ({ taskId, kind, attempt }) => {
      const result = results[kind as keyof typeof results]
      session
        .then((opened) => opened.command('task', 'complete', { taskId, attempt, result }))
        .then(() => (kind === 'payment.refund' ? resolve() : undefined))
        .catch(reject)
    },
  })
  return { worker: await session, refunded }
}

/** A booking that awaits 1,500 shillings; its push is started by whichever worker there is. */
async function booked(backend: Backend): Promise<void> {
  const client = await backend.open({ principal: 'user:client', roles: [] })
  const therapist = await backend.open({ principal: 'user:therapist', roles: [] })
  const terms = {
    therapistId: 'user:therapist',
    startsAt: Date.now() + 7 * 86_400_000,
    durationMin: 60,
    currency: 'KES',
  }
  expect(await client.command('payments', 'requestBooking', { ...terms, priceMinor: 150_000 })).toMatchObject({
    kind: 'ok',
  })
  expect(await therapist.command('payments', 'approve', { id: 'bkg-1', expectPriceMinor: 150_000 })).toMatchObject({
    kind: 'ok',
  })
  expect(await client.command('payments', 'initiatePayment', { id: 'bkg-1', phone: '254700000001' })).toMatchObject({
    kind: 'ok',
  })
}
