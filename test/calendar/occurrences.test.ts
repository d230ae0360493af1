import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCalendar } from '../../src/calendar/occurrences.ts'

const ISO = (instant: number): string => new Date(instant).toISOString().replace(':00.000Z', 'Z')

/** The runs of an expression in [from, until), as UTC. */
function runs(expression: string, zone: string, from: string, until: string): string[] {
  const calendar = readCalendar(expression, zone)
  if (typeof calendar === 'string') throw new Error(calendar)
  const found: string[] = []
  let at = calendar.next(Date.parse(from) - 1)
  while (at !== null && at < Date.parse(until)) {
    found.push(ISO(at))
    at = calendar.next(at)
  }
  return found
}

const NEW_YORK = 'America/New_York'
const LORD_HOWE = 'Australia/Lord_Howe'

describe('times of a day', () => {
  test('one that New York skips runs once, at the instant after the gap', () => {
    expect(runs('30 2 * * *', NEW_YORK, '2026-03-07T00:00Z', '2026-03-10T00:00Z')).toEqual([
      '2026-03-07T07:30Z',
      '2026-03-08T07:00Z',
      '2026-03-09T06:30Z',
    ])
  })

  test('several that it skips, and one at the instant after the gap, are one run', () => {
    const day = ['2026-03-08T00:00Z', '2026-03-09T00:00Z'] as const
    expect(runs('*/15 2 * * *', NEW_YORK, ...day)).toEqual(['2026-03-08T07:00Z'])
    expect(runs('0,30 2,3 * * *', NEW_YORK, ...day)).toEqual(['2026-03-08T07:00Z', '2026-03-08T07:30Z'])
  })

  test('one that New York shows twice runs the first time', () => {
    expect(runs('30 1 * * *', NEW_YORK, '2026-10-31T00:00Z', '2026-11-03T00:00Z')).toEqual([
      '2026-10-31T05:30Z',
      '2026-11-01T05:30Z',
      '2026-11-02T06:30Z',
    ])
    expect(runs('0-59/20 1 * * *', NEW_YORK, '2026-11-01T00:00Z', '2026-11-02T00:00Z')).toEqual([
      '2026-11-01T05:00Z',
      '2026-11-01T05:20Z',
      '2026-11-01T05:40Z',
    ])
  })

  test('one in the half hour that Lord Howe skips runs at the instant after the gap', () => {
    // On 4 October 2026 the clock goes from 02:00 (+10:30) to 02:30 (+11:00).
    expect(runs('0 2 * * *', LORD_HOWE, '2026-10-02T00:00Z', '2026-10-05T00:00Z')).toEqual([
      '2026-10-02T15:30Z',
      '2026-10-03T15:30Z',
      '2026-10-04T15:00Z',
    ])
    expect(runs('15 2 * * *', LORD_HOWE, '2026-10-03T00:00Z', '2026-10-04T00:00Z')).toEqual(['2026-10-03T15:30Z'])
  })

  test('one in the half hour that Lord Howe shows twice runs the first time', () => {
    // On 5 April 2026 the clock goes from 02:00 (+11:00) back to 01:30 (+10:30).
    expect(runs('45 1 * * *', LORD_HOWE, '2026-04-03T00:00Z', '2026-04-06T00:00Z')).toEqual([
      '2026-04-03T14:45Z',
      '2026-04-04T14:45Z',
      '2026-04-05T15:15Z',
    ])
  })
})

describe('every hour', () => {
  test('each real hour of New York has one run, over the gap and over the overlap', () => {
    const hours = (from: number, count: number): string[] =>
      Array.from({ length: count }, (_, at) => ISO(from + at * 3_600_000))
    for (const minute of ['0', '30']) {
      const offset = Number(minute) * 60_000
      expect(runs(`${minute} * * * *`, NEW_YORK, '2026-03-08T00:00Z', '2026-03-09T00:00Z')).toEqual(
        hours(Date.parse('2026-03-08T00:00Z') + offset, 24),
      )
      expect(runs(`${minute} */1 * * *`, NEW_YORK, '2026-11-01T00:00Z', '2026-11-02T00:00Z')).toEqual(
        hours(Date.parse('2026-11-01T00:00Z') + offset, 24),
      )
    }
  })

  test('Lord Howe never shows 02:00 at the gap, and shows 01:30 twice at the overlap', () => {
    expect(runs('0 * * * *', LORD_HOWE, '2026-10-03T14:00Z', '2026-10-03T18:00Z')).toEqual([
      '2026-10-03T14:30Z',
      '2026-10-03T16:00Z',
      '2026-10-03T17:00Z',
    ])
    expect(runs('30 * * * *', LORD_HOWE, '2026-04-04T13:00Z', '2026-04-04T17:00Z')).toEqual([
      '2026-04-04T13:30Z',
      '2026-04-04T14:30Z',
      '2026-04-04T15:00Z',
      '2026-04-04T16:00Z',
    ])
  })
})

test('a clock that is not whole minutes from UTC has each minute once', () => {
  // Until 1972 Monrovia was 44 minutes and 30 seconds behind.
  for (const expression of ['* * * * *', '0-59 0-23 * * *']) {
    const calendar = readCalendar(expression, 'Africa/Monrovia')
    if (typeof calendar === 'string') throw new Error(calendar)
    for (const after of ['00:00:00', '00:00:29.999', '23:59:30'])
      expect(calendar.next(Date.parse(`1971-01-05T${after}Z`))).toBe(
        Date.parse(after === '23:59:30' ? '1971-01-06T00:00:30Z' : '1971-01-05T00:00:30Z'),
      )
  }
})

describe('days', () => {
  test('where both fields of days are restricted, either is enough', () => {
    expect(runs('0 0 13 * 5', 'UTC', '2026-11-01T00:00Z', '2026-12-01T00:00Z')).toEqual([
      '2026-11-06T00:00Z',
      '2026-11-13T00:00Z',
      '2026-11-20T00:00Z',
      '2026-11-27T00:00Z',
    ])
    expect(runs('0 0 14 * 5', 'UTC', '2026-11-08T00:00Z', '2026-11-21T00:00Z')).toEqual([
      '2026-11-13T00:00Z',
      '2026-11-14T00:00Z',
      '2026-11-20T00:00Z',
    ])
  })

  test('a leap day is found across a century without one', () => {
    expect(runs('0 12 29 2 *', 'UTC', '2096-03-01T00:00Z', '2105-01-01T00:00Z')).toEqual(['2104-02-29T12:00Z'])
  })

  test('a month and its names, Sunday as 0 and as 7', () => {
    expect(runs('0 0 1 jan-mar *', 'UTC', '2026-01-01T00:00Z', '2027-01-01T00:00Z')).toHaveLength(3)
    for (const sunday of ['0', '7', 'SUN'])
      expect(runs(`0 0 * * ${sunday}`, 'UTC', '2026-11-01T00:00Z', '2026-11-09T00:00Z')).toEqual([
        '2026-11-01T00:00Z',
        '2026-11-08T00:00Z',
      ])
  })
})

test('a zone that is not known and an expression that is not read are told apart', () => {
  expect(readCalendar('0 0 * * *', 'Europe/Pariss')).toBe('unknownZone')
  expect(readCalendar('0 0 * *', 'Europe/Paris')).toBe('badCron')
  expect(typeof readCalendar('0 0 * * *', '+05:30')).toBe('object')
  // Temporal takes the zone out of a time.
  for (const zone of ['', '2026-01-01T00:00Z', '2026-01-01T00:00+01:00[Europe/Paris]', '+24:00'])
    expect(readCalendar('0 0 * * *', zone)).toBe('unknownZone')
})

/** Fields in which each value is drawn, and the same as sets. */
const field = (
  min: number,
  max: number,
  star: boolean,
): fc.Arbitrary<{ text: string; fits: (value: number) => boolean }> =>
  fc.oneof(
    ...(star ? [fc.constant({ text: '*', fits: () => true })] : []),
    fc.integer({ min, max }).map((only) => ({ text: `${only}`, fits: (value: number) => value === only })),
    fc.integer({ min: 1, max: 20 }).map((by) => ({
      text: `${min}-${max}/${by}`,
      fits: (value: number) => (value - min) % by === 0,
    })),
  )

test('every hour: the next run is the first minute whose clock fits, as Intl shows it', () => {
  const parts = new Intl.DateTimeFormat('en-u-hc-h23', { timeZone: LORD_HOWE, hour: '2-digit', minute: '2-digit' })
  fc.assert(
    fc.property(field(0, 59, true), fc.integer({ min: 0, max: 4000 }), (minute, skew) => {
      // Around both transitions of the year.
      const from = Date.parse(skew % 2 === 0 ? '2026-04-04T12:00Z' : '2026-10-03T13:00Z') + skew * 1000
      const calendar = readCalendar(`${minute.text} * * * *`, LORD_HOWE)
      if (typeof calendar === 'string') throw new Error(calendar)
      let expected = Math.floor(from / 60_000) * 60_000 + 60_000
      while (!minute.fits(Number(parts.format(expected).slice(-2)))) expected += 60_000
      expect(calendar.next(from)).toBe(expected)
    }),
    { numRuns: 60 },
  )
})

test('times of a day: each day has each of them once, in every zone and year', () => {
  const zones = [NEW_YORK, LORD_HOWE, 'Europe/Berlin', 'Africa/Casablanca', 'Asia/Kathmandu', 'America/St_Johns']
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 2012, max: 2035 }),
      (zone, minute, hour, year) => {
        const found = runs(`${minute} ${hour} * * *`, zone, `${year}-01-02T00:00Z`, `${year + 1}-01-02T00:00Z`)
        const days = year % 4 === 0 ? 366 : 365
        // A change of the offset that is not taken back within the year moves the last one over its end.
        expect(Math.abs(found.length - days)).toBeLessThanOrEqual(1)
        expect(new Set(found).size).toBe(found.length)
      },
    ),
    { numRuns: 40 },
  )
})
