import { describe, expect, test } from 'vitest'
import { bareMachine, counter, counterHandlers } from '../bare-machine.ts'
import { code, Log, numbers, swapped, value } from '../log.ts'

const overdue = (log: Log) =>
  log.machine
    .overdueSessions({ lease: log.lease, readySince: 0 }, 10)
    .map((found) => ({ ...numbers(found.index), renewedAtIndex: found.renewedAtIndex }))

describe('expiry', () => {
  test('FR-024 PC-5 removes metadata, responses, pending and last id; a tombstone stays', () => {
    const log = new Log(counter())
    const before = log.machine.counts.rows
    const session = log.open('a')
    log.request(session, 1, 'emit')
    log.request(session, 2, 'emit')
    log.advance(30_000)
    const applied = log.append('ExpireSessions', { sessions: overdue(log) })
    expect(applied.ended).toEqual([{ session, reason: 'expired' }])
    expect(log.machine.sessionFacts(session)).toBeNull()
    expect(log.machine.outbox(session, 0, 10)).toEqual([])
    expect(log.machine.cached(session, 1)).toBeNull()
    expect(log.machine.counts.rows).toBe(before + 1)
    expect(log.request(session, 3, 'increment')).toMatchObject({
      code: 'SESSION_EXPIRED',
      details: { reason: 'expired' },
    })
  })

  test('is a compare-and-set: a session renewed since the leader looked lives on', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.advance(30_000)
    const named = overdue(log)
    log.append('KeepAlive', { sessions: [numbers(session)] })
    expect(log.append('ExpireSessions', { sessions: named }).ended).toEqual([])
    // Overdue again since: it is the leader's to look once more.
    log.advance(30_000)
    expect(log.append('ExpireSessions', { sessions: named }).ended).toEqual([])
    expect(log.machine.sessionFacts(session)).not.toBeNull()
    expect(log.append('ExpireSessions', { sessions: overdue(log) }).ended).toHaveLength(1)
  })

  test('goes by the lease clock alone: the wall clock expires nobody, and a session that is not overdue is skipped', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.now += 1_000_000
    log.lease = 29_999
    expect(overdue(log)).toEqual([])
    log.append('ExpireSessions', { sessions: [{ ...numbers(session), renewedAtIndex: 3 }] })
    expect(log.machine.sessionFacts(session)).not.toBeNull()
  })

  test('P-20 a keep-alive renews and says who is alive', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.advance(20_000)
    expect(log.append('KeepAlive', { sessions: [numbers(session), numbers(999)] }).reply).toEqual({
      kind: 'keptAlive',
      alive: [true, false],
    })
    expect(log.machine.nextExpiry()).toBe(50_000)
  })

  test('the next expiry and the shortest timeout follow renewals and ends', () => {
    const log = new Log(counter())
    expect(log.machine.nextExpiry()).toBeNull()
    expect(log.machine.shortestTimeout()).toBeNull()
    const a = log.open('a', { timeoutMs: 10_000 })
    const b = log.open('b', { timeoutMs: 20_000 })
    expect(log.machine.shortestTimeout()).toBe(10_000)
    log.advance(5000)
    log.request(a, 1, 'increment')
    expect(log.machine.nextExpiry()).toBe(15_000)
    log.append('CloseSession', { ...numbers(a), epoch: 0, secretHash: new Uint8Array(0) })
    expect(log.machine.nextExpiry()).toBe(20_000)
    expect(log.machine.shortestTimeout()).toBe(20_000)
    log.advance(100_000)
    const time = { lease: log.lease, readySince: 0 }
    expect(log.machine.overdueSessions(time, 10)).toEqual([{ index: b, renewedAtIndex: 4 }])
    expect(log.machine.overdueSessions(time, 0)).toEqual([])
  })

  test('the hook runs once with what was pending; its writes and emissions to others stay, to itself go nowhere', () => {
    const heard: unknown[] = []
    const log = new Log(
      bareMachine(
        { ...counterHandlers, ended: (context) => context.state.get('ended') ?? null },
        {
          onSessionExpired(context, session, pending, reason) {
            heard.push([session.name, pending.map((request) => request.serverRequestId), reason])
            context.state.set('ended', session.name)
            const other = context.session
            expect(other?.id).toBe(session.id)
            expect(context.emit(session.id, 'event', 'gone')).toBe(false)
            context.notify('user:b', 'ended', session.name)
          },
        },
      ),
    )
    const a = log.open('a')
    const b = log.open('b', { timeoutMs: 60_000 })
    log.request(a, 1, 'emit')
    log.advance(30_000)
    const applied = log.append('ExpireSessions', { sessions: overdue(log) })
    expect(heard).toEqual([['a', [1], 'expired']])
    expect(applied.deliver).toEqual([b])
    expect(log.machine.outbox(b, 0, 9)).toMatchObject([
      { type: 'notification', payload: { topic: 'ended', body: 'a' } },
    ])
    expect(value(log.request(b, 1, 'ended'))).toBe('a')
  })

  test('a throwing hook is recorded and alerted and does not block expiry', () => {
    const log = new Log(
      bareMachine(counterHandlers, {
        onSessionExpired(context) {
          context.state.set('half', 1)
          throw new Error('a bug')
        },
      }),
    )
    const admin = log.open('root', { principal: 'admin:root', timeoutMs: 60_000 })
    const session = log.open('a')
    log.advance(30_000)
    const applied = log.append('ExpireSessions', { sessions: overdue(log) })
    expect(applied.ended).toEqual([{ session, reason: 'expired' }])
    expect(log.machine.outbox(admin, 0, 9)).toMatchObject([
      {
        payload: {
          topic: 'admin.alert',
          body: { kind: 'MACHINE_ERROR', details: { part: 'onSessionExpired', reason: 'EXCEPTION' } },
        },
      },
    ])
    expect([...swapped(log.machine).keys()].some((key) => key.startsWith('user/'))).toBe(false)
  })

  test('both clocks only move forward', () => {
    const log = new Log(bareMachine({ now: (context) => context.now }))
    const session = log.open('a')
    const now = log.now
    log.now -= 5000
    log.lease = -5
    expect(value(log.request(session, 1, 'now'))).toBe(now)
    expect(log.machine.sessionFacts(session)?.renewedLease).toBe(0)
  })

  test('100 sessions opened and closed leave no row behind once their tombstones are gone', () => {
    const log = new Log(counter())
    const before = log.machine.counts
    for (let count = 0; count < 100; count += 1) {
      const session = log.open(`s${count}`)
      log.request(session, 1, 'emit')
      expect(
        code(log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) }).reply),
      ).toMatch(/closed/)
    }
    log.advance(10 * 60_000 + 1)
    log.empty('Noop')
    log.empty('Noop')
    expect(log.machine.counts).toEqual(before)
  })
})

describe('a new leader of very many sessions', () => {
  test('ranks some of them at each look, names nobody before it knows all, and then those who are due, each once', () => {
    const log = new Log(counter())
    const sessions = Array.from({ length: 20_000 }, (_, at) =>
      log.open(`${at}`, { timeoutMs: at % 2 === 0 ? 9000 : 60_000 }),
    )
    const [first, second] = sessions as [number, number]
    log.advance(20_000)
    log.append('KeepAlive', { sessions: [numbers(first)] })
    const time = { lease: log.lease, readySince: 1 }
    const looks = [log.machine.overdueSessions(time, 30_000)]
    // One opens and one ends between two looks.
    const late = log.open('late', { timeoutMs: 9000 })
    log.append('CloseSession', { ...numbers(second), epoch: 0, secretHash: new Uint8Array(0) })
    while (looks.length < 5) looks.push(log.machine.overdueSessions(time, 30_000))
    expect(looks.map(({ length }) => length)).toEqual([0, 0, 9999, 9999, 9999])
    expect(new Set(looks.at(-1)?.map(({ index }) => index)).size).toBe(9999)
    log.advance(10_000)
    const due = log.machine.overdueSessions({ ...time, lease: log.lease }, 30_000).map(({ index }) => index)
    expect([due.length, due.includes(late), due.includes(first), due.includes(second)]).toEqual([
      10_001,
      true,
      true,
      false,
    ])
    expect(log.machine.nextExpiry()).toBe(9000)
    log.machine.checkInvariants()
  })
})
