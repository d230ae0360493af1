import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ConciergeState,
  effectiveEnd,
  eventIsLive,
  eventRecentlyEnded,
  hasActiveEvent,
  phaseOf,
  type RegisteredEvent,
  type RegistrationStatus,
  route,
} from '../../../src/machines/index.ts'
import { activeStatus, nextBoundary } from '../../../src/machines/concierge/rules/guards.ts'
import { sample } from '../../effort.ts'
import { DAY } from './world.ts'

const event = (changes: Partial<RegisteredEvent> = {}): RegisteredEvent => ({
  eventId: 'e',
  status: 'registered',
  dayStartsAt: 100,
  startsAt: 200,
  endsAt: 300,
  endedAt: null,
  ...changes,
})

const STATUSES: readonly RegistrationStatus[] = [
  'registered',
  'checked_in',
  'attending',
  'no_show',
  'cancelled',
  'completed',
]
const active = ['registered', 'checked_in', 'attending']

describe('domain.md §5.3 guards', () => {
  test('effectiveEnd: when it was ended, else when it was to end', () => {
    expect(effectiveEnd(event())).toBe(300)
    expect(effectiveEnd(event({ endedAt: 250 }))).toBe(250)
  })

  test.each(STATUSES)('activeStatus of %s', (status) => {
    expect(activeStatus({ status })).toBe(active.includes(status))
  })

  test.each(STATUSES)('hasActiveEvent of %s: from the beginning of its day, up to its end and not at it', (status) => {
    const is = (now: number, changes = {}) => hasActiveEvent(event({ status, ...changes }), now)
    const held = active.includes(status)
    expect([is(99), is(100), is(299), is(300)]).toEqual([false, held, held, false])
    expect([is(249, { endedAt: 250 }), is(250, { endedAt: 250 })]).toEqual([held, false])
  })

  test.each(STATUSES)('eventIsLive of %s: from its beginning, up to its end and not at it', (status) => {
    const is = (now: number) => eventIsLive(event({ status }), now)
    const held = active.includes(status)
    expect([is(199), is(200), is(299), is(300)]).toEqual([false, held, held, false])
  })

  test.each(STATUSES)(
    'eventRecentlyEnded of %s: for a day from its end, whatever became of it but absence',
    (status) => {
      const is = (now: number) => eventRecentlyEnded(event({ status }), now)
      const held = status !== 'cancelled' && status !== 'no_show'
      expect([is(299), is(300), is(299 + DAY), is(300 + DAY)]).toEqual([false, held, held, false])
    },
  )

  test('selection among several active ones: live before not-live, then smallest startsAt, then smallest eventId', () => {
    const long = event({ eventId: 'long', startsAt: 150, endsAt: 900 })
    const later = event({ eventId: 'later', startsAt: 250, endsAt: 900 })
    const before = event({ eventId: 'before', startsAt: 260, endsAt: 900 })
    const twin = event({ eventId: 'a', startsAt: 250, endsAt: 900 })
    const chosen = (now: number, ...events: readonly RegisteredEvent[]) => route(events, now).eventId
    expect(chosen(120, later, long)).toBe('long')
    expect(chosen(255, event({ eventId: 'early', startsAt: 258, endsAt: 900 }), later)).toBe('later')
    expect(chosen(120, before, later)).toBe('later')
    expect(chosen(120, later, twin)).toBe('a')
    expect(chosen(120, twin, later)).toBe('a')
    expect(route([later], 900)).toEqual({ state: 'standard_agent', eventId: null })
  })

  test('the next boundary is the nearest begin of a day or end of an active-status registration', () => {
    expect(nextBoundary([event()], 99)).toBe(100)
    expect(nextBoundary([event()], 100)).toBe(300)
    expect(nextBoundary([event(), event({ endedAt: 250 })], 100)).toBe(250)
    expect(nextBoundary([event({ status: 'cancelled' })], 99)).toBeNull()
    expect(nextBoundary([event()], 300)).toBeNull()
    expect(nextBoundary([event({ endedAt: 50 })], 60)).toBeNull()
  })

  test('phase: none, today, live, just_ended', () => {
    const of = (state: ConciergeState, now: number) =>
      phaseOf([event()], { state, eventId: state === 'event_agent' ? 'e' : null, now })
    expect([
      of('standard_agent', 99),
      of('event_agent', 100),
      of('event_agent', 200),
      of('standard_agent', 300),
    ]).toEqual(['none', 'today', 'live', 'just_ended'])
    // Nobody answers in idle, so nobody is told.
    expect([99, 200, 300].map((now) => of('idle', now))).toEqual(['none', 'none', 'none'])
  })
})

const events = fc
  .record({
    eventId: fc.constantFrom('a', 'b', 'c', 'd'),
    status: fc.constantFrom(...STATUSES),
    at: fc.integer({ min: 0, max: 40 }),
    spans: fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 20 })),
    endedAt: fc.option(fc.integer({ min: 0, max: 80 })),
  })
  .map(
    ({ eventId, status, at, spans: [wait, length], endedAt }): RegisteredEvent => ({
      eventId,
      status,
      dayStartsAt: at,
      startsAt: at + wait,
      endsAt: at + wait + length,
      endedAt,
    }),
  )
const several = fc.uniqueArray(events, { selector: ({ eventId }) => eventId, maxLength: 4 })
const now = fc.integer({ min: 0, max: 100 })
const runs = { numRuns: sample(300) }

describe('domain.md §5.10 properties of the guards', () => {
  test('PC4 a live event is active, and none is active and just over', () => {
    fc.assert(
      fc.property(events, now, (one, t) => {
        if (eventIsLive(one, t)) expect(hasActiveEvent(one, t)).toBe(true)
        expect(hasActiveEvent(one, t) && eventRecentlyEnded(one, t)).toBe(false)
      }),
      runs,
    )
  })

  test('PC5 the order of the registrations decides nothing', () => {
    fc.assert(
      fc.property(
        several.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        now,
        ([list, shuffled], t) => {
          expect(route(shuffled, t)).toEqual(route(list, t))
        },
      ),
      runs,
    )
  })

  test('between two boundaries nothing changes but by what is live', () => {
    fc.assert(
      fc.property(several, now, (list, t) => {
        const next = nextBoundary(list, t) ?? 200
        for (let later = t; later < next; later += 1) expect(route(list, later).state).toBe(route(list, t).state)
      }),
      runs,
    )
  })
})
