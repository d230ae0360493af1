import { expect, test } from 'vitest'
import { Arrivals } from '../../bench/load/arrivals.ts'

test('a request is due at its own moment, however late somebody looks', () => {
  const arrivals = new Arrivals(100, 1000)
  expect(arrivals.takeDue(999)).toBeNull()
  expect(arrivals.takeDue(1000)).toBe(1000)
  expect(arrivals.takeDue(1009)).toBeNull()
  // Nobody looked for a while: each of those that are due has kept the moment at which it was.
  expect([arrivals.takeDue(1035), arrivals.takeDue(1035), arrivals.takeDue(1035)]).toEqual([1010, 1020, 1030])
  expect(arrivals.takeDue(1035)).toBeNull()
})

test('the rate holds over a long time, of whatever number', () => {
  const arrivals = new Arrivals(3, 0)
  let taken = 0
  while (arrivals.takeDue(60_000) !== null) taken += 1
  expect(taken).toBe(181)
})
