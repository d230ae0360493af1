import { normalReceipt } from '../facts/fields.ts'
import { MONEY_MINOR_MAX, RECEIVED_MINOR_MAX } from '../facts/payment-bounds.ts'
import { amountMinorOf } from './mpesa.ts'
import { type CsvCell, csvRows, type StatementFault } from './statement-csv.ts'
import { MPESA_STATEMENT, type StatementColumns } from './statement-columns.ts'

/** One movement of money that a provider's statement tells of. */
export interface StatementLine {
  /** Where it begins in the file, from 1. */
  readonly line: number
  /** Trimmed, in upper case, as the machine keeps receipts. */
  readonly receipt: string
  readonly direction: 'in' | 'out'
  readonly kind: 'payment' | 'charge' | 'reversal' | 'transfer'
  /** More than 0. */
  readonly amountMinor: number
  /** In a reversal: the receipt of the payment that it undoes, where the statement says so. */
  readonly linked: string | null
  /** As the statement writes it; empty when there is no such column. */
  readonly completedAt: string
  readonly details: string
}

/** A statement as it was read; nothing of it counts when there is a fault. */
export interface Statement {
  readonly lines: readonly StatementLine[]
  /** Lines that say the same as an earlier one, as where two exports overlap: taken once. */
  readonly duplicates: number
  /** Lines that are not completed, or move no money. */
  readonly ignored: number
  readonly faults: readonly StatementFault[]
}

/**
 * Reads a statement. What stands before the row that names the columns, such as the organisation's name and the period, is
 * passed over. Amounts are exact to the cent; whatever cannot be read is a fault with line and column, and never guessed.
 */
export function readStatement(text: string, columns: StatementColumns = MPESA_STATEMENT): Statement {
  const read = csvRows(text, columns.delimiter)
  if (!read.ok) return refused([read.fault])
  const at = read.rows.findIndex((row) => isHeader(row, columns))
  const header = read.rows[at]
  if (header === undefined) {
    const wanted = [...columns.receipt.slice(0, 1), ...columns.paidIn.slice(0, 1), ...columns.amount.slice(0, 1)]
    return refused([{ line: 1, column: 1, reason: `no row names the columns ${wanted.join(', ')}` }])
  }
  const rows = new Rows(header, columns)
  for (const row of read.rows.slice(at + 1)) rows.take(row)
  return rows.statement()
}

function refused(faults: readonly StatementFault[]): Statement {
  return { lines: [], duplicates: 0, ignored: 0, faults }
}

function isHeader(row: readonly CsvCell[], columns: StatementColumns): boolean {
  const money = [columns.paidIn, columns.withdrawn, columns.amount].some((names) => positionOf(row, names) >= 0)
  return money && positionOf(row, columns.receipt) >= 0
}

/** Position of the first name that the header has; -1 when it has none. */
function positionOf(header: readonly CsvCell[], names: readonly string[]): number {
  const keys = header.map(({ text }) => keyOf(text))
  return names.map((name) => keys.indexOf(keyOf(name))).find((position) => position >= 0) ?? -1
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

/** A column's name in the mapping that is one cell of a row. */
type Column = 'receipt' | 'paidIn' | 'withdrawn' | 'amount' | 'completedAt' | 'details' | 'status' | 'kind' | 'linked'

class Rows {
  private readonly columns: StatementColumns
  private readonly header: readonly CsvCell[]
  private readonly lines: StatementLine[] = []
  private readonly faults: StatementFault[] = []
  /** By direction and receipt, and whether it is a charge: a charge may share its payment's receipt. */
  private readonly seen = new Map<string, StatementLine>()
  /** Sums of the lines taken, in minor units. */
  private readonly moved = { in: 0, out: 0 }
  private duplicates = 0
  private ignored = 0

  constructor(header: readonly CsvCell[], columns: StatementColumns) {
    this.header = header
    this.columns = columns
  }

  statement(): Statement {
    const { lines, duplicates, ignored, faults } = this
    return { lines: faults.length === 0 ? lines : [], duplicates, ignored, faults }
  }

  take(row: readonly CsvCell[]): void {
    const status = this.cell(row, 'status')
    const money = this.money(row)
    if (money === null) return
    if (money.amountMinor === 0 || (status !== null && !has(this.columns.completed, status.text))) {
      this.ignored += 1
      return
    }
    const receipt = this.cell(row, 'receipt')
    const number = normalReceipt(receipt?.text ?? '')
    if (receipt === null || !/^[A-Z0-9._-]{1,128}$/.test(number)) {
      this.fault(receipt ?? row[0], number === '' ? 'a line with money has no receipt number' : 'is no receipt number')
      return
    }
    const line = { line: row[0]?.line ?? 0, receipt: number, ...money, ...this.told(row, money.direction, number) }
    this.add(line, receipt)
  }

  private add(line: StatementLine, cell: CsvCell): void {
    const key = `${line.direction} ${line.kind === 'charge' ? 'charge' : ''} ${line.receipt}`
    const earlier = this.seen.get(key)
    if (earlier === undefined) {
      this.moved[line.direction] += line.amountMinor
      if (this.moved[line.direction] > RECEIVED_MINOR_MAX) {
        this.fault(cell, 'all lines up to here together are more than can be added up')
        return
      }
      this.seen.set(key, line)
      this.lines.push(line)
    } else if (earlier.amountMinor === line.amountMinor) this.duplicates += 1
    else this.fault(cell, `${line.receipt} stands in line ${earlier.line} with another amount`)
  }

  private told(row: readonly CsvCell[], direction: StatementLine['direction'], receipt: string) {
    const details = this.cell(row, 'details')?.text.trim() ?? ''
    const kind = this.kindOf(this.cell(row, 'kind')?.text.trim() ?? '', direction === 'out' ? details : '')
    const named = normalReceipt(this.cell(row, 'linked')?.text ?? '')
    const linked = named !== '' ? named : kind === 'reversal' ? receiptIn(details, receipt) : null
    return { kind, linked, completedAt: this.cell(row, 'completedAt')?.text.trim() ?? '', details }
  }

  /**
   * By what the statement calls it; without that, by its details, where money left: what payers write into the details of
   * money that came must not make a charge of it.
   */
  private kindOf(called: string, details: string): StatementLine['kind'] {
    const { charges, reversals, transfers } = this.columns
    const words = called === '' ? details : called
    if (has(charges, words)) return 'charge'
    if (has(reversals, words)) return 'reversal'
    return has(transfers, words) ? 'transfer' : 'payment'
  }

  /** What moved and where to; 0 for nothing, null after a fault. */
  private money(row: readonly CsvCell[]): Pick<StatementLine, 'direction' | 'amountMinor'> | null {
    const [paidIn, withdrawn, amount] = [
      this.amount(row, 'paidIn'),
      this.amount(row, 'withdrawn'),
      this.amount(row, 'amount'),
    ]
    if (paidIn === null || withdrawn === null || amount === null) return null
    if (paidIn < 0) return this.fault(this.cell(row, 'paidIn'), 'money that came is negative')
    // Withdrawn money is written with a minus by some exports, and without by others.
    const moved = paidIn !== 0 ? paidIn : withdrawn !== 0 ? -Math.abs(withdrawn) : amount
    if (paidIn !== 0 && withdrawn !== 0) {
      return this.fault(this.cell(row, 'withdrawn'), 'money came and left in one line')
    }
    return { direction: moved < 0 ? 'out' : 'in', amountMinor: Math.abs(moved) }
  }

  /** 0 where there is no such column or nothing in it. */
  private amount(row: readonly CsvCell[], column: Column): number | null {
    const cell = this.cell(row, column)
    if (cell === null || /^[\s-]*$/.test(cell.text)) return 0
    const minor = statementAmount(cell.text)
    if (minor === null) return this.fault(cell, `${JSON.stringify(cell.text)} is no amount`)
    if (Math.abs(minor) <= MONEY_MINOR_MAX) return minor
    return this.fault(cell, `${JSON.stringify(cell.text)} is more than anything costs`)
  }

  /** The cell of a column; null when the statement has no such column. A row that is too short has an empty one. */
  private cell(row: readonly CsvCell[], column: Column): CsvCell | null {
    const position = positionOf(this.header, this.columns[column])
    if (position < 0) return null
    return row[position] ?? { text: '', line: row[0]?.line ?? 0, column: 1 }
  }

  private fault(cell: CsvCell | null | undefined, reason: string): null {
    this.faults.push({ line: cell?.line ?? 0, column: cell?.column ?? 1, reason })
    return null
  }
}

/** Does one of the words stand in the text, whole and in any case? */
function has(words: readonly string[], text: string): boolean {
  const padded = ` ${wordsOf(text)} `
  return words.some((word) => padded.includes(` ${wordsOf(word)} `))
}

function wordsOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/** M-PESA's receipt numbers: ten capital letters and digits, both of them. The line's own is none that it names. */
function receiptIn(details: string, own: string): string | null {
  const found = details.match(/\b(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z])[A-Z0-9]{10}\b/g) ?? []
  return found.find((receipt) => receipt !== own) ?? null
}

/**
 * An amount of a statement in minor units, with its sign, exactly: `1500`, `1,500.00`, `-1,500.00`, `(1,500.00)`,
 * `KES 1,500.00`. Null for anything else, also for separators that do not stand between thousands.
 */
export function statementAmount(text: string): number | null {
  const match = /^(\()?(-)?(?:(?:KES|KSH)\.?\s*)?(-)?([\d,]+(?:\.\d+)?)(\))?$/i.exec(text.trim())
  if (match === null) return null
  const [, opened, minus, inner, digits = '', closed] = match
  if ((opened === undefined) !== (closed === undefined)) return null
  const signs = [opened, minus, inner].filter((sign) => sign !== undefined).length
  if (signs > 1) return null
  const whole = digits.split('.')[0] ?? ''
  if (whole.includes(',') && !/^\d{1,3}(,\d{3})+$/.test(whole)) return null
  const minor = amountMinorOf(digits.replaceAll(',', ''))
  return minor === null ? null : signs === 1 ? 0 - minor : minor
}
