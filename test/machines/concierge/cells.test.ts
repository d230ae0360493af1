import { describe, expect, test } from 'vitest'
import type { ConciergeState } from '../../../src/machines/index.ts'
import { ADMIN, C7, EIGHT, HOUR, MINUTE, times, World } from './world.ts'

const STATES = ['idle', 'standard_agent', 'event_agent'] as const

/** Something that makes an event reach the chart, without another one besides. */
const EVENTS: { readonly [event: string]: (world: World) => void } = {
  MESSAGE_RECEIVED: (world) => world.talk(),
  EVENT_REGISTERED: (world) => world.register('other', times(10, 11, 5)),
  EVENT_ENDED: (world) => {
    world.ok(ADMIN, 'endEvent', { eventId: 'far' })
  },
  UPDATE_EVENT_CONTEXT: (world) => {
    world.ok(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'far', name: 'another name' })
  },
  SESSION_END: (world) => {
    world.ok(C7, 'end', { id: 'con-1' })
  },
  // The day of `soon` begins.
  'boundary timer': (world) => world.at(EIGHT + 10 * MINUTE),
}

/** domain.md §5.4, by hand: where each event leads, and whether the conversation was routed anew. */
const CELLS: { readonly [state in ConciergeState]: { readonly [event: string]: string } } = {
  idle: {
    MESSAGE_RECEIVED: 'routing',
    EVENT_REGISTERED: 'idle',
    EVENT_ENDED: 'idle',
    UPDATE_EVENT_CONTEXT: 'idle',
    SESSION_END: 'idle',
    'boundary timer': 'idle',
  },
  standard_agent: {
    MESSAGE_RECEIVED: 'routing',
    EVENT_REGISTERED: 'routing',
    EVENT_ENDED: 'routing',
    UPDATE_EVENT_CONTEXT: 'standard_agent',
    SESSION_END: 'idle',
    'boundary timer': 'routing',
  },
  event_agent: {
    MESSAGE_RECEIVED: 'routing',
    EVENT_REGISTERED: 'routing',
    EVENT_ENDED: 'routing',
    UPDATE_EVENT_CONTEXT: 'event_agent',
    SESSION_END: 'idle',
    'boundary timer': 'routing',
  },
}

/** When the chart routed last. */
const routedAt = (world: World): unknown => {
  const [row] = world.harness.table('concierge', 'entities')
  return (row?.[1].context as { readonly routedAt?: unknown } | undefined)?.routedAt
}

/** A conversation in a state, with registrations that are there in each of them and change nothing by themselves. */
function prepared(state: ConciergeState): World {
  const world = new World()
  world.register('far', times(9, 17, 9))
  const soon = {
    dayStartsAt: EIGHT + 10 * MINUTE,
    startsAt: EIGHT + 2 * HOUR,
    endsAt: EIGHT + 3 * HOUR,
    dayEndsAt: EIGHT + 4 * HOUR,
  }
  world.register('soon', soon)
  world.in(state)
  return world
}

describe('domain.md §5.4 the chart, cell by cell', () => {
  for (const state of STATES) {
    test.each(Object.entries(EVENTS))(`${state} × %s`, (event, make) => {
      const world = prepared(state)
      const before = routedAt(world)
      const seen = world.steps().length
      // Another moment than that of the last routing.
      world.at(EIGHT + MINUTE)
      make(world)
      const cell = CELLS[state][event]
      const today = state === 'event_agent'
      const routed = event === 'boundary timer' && !today ? ['event_agent', 'soon'] : ['event_agent', 'today']
      const expected: { readonly [cell: string]: readonly unknown[] } = {
        idle: ['idle', null],
        standard_agent: ['standard_agent', null],
        event_agent: ['event_agent', 'today'],
        routing: today || event === 'boundary timer' ? routed : ['standard_agent', null],
      }
      expect(world.place()).toEqual(expected[cell ?? ''])
      expect(routedAt(world)).toBe(cell === 'routing' ? world.now : before)
      // Routing to the same pair is no step.
      const moved = world.place()[0] !== state
      expect(world.steps().length - seen).toBe(moved ? 1 : 0)
    })
  }

  test('SESSION_END in idle answers already, and ends nothing', () => {
    const world = new World().in('idle')
    expect(world.ok(C7, 'end', { id: 'con-1' })).toEqual({ id: 'con-1', already: true })
    expect(world.topics(C7)).toEqual([])
    expect(world.state()).toMatchObject({ transitionSeq: 0, endedBy: null })
  })

  test('a change of the event alone is a step, too', () => {
    const world = new World().in('event_agent')
    world.ok(ADMIN, 'registerEvent', { contractorId: C7, eventId: 'nearer', name: 'n', ...times(8, 10) })
    expect(world.place()).toEqual(['event_agent', 'nearer'])
    expect(world.steps().at(-1)).toMatchObject({ from: 'event_agent', to: 'event_agent', eventId: 'nearer' })
    expect(world.told(C7)).toEqual([
      ['concierge.agent_changed', { id: 'con-1', from: 'event', to: 'event', eventId: 'nearer' }],
    ])
  })

  test('UPDATE_EVENT_CONTEXT alone does not route; the next routing sees it', () => {
    const world = new World().in('event_agent')
    world.ok(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'today', ...times(9, 17, 1) })
    expect(world.place()).toEqual(['event_agent', 'today'])
    expect(world.talk()).toMatchObject({ agent: 'standard', eventId: null, phase: 'none' })
  })

  test('a boundary that UPDATE_EVENT_CONTEXT moves routes when it comes', () => {
    const world = new World().in('event_agent')
    world.ok(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'today', endsAt: EIGHT + 65 * MINUTE })
    world.at(EIGHT + 20 * MINUTE).talk()
    world.at(EIGHT + 40 * MINUTE).talk()
    world.at(EIGHT + 65 * MINUTE)
    expect(world.place()).toEqual(['standard_agent', null])
    expect(world.steps().at(-1)).toMatchObject({ at: EIGHT + 65 * MINUTE, event: 'BOUNDARY' })
  })
})
