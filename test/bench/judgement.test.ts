import { expect, test } from 'vitest'
import { type JudgedLane, judge } from '../../bench/exactly-once/judgement.ts'

const RIGHT: JudgedLane = {
  lane: 7,
  outcomes: ['ok', 'rejected', 'unknown', 'unknown', 'ok', 'notExecuted'],
  noted: [1, 5, 3],
  disorder: [],
}
/** Of the two whose outcome is unknown, one was applied. */
const APPLIED: readonly (readonly [number, number])[] = [
  [1, 1],
  [3, 1],
  [5, 1],
]
const NOTHING = { lost: 0, duplicated: 0, phantom: 0, gaps: 0 }

function judged(lane: Partial<JudgedLane>, applied: readonly (readonly [number, number])[] = APPLIED): object {
  const { examples, ...counts } = judge([{ lane: { ...RIGHT, ...lane }, applied: new Map(applied) }])
  expect(examples.length > 0).toBe(Object.values(counts).some((count) => count > 0))
  return counts
}

test('what was answered and noted as it was applied is right, and an unknown outcome may be either', () => {
  expect(judged({})).toEqual(NOTHING)
})

test('a command that was answered and is not there is lost, and its request told of nothing', () => {
  expect(judged({}, APPLIED.slice(1))).toEqual({ ...NOTHING, lost: 1, gaps: 1 })
})

test('a command that was applied twice is counted once, whatever was told of it', () => {
  expect(judged({}, [...APPLIED.slice(0, 2), [5, 2]])).toEqual({ ...NOTHING, duplicated: 1 })
  expect(judged({}, [APPLIED[0] ?? [0, 0], [3, 3], [5, 1]])).toEqual({ ...NOTHING, duplicated: 1 })
})

test('what was refused, not executed or never asked for and is there is a phantom', () => {
  for (const number of [2, 6, 7])
    expect(judged({ noted: [1, 5, 3, number] }, [...APPLIED, [number, 1]])).toEqual({ ...NOTHING, phantom: 1 })
})

test('a server request that is missing, comes twice or in another order is a gap', () => {
  expect(judged({ noted: [1, 3] })).toEqual({ ...NOTHING, gaps: 1 })
  expect(judged({ noted: [1, 5, 3, 3] })).toEqual({ ...NOTHING, gaps: 1 })
  expect(judged({ noted: [1, 5, 3, 4] })).toEqual({ ...NOTHING, gaps: 1 })
  expect(judged({ disorder: ['request 3 came after 1'] })).toEqual({ ...NOTHING, gaps: 1 })
})
