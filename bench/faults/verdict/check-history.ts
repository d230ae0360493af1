import { checkAppend } from '../../../src/history/append/check-append.ts'
import { type HistoryValue, Keyword } from '../../../src/history/edn/history-value.ts'
import { byKey, type Operation as Checked } from '../../../src/history/history.ts'
import { checkLinearizable } from '../../../src/history/linear/linearizability.ts'
import type { Model } from '../../../src/history/linear/model.ts'
import { registerModel } from '../../../src/history/linear/models.ts'
import { checkOrderByIndex } from '../../../src/history/linear/order-by-index.ts'
import { checkBank } from '../../../src/history/properties/bank.ts'
import { checkSet } from '../../../src/history/properties/element-set.ts'
import type { Verdict } from '../../../src/history/verdict.ts'
import type { JournalEntry, Operation } from '../history.ts'
import { ACCOUNTS, OPENING_BALANCE } from './model.ts'

/** What one checker said of one workload. */
export interface CheckerVerdict {
  readonly checker: string
  readonly verdict: Verdict
}

/** Registers that nobody has written answer null, and count as 0 for who compares. */
const REGISTER: Model<string> = { ...registerModel, initial: '0' }
/** Steps of the search for an order of one register: those of a history that needs no second thought, so often, … */
const THOUGHTS_MAX = 4
/** … and for those of short ones. */
const STEPS_MIN = 50_000

/**
 * The same history before the checkers of `src/history`, which know neither the machine nor its journal: each register
 * linearizable by search, the log's order an explanation of all registers (the journal tells the index of what is of unknown
 * outcome), lists without a cycle, sets that keep their elements, accounts that add up. One that was not asked is left out.
 */
export function checkHistory(
  operations: readonly Operation[],
  journal: readonly JournalEntry[] | null,
): readonly CheckerVerdict[] {
  const indexes = new Map((journal ?? []).map(({ id, index }) => [id, index]))
  const checked = checkedOf(operations, indexes)
  const of = (workload: string): Checked[] =>
    checked.filter(([{ step }]) => step.f.startsWith(`${workload}.`)).map(([, operation]) => operation)
  const [registers, lists, sets, accounts] = [of('register'), of('append'), of('set'), of('bank')]
  return [
    ...linearizabilityOf(registers),
    ...said('order by index', registers, () =>
      checkOrderByIndex(registers, REGISTER, { logIsKnown: journal !== null }),
    ),
    ...said('append', lists, () => checkAppend(lists)),
    ...said('set', sets, () => checkSet(sets)),
    ...said('bank', accounts, () => checkBank(accounts, { total: ACCOUNTS * OPENING_BALANCE })),
  ]
}

/** The same of registers alone, where nobody tells an index: each linearizable by search. */
export function checkRegisters(operations: readonly Operation[]): readonly CheckerVerdict[] {
  return linearizabilityOf(checkedOf(operations, new Map()).map(([, operation]) => operation))
}

function linearizabilityOf(registers: readonly Checked[]): CheckerVerdict[] {
  return [...byKey(registers)].flatMap(([key, own]) => {
    const stepsMax = Math.max(STEPS_MIN, own.length * THOUGHTS_MAX)
    return said(`linearizability of ${key}`, own, () => checkLinearizable(own, REGISTER, { stepsMax }))
  })
}

/** Of what nobody has read there is nothing to be said. */
function said(checker: string, about: readonly Checked[], verdict: () => Verdict): CheckerVerdict[] {
  const read = about.some(({ name, outcome }) => (name === 'read' || name === 'txn') && outcome === 'ok')
  return read ? [{ checker, verdict: verdict() }] : []
}

/** In the order of their calls; places are those of all calls and ends in time, a call before an end of the same moment. */
function checkedOf(
  operations: readonly Operation[],
  indexes: ReadonlyMap<string, number>,
): (readonly [Operation, Checked])[] {
  const events = operations
    .flatMap((operation) => [
      { at: operation.invokedNs, order: 0, operation },
      { at: operation.completedNs, order: 1, operation },
    ])
    .toSorted((left, right) => (left.at === right.at ? left.order - right.order : left.at - right.at))
  const completed = new Map<Operation, number>()
  for (const [at, { order, operation }] of events.entries()) if (order === 1) completed.set(operation, at)
  return events.flatMap(({ order, operation }, at) => {
    if (order === 1) return []
    const ended = operation.type === 'info' ? Number.POSITIVE_INFINITY : (completed.get(operation) ?? at)
    return [[operation, toldAs(operation, { invoked: at, completed: ended }, indexes)]]
  })
}

const OUTCOMES = { ok: 'ok', fail: 'failed', info: 'unknown' } as const

function toldAs(
  { process, step, type, reply, index }: Operation,
  places: Pick<Checked, 'invoked' | 'completed'>,
  indexes: ReadonlyMap<string, number>,
): Checked {
  const outcome = OUTCOMES[type]
  const known = type === 'ok' ? index : type === 'info' ? (indexes.get(step.id) ?? null) : null
  const answer = type === 'ok' ? (JSON.parse(reply) as HistoryValue) : null // The machine answers JSON.
  const all = { process, outcome, logIndex: known, ...places }
  const { f, key, a, b } = step
  switch (f) {
    case 'register.read':
      return { ...all, name: 'read', key, input: null, output: type === 'ok' ? (answer ?? 0) : null }
    case 'register.write':
      return { ...all, name: 'write', key, input: a, output: answer }
    case 'register.cas':
      return { ...all, name: 'cas', key, input: [b, a], output: answer }
    case 'append.read':
      return { ...all, name: 'txn', key: null, ...transaction(type, [new Keyword('r'), key, answer]) }
    case 'append.append':
      return { ...all, name: 'txn', key: null, ...transaction(type, [new Keyword('append'), key, a]) }
    case 'set.read':
      return { ...all, name: 'read', key, input: null, output: answer }
    case 'set.add':
      return { ...all, name: 'add', key, input: a, output: answer }
    case 'bank.read':
      return { ...all, name: 'read', key: null, input: null, output: balancesOf(answer) }
    case 'bank.transfer':
    case 'counter.read':
    case 'counter.add':
    case 'requests.emit':
      return { ...all, name: f, key, input: a, output: answer }
    default:
      throw new Error(`no checker knows ${String(f satisfies never)}`)
  }
}

function transaction(
  type: Operation['type'],
  step: readonly HistoryValue[],
): { readonly input: HistoryValue; readonly output: HistoryValue } {
  return { input: [step], output: type === 'ok' ? [step] : null }
}

/** The machine answers pairs. */
function balancesOf(answer: HistoryValue): HistoryValue {
  return answer === null ? null : Object.fromEntries(answer as unknown as readonly (readonly [string, number])[])
}
