import { expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { checkAppend } from '../../src/history/append/check-append.ts'
import { Keyword } from '../../src/history/edn/history-value.ts'
import { writeHistory } from '../../src/history/edn/write-edn.ts'
import { type HistoryEvent, operationsOf } from '../../src/history/history.ts'
import { checkLinearizable } from '../../src/history/linear/linearizability.ts'
import { keyValueModel, registerModel } from '../../src/history/linear/models.ts'
import { sample } from '../effort.ts'
import { explains, plainLists, plainRegister, plainString } from './brute-force.ts'
import { done } from './events.ts'
import { type Drawn, drawnLists, drawnRegister, drawnString, randomHistory } from './random-history.ts'

/** Runs both judges over random histories, half of them with lies; both verdicts must occur. */
function compare(
  object: () => Drawn,
  judges: { checked(events: readonly HistoryEvent[]): boolean; tried(events: readonly HistoryEvent[]): boolean },
): void {
  const seen = { true: 0, false: 0 }
  for (let seed = 1; seed <= sample(1500); seed += 1) {
    const random = new Random(seed)
    const size = { operations: random.between(2, 7), processes: random.between(1, 4), lies: seed % 2 === 0 }
    const events = randomHistory(random, object(), size)
    const expected = judges.tried(events)
    if (!size.lies) expect(expected, 'an honest history can be explained').toBe(true)
    expect(judges.checked(events), `seed ${seed}:\n${writeHistory(events)}`).toBe(expected)
    seen[`${expected}`] += 1
  }
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(sample(1500) / 25)
}

test('a register is linearizable where some order of all explains it, and nowhere else', () => {
  compare(drawnRegister, {
    checked: (events) => checkLinearizable(operationsOf(events), registerModel).kind === 'ok',
    tried: (events) => explains(operationsOf(events), null, plainRegister),
  })
})

test('so is a string that is appended to', () => {
  compare(drawnString, {
    checked: (events) => checkLinearizable(operationsOf(events), keyValueModel).kind === 'ok',
    tried: (events) => explains(operationsOf(events), '', plainString),
  })
})

test('transactions whose lists are read in the end are free of anomalies where some order explains them, and nowhere else', () => {
  // Who reads in the end sees the order of all that was written, so that nothing is left to guess.
  const finals = (events: readonly HistoryEvent[]): readonly HistoryEvent[] => {
    const lists = new Map<string, unknown[]>([
      ['x', []],
      ['y', []],
    ])
    const known = events.filter(({ kind }) => kind === 'ok').flatMap(({ value }) => value as readonly unknown[][])
    for (const key of lists.keys()) {
      const reads = known.filter(([step, of]) => (step as Keyword).name === 'r' && of === key).map(([, , seen]) => seen)
      const longest = (reads as unknown[][]).reduce((best, seen) => (seen.length > best.length ? seen : best), [])
      const appended = known.filter(([step, of]) => (step as Keyword).name === 'append' && of === key)
      const rest = appended.map(([, , element]) => element).filter((element) => !longest.includes(element))
      lists.set(key, [...longest, ...rest])
    }
    const read = new Keyword('r')
    const asked = [...lists.keys()].map((key) => [read, key, null])
    const answered = [...lists].map(([key, elements]) => [read, key, elements as never])
    return [...events, ...done(999, 'txn', asked, answered)]
  }
  const seen = { true: 0, false: 0 }
  for (let seed = 1; seed <= sample(1500); seed += 1) {
    const random = new Random(seed)
    const size = { operations: random.between(2, 5), processes: random.between(1, 4), lies: seed % 2 === 0 }
    const events = finals(randomHistory(random, drawnLists(), size))
    const operations = operationsOf(events)
    const expected = explains(operations, {}, plainLists)
    expect(checkAppend(operations).kind === 'ok', `seed ${seed}:\n${writeHistory(events)}`).toBe(expected)
    seen[`${expected}`] += 1
  }
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(sample(1500) / 25)
})

test('a search that may not go on says so, and never that all is well', () => {
  const writes = Array.from({ length: 12 }, (_, at) => at)
  const events = [
    ...writes.map((at) => ({ kind: 'invoke' as const, value: at, name: 'write', process: at })),
    ...writes.map((at) => ({ kind: 'ok' as const, value: at, name: 'write', process: at })),
  ].map((each) => ({ ...each, key: null, time: null, logIndex: null }))
  const operations = operationsOf([...events, ...done(99, 'read', null, 'none of them')])
  expect(checkLinearizable(operations, registerModel).kind).toBe('violated')
  for (const stepsMax of [0, 1, 5, 50])
    expect(checkLinearizable(operations, registerModel, { stepsMax }).kind).toBe('unknown')
})
