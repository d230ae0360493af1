import { describe, expect, test } from 'vitest'
import { concierge } from '../../../src/machines/index.ts'
import { testCluster } from '../../../src/testing/index.ts'
import { ADMIN, C7, DAY, EIGHT, EVENT, HOUR, MIDNIGHT, MINUTE, SECOND, STANDARD, times, World } from './world.ts'

const say = (world: World): unknown => world.ok(C7, 'message', { id: 'con-1', text: 'hello' })

/** One attempt of the open turn fails, and the next one is handed out. */
function failed(world: World, by: string): void {
  const [task] = world.runs
  if (task !== undefined) world.of(by).fail(task, 'no model')
  world.harness.advance('2s')
}

describe('domain.md §5.6 timers and fallback', () => {
  test('idle time-out: 30 min after the last message, not before, and the next message begins again', () => {
    const world = new World().in('standard_agent')
    const last = world.now
    world.at(last + 20 * MINUTE).talk()
    world.at(last + 50 * MINUTE - 1)
    expect(world.place()).toEqual(['standard_agent', null])
    world.at(last + 50 * MINUTE)
    expect(world.state()).toMatchObject({ state: 'idle', endedBy: 'timeout', lastTransitionAt: last + 50 * MINUTE })
    expect(world.told(C7).at(-1)).toEqual(['concierge.session_ended', { id: 'con-1', by: 'timeout' }])
    expect(world.steps().at(-1)).toMatchObject({ from: 'standard_agent', to: 'idle', event: 'SESSION_END' })
    expect(world.talk()).toMatchObject({ agent: 'standard', turn: 3 })
    expect(world.state()).toMatchObject({ endedBy: null })
  })

  test('idle time-out is not put off by what is not a message', () => {
    const world = new World().in('event_agent')
    const last = Number(world.state()['lastMessageAt'])
    world.at(last + 25 * MINUTE)
    world.register('nearer', times(8, 9))
    world.ok(ADMIN, 'endEvent', { eventId: 'nearer' })
    world.ok(ADMIN, 'updateEventContext', { contractorId: C7, eventId: 'today', name: 'renamed' })
    world.at(last + 30 * MINUTE - 1)
    expect(world.state()).toMatchObject({ state: 'event_agent' })
    world.at(last + 30 * MINUTE)
    expect(world.state()).toMatchObject({ state: 'idle', endedBy: 'timeout' })
  })

  test('a boundary at the moment of the idle time-out: the conversation ends, and is routed no more', () => {
    const world = new World()
    world.register('short', { ...times(8, 9), endsAt: EIGHT + 30 * MINUTE + 1 })
    world.open()
    world.at(EIGHT + 1).talk()
    world.told(C7)
    world.at(EIGHT + 30 * MINUTE + 1)
    expect(world.topics(C7)).toEqual(['concierge.session_ended'])
    expect(world.steps()).toHaveLength(2)
  })

  test('idle time-out with an open turn: it is closed, and a late result is STALE_TASK', () => {
    const world = new World({ agents: false }).in('idle')
    say(world)
    world.at(world.now + 30 * MINUTE)
    expect(world.state()).toMatchObject({ state: 'idle', pendingTurn: null })
    expect(world.runs).toEqual([])
  })

  test('agent.run: lease 60 s, two attempts, 2 s between them', () => {
    const world = new World().in('idle')
    say(world)
    expect(world.runs).toMatchObject([{ attempt: 1, maxAttempts: 2, leaseMs: 60 * SECOND }])
    world.harness.advance('60s')
    world.harness.advance('2s')
    expect(world.runs).toMatchObject([{ attempt: 2, status: 'LEASED' }])
    world.harness.advance('60s')
    expect(world.runs).toEqual([])
    expect(world.told(C7)).toEqual([
      ['concierge.reply', { id: 'con-1', turn: 1, agent: 'standard', kind: 'UNAVAILABLE', text: null }],
    ])
  })

  test('task.fail twice of the event agent: one task to agent:standard with fallback, the state unchanged', () => {
    const world = new World().in('event_agent')
    say(world)
    for (let time = 0; time < 2; time += 1) failed(world, EVENT)
    expect(world.runs).toMatchObject([
      { kind: 'agent.run.standard', role: 'agent:standard', payload: { turn: 2, agent: 'event', fallback: true } },
    ])
    expect(world.state()).toMatchObject({ state: 'event_agent', currentAgent: 'event', pendingTurn: 2 })
    expect(world.code(C7, 'message', { id: 'con-1', text: 'still there?' })).toBe('TURN_IN_PROGRESS')
    world.reply('in its place')
    expect(world.told(C7)).toEqual([
      ['concierge.reply', { id: 'con-1', turn: 2, agent: 'standard', kind: 'ANSWER', text: 'in its place' }],
    ])
    expect(world.place()).toEqual(['event_agent', 'today'])
  })

  test('the fallback fails too: reply UNAVAILABLE, and the turn is closed', () => {
    const world = new World().in('event_agent')
    say(world)
    for (const by of [EVENT, EVENT, STANDARD, STANDARD]) failed(world, by)
    expect(world.told(C7)).toEqual([
      ['concierge.reply', { id: 'con-1', turn: 2, agent: 'standard', kind: 'UNAVAILABLE', text: null }],
    ])
    expect(world.runs).toEqual([])
    expect(world.talk()).toMatchObject({ turn: 3, agent: 'event' })
  })

  test('an agent that nobody runs: the standard one is asked after a quarter of an hour, and then the turn is closed', () => {
    const world = new World({ agents: false })
    world.register('today', times(9, 17))
    world.open()
    say(world)
    world.at(EIGHT + 16 * MINUTE)
    expect(world.runs).toMatchObject([{ kind: 'agent.run.standard', payload: { fallback: true } }])
  })

  test('purge: an idle conversation goes 30 d after its last step, one that talks never', () => {
    const world = new World()
    world.open('talks')
    world.open('silent')
    world.at(EIGHT + 29 * DAY).talk()
    world.at(EIGHT + 30 * DAY + HOUR)
    expect(world.harness.table('concierge', 'conversations').map(([id]) => id)).toEqual(['con-1'])
    // It became idle half an hour after its message.
    world.at(EIGHT + 59 * DAY + 31 * MINUTE)
    expect(world.harness.table('concierge', 'conversations')).toEqual([])
    expect(world.harness.timers).toEqual([])
  })

  test('a client session that expires does not touch the conversation', () => {
    const world = new World().in('event_agent')
    const before = JSON.stringify(world.harness.table('concierge', 'conversations'))
    world.of(C7).expire()
    expect(JSON.stringify(world.harness.table('concierge', 'conversations'))).toBe(before)
    expect(world.state('con-1', ADMIN)).toMatchObject({ state: 'event_agent' })
  })
})

describe('domain.md §5.7 edge cases of the requirement', () => {
  test('registers while in standard: the event agent at once if today’s, else stays', () => {
    const world = new World().in('standard_agent')
    world.register('later', times(9, 17, 1))
    expect(world.place()).toEqual(['standard_agent', null])
    world.register('today', times(9, 17))
    expect(world.place()).toEqual(['event_agent', 'today'])
  })

  test('event starts during conversation: the agent at the beginning of its day, the phase at its beginning', () => {
    const world = new World().in('idle')
    const tomorrow = MIDNIGHT + DAY
    world.register('tomorrow', times(0.25, 2, 1))
    world.at(tomorrow - 10 * MINUTE)
    expect(world.talk()).toMatchObject({ agent: 'standard', phase: 'none' })
    world.at(tomorrow - 1)
    expect(world.place()).toEqual(['standard_agent', null])
    world.at(tomorrow)
    expect(world.place()).toEqual(['event_agent', 'tomorrow'])
    expect(world.state()).toMatchObject({ phase: 'today' })
    world.at(tomorrow + 15 * MINUTE)
    expect(world.state()).toMatchObject({ state: 'event_agent', phase: 'live' })
  })

  test.each(['the clock', 'endEvent'])(
    'event ends during conversation, by %s: the standard agent, just_ended for 24 h',
    (by) => {
      const world = new World()
      world.register('short', { ...times(8, 9), endsAt: EIGHT + 10 * MINUTE })
      world.open()
      expect(world.talk()).toMatchObject({ agent: 'event', phase: 'live' })
      const end = by === 'endEvent' ? EIGHT + 5 * MINUTE : EIGHT + 10 * MINUTE
      world.at(end)
      if (by === 'endEvent') world.ok(ADMIN, 'endEvent', { eventId: 'short' })
      expect(world.place()).toEqual(['standard_agent', null])
      expect(world.state()).toMatchObject({ phase: 'just_ended' })
      world.at(end + DAY - 1)
      expect(world.talk()).toMatchObject({ agent: 'standard', phase: 'just_ended' })
      world.at(end + DAY)
      expect(world.talk()).toMatchObject({ agent: 'standard', phase: 'none' })
    },
  )

  test('multiple events: the live one, then the first one', () => {
    const world = new World().in('standard_agent')
    world.register('afternoon', times(14, 17))
    world.register('morning', times(10, 12))
    world.register('tomorrow', times(9, 10, 1))
    expect(world.place()).toEqual(['event_agent', 'morning'])
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'morning', status: 'cancelled' })
    expect(world.place()).toEqual(['event_agent', 'afternoon'])
  })

  test('event cancelled: EVENT_ENDED, the standard agent', () => {
    const world = new World().in('event_agent')
    world.ok(C7, 'updateEventStatus', { contractorId: C7, eventId: 'today', status: 'cancelled' })
    expect(world.told(C7)).toEqual([
      ['concierge.agent_changed', { id: 'con-1', from: 'event', to: 'standard', eventId: null }],
    ])
  })

  test('session timeout and restoration: nothing to restore, the state was never lost', () => {
    const world = new World().in('event_agent')
    world.at(world.now + 31 * MINUTE)
    expect(world.ok(C7, 'open', { contractorId: C7, sessionKey: 'k' })).toMatchObject({ state: 'idle', restored: true })
    expect(world.talk()).toMatchObject({ agent: 'event', eventId: 'today', turn: 2 })
  })
})

describe('domain.md §5.7 the server', () => {
  test('server restart: the same state from the snapshot, no event is replayed', async () => {
    const cluster = await testCluster([concierge], { nodes: 1, seed: 1 })
    try {
      const client = await cluster.session(C7)
      const call = client.machines.concierge
      const id = 'con-1'
      await call.open({ contractorId: C7, sessionKey: 'k' })
      await call.registerEvent({ contractorId: C7, eventId: 'long', name: 'n', dayStartsAt: 0, startsAt: 1, ...FAR })
      await call.message({ id, text: 'hello' })
      const { kind, ...before } = await client.queries.concierge.state({ id })
      expect([kind, before]).toMatchObject(['ok', { value: { state: 'event_agent', phase: 'live' } }])
      await cluster.snapshotNow()
      await cluster.restart()
      const after = await client.queries.concierge.state({ id })
      expect(after).toMatchObject({ value: (before as { readonly value: object }).value })
      expect(await client.queries.concierge.history({ id })).toMatchObject({ value: [{ seq: 1 }] })
    } finally {
      await cluster.close()
    }
  })
})

const FAR = { endsAt: 8_000_000_000_000_000, dayEndsAt: 8_000_000_000_000_000 }
