import { checkAppend } from '../../src/history/append/check-append.ts'
import { type HistoryValue, Keyword } from '../../src/history/edn/history-value.ts'
import { type Operation, operationsOf } from '../../src/history/history.ts'
import { checkLinearizable } from '../../src/history/linear/linearizability.ts'
import { keyValueModel, registerModel } from '../../src/history/linear/models.ts'
import { checkOrderByIndex } from '../../src/history/linear/order-by-index.ts'
import { checkBank } from '../../src/history/properties/bank.ts'
import { checkSet } from '../../src/history/properties/element-set.ts'
import type { Verdict } from '../../src/history/verdict.ts'
import { done, event, history } from './events.ts'

/** A history with one anomaly, and one of the same shape without. */
export interface Planted {
  readonly name: string
  /** What the checker is to call it. */
  readonly anomaly: string
  readonly check: (operations: readonly Operation[]) => Verdict
  readonly clean: readonly Operation[]
  readonly spoiled: readonly Operation[]
}

/** The same operations, with `value` as it should be and as it is. */
function planted(
  name: string,
  anomaly: string,
  check: Planted['check'],
  values: { readonly right: HistoryValue; readonly wrong: HistoryValue },
  make: (value: HistoryValue) => readonly Operation[],
): Planted {
  return { name, anomaly, check, clean: make(values.right), spoiled: make(values.wrong) }
}

const register = (operations: readonly Operation[]): Verdict => checkLinearizable(operations, registerModel)
const strings = (operations: readonly Operation[]): Verdict => checkLinearizable(operations, keyValueModel)
const byIndex = (operations: readonly Operation[]): Verdict => checkOrderByIndex(operations, registerModel)
const begin = (at: number, name: string, value: HistoryValue) => event('invoke', at, name, value)
const LINEAR = 'not-linearizable'

const REGISTERS: readonly Planted[] = [
  planted('stale read', LINEAR, register, { right: 2, wrong: 1 }, (value) =>
    history(done(0, 'write', 1, 1), done(0, 'write', 2, 2), done(1, 'read', null, value)),
  ),
  planted('lost write', LINEAR, register, { right: 1, wrong: null }, (value) =>
    history(done(0, 'write', 1, 1), done(1, 'read', null, value)),
  ),
  planted('read of what nobody wrote', LINEAR, register, { right: 1, wrong: 7 }, (value) =>
    history(done(0, 'write', 1, 1), done(1, 'read', null, value)),
  ),
  planted('read of a write that failed', LINEAR, register, { right: 1, wrong: 2 }, (value) =>
    history(done(0, 'write', 1, 1), begin(0, 'write', 2), event('fail', 0, 'write', 2), done(1, 'read', null, value)),
  ),
  planted('value that goes back while a write is open', LINEAR, register, { right: 2, wrong: 1 }, (value) =>
    history(done(0, 'write', 1, 1), begin(0, 'write', 2), done(1, 'read', null, 2), done(2, 'read', null, value)),
  ),
  planted('unknown write that happens twice', LINEAR, register, { right: 3, wrong: 2 }, (value) =>
    history(
      begin(0, 'write', 2),
      event('info', 0, 'write', 2),
      done(1, 'read', null, 2),
      done(1, 'write', 3, 3),
      done(2, 'read', null, value),
    ),
  ),
  planted('equal unknown writes of which both are needed', LINEAR, register, { right: 1, wrong: 2 }, (value) =>
    history(
      begin(0, 'write', 1),
      event('info', 0, 'write', 1),
      begin(5, 'write', 1),
      event('info', 5, 'write', 1),
      done(1, 'read', null, 1),
      done(1, 'write', 2, 2),
      done(2, 'read', null, 1),
      done(2, 'read', null, value),
    ),
  ),
  planted('two cas that both replace one value', LINEAR, register, { right: false, wrong: [1, 3] }, (value) =>
    history(
      done(0, 'write', 1, 1),
      begin(1, 'cas', [1, 2]),
      done(2, 'cas', [1, 3], value),
      event('ok', 1, 'cas', [1, 2]),
    ),
  ),
  planted('cas that says no where it should not', LINEAR, register, { right: [1, 2], wrong: false }, (value) =>
    history(done(0, 'write', 1, 1), done(1, 'cas', [1, 2], value)),
  ),
  planted('append that is missing', LINEAR, strings, { right: 'ab', wrong: 'b' }, (value) =>
    history(
      done(0, 'append', 'a', null, { key: 'k' }),
      done(0, 'append', 'b', null, { key: 'k' }),
      done(1, 'get', null, value, { key: 'k' }),
    ),
  ),
  planted('append that was applied twice', LINEAR, strings, { right: 'a', wrong: 'aa' }, (value) =>
    history(done(0, 'append', 'a', null, { key: 'k' }), done(1, 'get', null, value, { key: 'k' })),
  ),
  planted('write under one key that shows under another', LINEAR, strings, { right: '', wrong: 'a' }, (value) =>
    history(done(0, 'put', 'a', null, { key: 'k' }), done(1, 'get', null, value, { key: 'other' })),
  ),
]

const INDEXES: readonly Planted[] = [
  planted('log against time', 'against-time', byIndex, { right: 8, wrong: 3 }, (value) =>
    history(
      done(0, 'write', 1, 1, { logIndex: 5, key: 'a' }),
      done(0, 'write', 2, 2, { logIndex: Number(value), key: 'b' }),
    ),
  ),
  planted('read below what was told before', 'against-time', byIndex, { right: 5, wrong: 4 }, (value) =>
    history(done(0, 'write', 1, 1, { logIndex: 5 }), done(1, 'read', null, 1, { logIndex: Number(value) })),
  ),
  planted('two writes at one index', 'shared-index', byIndex, { right: 6, wrong: 5 }, (value) =>
    history(done(0, 'write', 1, 1, { logIndex: 5 }), done(0, 'write', 1, 1, { logIndex: Number(value) })),
  ),
  planted('answer that the log contradicts', 'untrue-answer', byIndex, { right: 1, wrong: 2 }, (value) =>
    history(done(0, 'write', 1, 1, { logIndex: 5 }), done(1, 'read', null, value, { logIndex: 5 })),
  ),
]

const bank = (operations: readonly Operation[]): Verdict => checkBank(operations, { total: 20 })
const SETS_AND_BANKS: readonly Planted[] = [
  planted('money that is made', 'wrong-total', bank, { right: 12, wrong: 13 }, (value) =>
    history(done(0, 'read', null, { 0: 10, 1: 10 }), done(0, 'read', null, { 0: 8, 1: value })),
  ),
  planted('balance below zero', 'negative-balance', bank, { right: [5, 15], wrong: [-5, 25] }, (value) => {
    const [zero = null, one = null] = value as readonly number[]
    return history(done(0, 'read', null, { 0: 10, 1: 10 }), done(0, 'read', null, { 0: zero, 1: one }))
  }),
  planted(
    'account out of nowhere',
    'unknown-account',
    bank,
    { right: { 0: 9, 1: 11 }, wrong: { 0: 9, 1: 9, 2: 2 } },
    (value) => history(done(0, 'read', null, { 0: 10, 1: 10 }), done(0, 'read', null, value)),
  ),
  planted('element that is lost', 'lost', checkSet, { right: [1, 2], wrong: [2] }, (value) =>
    history(done(0, 'add', 1, 1), done(0, 'add', 2, 2), done(1, 'read', null, value)),
  ),
  planted('element that is missing for a while', 'stale', checkSet, { right: [1], wrong: [] }, (value) =>
    history(done(0, 'add', 1, 1), done(1, 'read', null, value), done(1, 'read', null, [1])),
  ),
  planted('element whose addition failed', 'phantom', checkSet, { right: [1], wrong: [1, 2] }, (value) =>
    history(done(0, 'add', 1, 1), begin(0, 'add', 2), event('fail', 0, 'add', 2), done(1, 'read', null, value)),
  ),
  planted('element that is there twice', 'duplicate-elements', checkSet, { right: [1], wrong: [1, 1] }, (value) =>
    history(done(0, 'add', 1, 1), done(1, 'read', null, value)),
  ),
  planted('unknown addition that was seen and is gone', 'lost', checkSet, { right: [1], wrong: [] }, (value) =>
    history(begin(0, 'add', 1), done(1, 'read', null, [1]), done(1, 'read', null, value)),
  ),
]

const [append, r] = [new Keyword('append'), new Keyword('r')]
const a = (key: string, element: number): HistoryValue => [append, key, element]
const read = (key: string, seen: HistoryValue): HistoryValue => [r, key, seen]

/** All transactions at the same time, each of its own process. */
function together(...transactions: readonly (readonly HistoryValue[])[]): readonly Operation[] {
  const asked = (step: HistoryValue): HistoryValue => {
    const [kind = null, key = null, value = null] = step as readonly HistoryValue[]
    return kind === r ? [kind, key, null] : [kind, key, value]
  }
  return operationsOf([
    ...transactions.map((steps, at) => event('invoke', at, 'txn', steps.map(asked))),
    ...transactions.map((steps, at) => event('ok', at, 'txn', steps)),
  ])
}
const list = (value: HistoryValue): HistoryValue => read('x', value)

const TRANSACTIONS: readonly Planted[] = [
  planted('G0: writes of two transactions interleave', 'G0', checkAppend, { right: [1, 2], wrong: [2, 1] }, (value) =>
    together([a('x', 1), a('y', 1)], [a('x', 2), a('y', 2)], [read('x', [1, 2])], [read('y', value)]),
  ),
  planted('G1a: read of an aborted append', 'G1a', checkAppend, { right: [1], wrong: [1, 2] }, (value) =>
    operationsOf([
      ...done(0, 'txn', [a('x', 1)], [a('x', 1)]),
      begin(0, 'txn', [a('x', 2)]),
      event('fail', 0, 'txn', [a('x', 2)]),
      ...done(1, 'txn', [list(null)], [list(value)]),
    ]),
  ),
  planted('G1b: read in the middle of a transaction', 'G1b', checkAppend, { right: [1, 2], wrong: [1] }, (value) =>
    together([a('x', 1), a('x', 2)], [list(value)]),
  ),
  planted('G1c: two transactions read each other', 'G1c', checkAppend, { right: [], wrong: [2] }, (value) =>
    together([a('x', 1), read('y', value)], [a('y', 2), read('x', [1])]),
  ),
  planted('G-single: one of two writes is seen', 'G-single', checkAppend, { right: [2], wrong: [] }, (value) =>
    together([a('x', 1), a('y', 2)], [read('x', [1]), read('y', value)], [read('y', [2])]),
  ),
  planted('G2: write skew', 'G2', checkAppend, { right: [1], wrong: [] }, (value) =>
    together([a('x', 1), read('y', [])], [a('y', 2), read('x', value)], [read('x', [1]), read('y', [2])]),
  ),
  planted(
    'G-single-realtime: a read of the past',
    'G-single-realtime',
    checkAppend,
    { right: [1], wrong: [] },
    (value) =>
      operationsOf([...done(0, 'txn', [a('x', 1)], [a('x', 1)]), ...done(1, 'txn', [list(null)], [list(value)])]),
  ),
  planted('G-single-process: a process forgets', 'G-single-process', checkAppend, { right: [1], wrong: [] }, (value) =>
    operationsOf([...done(0, 'txn', [a('x', 1)], [a('x', 1)]), ...done(0, 'txn', [list(null)], [list(value)])]),
  ),
  planted('lost update', 'lost-update', checkAppend, { right: [1], wrong: [] }, (value) =>
    together([list([]), a('x', 1)], [list(value), a('x', 2)]),
  ),
  planted('element twice in a list', 'duplicate-elements', checkAppend, { right: [1, 2], wrong: [1, 2, 1] }, (value) =>
    together([a('x', 1)], [a('x', 2)], [list(value)]),
  ),
  planted('reads of two orders', 'incompatible-order', checkAppend, { right: [1, 2], wrong: [2, 1] }, (value) =>
    together([a('x', 1)], [a('x', 2)], [list([1, 2])], [list(value)]),
  ),
  planted('transaction that does not see itself', 'internal', checkAppend, { right: [1, 2], wrong: [1] }, (value) =>
    together([a('x', 1)], [a('x', 2), list(value)]),
  ),
  planted('element that nobody appended', 'phantom', checkAppend, { right: [1], wrong: [1, 9] }, (value) =>
    together([a('x', 1)], [list(value)]),
  ),
  planted('half of an unknown transaction', 'G-single-realtime', checkAppend, { right: [2], wrong: [] }, (value) =>
    operationsOf([
      begin(0, 'txn', [a('x', 1), a('y', 2)]),
      ...done(1, 'txn', [list(null)], [list([1])]),
      ...done(2, 'txn', [read('y', null)], [read('y', value)]),
    ]),
  ),
]

/** Every kind of anomaly that the checkers of histories know. */
export const PLANTED: readonly Planted[] = [...REGISTERS, ...INDEXES, ...SETS_AND_BANKS, ...TRANSACTIONS]
