import {
  type Difference,
  type KnownReceipt,
  type KnownRefund,
  MPESA_STATEMENT,
  type Reconciliation,
  readStatement,
  reconcile,
  type Statement,
  type StatementColumns,
  type Sum,
  statementColumns,
} from '../../machines/payments/index.ts'
import { CommandError, EXIT, type ExitCode } from '../terminal/exit.ts'
import { print, printJson, say, table } from '../terminal/output.ts'
import type { Backend } from './backend.ts'
import { connectBackend } from './client-backend.ts'
import { field } from './outcome.ts'
import { textOf } from './read-lines.ts'

/** Options of `holdfast payments reconcile`. */
export interface ReconcileFlags {
  /** `-` for stdin. */
  readonly file: string
  readonly endpoints: readonly string[]
  /** A mapping file; absent: the columns of M-PESA. */
  readonly columns?: string
  /** Which of the cluster's receipts and refunds count, by when it was told of them: `[since, until)`, ms since 1970. */
  readonly since?: number
  readonly until?: number
  readonly json: boolean
}

/** Who asks: `receipts` and `refunds` are for administrators. */
const ASKER = 'admin:reconcile'
/** Faults that are told one by one. */
const FAULTS_MAX = 20

/**
 * `holdfast payments reconcile`: ends with 4 when something stands on one side only, or differently on both; with 1 when the
 * statement cannot be read, which is then not compared at all.
 */
export async function reconcileStatement(flags: ReconcileFlags): Promise<ExitCode> {
  const columns = await columnsOf(flags.columns)
  const statement = readable(readStatement(await textOf(flags.file), columns), flags.file)
  const backend = await connectBackend(flags.endpoints)
  try {
    const result = reconcile(statement, await knownOf(backend, flags))
    const { duplicates, ignored } = statement
    if (flags.json) printJson({ ...result, duplicates, ignored })
    else printReconciliation(result, statement)
    return result.differences.length === 0 ? EXIT.ok : EXIT.refused
  } finally {
    await backend.close()
  }
}

async function columnsOf(file: string | undefined): Promise<StatementColumns> {
  if (file === undefined) return MPESA_STATEMENT
  const cure = 'The names of its fields are in docs/cli.md; a field that is left out is as for M-PESA.'
  const bad = (reason: string): CommandError => new CommandError(EXIT.usage, `${file}: ${reason}`, cure)
  const text = await textOf(file)
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error))
  }
  const parsed = statementColumns.partial().safeParse(json)
  if (parsed.success) return Object.assign({}, MPESA_STATEMENT, parsed.data)
  const [issue] = parsed.error.issues
  throw bad(`${issue?.path.join('.') || 'the mapping'}: ${issue?.message ?? 'cannot be used'}`)
}

function readable(statement: Statement, file: string): Statement {
  const { faults } = statement
  if (faults.length === 0) return statement
  for (const { line, column, reason } of faults.slice(0, FAULTS_MAX)) say(`${file}:${line}:${column}: ${reason}`)
  const rest = faults.length > FAULTS_MAX ? `, ${faults.length - FAULTS_MAX} of them not shown` : ''
  const message = `${file} has ${faults.length} places that cannot be read${rest}; nothing was compared`
  throw new CommandError(EXIT.failure, message, 'Correct them, or name the columns with --columns.')
}

/** Everything that the cluster knows of money, as of now. */
export async function knownOf(
  backend: Backend,
  { since = 0, until = Number.POSITIVE_INFINITY }: Partial<ReconcileFlags>,
) {
  const counts = (row: unknown): boolean => {
    const at = Number(field(row, 'at'))
    return at >= since && at < until
  }
  // What the two queries answer, by their schemas.
  const receipts = (await allOf(backend, 'receipts')).filter(counts) as KnownReceipt[]
  const refunds = (await allOf(backend, 'refunds')).filter(counts) as KnownRefund[]
  return { receipts, refunds }
}

async function allOf(backend: Backend, query: 'receipts' | 'refunds'): Promise<readonly unknown[]> {
  const rows: unknown[] = []
  let after: unknown = ''
  while (typeof after === 'string') {
    const outcome = await backend.query(ASKER, 'payments', query, { after })
    if (outcome.kind !== 'ok') throw unanswered(query, outcome.code)
    const page = field(outcome.value, query)
    if (Array.isArray(page)) rows.push(...page)
    after = field(outcome.value, 'next')
  }
  return rows
}

function unanswered(query: string, code: string): CommandError {
  const cure = `holdfast explain ${code} says why; machine list shows whether every node runs version 2 of payments.`
  return new CommandError(EXIT.cannotConnect, `the cluster did not answer the query ${query}`, cure, code)
}

function printReconciliation(result: Reconciliation, { duplicates, ignored }: Statement): void {
  const { received, refunded, charges, transfers, differences } = result
  const row = (name: string, sums: Reconciliation['received']): string[] => [
    name,
    sumText(sums.statement),
    sumText(sums.known),
    sumText(sums.matched),
  ]
  print(table([['', 'statement', 'cluster', 'matched'], row('received', received), row('refunded', refunded)]))
  print(`charges ${sumText(charges)}, own transfers ${sumText(transfers)}`)
  print(`${duplicates} repeated lines, ${ignored} not completed or without money`)
  if (differences.length === 0) return print('nothing is missing on either side')
  const header = ['difference', 'in/out', 'line', 'receipt', 'statement', 'cluster', 'known as', 'detail']
  print(table([header, ...differences.map(differenceRow)]))
}

const WORDS: { readonly [what in Difference['what']]: string } = {
  notInMachine: 'not in the cluster',
  notInStatement: 'not in the statement',
  otherAmount: 'another amount',
  notSettled: 'paid back, not settled',
}

function differenceRow(difference: Difference): string[] {
  const { what, direction, line, receipt, known, statementMinor, knownMinor, detail } = difference
  const money = [statementMinor, knownMinor].map((minor) => (minor === null ? '-' : shillings(minor)))
  return [WORDS[what], direction, String(line ?? '-'), receipt ?? '-', ...money, known ?? '-', detail]
}

function sumText({ count, minor }: Sum): string {
  return `${shillings(minor)} (${count})`
}

/** Minor units as a statement writes them: `1,500.00`. */
function shillings(minor: number): string {
  const cents = String(Math.abs(minor) % 100).padStart(2, '0')
  return `${minor < 0 ? '-' : ''}${Math.floor(Math.abs(minor) / 100).toLocaleString('en-US')}.${cents}`
}
