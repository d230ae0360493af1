import { describe, expect, test } from 'vitest'
import { ADMIN, C7, EIGHT, HOUR, MIDNIGHT, MINUTE, times, World } from './world.ts'

/** domain.md §5.8, step by step in one conversation. */
describe('domain.md §5.8 the canonical flow', () => {
  const world = new World()

  test('1 c7 opens: con-1, idle, nobody answers', () => {
    expect(world.ok(C7, 'open', { contractorId: C7, sessionKey: 'web' })).toEqual({
      id: 'con-1',
      state: 'idle',
      currentAgent: null,
      eventId: null,
      restored: false,
    })
    expect(world.ask(C7, 'currentAgent', { id: 'con-1' })).toEqual({ code: 'ok', value: null })
  })

  test('2 a message: the standard agent, a task, and its reply', () => {
    expect(world.ok(C7, 'message', { id: 'con-1', text: 'hello' })).toEqual({
      agent: 'standard',
      eventId: null,
      phase: 'none',
      turn: 1,
    })
    expect(world.runs).toMatchObject([
      { kind: 'agent.run.standard', role: 'agent:standard', payload: { turn: 1, text: 'hello' } },
    ])
    expect(world.reply('good morning')).toBe('ok')
    expect(world.told(C7)).toEqual([
      ['concierge.reply', { id: 'con-1', turn: 1, agent: 'standard', kind: 'ANSWER', text: 'good morning' }],
    ])
  })

  test('3 an event of tomorrow is registered: no change', () => {
    world.register('tomorrow', times(9, 17, 1))
    expect(world.place()).toEqual(['standard_agent', null])
    expect(world.told(C7)).toEqual([])
  })

  test('4 one of today, at 08:00: the event agent, and c7 is told', () => {
    expect(world.now).toBeLessThan(EIGHT + MINUTE)
    world.register('today', times(9, 17))
    expect(world.place()).toEqual(['event_agent', 'today'])
    expect(world.told(C7)).toEqual([
      ['concierge.agent_changed', { id: 'con-1', from: 'standard', to: 'event', eventId: 'today' }],
    ])
  })

  test('5 a message: the event agent, today', () => {
    expect(world.talk()).toEqual({ agent: 'event', eventId: 'today', phase: 'today', turn: 2 })
  })

  test('6 at 09:30 a message: live', () => {
    // Somebody who writes every now and then is not idle.
    world.at(MIDNIGHT + 9.5 * HOUR)
    expect(world.talk()).toEqual({ agent: 'event', eventId: 'today', phase: 'live', turn: 3 })
  })

  test('7 at 17:00 a tick: the standard agent, and c7 is told', () => {
    // The turns between do not count in the flow; here they keep the conversation from its time-out.
    const other = new World().in('event_agent')
    for (let at = 8.25; at < 17; at += 0.25) other.at(MIDNIGHT + at * HOUR).talk()
    other.told(C7)
    other.at(MIDNIGHT + 17 * HOUR)
    expect(other.place()).toEqual(['standard_agent', null])
    expect(other.told(C7)).toEqual([
      ['concierge.agent_changed', { id: 'con-1', from: 'event', to: 'standard', eventId: null }],
    ])
  })

  test('8 at 17:05 a message: the standard agent, just_ended', () => {
    world.at(MIDNIGHT + 17 * HOUR + 5 * MINUTE)
    expect(world.talk()).toEqual({ agent: 'standard', eventId: null, phase: 'just_ended', turn: 4 })
  })

  test('9 half an hour later a tick: idle, by time-out', () => {
    world.told(C7)
    world.at(MIDNIGHT + 17 * HOUR + 35 * MINUTE)
    expect(world.ask(C7, 'currentAgent', { id: 'con-1' })).toEqual({ code: 'ok', value: null })
    expect(world.told(C7)).toEqual([['concierge.session_ended', { id: 'con-1', by: 'timeout' }]])
    expect(world.state()).toMatchObject({ state: 'idle', endedBy: 'timeout' })
  })

  test('10 a message: the standard agent, turn 5', () => {
    expect(world.talk()).toMatchObject({ agent: 'standard', turn: 5 })
    expect(world.ask(ADMIN, 'currentAgent', { id: 'con-1' })).toEqual({ code: 'ok', value: 'standard' })
  })
})
