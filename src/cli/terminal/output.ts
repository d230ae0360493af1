import { styleText } from 'node:util'

/** Bytes that may wait for a reader of stderr that does not read; what is said beyond them is lost. */
const SAID_BYTES_MAX = 1024 * 1024

/** Results go to stdout, everything said to a person goes to stderr, so that `--json` can be piped. */
export function say(text: string): void {
  if (process.stderr.writableLength < SAID_BYTES_MAX) process.stderr.write(`${text}\n`)
}

/** One line of result on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One JSON object as one line on stdout. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value))
}

/** Colours only where somebody looks and did not refuse them (no-color.org). */
export function paint(style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string): string {
  const wanted = process.stderr.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''
  return wanted ? styleText(style, text) : text
}

/** `1234567` → `1,234,567`. */
export function withCommas(value: number): string {
  return value.toLocaleString('en-US')
}

/** A table with a header, columns as wide as their widest cell, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}
