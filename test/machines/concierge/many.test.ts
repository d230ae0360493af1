import { describe, expect, test } from 'vitest'
import { TOLD_AT_ONCE_MAX } from '../../../src/machines/concierge/facts/concierge-bounds.ts'
import { ADMIN, C7, DAY, EIGHT, HOUR, MINUTE, times, World } from './world.ts'

/** What a contractor, or an event, has several of; and what is kept of many. */
describe('domain.md §5.5 several conversations and registrations', () => {
  test('every conversation of a contractor that talks is told, each once; one that is idle stays idle', () => {
    const world = new World()
    for (const key of ['a', 'b', 'c']) world.open(key)
    for (const id of ['con-1', 'con-3']) world.talk('hello', id)
    world.told(C7)
    world.register('today', times(9, 17))
    const changed = { from: 'standard', to: 'event', eventId: 'today' }
    expect(world.told(C7)).toEqual([
      ['concierge.agent_changed', { id: 'con-1', ...changed }],
      ['concierge.agent_changed', { id: 'con-3', ...changed }],
    ])
    expect(['con-1', 'con-2', 'con-3'].map((id) => world.place(id)[0])).toEqual(['event_agent', 'idle', 'event_agent'])
    world.ok(C7, 'end', { id: 'con-1' })
    expect(world.place('con-3')).toEqual(['event_agent', 'today'])
  })

  test('an event of very many conversations ends for some at once, and for all of them 1 ms later', () => {
    const world = new World({ agents: false })
    const talking = Array.from(
      { length: TOLD_AT_ONCE_MAX / 20 + 2 },
      (_, number) => `user:${String(number).padStart(2, '0')}`,
    )
    for (const contractorId of talking) {
      world.ok(ADMIN, 'registerEvent', { contractorId, eventId: 'e', name: 'n', ...times(9, 17) })
      for (let key = 0; key < 20; key += 1) {
        const id = world.open(`key ${key}`, contractorId)
        world.ok(contractorId, 'message', { id, text: 'hello' })
      }
    }
    const moved = (): number =>
      world.harness.table('concierge', 'entities').filter(([, { value }]) => value === 'standard_agent').length
    expect(world.ok(ADMIN, 'endEvent', { eventId: 'e' })).toMatchObject({ registrations: talking.length })
    expect(moved()).toBe(TOLD_AT_ONCE_MAX)
    world.harness.advance(1)
    expect(moved()).toBe(talking.length * 20)
    expect(world.topics('user:11').filter((topic) => topic === 'concierge.agent_changed')).toHaveLength(20)
    expect(world.harness.timers.filter(({ kind }) => kind === 'ended')).toEqual([])
  })

  test('endEvent ends every registration of it, whatever its status', () => {
    const world = new World()
    world.register('today', times(9, 17))
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status: 'cancelled' })
    expect(world.ok(ADMIN, 'endEvent', { eventId: 'today' })).toMatchObject({ registrations: 1 })
    expect(world.ask(C7, 'registrations', {}).value).toMatchObject([{ status: 'cancelled', endedAt: world.now }])
  })

  test('the one that ended first makes room, with its place among the attendees and a record', () => {
    const world = new World()
    world.register('a later one', times(9, 12))
    world.register('the first', times(9, 10))
    for (let number = 0; number < 98; number += 1) world.register(`far ${number}`, times(9, 17, 9))
    world.at(EIGHT + 4 * HOUR + DAY)
    world.register('new', times(9, 17, 9))
    const events = world.harness.table('concierge', 'registrations').map(([[, event]]) => event)
    expect([events.includes('the first'), events.includes('a later one'), events.includes('new')]).toEqual([
      false,
      true,
      true,
    ])
    expect(world.harness.table('concierge', 'attendees')).toHaveLength(100)
    expect(world.code(ADMIN, 'endEvent', { eventId: 'the first' })).toBe('NOT_FOUND')
    const { changes } = world.ask(ADMIN, 'audit', { contractorId: C7, afterSeq: 100 }).value as never
    expect(changes).toMatchObject([{ eventId: 'the first', change: 'dropped' }, { eventId: 'new' }])
  })

  test('the audit keeps the last five hundred changes', () => {
    const world = new World()
    world.register('e', times(9, 17))
    for (let time = 0; time < 501; time += 1) {
      world.ok(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'e', name: `name ${time}` })
    }
    const kept = world.harness.table('concierge', 'audit').map(([[, number]]) => number)
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([500, 3, 502])
  })

  test('registerEvent with the status that it was registered with, or has, is a duplicate', () => {
    const world = new World()
    world.register('e', times(9, 17), { status: 'registered' })
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'e', status: 'attending' })
    for (const status of ['registered', 'attending']) {
      expect(world.register('e', times(9, 17), { status })).toMatchObject({ duplicate: true })
    }
    const other = { contractorId: C7, eventId: 'e', name: 'the e', ...times(9, 17), status: 'checked_in' }
    expect(world.code(ADMIN, 'registerEvent', other)).toBe('INVALID_STATE_TRANSITION')
  })

  test('a name has at most 200 characters', () => {
    const world = new World()
    const named = (length: number): string =>
      world.code(C7, 'registerEvent', { contractorId: C7, eventId: 'e', name: 'x'.repeat(length), ...times(9, 17) })
    expect([named(201), named(200)]).toEqual(['VALIDATION_ERROR', 'ok'])
  })

  test('the last moment that there is may be an event’s', () => {
    const world = new World()
    const last = 8_640_000_000_000_000
    const ever = { dayStartsAt: 0, startsAt: 0, endsAt: last, dayEndsAt: last }
    const late = { dayStartsAt: last - 1, startsAt: last - 1, endsAt: last, dayEndsAt: last }
    world.register('late', late)
    world.open()
    expect(world.talk()).toMatchObject({ agent: 'standard' })
    world.register('ever', ever)
    expect(world.talk()).toMatchObject({ agent: 'event', phase: 'live' })
  })
})

describe('domain.md §5.6 moments', () => {
  test('a day that begins at the moment of the idle time-out: the conversation ends, and is routed no more', () => {
    const world = new World()
    world.register('soon', { ...times(9, 17), dayStartsAt: EIGHT + 30 * MINUTE })
    world.open()
    expect(world.talk()).toMatchObject({ agent: 'standard' })
    world.told(C7)
    world.at(EIGHT + 30 * MINUTE)
    expect(world.topics(C7)).toEqual(['concierge.session_ended'])
    expect(world.steps().map(({ event }) => event)).toEqual(['MESSAGE_RECEIVED', 'SESSION_END'])
    // What its chart knew of registrations is not kept.
    expect(world.harness.table('concierge', 'entities')).toMatchObject([['con-1', { context: { registrations: [] } }]])
  })

  test('agent.run is tried again 2 s after it failed, and not before', () => {
    const world = new World().in('idle')
    world.ok(C7, 'message', { id: 'con-1', text: 'hello' })
    const [task] = world.runs
    if (task !== undefined) world.of('worker:standard').fail(task, 'no model')
    world.harness.advance(1_999)
    expect(world.runs).toMatchObject([{ status: 'QUEUED' }])
    world.harness.advance(1)
    expect(world.runs).toMatchObject([{ status: 'LEASED', attempt: 2 }])
  })
})
