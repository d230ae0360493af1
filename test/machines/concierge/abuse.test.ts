import { describe, expect, test } from 'vitest'
import { ADMIN, C7, D8, EIGHT, HOUR, STANDARD, times, World } from './world.ts'

/** domain.md §5.9, row by row. */
describe('domain.md §5.9 abuse cases', () => {
  test('K-1 a message to another contractor’s conversation', () => {
    const world = new World().in('standard_agent')
    expect(world.code(D8, 'message', { id: 'con-1', text: 'hello' })).toBe('NOT_FOUND')
    expect(world.code(D8, 'message', { id: 'con-9', text: 'hello' })).toBe('NOT_FOUND')
  })

  test('K-2 a second message while a turn is pending', () => {
    const world = new World().in('idle')
    world.ok(C7, 'message', { id: 'con-1', text: 'hello' })
    expect(world.send(C7, 'message', { id: 'con-1', text: 'hello?' })).toEqual({
      code: 'TURN_IN_PROGRESS',
      value: { turn: 1 },
    })
  })

  test.each([
    ['no text', ''],
    ['blanks', '  '],
    ['4,001 characters', 'x'.repeat(4_001)],
  ])('K-3 a message of %s', (_what, text) => {
    expect(new World().in('idle').code(C7, 'message', { id: 'con-1', text })).toBe('VALIDATION_ERROR')
  })

  test('K-3 4,000 characters are a message', () => {
    expect(new World().in('idle').code(C7, 'message', { id: 'con-1', text: 'x'.repeat(4_000) })).toBe('ok')
  })

  test.each<[what: string, wrong: { readonly [moment: string]: number }]>([
    ['endsAt at startsAt', { endsAt: EIGHT + HOUR }],
    ['endsAt before startsAt', { endsAt: EIGHT }],
    ['startsAt before dayStartsAt', { dayStartsAt: EIGHT + 2 * HOUR }],
    ['endsAt behind dayEndsAt', { dayEndsAt: EIGHT + 2 * HOUR }],
  ])('K-4 a registration with %s', (_what, wrong) => {
    const world = new World()
    const input = { contractorId: C7, eventId: 'e', name: 'n', ...times(9, 17), ...wrong }
    expect(world.code(ADMIN, 'registerEvent', input)).toBe('VALIDATION_ERROR')
    world.register('e', times(9, 17))
    expect(world.send(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'e', ...wrong })).toEqual({
      code: 'VALIDATION_ERROR',
      value: { field: 'endsAt', reason: 'TIMES_ORDER' },
    })
  })

  test('K-5 a contractor registers for another one', () => {
    const world = new World()
    const input = { contractorId: C7, eventId: 'e', name: 'n', ...times(9, 17) }
    expect(world.code(D8, 'registerEvent', input)).toBe('FORBIDDEN')
    expect(world.code(STANDARD, 'registerEvent', input)).toBe('FORBIDDEN')
    world.ok(C7, 'registerEvent', input)
    expect(world.code(D8, 'updateEventStatus', { contractorId: C7, eventId: 'e', status: 'attending' })).toBe(
      'FORBIDDEN',
    )
    expect(world.code(D8, 'open', { contractorId: C7, sessionKey: 'k' })).toBe('FORBIDDEN')
  })

  test('K-6 from cancelled to attending', () => {
    const world = new World()
    world.register('e', times(9, 17))
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'e', status: 'cancelled' })
    expect(world.send(C7, 'updateEventStatus', { contractorId: C7, eventId: 'e', status: 'attending' })).toEqual({
      code: 'INVALID_STATE_TRANSITION',
      value: { entity: 'registration', from: 'cancelled', to: 'attending', allowed: [] },
    })
  })

  test('K-7 endEvent by a contractor', () => {
    const world = new World()
    world.register('e', times(9, 17))
    expect(world.code(C7, 'endEvent', { eventId: 'e' })).toBe('FORBIDDEN')
    expect(world.code(C7, 'updateEventContext', { contractorId: C7, eventId: 'e', name: 'm' })).toBe('FORBIDDEN')
  })

  test('K-8 the result of an agent after end', () => {
    const world = new World().in('idle')
    world.ok(C7, 'message', { id: 'con-1', text: 'hello' })
    const [task] = world.runs
    world.ok(C7, 'end', { id: 'con-1' })
    if (task === undefined) throw new Error('there is no task')
    const outcome = world.of(STANDARD).complete(task, { reply: 'too late' })
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'STALE_TASK' })
    expect(world.topics(C7)).toEqual(['concierge.session_ended'])
    expect(world.state()).toMatchObject({ lastReply: null, pendingTurn: null })
  })

  test('K-9 a raw event, or a field that nobody knows', () => {
    const world = new World().in('standard_agent')
    for (const name of ['UPDATE_CONTEXT', 'UPDATE_EVENT_CONTEXT', 'send'])
      expect(world.code(C7, name, {})).not.toBe('ok')
    for (const status of ['UPDATE_CONTEXT', 'live']) {
      const input = { contractorId: C7, eventId: 'e', status }
      expect(world.code(ADMIN, 'updateEventStatus', input)).toBe('VALIDATION_ERROR')
    }
    const event = { id: 'con-1', text: 'hello', type: 'UPDATE_CONTEXT' }
    expect(world.code(C7, 'message', event)).toBe('VALIDATION_ERROR')
    expect(world.place()).toEqual(['standard_agent', null])
  })

  test('K-10 endEvent for an event that nobody is registered for', () => {
    expect(new World().send(ADMIN, 'endEvent', { eventId: 'nowhere' })).toEqual({
      code: 'NOT_FOUND',
      value: { eventId: 'nowhere' },
    })
  })
})
