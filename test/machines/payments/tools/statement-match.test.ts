import { describe, expect, test } from 'vitest'
import type { StatementLine } from '../../../../src/machines/payments/tools/statement.ts'
import {
  type Known,
  type KnownReceipt,
  type KnownRefund,
  type Reconciliation,
  reconcile,
} from '../../../../src/machines/payments/tools/statement-match.ts'

const line = (receipt: string, amountMinor: number, more: Partial<StatementLine> = {}): StatementLine => ({
  line: 2,
  receipt,
  direction: 'in',
  kind: 'payment',
  amountMinor,
  linked: null,
  completedAt: '',
  details: 'd',
  ...more,
})
const out = (receipt: string, amountMinor: number, linked: string | null = null): StatementLine =>
  line(receipt, amountMinor, { direction: 'out', linked })
const money = (receipt: string | null, amountMinor: number, transactionId = `tx-${receipt}`): KnownReceipt => ({
  transactionId,
  receipt,
  amountMinor,
  bookingId: 'bkg-1',
  result: 'APPLIED',
})
const refund = (receipt: string | null, amountMinor: number, more: Partial<KnownRefund> = {}): KnownRefund => ({
  id: 'ref-1',
  transactionId: `tx-${receipt}`,
  receipt,
  providerRef: null,
  amountMinor,
  status: 'SETTLED',
  ...more,
})
const compare = (lines: readonly StatementLine[], known: Partial<Known>): Reconciliation =>
  reconcile({ lines }, { receipts: [], refunds: [], ...known })
const whats = ({ differences }: Reconciliation): string[] =>
  differences.map(({ what, direction, receipt }) => `${what} ${direction} ${receipt}`)

describe('domain.md §3.14 a statement and what the cluster knows', () => {
  test('domain.md §3.14 equal sides have no difference, and their sums are told', () => {
    const result = compare([line('R1', 100), line('R2', 250), out('P1', 50), { ...out('R1', 3), kind: 'charge' }], {
      receipts: [money('R2', 250), money('R1', 100)],
      refunds: [refund('R1', 50, { providerRef: 'p1' }), refund('R2', 70, { id: 'ref-2', status: 'QUEUED' })],
    })
    expect(result).toEqual({
      received: {
        statement: { count: 2, minor: 350 },
        known: { count: 2, minor: 350 },
        matched: { count: 2, minor: 350 },
      },
      refunded: {
        statement: { count: 1, minor: 50 },
        known: { count: 1, minor: 50 },
        matched: { count: 1, minor: 50 },
      },
      charges: { count: 1, minor: 3 },
      transfers: { count: 0, minor: 0 },
      differences: [],
    })
  })

  test('domain.md §3.14 money on one side only is listed, with and without a receipt, and a cent too much is a difference', () => {
    const result = compare([line('R1', 100), line('R2', 101)], {
      receipts: [money('R2', 100), money('R3', 5), money(null, 7, 'tx-none')],
    })
    expect(whats(result)).toEqual([
      'notInMachine in R1',
      'otherAmount in R2',
      'notInStatement in R3',
      'notInStatement in null',
    ])
    expect(result.differences[1]).toMatchObject({ statementMinor: 101, knownMinor: 100, known: 'tx-R2', line: 2 })
    expect(result.differences[3]).toMatchObject({ known: 'tx-none', knownMinor: 7, statementMinor: null })
  })

  test('domain.md §3.14 one receipt that the cluster counts twice is one too many', () => {
    const receipts = [money('R1', 100, 'tx-1'), money('R1', 100, 'tx-2')]
    expect(compare([line('R1', 100)], { receipts }).differences).toMatchObject([
      { what: 'notInStatement', receipt: 'R1', known: 'tx-2', knownMinor: 100 },
    ])
  })

  test.each<[string, StatementLine]>([
    ['its own number', out('P9', 50)],
    ['the payment it undoes', out('X1', 50, 'R1')],
    ['the receipt of the payment itself', out('R1', 50)],
  ])('domain.md §3.14 a refund is found by %s', (_how, paid) => {
    const providerRef = paid.receipt === 'P9' ? 'P9' : null
    expect(compare([paid], { refunds: [refund('R1', 50, { providerRef })] }).differences).toEqual([])
  })

  test('domain.md §3.14 a refund whose payment got its receipt later is found by it', () => {
    const known = { receipts: [money('R1', 50, 'tx-1')], refunds: [refund(null, 50, { transactionId: 'tx-1' })] }
    expect(compare([line('R1', 50), out('X1', 50, 'R1')], known).differences).toEqual([])
  })

  test('domain.md §3.14 a refund that was paid and is not settled, one settled and not paid, and one nobody decided', () => {
    const result = compare([out('X1', 50, 'R1'), out('X2', 9, 'R9')], {
      refunds: [
        refund('R1', 50, { status: 'FAILED_MANUAL' }),
        refund('R2', 60, { id: 'ref-2' }),
        refund('R3', 60, { id: 'ref-3', status: 'AWAITING_APPROVAL' }),
      ],
    })
    expect(whats(result)).toEqual(['notSettled out X1', 'notInMachine out X2', 'notInStatement out R2'])
  })

  test('domain.md §3.14 two refunds of one payment are paired by amount', () => {
    const refunds = [refund('R1', 50), refund('R1', 20, { id: 'ref-2' })]
    expect(compare([out('X1', 20, 'R1'), out('X2', 50, 'R1')], { refunds }).differences).toEqual([])
    expect(whats(compare([out('X1', 20, 'R1'), out('X2', 20, 'R1')], { refunds }))).toEqual(['otherAmount out X2'])
  })
})
