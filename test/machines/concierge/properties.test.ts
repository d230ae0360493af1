import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assign, createActor, SimulatedClock } from 'xstate'
import {
  agentOf,
  conciergeChart,
  type ConciergeEvent,
  type ConciergeState,
  type RegisteredEvent,
} from '../../../src/machines/index.ts'
import { HISTORY_MAX, IDLE_MS } from '../../../src/machines/concierge/facts/concierge-bounds.ts'
import { nextBoundary, selectedEvent } from '../../../src/machines/concierge/rules/guards.ts'
import { sample } from '../../effort.ts'
import { IndependentConversation } from './independent-chart.ts'
import { ADMIN, C7, EIGHT, HOUR, MINUTE, times, World } from './world.ts'

const EVENTS = ['a', 'b'] as const
/** The last begins its day in the middle of a morning: where the day begins is up to whoever registers. */
const TIMES = [
  times(8, 9),
  times(8.5, 10),
  times(9, 10),
  times(9, 17),
  times(8, 9, 1),
  { ...times(8.5, 9), dayStartsAt: EIGHT + 20 * MINUTE },
]
const STATUSES = ['checked_in', 'attending', 'cancelled', 'no_show', 'completed']

type Step =
  | { readonly do: 'talk' | 'end' }
  | { readonly do: 'register' | 'correct'; readonly eventId: string; readonly when: number }
  | { readonly do: 'status'; readonly eventId: string; readonly status: string }
  | { readonly do: 'endEvent'; readonly eventId: string }
  | { readonly do: 'wait'; readonly ms: number }

const eventId = fc.constantFrom(...EVENTS)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('talk' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('register' as const, 'correct' as const),
      eventId,
      when: fc.nat(TIMES.length - 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('status' as const), eventId, status: fc.constantFrom(...STATUSES) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('endEvent' as const), eventId }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, MINUTE, 10 * MINUTE, 29 * MINUTE, 30 * MINUTE, HOUR),
    }),
  },
)
const steps = fc.array(step, { minLength: 5, maxLength: 30, size: 'max' })

/** Does a step, and says what was refused. */
function act(world: World, taken: Step): void {
  switch (taken.do) {
    case 'talk':
      world.talk()
      return
    case 'end':
      world.ok(C7, 'end', { id: 'con-1' })
      return
    case 'register':
      world.send(ADMIN, 'registerEvent', {
        contractorId: C7,
        eventId: taken.eventId,
        name: 'n',
        ...TIMES[taken.when],
      })
      return
    case 'correct':
      world.send(ADMIN, 'updateEventContext', { contractorId: C7, eventId: taken.eventId, ...TIMES[taken.when] })
      return
    case 'status':
      world.send(C7, 'updateEventStatus', { contractorId: C7, eventId: taken.eventId, status: taken.status })
      return
    case 'endEvent':
      world.send(ADMIN, 'endEvent', { eventId: taken.eventId })
      return
    case 'wait':
      world.harness.advance(taken.ms)
      return
  }
}

const TABLES = [
  'conversations',
  'entities',
  'registrations',
  'attendees',
  'audit',
  'counters',
  'conversationsOf',
] as const
const rows = (world: World): string =>
  TABLES.map((table) => JSON.stringify(world.harness.table('concierge', table))).join('\n')

function ran(list: readonly Step[], ticks = false): World {
  const world = new World()
  world.open()
  for (const taken of list) {
    act(world, taken)
    if (ticks) world.harness.advance(0)
  }
  return world
}

describe('domain.md §5.10 properties', () => {
  test('PC1 equal entries give equal states, with ticks between them or without', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const zone = process.env['TZ']
        const plain = ran(list)
        process.env['TZ'] = 'Australia/Lord_Howe'
        const elsewhere = ran(list, true)
        if (zone === undefined) delete process.env['TZ']
        else process.env['TZ'] = zone
        expect(rows(elsewhere)).toBe(rows(plain))
      }),
      { numRuns: sample(8) },
    )
  })

  test('PC7 its states and agents follow one another as those of a chart that is written from the table alone', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const world = new World()
        world.open()
        const other = new IndependentConversation(world.now)
        for (const taken of list) {
          const before = registrationsOf(world)
          act(world, taken)
          other.passTo(world.now)
          const after = registrationsOf(world)
          for (const type of heard(taken, JSON.stringify(before) !== JSON.stringify(after))) other.hear(type, after)
          const { state, currentAgent, eventId } = world.state()
          expect([state, currentAgent, eventId]).toEqual(other.place)
        }
        const taken = world.steps().map(({ at, to, eventId }) => [at, to, agentOf(to as ConciergeState), eventId])
        expect(taken).toEqual(other.steps.slice(-HISTORY_MAX))
      }),
      { numRuns: sample(40) },
    )
  })

  test('PC7 the conversation goes the same way as a running actor with a simulated clock', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const world = new World()
        world.open()
        const live = new Live(world.now)
        for (const taken of list) {
          const registered = registrationsOf(world)
          act(world, taken)
          live.passTo(world.now)
          live.hear(taken, { before: registered, after: registrationsOf(world), now: world.now })
          expect(world.place()).toEqual(live.place)
          expect(world.state()['currentAgent']).toBe(agentOf(live.place[0]))
        }
      }),
      { numRuns: sample(30) },
    )
  })
})

type Row = RegisteredEvent & { readonly name: string; readonly updatedAt: number }
const registrationsOf = (world: World): readonly Row[] =>
  world.harness.table('concierge', 'registrations').map(([, row]) => row)

/** The chart of domain.md §5.4 in a running actor, whose guards and delays read a clock and a list of registrations. */
class Live {
  private registrations: readonly RegisteredEvent[] = []
  private readonly clock = new SimulatedClock()
  private readonly start: number
  private readonly actor

  constructor(start: number) {
    this.start = start
    const now = (): number => this.now
    const known = (): readonly RegisteredEvent[] => this.registrations
    const chart = conciergeChart.provide({
      guards: { hasActiveEvent: () => selectedEvent(known(), now()) !== null },
      actions: {
        heard: assign({ lastMessageAt: now }),
        choose: assign({ eventId: () => selectedEvent(known(), now())?.eventId ?? null, routedAt: now }),
      },
      delays: {
        idle: ({ context }) => Math.max(0, (context.lastMessageAt ?? now()) + IDLE_MS - now()),
        boundary: () => {
          const next = nextBoundary(known(), now())
          return next === null ? 2 * IDLE_MS : next - now()
        },
      },
    })
    this.actor = createActor(chart, { clock: this.clock })
    this.actor.start()
  }

  private get now(): number {
    return this.start + this.clock.now()
  }

  get place(): readonly [ConciergeState, string | null] {
    const { value, context } = this.actor.getSnapshot()
    return [value as ConciergeState, context.eventId]
  }

  passTo(now: number): void {
    // One millisecond after the other: a clock that jumps would give a delay that is armed anew the time it jumped to.
    const next = (): number => now - this.now
    while (next() > 0) this.clock.increment(Math.min(next(), MINUTE))
  }

  hear(
    taken: Step,
    { before, after, now }: { readonly before: readonly Row[]; readonly after: readonly Row[]; readonly now: number },
  ): void {
    this.registrations = after
    for (const type of heard(taken, JSON.stringify(before) !== JSON.stringify(after)))
      this.actor.send({ type, now, registrations: after })
  }
}

/** The events of the chart that a step comes to; those of registrations only when it changed one. */
function heard(taken: Step, changed: boolean): readonly ConciergeEvent['type'][] {
  if (taken.do === 'talk') return ['MESSAGE_RECEIVED']
  if (taken.do === 'end') return ['SESSION_END']
  if (!changed) return []
  if (taken.do === 'register') return ['EVENT_REGISTERED']
  if (taken.do === 'endEvent') return ['EVENT_ENDED']
  const final = taken.do === 'status' && ['cancelled', 'no_show', 'completed'].includes(taken.status)
  return final ? ['UPDATE_EVENT_CONTEXT', 'EVENT_ENDED'] : ['UPDATE_EVENT_CONTEXT']
}

test('the times that are drawn stand around the beginning of a world', () => {
  expect(TIMES.every(({ dayEndsAt }) => Number(dayEndsAt) > EIGHT)).toBe(true)
})
