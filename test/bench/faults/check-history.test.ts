import { expect, test } from 'vitest'
import type { CommandLine, Journal, Operation, Step } from '../../../bench/faults/history.ts'
import { checkHistory } from '../../../bench/faults/verdict/check-history.ts'
import { isClean, judgeHistory } from '../../../bench/faults/verdict/judge-history.ts'

const NOTHING: Step = { id: '', f: 'register.read', key: 'r', a: 0, b: 0, to: '' }

/** One operation of a process of its own, from one moment to another. */
function told(step: Partial<Step>, [from, to]: readonly [number, number], rest: Partial<Operation>): Operation {
  const all = { ...NOTHING, ...step }
  const given = { process: from, step: all, query: all.id === '', invokedNs: from, completedNs: to }
  return { ...given, type: 'ok', reply: 'null', index: 0, ...rest }
}

const balances = (first: number): string =>
  JSON.stringify([['a0', first], ...[...'1234567'].map((at) => [`a${at}`, 100])])

const WRITE = told({ id: 'w', f: 'register.write', a: 2 }, [0, 5], { index: 10 })
/** Of unknown outcome: the journal has it. */
const CAS = told({ id: 'c', f: 'register.cas', a: 3, b: 2 }, [6, Infinity], { type: 'info', reply: '', index: 0 })
const READ = told({}, [10, 12], { reply: '3', index: 14 })
const ADD = told({ id: 's', f: 'set.add', key: 's0', a: 7 }, [1, 3], { index: 11 })
const ELEMENTS = told({ f: 'set.read', key: 's0' }, [20, 21], { reply: '[7]', index: 14 })
const APPEND = told({ id: 'l', f: 'append.append', key: 'l', a: 8 }, [2, 4], { index: 12 })
const LIST = told({ f: 'append.read', key: 'l' }, [22, 23], { reply: '[8]', index: 14 })
const BALANCE = told({ f: 'bank.read', key: 'a0' }, [24, 25], { reply: balances(100), index: 14 })
const RIGHT = [WRITE, CAS, READ, ADD, ELEMENTS, APPEND, LIST, BALANCE]
const JOURNAL: readonly CommandLine[] = [WRITE, ADD, APPEND, CAS].map(({ step }, at) => ({
  id: step.id,
  index: 10 + at,
  session: 's',
}))
const WHOLE: Journal = { commands: JOURNAL, sessions: [{ kind: 'opened', session: 's', index: 1 }] }

/** Who found what, in RIGHT with one operation told otherwise. */
function found(wrong: Operation, instead: Partial<Operation>): string[] {
  const all = RIGHT.map((one) => (one === wrong ? { ...one, ...instead } : one))
  expect(isClean(judgeHistory(all, WHOLE))).toBe(false)
  return checkHistory(all, JOURNAL).flatMap(({ checker, verdict }) =>
    verdict.kind === 'violated' ? verdict.anomalies.map(({ name }) => `${checker}: ${name}`) : [],
  )
}

test('every checker is asked, and has nothing to say of a history that is right, with a journal and without', () => {
  const verdicts = checkHistory(RIGHT, JOURNAL)
  const names = ['linearizability of r', 'order by index', 'append', 'set', 'bank']
  expect(verdicts).toEqual(names.map((checker) => ({ checker, verdict: { kind: 'ok' } })))
  expect(checkHistory(RIGHT, null).filter(({ verdict }) => verdict.kind !== 'ok')).toEqual([])
  expect(isClean(judgeHistory(RIGHT, WHOLE))).toBe(true)
})

test('what nobody has read is not judged, and a register that nobody wrote reads as 0', () => {
  expect(checkHistory([WRITE, CAS, ADD], JOURNAL)).toEqual([])
  const first = told({}, [0, 1], { reply: 'null', index: 3 })
  expect(
    checkHistory([first, told({ id: 'c', f: 'register.cas', a: 1 }, [2, 3], { reply: 'true', index: 4 })], null),
  ).toEqual(['linearizability of r', 'order by index'].map((checker) => ({ checker, verdict: { kind: 'ok' } })))
})

test('a read of what was written over before it was asked has no place, and contradicts the log', () => {
  expect(found(READ, { reply: '0' })).toEqual([
    'linearizability of r: not-linearizable',
    'order by index: untrue-answer',
  ])
  expect(found(READ, { index: 9 })).toEqual(['order by index: against-time', 'order by index: untrue-answer'])
})

test('a list without what was appended before it was read goes round in a circle', () => {
  expect(found(LIST, { reply: '[]' })).toEqual([expect.stringMatching(/^append: G-/)])
})

test('an element that a later read does not have is lost, and accounts that do not add up are told', () => {
  expect(found(ELEMENTS, { reply: '[]' })).toEqual(['set: lost'])
  expect(found(BALANCE, { reply: balances(90) })).toEqual(['bank: wrong-total'])
})
