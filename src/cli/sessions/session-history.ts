import { fetchSessionHistory, type HistoryLine } from '../../client/operator/sessions.ts'
import { jsonOfValue } from '../machines/json-value.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { say } from '../terminal/output.ts'
import { asked } from './asked.ts'
import { timeOf } from './session-show.ts'

/** Which entries `holdfast session history` shows. */
export interface SessionHistoryFlags {
  readonly endpoints: readonly string[]
  readonly id: string
  readonly since: number
  readonly limit: number
  readonly payloads: boolean
}

/** `holdfast session history`. Where the kept log begins is said on stderr, as far as the session is older. */
export async function showHistory(flags: SessionHistoryFlags, form: ListingForm): Promise<void> {
  const { endpoints, id, since: fromIndex, limit, payloads } = flags
  const { entries, more, firstKeptIndex, by } = await asked(
    fetchSessionHistory(endpoints, { id, fromIndex, limit, payloads }),
  )
  printListing<PlainEntry>(form, {
    name: 'entries',
    lines: entries.map(plainEntry),
    columns: {
      entry: (line) => line.index,
      term: (line) => line.term,
      time: (line) => line.time,
      kind: (line) => line.kind,
      command: (line) => (line.machine === undefined ? null : `${line.machine}.${line.command}`),
      number: (line) => line.requestId ?? line.acknowledged ?? null,
      outcome: (line) => outcomeText(line),
      ...(payloads
        ? { input: (line: PlainEntry) => (line.input === undefined ? null : JSON.stringify(line.input)) }
        : {}),
    },
  })
  if (firstKeptIndex > Number(id.split('/')[2])) {
    say(`The log of ${by.node} begins at entry ${firstKeptIndex}: what was before is in its snapshot alone.`)
  }
  const last = entries.at(-1)
  if (more && last !== undefined) say(`There may be more: go on with --since ${last.index + 1}.`)
}

/** An entry without the fields that do not belong to its kind. */
interface PlainEntry {
  readonly index: number
  readonly term: number
  readonly time: string
  readonly kind: string
  readonly machine?: string
  readonly command?: string
  readonly requestId?: number
  /** Null: not known (any more). */
  readonly outcome?: string | null
  readonly code?: string
  readonly executedIndex?: number
  readonly acknowledged?: number
  readonly input?: unknown
}

function plainEntry(line: HistoryLine): PlainEntry {
  const { index, term, timeMs, kind, machine, command, requestId, outcome, code, executedIndex, input } = line
  const entry = { index, term, time: timeOf(timeMs), kind }
  if (kind === 'ServerRequestAck') return { ...entry, acknowledged: line.acknowledged }
  if (machine === '') return entry
  return {
    ...entry,
    machine,
    command,
    requestId,
    outcome: outcome === '' ? null : outcome,
    ...(code === '' ? {} : { code }),
    ...(executedIndex === 0 ? {} : { executedIndex }),
    ...(input === undefined ? {} : { input: jsonOfValue(input) }),
  }
}

function outcomeText({ outcome = null, code, executedIndex }: PlainEntry): string | null {
  if (outcome === 'rejected') return `rejected: ${code}`
  return outcome === 'copy' ? `copy of ${executedIndex}` : outcome
}
