import type { TraceVerdict } from '../../../src/trace/check-trace.ts'
import type { Delivery, Journal, JournalEntry, Operation } from '../history.ts'
import { checkDeliveries } from './check-deliveries.ts'
import { type CheckerVerdict, checkHistory, checkRegisters } from './check-history.ts'
import { checkSessions } from './check-sessions.ts'
import { ACCOUNTS, Model, OPENING_BALANCE } from './model.ts'

/** What is told of a kind of anomaly, at most. */
const EXAMPLES_MAX = 8
/** Characters of what a checker says. */
const TOLD_MAX = 300

/** What is wrong with a history; each count is of operations. */
export interface Verdict {
  /** Acknowledged, and not in the journal. */
  lost: number
  /** In the journal more than once. */
  duplicated: number
  /** In the journal, although it was certainly not done, or nobody asked for it. */
  phantom: number
  /** Answered with another index than the journal has, or in an order that contradicts real time. */
  disordered: number
  /** The reply is not what the journal leads to. */
  wrongReply: number
  /** The accounts do not add up. */
  unbalanced: number
  /** Anomalies by the checkers of `src/history`, which need no index and no journal. */
  violated: number
  /** Steps of consensus that the specification of Raft does not allow (docs/trace-validation.md); only the first is found. */
  refused: number
  /** Of these checkers those that gave up before they knew. */
  undecided: number
  /** A sentence each, some of them. */
  readonly examples: string[]
}

/**
 * By the journal (`judgeByIndex`), and by the checkers of `src/history`, which search and need neither index nor journal;
 * server requests by what the journal has of the commands that emitted them, and sessions by what it has of them.
 */
export function judgeHistory(
  operations: readonly Operation[],
  journal: Journal | null,
  deliveries: readonly Delivery[] = [],
): Verdict {
  const commands = journal?.commands ?? null
  const requests = commands === null ? [] : checkDeliveries(operations, commands, deliveries)
  const sessions = journal === null ? [] : checkSessions(journal)
  const checked = [...checkHistory(operations, commands), ...requests, ...sessions]
  return withCheckers(judgeByIndex(operations, commands), checked)
}

/** Of a system that tells no index: registers alone, by search. */
export function judgeRegisters(operations: readonly Operation[]): Verdict {
  return withCheckers(nothingWrong(), checkRegisters(operations))
}

/** The same verdict, with what other checkers found. Changes it. */
export function withCheckers(verdict: Verdict, found: readonly CheckerVerdict[]): Verdict {
  for (const { checker, verdict: said } of found) {
    if (said.kind === 'unknown') wrong(verdict, 'undecided', `${checker}: ${said.why}`)
    for (const { name, text } of said.kind === 'violated' ? said.anomalies : [])
      wrong(verdict, 'violated', `${checker}: ${name}: ${shortened(text, TOLD_MAX)}`)
  }
  return verdict
}

/**
 * Holds what clients were told against the journal that the machine keeps of its own commands, in the time that sorting takes.
 * Every reply carries the index of its entry, so a history is linearizable when three things hold: index order contains
 * real-time order, the journal has each acknowledged command once and nothing that was not asked for, and a model that replays
 * the journal gives exactly each reply (faults.md §4). Without a journal (null) the order alone is judged.
 */
export function judgeByIndex(operations: readonly Operation[], journal: readonly JournalEntry[] | null): Verdict {
  const verdict = nothingWrong()
  judgeRealTime(verdict, operations)
  if (journal !== null) judgeReplies(verdict, operations, placesIn(verdict, operations, journal))
  return verdict
}

/** The same verdict, with what the nodes themselves wrote down of their consensus. */
export function withSteps(verdict: Verdict, { violation }: TraceVerdict): Verdict {
  const joined = { ...verdict, examples: [...verdict.examples] }
  if (violation === null) return joined
  const { rule, seen, node, line } = violation
  wrong(joined, 'refused', shortened(`line ${line} of ${node}: ${rule}: ${seen}`, TOLD_MAX))
  return joined
}

function nothingWrong(): Verdict {
  const counts = { lost: 0, duplicated: 0, phantom: 0, disordered: 0, wrongReply: 0, unbalanced: 0 }
  return { ...counts, violated: 0, refused: 0, undecided: 0, examples: [] }
}

/** True when nothing is wrong. */
export function isClean({ examples: _, ...counts }: Verdict): boolean {
  return Object.values(counts).every((count) => count === 0)
}

type Anomaly = Exclude<keyof Verdict, 'examples'>

/** The journal's commands that were asked for, in its order; says what is missing, doubled or invented. */
function placesIn(
  verdict: Verdict,
  operations: readonly Operation[],
  journal: readonly JournalEntry[],
): { readonly operation: Operation; readonly index: number }[] {
  const commands = new Map(operations.filter(({ query }) => !query).map((operation) => [operation.step.id, operation]))
  const seen = new Set<string>()
  const placed: { operation: Operation; index: number }[] = []
  for (const { id, index } of journal) {
    const operation = commands.get(id)
    if (seen.has(id)) wrong(verdict, 'duplicated', `command ${id} is there again at index ${index}`)
    else if (operation === undefined) wrong(verdict, 'phantom', `command ${id} at index ${index}: nobody asked for it`)
    else if (operation.type === 'fail') wrong(verdict, 'phantom', `${told(operation)} was not executed, and is there`)
    else if (operation.type === 'ok' && operation.index !== index)
      wrong(verdict, 'disordered', `${told(operation)} is at index ${index}`)
    if (operation !== undefined) placed.push({ operation, index })
    seen.add(id)
  }
  for (const [id, operation] of commands)
    if (operation.type === 'ok' && !seen.has(id)) wrong(verdict, 'lost', `${told(operation)} was acknowledged`)
  return placed
}

/** Whatever was complete when another one was asked for has a lower index; a read may have the same. */
function judgeRealTime(verdict: Verdict, operations: readonly Operation[]): void {
  const done = operations.filter(({ type }) => type === 'ok')
  const events = done
    .flatMap((operation) => [
      { at: operation.invokedNs, order: 1, operation },
      { at: operation.completedNs, order: 0, operation },
    ])
    .toSorted((left, right) => left.at - right.at || left.order - right.order)
  const before = new Map<Operation, number>()
  let highest = 0
  for (const { order, operation } of events) {
    if (order === 1) {
      before.set(operation, highest)
      continue
    }
    const floor = before.get(operation) ?? 0
    const late = operation.query ? operation.index < floor : operation.index <= floor
    if (late) wrong(verdict, 'disordered', `${told(operation)} although index ${floor} was known when it was asked`)
    highest = Math.max(highest, operation.index)
  }
}

function judgeReplies(
  verdict: Verdict,
  operations: readonly Operation[],
  placed: readonly { readonly operation: Operation; readonly index: number }[],
): void {
  const queries = operations.filter(({ type, query }) => query && type === 'ok')
  const sorted = queries.toSorted((left, right) => left.index - right.index)
  const model = new Model()
  let next = 0
  const expect = (operation: Operation): void => {
    const expected = model.apply(operation.step)
    if (operation.type === 'ok' && operation.reply !== expected)
      wrong(verdict, 'wrongReply', `${told(operation)}; the journal leads to ${shortened(expected)}`)
  }
  for (const query of sorted) {
    for (let place = placed[next]; place !== undefined && place.index <= query.index; place = placed[next]) {
      expect(place.operation)
      next += 1
    }
    expect(query)
    if (query.step.f === 'bank.read') judgeBalance(verdict, query)
  }
  for (const { operation } of placed.slice(next)) expect(operation)
}

function judgeBalance(verdict: Verdict, query: Operation): void {
  const rows = JSON.parse(query.reply) as readonly (readonly [string, number])[]
  const sum = rows.reduce((total, [, balance]) => total + balance, 0)
  if (sum !== ACCOUNTS * OPENING_BALANCE || rows.some(([, balance]) => balance < 0))
    wrong(verdict, 'unbalanced', told(query))
}

function wrong(verdict: Verdict, anomaly: Anomaly, sentence: string): void {
  verdict[anomaly] += 1
  if (verdict.examples.length < EXAMPLES_MAX) verdict.examples.push(`${anomaly}: ${sentence}`)
}

function told({ process, step, reply, index }: Operation): string {
  const { id, f, key, a, b, to } = step
  return `${f} ${id === '' ? '' : `${id} `}(${[key, a, b, to].join(' ')}) of process ${process}, told ${shortened(reply)} at index ${index}`
}

function shortened(text: string, charactersMax = 80): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
}
