import { OperatorError } from '../client/operator/ask-leader.ts'
import { type WatchLine, watchNode } from '../client/operator/watch.ts'
import { CommandError, EXIT } from './terminal/exit.ts'
import { print, printJson, say } from './terminal/output.ts'

/** Options of `holdfast watch`. */
export interface WatchFlags {
  readonly endpoints: readonly string[]
  readonly machines: readonly string[]
  readonly since: number
  /** 0: no end. */
  readonly limit: number
  readonly form: 'table' | 'jsonl'
}

/** Bytes that may wait for whoever reads stdout. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024

/** Widths of the columns but the last: lines come one by one, so that none can be measured. */
const COLUMNS = [10, 24, 19, 14, 26, 8, 22] as const

/** `holdfast watch`: one line for each entry that the first of the nodes that answers applies, until the limit or Ctrl-C. */
export async function watch(flags: WatchFlags): Promise<void> {
  const { machines, since: sinceIndex, limit, form } = flags
  let heard = false
  let lost = new OperatorError('NO_LEADER', 'there is no endpoint to watch')
  for (const endpoint of flags.endpoints) {
    const onOpen = ({ node, firstKeptIndex }: { readonly node: string; readonly firstKeptIndex: number }): void => {
      heard = true
      say(`watching ${node} at ${endpoint}`)
      if (sinceIndex > 0 && sinceIndex < firstKeptIndex) say(`Its log begins at entry ${firstKeptIndex}.`)
      if (form === 'table') print(row(['entry', 'time', 'kind', 'session', 'command', 'number', 'outcome', 'ms']))
    }
    try {
      return await watchNode(endpoint, { machines, sinceIndex, limit, onOpen, onLine: (line) => show(line, form) })
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error
      lost = error
      if (heard) break
    }
  }
  const { code, message } = lost
  if (!code.startsWith('GRPC_'))
    throw new CommandError(EXIT.failure, message, `holdfast explain ${code} says what to do.`, code)
  const cure = 'Start one with `holdfast dev`, or name others with --endpoints.'
  throw new CommandError(heard ? EXIT.failure : EXIT.cannotConnect, message, cure)
}

function show(line: WatchLine, form: WatchFlags['form']): void {
  if (process.stdout.writableLength > UNREAD_BYTES_MAX) {
    throw new CommandError(
      EXIT.failure,
      'whoever reads the output is too slow',
      'Name machines, or write it to a file.',
    )
  }
  if (form === 'jsonl') return printJson(plainLine(line))
  const { outcome, code, session, sessions } = line
  print(
    row([
      String(line.index),
      new Date(line.timeMs).toISOString(),
      line.kind,
      sessions > 1 ? `${session} +${sessions - 1}` : session || '-',
      line.machine === '' ? '-' : `${line.machine}.${line.command}`,
      line.requestId === 0 ? '-' : String(line.requestId),
      outcome === '' || outcome === 'none' ? '-' : code === '' ? outcome : `${outcome}: ${code}`,
      outcome === '' ? '-' : line.applyMs.toFixed(2),
    ]),
  )
}

/** As JSON says it: null for what there is none of. */
function plainLine(line: WatchLine): object {
  const { index, term, timeMs, kind, sessions, machine, outcome, code } = line
  return {
    index,
    term,
    time: new Date(timeMs).toISOString(),
    kind,
    session: line.session || null,
    sessions,
    machine: machine || null,
    command: line.command || null,
    requestId: line.requestId || null,
    outcome: outcome || null,
    code: code || null,
    ms: outcome === '' ? null : line.applyMs,
  }
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, at) => cell.padEnd(COLUMNS[at] ?? 0))
    .join('  ')
    .trimEnd()
}
