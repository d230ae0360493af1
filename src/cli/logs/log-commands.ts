import { diffLogs, showLog, verifyLog } from '../../host/stopped/read-log.ts'
import { EXIT, type ExitCode } from '../terminal/exit.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { print, printJson, withCommas } from '../terminal/output.ts'

type Line = Awaited<ReturnType<typeof showLog>>[number]

/** Options of `holdfast log show`. */
export interface ShowFlags {
  readonly from: number
  readonly to: number
  readonly limit: number
  readonly form: ListingForm
}

/** `holdfast log show`. */
export async function show(directory: string, { form, ...range }: ShowFlags): Promise<void> {
  const lines = (await showLog(directory, range)).map(plain)
  printListing(form, {
    name: 'entries',
    lines,
    columns: {
      entry: (line) => line.index,
      term: (line) => line.term,
      time: (line) => line.time,
      kind: (line) => line.kind,
      session: (line) => line.session,
      command: (line) => line.command,
      bytes: (line) => line.bytes,
      chain: (line) => line.chain.toString(16).padStart(8, '0'),
    },
  })
}

/** `holdfast log verify`: rejects with the damage, a StartError. */
export async function verify(directories: readonly string[], json: boolean): Promise<void> {
  const logs = []
  for (const directory of directories) {
    const found = await verifyLog(directory)
    logs.push({ directory, ...found })
    if (json) continue
    const { node, firstIndex, lastIndex, lastTerm, chain, tornBytes, snapshotIndex } = found
    const entries =
      firstIndex > lastIndex ? 'no entries' : `entries ${withCommas(firstIndex)} to ${withCommas(lastIndex)}`
    const torn = tornBytes === 0 ? '' : `; a last write of ${withCommas(tornBytes)} bytes never completed`
    const state = snapshotIndex === 0 ? 'no snapshot' : `snapshot at entry ${withCommas(snapshotIndex)}`
    print(`${directory} of ${node} is well: ${entries}, last term ${lastTerm}, chain ${hex(chain)}; ${state}${torn}`)
  }
  if (json) printJson({ logs })
}

/** `holdfast log diff`: exit code 4 where they part. */
export async function diff(left: string, right: string, json: boolean): Promise<ExitCode> {
  const found = await diffLogs(left, right)
  const { from, to, differsAt, ends } = found
  if (json) printJson({ ...found, left: found.left && plain(found.left), right: found.right && plain(found.right) })
  else if (from > to) print(`they have no entry in common: ${left} ends with ${ends[0]}, ${right} with ${ends[1]}`)
  else if (differsAt === null)
    print(
      `equal up to entry ${withCommas(to)}; ${left} ends with ${withCommas(ends[0])}, ${right} with ${withCommas(ends[1])}`,
    )
  else {
    const before = differsAt === from ? 'at or before' : 'at'
    print(
      [`they part ${before} entry ${withCommas(differsAt)}`, told(left, found.left), told(right, found.right)].join(
        '\n',
      ),
    )
  }
  return differsAt === null ? EXIT.ok : EXIT.refused
}

function told(directory: string, line: Line | null): string {
  if (line === null) return `${directory}: nothing`
  const { term, kind, command, nowMs, chain } = line
  return `${directory}: term ${term}, ${kind}${command === '' ? '' : ` ${command}`}, ${new Date(nowMs).toISOString()}, chain ${hex(chain)}`
}

function plain({ nowMs, session, command, ...line }: Line) {
  return { ...line, time: new Date(nowMs).toISOString(), session: session || null, command: command || null }
}

function hex(chain: number): string {
  return chain.toString(16).padStart(8, '0')
}
