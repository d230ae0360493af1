import { expect, test } from 'vitest'
import type { Delivery, Operation } from '../../../bench/faults/history.ts'
import { checkDeliveries } from '../../../bench/faults/verdict/check-deliveries.ts'
import { isClean, judgeHistory } from '../../../bench/faults/verdict/judge-history.ts'

function emitting(number: number, type: 'ok' | 'info' = 'ok'): Operation {
  const step = { id: `3:${number}`, f: 'requests.emit', key: '', a: 0, b: 0, to: '' } as const
  const [invokedNs, completedNs] = [10 * number, type === 'ok' ? 10 * number + 5 : Infinity]
  const told = type === 'ok' ? { reply: 'true', index: 100 + number } : { reply: '', index: 0 }
  return { process: number, step, query: false, type, invokedNs, completedNs, ...told }
}

const OPERATIONS = [emitting(1), emitting(2, 'info'), emitting(3), emitting(4, 'info')]
const JOURNAL = [1, 2, 3, 4].map((number) => ({ id: `3:${number}`, index: 100 + number, session: 's' }))
const SESSIONS = [{ kind: 'opened', session: 's', index: 1 }] as const

function given(...numbers: readonly (readonly [number, number])[]): Delivery[] {
  return numbers.map(([serverRequestId, number]) => ({ lane: 3, serverRequestId, told: `3:${number}` }))
}

function found(deliveries: readonly Delivery[]): string[] {
  const clean = isClean(judgeHistory(OPERATIONS, { commands: JOURNAL, sessions: SESSIONS }, deliveries))
  const names = checkDeliveries(OPERATIONS, JOURNAL, deliveries).flatMap(({ verdict }) =>
    verdict.kind === 'violated' ? verdict.anomalies.map(({ name }) => name) : [],
  )
  expect(clean).toBe(names.length === 0)
  return names
}

test('server requests come in the order of the journal; the last ones, of unknown outcome, may be on their way', () => {
  expect(found(given([1, 1], [2, 2], [3, 3]))).toEqual([])
  expect(found(given([1, 1], [2, 2], [3, 3], [4, 4]))).toEqual([])
})

test('one that never came, came twice, before its time or from nowhere is told', () => {
  expect(found(given([1, 1], [2, 2]))).toEqual(['undelivered'])
  expect(found(given([1, 1], [2, 2], [2, 2], [3, 3]))).toEqual(['repeated'])
  expect(found(given([1, 1], [3, 3]))).toEqual(['gap', 'undelivered'])
  expect(found(given([1, 1], [2, 3], [3, 2]))).toEqual(['changed', 'changed'])
  expect(found(given([1, 1], [2, 2], [3, 3], [4, 4], [5, 9]))).toEqual(['phantom'])
})

test('of commands that are not in the journal nothing is due', () => {
  expect(checkDeliveries(OPERATIONS, JOURNAL.slice(0, 1), given([1, 1]))).toMatchObject([{ verdict: { kind: 'ok' } }])
})
