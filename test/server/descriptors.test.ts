import { describe, expect, test } from 'vitest'
import { type Admission, DescriptorBudget } from '../../src/server/descriptors.ts'

/** Admissions of that many connections in a row; those that are let in keep their descriptor. */
function admissions(limit: number, openBefore: number, connections: number): { [admission in Admission]: number } {
  let open = openBefore
  const budget = new DescriptorBudget({ limit: () => limit, open: () => open })
  const counts = { all: 0, special: 0, none: 0 }
  for (let number = 0; number < connections; number += 1) {
    // The system has accepted it before anybody asks.
    open += 1
    const admission = budget.admit()
    counts[admission] += 1
    if (admission === 'none') open -= 1
  }
  return counts
}

describe('connections and descriptors', () => {
  test.each([
    [128, 30],
    [256, 30],
    [1024, 60],
    [65_536, 200],
  ])('of a limit of %i, with %i open, something is left for files and for peers', (limit, open) => {
    const { all, special } = admissions(limit, open, limit * 2)
    expect(all).toBeGreaterThan(limit / 4)
    expect(special).toBeGreaterThanOrEqual(4)
    expect(limit - open - all - special).toBeGreaterThanOrEqual(24)
  })

  test('are let in again once descriptors came back', () => {
    let open = 128
    const budget = new DescriptorBudget({ limit: () => 128, open: () => open })
    expect(budget.admit()).toBe('none')
    open = 40
    expect(budget.admit()).toBe('all')
  })

  test('clients are served again with the first connection after a crowd has gone', () => {
    let open = 880
    const budget = new DescriptorBudget({ limit: () => 1024, open: () => open })
    expect(budget.admit()).toBe('special')
    open = 40
    expect(budget.admit()).toBe('all')
  })

  test('nobody is let in when there is none left to count them with', () => {
    const budget = new DescriptorBudget({ limit: () => 128, open: () => null })
    expect(budget.admit()).toBe('none')
  })

  test('what else the process has opened counts, though it is no connection', () => {
    expect(admissions(256, 230, 10)).toEqual({ all: 0, special: 0, none: 10 })
  })

  test('are all let in where the system does not tell', () => {
    const budget = new DescriptorBudget({ limit: () => null, open: () => null })
    expect(budget.admit()).toBe('all')
  })
})
