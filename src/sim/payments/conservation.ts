import type { Value } from '../../codec/value/value.ts'
import type { KnownReceipt, KnownRefund, Totals } from '../../machines/index.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import { Violation } from '../checkers/violation.ts'

/** Rows in a page of the queries. */
const PAGE = 100

/** What a replica says of all money, to an administrator's session. */
export interface Books {
  readonly receipts: readonly KnownReceipt[]
  readonly refunds: readonly KnownRefund[]
  readonly suspense: readonly { readonly transactionId: string; readonly amountMinor: number }[]
  readonly totals: Totals
}

/** Asks a replica; null while it does not know the session yet. */
export function booksOf(machine: SessionStateMachine, session: number): Books | null {
  const ask = (query: string, input: Value): { readonly [name: string]: unknown } | null => {
    const answer = machine.query({ machine: 'payments', query, input, session })
    // The machine's answers, by its own schemas.
    return answer.kind === 'value' ? (answer.value as unknown as { readonly [name: string]: unknown }) : null
  }
  const totals = ask('totals', {})
  if (totals === null) return null
  const all = <Row>(query: string, field: string): Row[] => {
    const rows: Row[] = []
    for (let after: unknown = ''; typeof after === 'string'; ) {
      const page = ask(query, { after, limit: PAGE })
      if (page === null) throw new Violation('an administrator is answered', { query })
      rows.push(...(page[field] as Row[]))
      after = page['next']
    }
    return rows
  }
  return {
    receipts: all('receipts', 'receipts'),
    refunds: all('refunds', 'refunds'),
    suspense: all('suspense', 'money'),
    totals: totals as unknown as Totals,
  }
}

const APPLIED: readonly string[] = ['APPLIED', 'APPLIED_LATE']

/**
 * Conservation, to the cent and for each transaction by itself: received = kept (applied less its refunds) + owed + refunded +
 * in suspense. Nothing but money that was applied is kept, money in suspense has no refund, and no booking is paid for twice.
 * The machine's own sums must be those of its rows.
 */
export function checkConservation(index: number, { receipts, refunds, suspense, totals }: Books): void {
  const suspended = new Map(suspense.map(({ transactionId, amountMinor }) => [transactionId, amountMinor]))
  const sums = { receivedMinor: 0, keptMinor: 0, owedMinor: 0, refundedMinor: 0, suspenseMinor: 0 }
  const back = new Map<string, { owed: number; refunded: number }>()
  for (const { transactionId, amountMinor, status } of refunds) {
    const of = back.get(transactionId ?? '') ?? { owed: 0, refunded: 0 }
    if (status === 'SETTLED') of.refunded += amountMinor
    else of.owed += amountMinor
    back.set(transactionId ?? '', of)
  }
  const paidFor = new Set<string>()
  for (const { transactionId, amountMinor: received, result, bookingId } of receipts) {
    const { owed, refunded } = back.get(transactionId) ?? { owed: 0, refunded: 0 }
    back.delete(transactionId)
    const inSuspense = suspended.get(transactionId) ?? 0
    const kept = received - owed - refunded - inSuspense
    const facts = { index, transactionId, result, received, owed, refunded, inSuspense, kept }
    const applied = APPLIED.includes(result)
    const wanted = applied ? kept >= 0 && inSuspense === 0 : kept === 0
    if (!wanted) throw new Violation('the money of each transaction is kept, owed, refunded or in suspense', facts)
    if (applied && paidFor.has(bookingId ?? '')) throw new Violation('a booking is paid for once', facts)
    if (applied) paidFor.add(bookingId ?? '')
    sums.receivedMinor += received
    sums.keptMinor += kept
    sums.owedMinor += owed
    sums.refundedMinor += refunded
    sums.suspenseMinor += inSuspense
  }
  if (back.size > 0) throw new Violation('every refund is of money that came', { index, of: [...back.keys()] })
  for (const [name, minor] of Object.entries(sums)) {
    const counted = totals.money[name as keyof typeof sums]
    if (counted !== minor) throw new Violation('the totals are those of the rows', { index, name, counted, minor })
  }
}
