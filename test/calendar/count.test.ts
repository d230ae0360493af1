import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCalendar } from '../../src/calendar/occurrences.ts'

const HOUR = 3_600_000
const ZONES = [
  'UTC',
  '+05:30',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Kathmandu',
]
const EXPRESSIONS = [
  '0 * * * *',
  '*/20 */2 * * *',
  '30 2 * * *',
  '15,45 0-3 * * *',
  '0 2,3 13 * 5',
  '59 23 * * 1-5',
  '0 0 1 1 *',
]
/** Instants about which clocks are put forward, back, or past a whole day. */
const ABOUT = [
  '2026-03-08T07:00Z',
  '2026-11-01T06:00Z',
  '2026-10-25T01:00Z',
  '2026-10-03T15:30Z',
  '2011-12-30T10:00Z',
  '2026-04-04T15:00Z',
]

test('as many runs are counted as come one after the other, whatever clocks do between', () => {
  const anywhere = fc.integer({ min: -30 * HOUR, max: 30 * HOUR })
  const [zones, expressions, abouts] = [
    fc.constantFrom(...ZONES),
    fc.constantFrom(...EXPRESSIONS),
    fc.constantFrom(...ABOUT),
  ]
  fc.assert(
    fc.property(
      zones,
      expressions,
      abouts,
      anywhere,
      fc.integer({ min: 0, max: 60 * HOUR }),
      (zone, expression, about, offset, length) => {
        const calendar = readCalendar(expression, zone)
        if (typeof calendar === 'string') throw new Error(calendar)
        const after = Date.parse(about) + offset
        const upTo = after + length
        let count = 0
        for (let at = calendar.next(after); at !== null && at <= upTo; at = calendar.next(at)) count += 1
        expect(calendar.count(after, upTo)).toBe(count)
      },
    ),
    { numRuns: 60 },
  )
})

test('the runs of years are counted as well, each piece apart or together', () => {
  const calendar = readCalendar('30 1,2 * * *', 'America/New_York')
  if (typeof calendar === 'string') throw new Error(calendar)
  const [from, to] = [Date.parse('2020-01-01T05:00Z'), Date.parse('2026-01-01T05:00Z')]
  // On the day of the gap 02:30 runs at 03:00; every day has two.
  expect(calendar.count(from, to)).toBe(2 * 2192)
  let pieces = 0
  for (let at = from; at < to; at += 31 * 24 * HOUR) pieces += calendar.count(at, Math.min(to, at + 31 * 24 * HOUR))
  expect(pieces).toBe(2 * 2192)
})
