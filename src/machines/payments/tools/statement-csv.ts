/** One cell of a table in CSV, and where it begins: line and column count from 1, the column in UTF-16 units. */
export interface CsvCell {
  readonly text: string
  readonly line: number
  readonly column: number
}

/** What cannot be read, and where. */
export interface StatementFault {
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units of that line. */
  readonly column: number
  readonly reason: string
}

/** The rows of a file; none of them when something cannot be read. */
export type CsvRead =
  | { readonly ok: true; readonly rows: readonly (readonly CsvCell[])[] }
  | { readonly ok: false; readonly fault: StatementFault }

/**
 * Rows of comma-separated values (RFC 4180, and any one-character delimiter): cells in quotes may hold delimiters, line
 * ends and doubled quotes. A byte-order mark is nothing, empty lines are no rows. A quote that is never closed, and text
 * behind a closing quote, are faults: whoever guesses there moves money from one column to the next.
 */
export function csvRows(text: string, delimiter: string): CsvRead {
  const reader = new CsvReader(text.startsWith('\uFEFF') ? text.slice(1) : text, delimiter)
  return reader.read()
}

class CsvReader {
  private readonly text: string
  private readonly delimiter: string
  private at = 0
  private line = 1
  /** Index at which the current line begins. */
  private lineStart = 0
  private readonly rows: (readonly CsvCell[])[] = []
  private row: CsvCell[] = []

  constructor(text: string, delimiter: string) {
    this.text = text
    this.delimiter = delimiter
  }

  read(): CsvRead {
    while (this.at < this.text.length) {
      const fault = this.cell()
      if (fault !== null) return { ok: false, fault }
    }
    this.endRow()
    return { ok: true, rows: this.rows }
  }

  /** One cell, and the delimiter or line end behind it. */
  private cell(): StatementFault | null {
    const { line } = this
    const column = this.at - this.lineStart + 1
    const text = this.text[this.at] === '"' ? this.quoted() : this.plain()
    if (text === null) return { line, column, reason: 'a quote is opened and never closed' }
    this.row.push({ text, line, column })
    if (this.at === this.text.length) return null
    if (this.text[this.at] === this.delimiter) {
      this.at += 1
      // A delimiter at the very end is followed by one more cell, an empty one.
      if (this.at === this.text.length)
        this.row.push({ text: '', line: this.line, column: this.at - this.lineStart + 1 })
      return null
    }
    if (!this.atLineEnd()) {
      return { line: this.line, column: this.at - this.lineStart + 1, reason: 'text follows a closing quote' }
    }
    this.passLineEnd()
    this.endRow()
    return null
  }

  private plain(): string {
    const start = this.at
    while (this.at < this.text.length && this.text[this.at] !== this.delimiter && !this.atLineEnd()) this.at += 1
    return this.text.slice(start, this.at)
  }

  /** Null when the quote is not closed. */
  private quoted(): string | null {
    let text = ''
    this.at += 1
    while (this.at < this.text.length) {
      const char = this.text[this.at]
      if (char === '"' && this.text[this.at + 1] !== '"') {
        this.at += 1
        return text
      }
      if (char === '"') this.at += 1
      const start = this.at
      if (this.atLineEnd()) this.passLineEnd()
      else this.at += 1
      text += this.text.slice(start, this.at)
    }
    return null
  }

  private atLineEnd(): boolean {
    const char = this.text[this.at]
    return char === '\n' || char === '\r'
  }

  /** A line feed, a carriage return, or both. */
  private passLineEnd(): void {
    this.at += this.text.startsWith('\r\n', this.at) ? 2 : 1
    this.line += 1
    this.lineStart = this.at
  }

  private endRow(): void {
    const { row } = this
    this.row = []
    if (row.some(({ text }) => text.trim() !== '')) this.rows.push(row)
  }
}
