import type { StepLine, TracedAppendEntries, TracedRun } from '../line.ts'
import { allow } from './not-allowed.ts'
import { ledBefore, type SpecServer } from './server.ts'

/**
 * Actions ClientRequest and HandleAppendEntriesRequest: how a log may change in one step. Changes it, and the disk's writes
 * with it, and holds it against what the node says of it.
 */
export function changeLog(server: SpecServer, line: StepLine): void {
  const { write, event, state } = line
  if (event.kind === 'receive' && event.message.kind === 'appendEntries') receiveEntries(server, line, event.message)
  else if (write?.restart != null) restart(server, line)
  else if (write !== null && changesEntries(line)) appendOwn(server, line, write.runs)
  if (write !== null) server.disk.issue(write)
  if (event.kind === 'snapshotInstalled') server.disk.snapshot = Math.max(server.disk.snapshot, event.index)
  if (event.kind === 'snapshotted') compact(server, event.index, state.base)
  const { log } = server
  allow(
    log.last === state.last && log.lastTerm === state.lastTerm && log.base === state.base,
    'the log is what its changes make of it',
    () =>
      `it begins behind ${state.base} and ends with ${state.last}@${state.lastTerm}, where ` +
      `${log.base} and ${log.last}@${log.lastTerm} were expected`,
  )
}

function changesEntries({ write }: StepLine): boolean {
  return write !== null && (write.runs.length > 0 || write.truncateFrom !== null)
}

/** A leader appends entries of its own term, and removes none (paper Figure 3, Leader Append-Only). */
function appendOwn(server: SpecServer, line: StepLine, runs: readonly TracedRun[]): void {
  const { state, write, event } = line
  const leads = state.role === 'leader' || ledBefore(server, line)
  allow(leads, 'only leaders append by themselves', () => `${state.role} by ${event.kind}`)
  const seen = (): string => `truncates from ${write?.truncateFrom ?? 'nowhere'}, appends ${JSON.stringify(runs)}`
  allow(write?.truncateFrom === null, 'a leader never removes entries (paper Figure 3)', seen)
  const own = runs.every(({ term }) => term === state.term)
  allow(own, 'ClientRequest: a leader appends entries of its term', seen)
  server.log.append(runs)
}

/** Paper Figure 2, AppendEntries, receiver 1 to 4. */
function receiveEntries(server: SpecServer, line: StepLine, message: TracedAppendEntries): void {
  const { write, state } = line
  const { log } = server
  const expected = message.term < state.term || !matches(server, message) ? NOTHING : missing(server, message.runs)
  const actual = { truncateFrom: write?.truncateFrom ?? null, runs: write?.runs ?? [] }
  const seen = (): string => `${JSON.stringify(actual)}, where ${JSON.stringify(expected)} was expected`
  const same = JSON.stringify(actual) === JSON.stringify(expected) && (write?.restart ?? null) === null
  allow(same, 'HandleAppendEntriesRequest: conflicts go, what is missing comes (paper Figure 2)', seen)
  const { truncateFrom } = expected
  allow(
    truncateFrom === null || truncateFrom > server.commit,
    'what is committed is never removed',
    () => `from ${truncateFrom ?? 0}, committed up to ${server.commit}`,
  )
  if (truncateFrom !== null) {
    log.truncate(truncateFrom)
    // A configuration goes with its entry (thesis §4.1).
    server.configurations = server.configurations.filter(({ index }) => index < truncateFrom)
  }
  log.append(expected.runs)
}

interface Change {
  readonly truncateFrom: number | null
  readonly runs: readonly TracedRun[]
}

const NOTHING: Change = { truncateFrom: null, runs: [] }

/** Whether the log holds the previous entry. What a snapshot covers is committed, and so it matches. */
export function matches({ log }: SpecServer, { prevLogIndex, prevLogTerm }: TracedAppendEntries): boolean {
  return prevLogIndex < log.base || log.termAt(prevLogIndex) === prevLogTerm
}

/** From the first entry on that the log lacks or contradicts. */
function missing({ log }: SpecServer, runs: readonly TracedRun[]): Change {
  for (const [at, run] of runs.entries()) {
    for (let index = Math.max(run.first, log.base + 1); index <= run.last; index += 1) {
      if (log.termAt(index) === run.term) continue
      const rest = [{ first: index, last: run.last, term: run.term }, ...runs.slice(at + 1)]
      return { truncateFrom: index <= log.last ? index : null, runs: rest }
    }
  }
  return NOTHING
}

/** A log gives way to an installed snapshot only where it lacks the entry that the snapshot ends with. */
function restart(server: SpecServer, { write, event }: StepLine): void {
  const to = write?.restart
  if (to == null) return
  const installed = event.kind === 'snapshotInstalled' && event.index === to.index && event.term === to.term
  allow(installed, 'a log gives way to an installed snapshot alone', () => `${event.kind}, ${to.index}@${to.term}`)
  const lacks = to.index > server.commit && server.log.termAt(to.index) !== to.term
  allow(lacks, 'a log that holds the end of the snapshot is kept (paper Figure 13)', () => `${to.index}@${to.term}`)
  server.log.restart(to.index, to.term)
  const { configuration } = event.kind === 'snapshotInstalled' ? event : { configuration: null }
  server.configurations = configuration === null ? [] : [configuration]
}

function compact(server: SpecServer, index: number, base: number): void {
  if (base === server.log.base) return
  const seen = (): string => `up to ${base} for a snapshot of ${index}, committed up to ${server.commit}`
  allow(base <= index && index <= server.commit, 'only what is committed and in a snapshot is let go', seen)
  server.log.compact(base)
}
