import { expect, test } from 'vitest'
import { type HistoryEvent, type JournalEntry, operationsOf, type Step } from '../../../bench/faults/history.ts'
import { isClean, judgeByIndex, type Verdict } from '../../../bench/faults/verdict/judge-history.ts'

const STEP: Step = { id: '', f: 'register.read', key: 'r', a: 0, b: 0, to: '' }
const BALANCES = JSON.stringify(Array.from({ length: 8 }, (_, at) => [`a${at}`, 100]))
const JOURNAL: readonly JournalEntry[] = [
  { id: 'w1', index: 10 },
  { id: 'w2', index: 12 },
  { id: 'c1', index: 13 },
]

/** One operation of a process of its own, from one moment to another. */
interface Told {
  readonly step: Partial<Step>
  readonly at: readonly [number, number]
  readonly type?: 'ok' | 'fail' | 'info'
  readonly reply?: string
  readonly index?: number
}

const WRITE_1: Told = { step: { id: 'w1', f: 'register.write', a: 1 }, at: [0, 5], reply: 'null', index: 10 }
const WRITE_2: Told = { step: { id: 'w2', f: 'register.write', a: 2 }, at: [6, 9], reply: 'null', index: 12 }
const COUNT: Told = { step: { id: 'c1', f: 'counter.add', key: 'c', a: 3 }, at: [7, 20], type: 'info' }
const READ: Told = { step: {}, at: [10, 11], reply: '2', index: 12 }
const BALANCE: Told = { step: { f: 'bank.read', key: 'a0' }, at: [10, 12], reply: BALANCES, index: 13 }
const RIGHT = [WRITE_1, WRITE_2, COUNT, READ, BALANCE]

function judged(all: readonly Told[], journal: readonly JournalEntry[] | null = JOURNAL): Partial<Verdict> {
  const events = all.flatMap(({ step, at: [from, to], type = 'ok', reply, index }, process): HistoryEvent[] => {
    const given = { ...STEP, ...step }
    const place = index === undefined ? {} : { index }
    return [
      { process, type: 'invoke', f: given.f, value: given, timeNs: from },
      { process, type, f: given.f, value: reply ?? '', timeNs: to, ...place },
    ]
  })
  const verdict = judgeByIndex(operationsOf(events), journal)
  const { examples, ...counts } = verdict
  const found = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
  expect(isClean(verdict)).toBe(Object.keys(found).length === 0)
  expect(examples.length > 0).toBe(Object.keys(found).length > 0)
  return found
}

/** The same history with one operation told otherwise. */
function but(wrong: Told, instead: Partial<Told>): Told[] {
  return RIGHT.map((one) => (one === wrong ? { ...one, ...instead } : one))
}

test('what the journal leads to, in an order that real time allows, is right; an unknown outcome may be either', () => {
  expect(judged(RIGHT)).toEqual({})
  expect(judged(RIGHT, JOURNAL.slice(0, 2))).toEqual({})
})

test('an acknowledged command that is not in the journal is lost', () => {
  expect(judged([WRITE_2, COUNT, READ, WRITE_1], JOURNAL.slice(1))).toEqual({ lost: 1 })
})

test('a command that is in the journal twice is doubled', () => {
  expect(judged([WRITE_1, WRITE_2, COUNT], [...JOURNAL, { id: 'w2', index: 15 }])).toEqual({ duplicated: 1 })
})

test('what was not executed, or never asked for, and is in the journal, is a phantom', () => {
  expect(judged(but(COUNT, { type: 'fail' }))).toEqual({ phantom: 1 })
  expect(judged(RIGHT, [...JOURNAL, { id: 'x', index: 14 }])).toEqual({ phantom: 1 })
})

test('a read of a state from before something that was known when it was asked is out of order', () => {
  expect(judged(but(READ, { reply: '1', index: 11 }))).toEqual({ disordered: 1 })
})

test('without a journal the order alone is judged', () => {
  expect(judged([WRITE_2, COUNT, READ], null)).toEqual({})
  expect(judged(but(READ, { index: 11 }), null)).toEqual({ disordered: 1 })
})

test('two reads one after the other do not go back, whatever they show', () => {
  const early: Told = { ...READ, at: [10, 11], index: 13 }
  const late: Told = { ...READ, at: [12, 13], index: 12 }
  expect(judged([WRITE_1, WRITE_2, COUNT, early, late])).toEqual({ disordered: 1 })
  expect(judged([WRITE_1, WRITE_2, COUNT, early, { ...late, at: [9, 13] }])).toEqual({})
})

test('a command that comes before one that was complete when it was asked is out of order', () => {
  const swapped = [{ ...WRITE_1, at: [6, 9] as const }, { ...WRITE_2, at: [0, 5] as const }, COUNT]
  expect(judged(swapped)).toEqual({ disordered: 1 })
})

test('a reply that names another index than the journal is out of order', () => {
  expect(judged(but(WRITE_1, { index: 11 }))).toEqual({ disordered: 1 })
})

test('a reply that the journal does not lead to is wrong', () => {
  expect(judged(but(READ, { reply: '1' }))).toEqual({ wrongReply: 1 })
  const count: Partial<Told> = { type: 'ok', reply: '6', index: 13 }
  expect(judged(but(COUNT, count))).toEqual({ wrongReply: 1 })
})

test('accounts that do not add up are told as such', () => {
  expect(judged(but(BALANCE, { reply: BALANCES.replace('100', '90') }))).toEqual({ wrongReply: 1, unbalanced: 1 })
})

test('a call without an end is unknown, and a process calls one thing at a time', () => {
  const call: HistoryEvent = { process: 1, type: 'invoke', f: 'register.read', value: STEP, timeNs: 1 }
  expect(operationsOf([call])).toMatchObject([{ type: 'info', completedNs: Number.POSITIVE_INFINITY }])
  expect(() => operationsOf([call, call])).toThrow(/before/)
  expect(() => operationsOf([{ ...call, type: 'ok' }])).toThrow(/without a call/)
})
