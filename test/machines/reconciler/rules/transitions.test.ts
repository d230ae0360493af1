import { describe, expect, test } from 'vitest'
import {
  canTransition,
  EMPATHY_STATUSES,
  EMPATHY_TRANSITIONS,
  empathyTransition,
  validEventsFor,
} from '../../../../src/machines/index.ts'

const STATUSES = [
  'HELD',
  'ANALYZING',
  'AWAITING_SHARING',
  'REFINING',
  'NEEDS_WORK',
  'READY',
  'REVEALED',
  'VALIDATED',
] as const

/** The founding document's own table, 8 × 10, by hand: a column for each status, `-` where the event is refused. */
const UPSTREAM = `
START_ANALYSIS            ANALYZING         -                 -         -                 -         -         -          -
GAPS_DETECTED             AWAITING_SHARING  AWAITING_SHARING  -         -                 -         -         -          -
NO_SIGNIFICANT_GAPS       -                 READY             -         -                 -         -         -          -
MARK_READY                READY             READY             READY     READY             READY     -         -          -
CONTEXT_SHARED            -                 -                 REFINING  -                 REFINING  -         -          -
DECLINE_SHARING           -                 -                 READY     -                 READY     -         -          -
RESUBMIT_WITH_GAPS        -                 -                 -         AWAITING_SHARING  -         -         -          -
MUTUAL_REVEAL             -                 -                 -         -                 -         REVEALED  -          -
VALIDATE                  -                 -                 -         -                 -         -         VALIDATED  -
VALIDATION_FEEDBACK_SENT  -                 -                 -         -                 -         -         REFINING   -`

/** Events of ours, in the same form. */
const OURS = `
RESUBMIT       - - -      ANALYZING  ANALYZING  - - -
OFFER_EXPIRED  - - READY  -          -          - - -
SKIP_PRE       - - -      READY      READY      - - -
SKIP_POST      - - -      VALIDATED  VALIDATED  - - -`

const cellsOf = (table: string) =>
  table
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [event = '', ...targets] = line.trim().split(/\s+/)
      return STATUSES.map((from, column) => ({ from, event, to: targets[column] ?? '' }))
    })

describe('domain.md §4.2 the pure transition function', () => {
  test.each(cellsOf(UPSTREAM))('as required: $from with $event: $to', ({ from, event, to }) => {
    expectCell(from, event, to)
  })

  test.each(cellsOf(OURS))('of ours: $from with $event: $to', ({ from, event, to }) => {
    expectCell(from, event, to)
  })

  test('the required table has 80 cells, 17 of them steps, over 12 pairs of states that are still entered', () => {
    const cells = cellsOf(UPSTREAM)
    expect(cells).toHaveLength(80)
    expect(cells.filter(({ to }) => to !== '-')).toHaveLength(17)
    const pairs = cells.flatMap(({ from, to }) => (to === '-' || from === 'NEEDS_WORK' ? [] : [`${from}→${to}`]))
    expect(new Set(pairs).size).toBe(12)
  })

  test('no event and no status is beside the two tables', () => {
    const named = [...new Set([...cellsOf(UPSTREAM), ...cellsOf(OURS)].map(({ event }) => event))]
    expect([...EMPATHY_TRANSITIONS.events].sort()).toEqual(named.sort())
    expect(EMPATHY_STATUSES).toEqual(STATUSES)
    expect(EMPATHY_TRANSITIONS.terminal).toEqual(['VALIDATED'])
  })

  test.each([
    ['HELD', 'REFINING'],
    ['ANALYZING', 'VALIDATED'],
    ['AWAITING_SHARING', 'VALIDATED'],
    ['REFINING', 'REVEALED'],
    ['VALIDATED', 'REFINING'],
  ])('the invalid transition %s → %s is none of the table, whatever the event', (from, to) => {
    for (const event of EMPATHY_TRANSITIONS.events) {
      const step = empathyTransition(from, event)
      if (!('error' in step)) expect(step.to, event).not.toBe(to)
      else expect(step.error).toBe('INVALID_STATE_TRANSITION')
    }
  })

  test('PR8 nothing leads to NEEDS_WORK', () => {
    expect(EMPATHY_TRANSITIONS.edges().filter(({ to }) => to === 'NEEDS_WORK')).toEqual([])
  })

  test.each([
    ['DRAFTING', 'VALIDATE'],
    ['HELD', 'HURRY'],
  ])('what is no status or no event is VALIDATION_ERROR: %s with %s', (from, event) => {
    expect(empathyTransition(from, event)).toEqual({
      error: 'VALIDATION_ERROR',
      entity: 'empathy',
      from,
      event,
      allowed: [],
    })
    expect(canTransition(from, event)).toBe(false)
  })

  test('validEventsFor gives the events of a status, and none for what is no status', () => {
    expect(validEventsFor('REVEALED')).toEqual(['VALIDATE', 'VALIDATION_FEEDBACK_SENT'])
    expect(validEventsFor('VALIDATED')).toEqual([])
    expect(validEventsFor('DRAFTING')).toEqual([])
  })
})

function expectCell(from: string, event: string, to: string): void {
  const step = empathyTransition(from, event)
  expect(canTransition(from, event)).toBe(to !== '-')
  if (to !== '-') expect(step).toEqual({ entity: 'empathy', from, event, to })
  else expect(step).toMatchObject({ error: 'INVALID_STATE_TRANSITION', from, event, allowed: validEventsFor(from) })
}
