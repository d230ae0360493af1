import { type Command, Option } from 'commander'
import { print, printJson, table } from './output.ts'

/** Forms of a listing: for a person, one JSON object, or one JSON object per line. */
export type ListingForm = 'table' | 'json' | 'jsonl'

/** One data model for all forms: `json` prints `{ [name]: lines }`, `jsonl` each line alone. */
export interface Listing<Line extends object> {
  readonly name: string
  readonly lines: readonly Line[]
  /** Header of a column, and its cell. */
  readonly columns: { readonly [header: string]: (line: Line) => string | number | null }
}

/** Gives a command `-o` and `--json`. */
export function withListing(command: Command): Command {
  return command
    .addOption(
      new Option('-o, --output <form>', 'form of the result').choices(['table', 'json', 'jsonl']).default('table'),
    )
    .option('--json', 'the same as --output json')
}

/** What was asked for; `--json` counts more. */
export function formOf(flags: { readonly json?: unknown; readonly output?: unknown }): ListingForm {
  if (flags.json === true) return 'json'
  return flags.output === 'json' || flags.output === 'jsonl' ? flags.output : 'table'
}

/** Prints it on stdout. A table without lines is its header. */
export function printListing<Line extends object>(form: ListingForm, { name, lines, columns }: Listing<Line>): void {
  if (form === 'json') return printJson({ [name]: lines })
  if (form === 'jsonl') {
    for (const line of lines) printJson(line)
    return
  }
  const cells = lines.map((line) => Object.values(columns).map((cell) => String(cell(line) ?? '-')))
  print(table([Object.keys(columns), ...cells]))
}
