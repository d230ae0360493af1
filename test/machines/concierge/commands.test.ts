import { describe, expect, test } from 'vitest'
import { REGISTRATION_GRAPH } from '../../../src/machines/concierge/facts/states.ts'
import { ADMIN, C7, D8, DAY, EIGHT, EVENT, HOUR, MINUTE, STANDARD, times, World } from './world.ts'

const CONVERSATION = { id: 'con-1' }
const ISSUERS = [
  ['the contractor', C7],
  ['an administrator', ADMIN],
] as const

describe('domain.md §5.5 commands', () => {
  test('open: get or create by contractor and key, by the contractor or an administrator', () => {
    const world = new World()
    expect(world.ok(C7, 'open', { contractorId: C7, sessionKey: 'a' })).toMatchObject({ id: 'con-1', restored: false })
    expect(world.ok(ADMIN, 'open', { contractorId: C7, sessionKey: 'b' })).toMatchObject({
      id: 'con-2',
      restored: false,
    })
    expect(world.open('a', D8)).toBe('con-3')
    world.talk()
    expect(world.ok(ADMIN, 'open', { contractorId: C7, sessionKey: 'a' })).toEqual({
      id: 'con-1',
      state: 'standard_agent',
      currentAgent: 'standard',
      eventId: null,
      restored: true,
    })
    expect(world.code(STANDARD, 'open', { contractorId: C7, sessionKey: 'a' })).toBe('FORBIDDEN')
    expect(world.code(ADMIN, 'open', { contractorId: ADMIN, sessionKey: 'a' })).toBe('VALIDATION_ERROR')
  })

  test('open: a contractor has at most 20 conversations', () => {
    const world = new World()
    for (let key = 1; key <= 20; key += 1) world.open(`key ${key}`)
    expect(world.send(C7, 'open', { contractorId: C7, sessionKey: 'one more' })).toEqual({
      code: 'CONFLICT',
      value: { reason: 'TOO_MANY_CONVERSATIONS', max: 20 },
    })
    expect(world.ok(C7, 'open', { contractorId: C7, sessionKey: 'key 7' })).toMatchObject({ restored: true })
  })

  test.each(ISSUERS)('destroy by %s: SESSION_END, then purged at once', (_who, by) => {
    const world = new World().in('standard_agent')
    world.ok(C7, 'message', { id: 'con-1', text: 'hello' })
    expect(world.ok(by, 'destroy', CONVERSATION)).toEqual(CONVERSATION)
    expect(world.told(C7)).toEqual([['concierge.session_ended', { id: 'con-1', by: by === ADMIN ? 'admin' : 'user' }]])
    expect(world.code(C7, 'destroy', CONVERSATION)).toBe('NOT_FOUND')
    for (const table of ['conversations', 'conversationsOf', 'entities'] as const) {
      expect(world.harness.table('concierge', table)).toEqual([])
    }
    expect([world.runs, world.harness.timers]).toEqual([[], []])
    expect(world.open('k')).toBe('con-2')
  })

  test('destroy by a stranger: NOT_FOUND', () => {
    const world = new World().in('idle')
    for (const by of [D8, STANDARD]) expect(world.code(by, 'destroy', CONVERSATION)).toBe('NOT_FOUND')
  })

  test('message by its contractor alone: an administrator reads, and does not write', () => {
    const world = new World().in('idle')
    expect(world.code(ADMIN, 'message', { id: 'con-1', text: 'hello' })).toBe('FORBIDDEN')
    expect(world.ok(C7, 'message', { id: 'con-1', text: '  hello ' })).toMatchObject({ turn: 1 })
    expect(world.runs[0]?.payload).toEqual({
      id: 'con-1',
      turn: 1,
      contractorId: C7,
      text: 'hello',
      agent: 'standard',
      eventId: null,
      phase: 'none',
      fallback: false,
    })
    expect(world.state()).toMatchObject({ pendingTurn: 1, lastMessageAt: world.now })
  })

  test('message with an event of today: a task for its agent', () => {
    const world = new World().in('event_agent')
    world.ok(C7, 'message', { id: 'con-1', text: 'where?' })
    expect(world.runs[0]).toMatchObject({
      kind: 'agent.run.event',
      role: 'agent:event',
      payload: { agent: 'event', eventId: 'today', phase: 'today' },
    })
  })

  test('registerEvent: the same content is a duplicate, other content an update', () => {
    const world = new World().in('standard_agent')
    const input = { contractorId: C7, eventId: 'e', name: 'n', ...times(9, 17, 3) }
    expect(world.ok(C7, 'registerEvent', input)).toMatchObject({
      duplicate: false,
      registration: { status: 'registered', endedAt: null, updatedAt: world.now },
    })
    expect(world.ok(ADMIN, 'registerEvent', input)).toMatchObject({ duplicate: true })
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'e', status: 'checked_in' })
    expect(world.ok(C7, 'registerEvent', input)).toMatchObject({
      duplicate: true,
      registration: { status: 'checked_in' },
    })
    expect(world.ok(C7, 'registerEvent', { ...input, ...times(9, 17) })).toMatchObject({
      duplicate: false,
      registration: { status: 'checked_in' },
    })
    expect(world.place()).toEqual(['event_agent', 'e'])
    expect(world.ok(C7, 'registerEvent', { ...input, ...times(9, 17), status: 'attending' })).toMatchObject({
      registration: { status: 'attending' },
    })
  })

  test('registerEvent: other times are another event, which has not ended; what is final stays final', () => {
    const world = new World().in('event_agent')
    world.ok(ADMIN, 'endEvent', { eventId: 'today' })
    expect(world.place()).toEqual(['standard_agent', null])
    const input = { contractorId: C7, eventId: 'today', name: 'the today' }
    expect(world.ok(C7, 'registerEvent', { ...input, ...times(9, 17) })).toMatchObject({ duplicate: true })
    expect(world.place()).toEqual(['standard_agent', null])
    world.ok(C7, 'registerEvent', { ...input, ...times(9, 18) })
    expect(world.place()).toEqual(['event_agent', 'today'])
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status: 'no_show' })
    expect(world.send(C7, 'registerEvent', { ...input, ...times(9, 17) })).toEqual({
      code: 'INVALID_STATE_TRANSITION',
      value: { entity: 'registration', from: 'no_show', to: 'no_show', allowed: [] },
    })
  })

  test('registerEvent: another name or another status does not take back that the event was ended', () => {
    const world = new World().in('event_agent')
    world.ok(ADMIN, 'endEvent', { eventId: 'today' })
    const endedAt = world.now
    for (const change of [{ name: 'renamed' }, { name: 'renamed', status: 'attending' }]) {
      world.at(world.now + MINUTE)
      const input = { contractorId: C7, eventId: 'today', ...times(9, 17), ...change }
      expect(world.ok(C7, 'registerEvent', input)).toMatchObject({ duplicate: false, registration: { endedAt } })
      expect(world.place()).toEqual(['standard_agent', null])
    }
  })

  test('registerEvent: a contractor has at most 100 registrations, and what is long over makes room', () => {
    const world = new World()
    for (let number = 0; number < 100; number += 1) world.register(`e${number}`, times(9, 17, number === 7 ? 0 : 3))
    const more = { contractorId: C7, eventId: 'more', name: 'n', ...times(9, 17, 9) }
    const full = { code: 'CONFLICT', value: { reason: 'TOO_MANY_REGISTRATIONS' } }
    expect(world.send(C7, 'registerEvent', more)).toEqual(full)
    // A day after its end it is no hint any more.
    world.at(EIGHT + 9 * HOUR + DAY - MINUTE)
    expect(world.send(C7, 'registerEvent', more)).toEqual(full)
    world.at(EIGHT + 9 * HOUR + DAY)
    world.ok(C7, 'registerEvent', more)
    const events = world.harness.table('concierge', 'registrations').map(([[, event]]) => event)
    expect([events.length, events.includes('e7'), events.includes('more')]).toEqual([100, false, true])
  })

  test('registerEvent: an event has at most 1,000 registrations', () => {
    const world = new World()
    const register = (number: number) =>
      world.send(ADMIN, 'registerEvent', { contractorId: `user:${number}`, eventId: 'e', name: 'n', ...times(9, 17) })
    for (let number = 0; number < 1_000; number += 1) register(number)
    expect(register(1_000)).toEqual({ code: 'CONFLICT', value: { reason: 'EVENT_FULL' } })
    expect(world.ok(ADMIN, 'endEvent', { eventId: 'e' })).toEqual({ endedAt: world.now, registrations: 1_000 })
  })

  test.each(REGISTRATION_GRAPH.states.flatMap((from) => REGISTRATION_GRAPH.states.map((to) => [from, to] as const)))(
    'updateEventStatus from %s to %s',
    (from, to) => {
      const world = new World()
      world.register('e', times(9, 17))
      const move = (status: string) => world.send(C7, 'updateEventStatus', { contractorId: C7, eventId: 'e', status })
      const way = { registered: [], checked_in: ['checked_in'], attending: ['attending'] }
      const ways = { ...way, completed: ['attending', 'completed'], cancelled: ['cancelled'], no_show: ['no_show'] }
      for (const status of ways[from]) expect(move(status).code).toBe('ok')
      const { code, value } = move(to)
      if (from === to) expect(value).toMatchObject({ duplicate: true })
      else if (EDGES.has(`${from}→${to}`))
        expect(value).toMatchObject({ registration: { status: to }, duplicate: false })
      else expect(code).toBe('INVALID_STATE_TRANSITION')
    },
  )

  test('updateEventStatus of an unknown registration: NOT_FOUND', () => {
    const input = { contractorId: C7, eventId: 'e', status: 'attending' }
    expect(new World().code(C7, 'updateEventStatus', input)).toBe('NOT_FOUND')
  })

  test.each(['cancelled', 'no_show'])('updateEventStatus %s is EVENT_ENDED, too: the standard agent', (status) => {
    const world = new World().in('event_agent')
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status })
    expect(world.place()).toEqual(['standard_agent', null])
    expect(world.steps().at(-1)).toMatchObject({ event: 'EVENT_ENDED' })
    expect(world.talk()).toMatchObject({ agent: 'standard', phase: 'none' })
  })

  test('updateEventStatus that is not final keeps the agent', () => {
    const world = new World().in('event_agent')
    for (const status of ['checked_in', 'attending']) {
      world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status })
      expect(world.place()).toEqual(['event_agent', 'today'])
    }
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status: 'completed' })
    expect(world.place()).toEqual(['standard_agent', null])
  })

  test('updateEventContext: name and times, by an administrator; the same again is a duplicate', () => {
    const world = new World().in('event_agent')
    const input = { contractorId: C7, eventId: 'today', name: 'renamed', endsAt: EIGHT + 3 * HOUR }
    expect(world.ok(ADMIN, 'updateEventContext', input)).toMatchObject({
      duplicate: false,
      registration: { name: 'renamed', endsAt: EIGHT + 3 * HOUR, startsAt: EIGHT + HOUR },
    })
    expect(world.ok(ADMIN, 'updateEventContext', input)).toMatchObject({ duplicate: true })
    expect(world.code(ADMIN, 'updateEventContext', { ...input, eventId: 'e' })).toBe('NOT_FOUND')
  })

  test('endEvent: endedAt on every registration of it, EVENT_ENDED to every conversation', () => {
    const world = new World().in('event_agent')
    world.ok(D8, 'registerEvent', { contractorId: D8, eventId: 'today', name: 'n', ...times(9, 17) })
    const id = world.open('k', D8)
    world.ok(D8, 'message', { id, text: 'hello' })
    const endedAt = world.now + 1
    world.at(endedAt)
    expect(world.ok(ADMIN, 'endEvent', { eventId: 'today' })).toEqual({ endedAt, registrations: 2 })
    for (const [, row] of world.harness.table('concierge', 'registrations')) expect(row.endedAt).toBe(endedAt)
    expect([world.place(), world.place(id, D8)]).toEqual([
      ['standard_agent', null],
      ['standard_agent', null],
    ])
    // What is over keeps its end.
    world.at(endedAt + MINUTE)
    expect(world.ok(ADMIN, 'endEvent', { eventId: 'today' })).toMatchObject({ registrations: 0 })
    expect(world.harness.table('concierge', 'registrations').map(([, row]) => row.endedAt)).toEqual([endedAt, endedAt])
  })

  test.each(ISSUERS)('end by %s: SESSION_END, and the open turn is cancelled', (_who, by) => {
    const world = new World().in('standard_agent')
    world.ok(C7, 'message', { id: 'con-1', text: 'hello' })
    expect(world.ok(by, 'end', CONVERSATION)).toEqual({ id: 'con-1', already: false })
    expect(world.runs).toEqual([])
    const endedBy = by === ADMIN ? 'admin' : 'user'
    expect(world.state()).toMatchObject({
      state: 'idle',
      currentAgent: null,
      eventId: null,
      pendingTurn: null,
      endedBy,
    })
    expect(world.told(C7)).toEqual([['concierge.session_ended', { id: 'con-1', by: endedBy }]])
    expect(world.code(D8, 'end', CONVERSATION)).toBe('NOT_FOUND')
  })

  test('agent.run: the reply closes the turn, once; what does not fit is a failed attempt', () => {
    const world = new World().in('idle')
    world.ok(C7, 'message', { id: 'con-1', text: 'hello' })
    const [task] = world.runs
    if (task === undefined) throw new Error('there is no task')
    const complete = (reply: string) => world.of(STANDARD).complete(task, { reply })
    expect(complete(' ')).toMatchObject({ code: 'VALIDATION_ERROR' })
    world.harness.advance('2s')
    expect(complete('yes')).toMatchObject({ kind: 'ok' })
    expect(complete('yes')).toMatchObject({ kind: 'ok' })
    expect(complete('no')).toMatchObject({ code: 'STALE_TASK' })
    expect(world.told(C7)).toEqual([
      ['concierge.reply', { id: 'con-1', turn: 1, agent: 'standard', kind: 'ANSWER', text: 'yes' }],
    ])
    expect(world.state()).toMatchObject({
      pendingTurn: null,
      lastReply: { turn: 1, agent: 'standard', kind: 'ANSWER', text: 'yes' },
    })
  })
})

describe('domain.md §5.5 queries and notifications', () => {
  test('state, currentAgent and history are for the contractor and administrators; others know of no conversation', () => {
    const world = new World().in('event_agent')
    for (const by of [C7, ADMIN]) {
      expect(world.ask(by, 'currentAgent', CONVERSATION)).toEqual({ code: 'ok', value: 'event' })
      expect(world.ask(by, 'state', CONVERSATION).value).toMatchObject({
        state: 'event_agent',
        phase: 'today',
        turn: 1,
      })
      expect(world.ask(by, 'history', CONVERSATION).value).toMatchObject([
        { seq: 1, from: 'idle', to: 'event_agent', event: 'MESSAGE_RECEIVED', eventId: 'today' },
      ])
    }
    for (const name of ['state', 'currentAgent', 'history']) {
      for (const by of [D8, EVENT]) expect(world.ask(by, name, CONVERSATION).code).toBe('NOT_FOUND')
    }
  })

  test('registrations and audit are for the contractor and administrators; one record per change', () => {
    const world = new World().in('event_agent')
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status: 'attending' })
    world.ok(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'today', name: 'renamed' })
    world.register('today', times(9, 18), { name: 'renamed' })
    world.ok(ADMIN, 'endEvent', { eventId: 'today' })
    const about = { contractorId: C7 }
    expect(world.ask(C7, 'registrations', {})).toEqual(world.ask(C7, 'registrations', about))
    expect(world.ask(C7, 'registrations', about).value).toMatchObject([{ eventId: 'today', status: 'attending' }])
    expect(world.ask(ADMIN, 'audit', about).value).toMatchObject({
      changes: [
        { seq: 1, change: 'registered', from: null, to: 'registered', by: ADMIN },
        { seq: 2, change: 'status', from: 'registered', to: 'attending', by: C7 },
        { seq: 3, change: 'context', from: 'attending', to: 'attending', by: ADMIN },
        { seq: 4, change: 'updated' },
        { seq: 5, change: 'ended' },
      ],
      nextAfterSeq: null,
    })
    const page = world.ask(C7, 'audit', { ...about, afterSeq: 1, limit: 2 }).value
    expect(page).toMatchObject({ changes: [{ seq: 2 }, { seq: 3 }], nextAfterSeq: 3 })
    for (const name of ['registrations', 'audit']) expect(world.ask(D8, name, about).code).toBe('FORBIDDEN')
  })

  test('history keeps the last fifty steps, and transitionSeq counts all', () => {
    const world = new World().in('standard_agent')
    for (let time = 0; time < 30; time += 1) {
      world.ok(C7, 'end', CONVERSATION)
      world.talk()
    }
    expect(world.steps().map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, at) => at + 12))
    expect(world.state()).toMatchObject({ transitionSeq: 61 })
  })

  test('concierge.reply, concierge.agent_changed and concierge.session_ended go to the contractor alone', () => {
    const world = new World().in('standard_agent')
    world.register('today', times(9, 17))
    world.talk()
    world.ok(ADMIN, 'end', CONVERSATION)
    expect(world.topics(C7)).toEqual(['concierge.agent_changed', 'concierge.reply', 'concierge.session_ended'])
    expect([...world.told(D8), ...world.told(ADMIN)]).toEqual([])
  })

  test('the transition log says every step of a conversation and of a registration', () => {
    const world = new World().in('event_agent')
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status: 'attending' })
    const lines = world.harness.lines.filter(({ message }) => message === 'transition').map(({ fields }) => fields)
    expect(lines).toMatchObject([
      { entity: 'registration', id: `${C7}/today`, from: null, to: 'registered', event: 'registered', by: ADMIN },
      { entity: 'conversation', id: 'con-1', from: 'idle', to: 'event_agent', event: 'MESSAGE_RECEIVED', by: C7 },
      { entity: 'registration', from: 'registered', to: 'attending', by: C7 },
    ])
    world.register('today', times(9, 17))
    expect(world.harness.lines.at(-1)).toMatchObject({ message: 'duplicate', fields: { key: `${C7}/today` } })
  })
})

const EDGES: ReadonlySet<string> = new Set([
  'registered→checked_in',
  'registered→attending',
  'registered→cancelled',
  'registered→no_show',
  'checked_in→attending',
  'checked_in→cancelled',
  'checked_in→no_show',
  'attending→completed',
  'attending→cancelled',
  'attending→no_show',
])
