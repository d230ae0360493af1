import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { conciergeChart } from '../../../src/machines/index.ts'
import { ADMIN, C7, D8, DAY, EVENT, HOUR, MIDNIGHT, MINUTE, times, World } from './world.ts'

const source = (path: string): string =>
  readFileSync(new URL(`../../../src/machines/concierge/${path}`, import.meta.url), 'utf8')

/** domain.md §5.1: what the founding program does wrong, each as what it would break. */
describe('domain.md §5.1 what the founding program does wrong', () => {
  test('K1 time is the entry’s: the day of the test decides nothing', () => {
    const world = new World().in('standard_agent')
    world.register('today', times(9, 17))
    // A day of the year 2024, whatever day it is where this runs.
    expect(new Date(world.now).getUTCFullYear()).toBe(2024)
    expect(world.place()).toEqual(['event_agent', 'today'])
    for (const file of ['rules/chart.ts', 'rules/guards.ts']) expect(source(file)).not.toMatch(/Date|Math\.random/)
  })

  test('K2 the guard decides both ways: event_agent can be reached, and standard_agent', () => {
    const world = new World().in('standard_agent')
    world.register('today', times(9, 17))
    expect(world.talk()).toMatchObject({ agent: 'event' })
    world.ok(ADMIN, 'endEvent', { eventId: 'today' })
    expect(world.talk()).toMatchObject({ agent: 'standard' })
  })

  test('K3 the agent and the event are kept: they are read after the entry that chose them', () => {
    const world = new World().in('event_agent')
    expect(world.state()).toMatchObject({ currentAgent: 'event', eventId: 'today' })
    expect(world.harness.table('concierge', 'entities')[0]?.[1].context).toMatchObject({ eventId: 'today' })
  })

  test('K4 the chart is one of XState 5 that every step runs', () => {
    expect(conciergeChart.version ?? 'none').toBe('none')
    expect(source('rules/chart.ts')).not.toMatch(/withContext|interpret\(/)
    expect(new World().in('standard_agent').steps()).toHaveLength(1)
  })

  test('K5 SESSION_END arrives', () => {
    const world = new World().in('event_agent')
    world.ok(C7, 'end', { id: 'con-1' })
    expect(world.place()).toEqual(['idle', null])
  })

  test.each(['idle', 'standard_agent', 'event_agent'] as const)(
    'K6 what changes an event reaches the guard from %s',
    (state) => {
      const world = new World()
      world.register('moved', times(9, 17, 5))
      world.in(state)
      world.ok(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'moved', ...times(8, 9) })
      expect(world.talk()).toMatchObject({ agent: 'event', eventId: 'moved', phase: 'live' })
    },
  )

  test('K7 what was opened before is there with agent and event, whoever asks', () => {
    const world = new World().in('event_agent')
    world.of(C7).expire()
    const again = world.harness.session(C7).execute('concierge', 'open', { contractorId: C7, sessionKey: 'k' })
    expect(again).toMatchObject({
      value: { id: 'con-1', restored: true, state: 'event_agent', currentAgent: 'event', eventId: 'today' },
    })
  })

  test('K8 a conversation that was ended stays so', () => {
    const world = new World().in('event_agent')
    world.ok(C7, 'end', { id: 'con-1' })
    expect(world.ok(C7, 'open', { contractorId: C7, sessionKey: 'k' })).toMatchObject({ state: 'idle', restored: true })
    world.ok(C7, 'destroy', { id: 'con-1' })
    expect(world.ok(C7, 'open', { contractorId: C7, sessionKey: 'k' })).toMatchObject({ id: 'con-2', restored: false })
  })

  test('K9 an event that has ended is not active until midnight', () => {
    const world = new World().in('event_agent')
    world.ok(ADMIN, 'endEvent', { eventId: 'today' })
    expect(world.place()).toEqual(['standard_agent', null])
    expect(world.at(world.now + HOUR).talk()).toMatchObject({ agent: 'standard', phase: 'just_ended' })
  })

  test('K10 of events today and tomorrow, today’s', () => {
    const world = new World().in('standard_agent')
    world.register('tomorrow', times(9, 17, 1))
    world.register('today', times(9, 17))
    expect(world.place()).toEqual(['event_agent', 'today'])
  })

  test('K11 a day is what was registered, and no zone is asked: half an hour before midnight it is tomorrow elsewhere', () => {
    const world = new World()
    // Midnight of a place seven and a half hours east.
    const local = MIDNIGHT + DAY - 7.5 * HOUR
    const east = { dayStartsAt: local, startsAt: local + 9 * HOUR, endsAt: local + 10 * HOUR, dayEndsAt: local + DAY }
    world.register('east', east)
    world.open()
    expect(world.at(local - MINUTE).talk()).toMatchObject({ agent: 'standard' })
    expect(world.at(local).talk()).toMatchObject({ agent: 'event', eventId: 'east', phase: 'today' })
  })

  test.each(['idle', 'routing', 'standard_agent', 'event_agent'] as const)(
    'K12 every event is handled in %s',
    (state) => {
      const { on = {} } = (conciergeChart.config.states?.[state] ?? {}) as { readonly on?: object }
      const events = ['MESSAGE_RECEIVED', 'EVENT_REGISTERED', 'EVENT_ENDED', 'UPDATE_EVENT_CONTEXT', 'SESSION_END']
      // Nothing is ever received in routing.
      expect(Object.keys(on)).toEqual(state === 'routing' ? [] : events)
    },
  )

  test('K13 two contractors with one session key have two conversations', () => {
    const world = new World().in('standard_agent')
    const other = world.open('k', D8)
    expect([other, world.place(other, D8)]).toEqual(['con-2', ['idle', null]])
    expect(world.place()).toEqual(['standard_agent', null])
  })

  test('K14 whoever answers in the place of an agent, the machine says where it stands', () => {
    const world = new World().in('event_agent')
    world.ok(C7, 'message', { id: 'con-1', text: 'hello' })
    for (let time = 0; time < 2; time += 1) {
      const [task] = world.runs
      if (task !== undefined) world.of(EVENT).fail(task, 'no model')
      world.harness.advance('2s')
    }
    world.reply()
    expect(world.state()).toMatchObject({
      state: 'event_agent',
      currentAgent: 'event',
      lastReply: { agent: 'standard', kind: 'ANSWER' },
    })
  })
})
