import { normalReceipt } from '../facts/fields.ts'
import type { Statement, StatementLine } from './statement.ts'

/** Money that the machine knows of: one per receipt (query `receipts`). */
export interface KnownReceipt {
  readonly transactionId: string
  /** Null: the provider never gave one, so that no statement can name it. */
  readonly receipt: string | null
  readonly amountMinor: number
  readonly bookingId: string | null
  readonly result: string
}

/** Money that goes back (query `refunds`). */
export interface KnownRefund {
  readonly id: string
  /** The payment that it undoes, and its receipt where it was known when the refund was decided. */
  readonly transactionId: string | null
  readonly receipt: string | null
  /** The provider's number of the refund itself. */
  readonly providerRef: string | null
  readonly amountMinor: number
  readonly status: string
}

/** All that the machine knows. */
export interface Known {
  readonly receipts: readonly KnownReceipt[]
  readonly refunds: readonly KnownRefund[]
}

/** How many, and their amounts together in minor units. */
export interface Sum {
  readonly count: number
  readonly minor: number
}

/** Something that stands on one side only, or differently on the two. Amounts in minor units; null: not on that side. */
export interface Difference {
  readonly what: DifferenceKind
  readonly direction: 'in' | 'out'
  /** Line of the statement, from 1. */
  readonly line: number | null
  readonly receipt: string | null
  /** The machine's name: of a transaction, or of a refund. */
  readonly known: string | null
  readonly statementMinor: number | null
  readonly knownMinor: number | null
  /** What else helps to find it: the statement's words, or what the machine made of it. */
  readonly detail: string
}

/**
 * `notInMachine`: the statement tells of money that the machine does not know. `notInStatement`: the other way round.
 * `otherAmount`: both know it, with different amounts. `notSettled`: the provider has paid a refund back which the
 * machine does not take for paid.
 */
export type DifferenceKind = 'notInMachine' | 'notInStatement' | 'otherAmount' | 'notSettled'

/** What a statement and the machine agree on, and everything that they do not. */
export interface Reconciliation {
  readonly received: { readonly statement: Sum; readonly known: Sum; readonly matched: Sum }
  /** Refunds: on the machine's side those that are settled. */
  readonly refunded: { readonly statement: Sum; readonly known: Sum; readonly matched: Sum }
  /** What the provider took for itself, and what the organisation moved away, less what came back: on the statement alone. */
  readonly charges: Sum
  readonly transfers: Sum
  readonly differences: readonly Difference[]
}

/**
 * Matches the lines of a statement with the receipts and refunds of the machine, each at most once, and lists what is
 * missing on either side. Money that came is matched by receipt; money that left by the refund's own number, else by the
 * payment that it undoes.
 */
export function reconcile(statement: Pick<Statement, 'lines'>, known: Known): Reconciliation {
  const { lines } = statement
  const payments = lines.filter(({ kind }) => kind === 'payment' || kind === 'reversal')
  const came = matchReceipts(payments.filter(isIn), known.receipts)
  const left = matchRefunds(
    payments.filter((line) => !isIn(line)),
    withReceipts(known),
  )
  return {
    received: {
      statement: sumOf(payments.filter(isIn)),
      known: sumOf(known.receipts),
      matched: sumOf(came.matched),
    },
    refunded: {
      statement: sumOf(payments.filter((line) => !isIn(line))),
      known: sumOf(known.refunds.filter(isSettled)),
      matched: sumOf(left.matched),
    },
    charges: netOf(lines.filter(({ kind }) => kind === 'charge')),
    transfers: netOf(lines.filter(({ kind }) => kind === 'transfer')),
    differences: [...came.differences, ...left.differences],
  }
}

/** The refunds, each with the receipt that its payment has by now. */
function withReceipts({ receipts, refunds }: Known): readonly KnownRefund[] {
  const receiptOf = new Map(receipts.map(({ transactionId, receipt }) => [transactionId, receipt]))
  return refunds.map((refund) => ({
    ...refund,
    receipt: refund.receipt ?? receiptOf.get(refund.transactionId ?? '') ?? null,
  }))
}

interface Matches {
  readonly matched: readonly StatementLine[]
  readonly differences: readonly Difference[]
}

function matchReceipts(lines: readonly StatementLine[], receipts: readonly KnownReceipt[]): Matches {
  const open = new Set(receipts)
  // More than one money with one receipt is a fault of the machine: the others must show as missing on the statement.
  const byReceipt = groupsOf(receipts)
  const matched: StatementLine[] = []
  const differences: Difference[] = []
  for (const line of lines) {
    const named = byReceipt.get(line.receipt) ?? []
    const known = named.find(({ amountMinor }) => amountMinor === line.amountMinor) ?? named[0]
    if (known === undefined) {
      differences.push(onStatement(line))
      continue
    }
    open.delete(known)
    if (known.amountMinor === line.amountMinor) matched.push(line)
    else differences.push({ ...onStatement(line), what: 'otherAmount', ...receiptSide(known) })
  }
  return { matched, differences: [...differences, ...[...open].map(receiptAlone)] }
}

/** By receipt; those without one are left out. */
function groupsOf<Row extends { readonly receipt: string | null }>(rows: Iterable<Row>): ReadonlyMap<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    if (row.receipt === null) continue
    const group = groups.get(row.receipt)
    if (group === undefined) groups.set(row.receipt, [row])
    else group.push(row)
  }
  return groups
}

function matchRefunds(lines: readonly StatementLine[], refunds: readonly KnownRefund[]): Matches {
  const paid = refundsOfLines(lines, refunds)
  const matched: StatementLine[] = []
  const differences: Difference[] = []
  for (const line of lines) {
    const refund = paid.get(line)
    if (refund === undefined) {
      differences.push(onStatement(line))
      continue
    }
    const side = { known: refund.id, knownMinor: refund.amountMinor, detail: refund.status }
    if (refund.amountMinor !== line.amountMinor) {
      differences.push({ ...onStatement(line), what: 'otherAmount', ...side })
    } else if (isSettled(refund)) matched.push(line)
    else differences.push({ ...onStatement(line), what: 'notSettled', ...side })
  }
  const found = new Set(paid.values())
  const missing = refunds.filter((refund) => isSettled(refund) && !found.has(refund))
  return { matched, differences: [...differences, ...missing.map(refundAlone)] }
}

/** Which refund a line pays: first those that its own number names, then by the payment that is undone. */
function refundsOfLines(lines: readonly StatementLine[], refunds: readonly KnownRefund[]) {
  const paid = new Map<StatementLine, KnownRefund>()
  const open = new Set(refunds)
  const take = (line: StatementLine, refund: KnownRefund | undefined): void => {
    if (refund === undefined || !open.delete(refund)) return
    paid.set(line, refund)
  }
  const own = new Map(
    refunds.map((refund) => [refund.providerRef === null ? null : normalReceipt(refund.providerRef), refund]),
  )
  for (const line of lines) take(line, own.get(line.receipt))
  const undoing = groupsOf(open)
  for (const line of lines) {
    if (paid.has(line)) continue
    const left = (undoing.get(line.linked ?? line.receipt) ?? []).filter((refund) => open.has(refund))
    take(line, left.sort((a, b) => likeness(b, line) - likeness(a, line))[0])
  }
  return paid
}

/** Of several refunds of one payment, equal amounts count more than being settled. */
function likeness(refund: KnownRefund, line: StatementLine): number {
  return (refund.amountMinor === line.amountMinor ? 2 : 0) + (isSettled(refund) ? 1 : 0)
}

const isIn = ({ direction }: StatementLine): boolean => direction === 'in'
const isSettled = ({ status }: KnownRefund): boolean => status === 'SETTLED'

function onStatement({ direction, line, receipt, amountMinor, details }: StatementLine): Difference {
  const told = { direction, line, receipt, statementMinor: amountMinor, detail: details }
  return { what: 'notInMachine', known: null, knownMinor: null, ...told }
}

function receiptSide({ transactionId, amountMinor, result }: KnownReceipt) {
  return { known: transactionId, knownMinor: amountMinor, detail: result }
}

function receiptAlone(known: KnownReceipt): Difference {
  const { receipt } = known
  const nowhere = { line: null, statementMinor: null }
  return { what: 'notInStatement', direction: 'in', ...nowhere, receipt, ...receiptSide(known) }
}

function refundAlone({ id, receipt, providerRef, amountMinor, status }: KnownRefund): Difference {
  const nowhere = { line: null, statementMinor: null }
  const known = { known: id, knownMinor: amountMinor, detail: status }
  return { what: 'notInStatement', direction: 'out', ...nowhere, receipt: providerRef ?? receipt, ...known }
}

function sumOf(money: readonly { readonly amountMinor: number }[]): Sum {
  return { count: money.length, minor: money.reduce((sum, { amountMinor }) => sum + amountMinor, 0) }
}

/** What left less what came. */
function netOf(lines: readonly StatementLine[]): Sum {
  const minor = lines.reduce((sum, { direction, amountMinor }) => sum + (direction === 'out' ? 1 : -1) * amountMinor, 0)
  return { count: lines.length, minor }
}
