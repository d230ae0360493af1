import { describe, expect, test } from 'vitest'
import { bareMachine, counter, reject } from '../bare-machine.ts'
import { code, Log, numbers, secret, value } from '../log.ts'

describe('OpenSession', () => {
  test('FR-016 opens a session whose id is the index of its entry', () => {
    const log = new Log(counter())
    expect(log.tryOpen('a').reply).toEqual({ kind: 'opened', sessionId: '0/1/3', existing: false })
    expect(log.machine.sessionFacts(3)).toMatchObject({ epoch: 0, floor: 1, highest: 0, timeoutMs: 30_000 })
    expect(log.machine.sessionFacts(3)?.secretHash).toEqual(secret('a'))
  })

  test('the same secret gives the same session, and onSessionCreated runs once', () => {
    let created = 0
    const log = new Log(bareMachine({}, { onSessionCreated: () => void (created += 1) }))
    log.open('a')
    expect(log.tryOpen('a').reply).toEqual({ kind: 'opened', sessionId: '0/1/3', existing: true })
    expect(created).toBe(1)
  })

  test.each([
    { principal: 'user:other' },
    { capabilities: { more: true } },
    { timeoutMs: 40_000 },
    { roles: ['worker'] },
    { ordered: true },
  ])('OPEN_CONFLICT: the same secret with %o', (other) => {
    const log = new Log(counter())
    log.open('a')
    expect(code(log.tryOpen('a', other).reply)).toBe('OPEN_CONFLICT')
  })

  test('OPEN_TOO_LATE: a late copy opens nothing, unless the session exists', () => {
    const log = new Log(counter())
    const validUntil = log.now + 120_000
    log.open('a', { validUntil })
    log.advance(120_001)
    expect(log.tryOpen('a', { validUntil }).reply).toMatchObject({ existing: true })
    expect(code(log.tryOpen('b', { validUntil }).reply)).toBe('OPEN_TOO_LATE')
  })

  test('INVALID: validUntil further ahead than tombstones can answer for', () => {
    const log = new Log(counter())
    expect(code(log.tryOpen('a', { validUntil: log.now + 300_001 }).reply)).toBe('INVALID')
  })

  test('CLIENT_SESSION_CLOSED: the secret of a closed session opens nothing while its tombstone stands', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) })
    expect(code(log.tryOpen('a').reply)).toBe('CLIENT_SESSION_CLOSED')
    log.advance(10 * 60_000 + 1)
    expect(log.tryOpen('a').reply).toMatchObject({ existing: false })
  })

  test('OPEN_REJECTED: onSessionCreated may refuse; then nothing is stored and nothing emitted', () => {
    const user = bareMachine(
      { count: (context) => context.state.get('created') ?? 0 },
      {
        onSessionCreated(context, session) {
          context.state.set('created', 1)
          context.emit(session.id, 'welcome', null)
          context.notify('user:b', 'hello', null)
          return session.principal === 'user:a' ? reject('NOT_YOU', { name: session.name }) : undefined
        },
      },
    )
    const log = new Log(user)
    const { reply, deliver } = log.tryOpen('a')
    expect(reply).toEqual({
      kind: 'refused',
      code: 'OPEN_REJECTED',
      details: { kind: 'reject', code: 'NOT_YOU', details: { name: 'a' } },
    })
    expect(deliver).toEqual([])
    expect(log.machine.counts).toMatchObject({ sessions: 0 })
    expect(log.machine.overdueSessions({ lease: 1e9, readySince: 0 }, 10)).toEqual([])
    const b = log.open('b')
    expect(log.machine.outbox(b, 0, 9).map(({ type }) => type)).toEqual(['welcome', 'notification'])
    expect(value(log.request(b, 1, 'count'))).toBe(1)
  })

  test('OPEN_REJECTED: a throwing onSessionCreated refuses the session and is recorded', () => {
    const log = new Log(
      bareMachine(
        {},
        {
          onSessionCreated() {
            throw new Error('a bug')
          },
        },
      ),
    )
    expect(log.tryOpen('a').reply).toMatchObject({ code: 'OPEN_REJECTED', details: { code: 'MACHINE_ERROR' } })
    expect(log.machine.counts.sessions).toBe(0)
  })

  test('TOO_MANY_SESSIONS: a new one is refused, a live one never evicted; tombstones count', () => {
    const log = new Log(counter(), { sessionsMax: 2 })
    const a = log.open('a')
    log.open('b')
    expect(code(log.tryOpen('c').reply)).toBe('TOO_MANY_SESSIONS')
    log.append('CloseSession', { ...numbers(a), epoch: 0, secretHash: new Uint8Array(0) })
    expect(code(log.tryOpen('c').reply)).toBe('TOO_MANY_SESSIONS')
    log.advance(10 * 60_000 + 1)
    expect(log.tryOpen('c').reply.kind).toBe('opened')
  })

  test('TOO_MANY_SESSIONS: nothing opens before the Limits entry', () => {
    expect(code(new Log(counter(), null).tryOpen('a').reply)).toBe('TOO_MANY_SESSIONS')
  })

  test.each([{ principal: '' }, { principal: 'system' }, { principal: 'system:x' }, { roles: ['system'] }])(
    'INVALID: the reserved %o',
    (options) => {
      expect(code(new Log(counter()).tryOpen('a', options).reply)).toBe('INVALID')
    },
  )

  test('the timeout is clamped to the limits, and a repeated open still finds the session', () => {
    const log = new Log(counter())
    const session = log.open('a', { timeoutMs: 1 })
    expect(log.machine.sessionFacts(session)?.timeoutMs).toBe(1000)
    expect(log.tryOpen('a', { timeoutMs: 1 }).reply).toMatchObject({ existing: true })
  })

  test('an entry removes at most 64 tombstones whose time has passed', () => {
    const log = new Log(counter(), { sessionsMax: 100 })
    for (let count = 0; count < 100; count += 1) {
      const session = log.open(`s${count}`)
      log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) })
    }
    const rows = log.machine.counts.rows
    log.advance(10 * 60_000 + 1)
    log.empty('Noop')
    expect(rows - log.machine.counts.rows).toBe(64)
    log.empty('Noop')
    expect(rows - log.machine.counts.rows).toBe(100)
  })
})

describe('AttachSession', () => {
  test('is a compare-and-set whose index is the new epoch; it renews and tells a safe next request id', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.request(session, 3, 'increment')
    log.advance(1000)
    expect(log.attach(session, 'a')).toEqual({
      kind: 'attached',
      sessionId: '0/1/3',
      epoch: 5,
      nextRequestId: 4,
      acknowledged: 0,
      timeoutMs: 30_000,
    })
    expect(log.machine.sessionFacts(session)).toMatchObject({ epoch: 5, renewedLease: 1000 })
  })

  test('a repeated nonce gets the same epoch', () => {
    const log = new Log(counter())
    const session = log.open('a')
    const first = log.attach(session, 'a', { nonce: 7 })
    expect(log.attach(session, 'a', { nonce: 7 })).toEqual(first)
  })

  test('ATTACH_CONFLICT: another connection was faster', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.attach(session, 'a', { nonce: 7 })
    expect(log.attach(session, 'a', { nonce: 8 })).toEqual({
      kind: 'refused',
      code: 'ATTACH_CONFLICT',
      details: { current: 4 },
    })
    expect(log.attach(session, 'a', { nonce: 8, replaces: 4 })).toMatchObject({ kind: 'attached', epoch: 6 })
  })

  test('a wrong secret and an unknown session look the same to a stranger, an ended one too', () => {
    const log = new Log(counter())
    const session = log.open('a')
    const unknown = log.attach(999, 'x')
    expect(log.attach(session, 'x')).toEqual(unknown)
    log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: new Uint8Array(0) })
    expect(log.attach(session, 'x')).toEqual(unknown)
    expect(code(log.attach(session, 'a'))).toBe('SESSION_EXPIRED')
  })

  test('P-32 puts what waits on the delivery list and starts the wait for acks anew', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.request(session, 1, 'emit')
    log.advance(3_600_000)
    const applied = log.append('AttachSession', {
      ...numbers(session),
      secretHash: secret('a'),
      replaces: 0,
      nonce: new Uint8Array(16),
    })
    expect(applied.deliver).toEqual([session])
    expect(log.machine.retriesDue(log.now, [session])).toBe(false)
  })
})

describe('CloseSession', () => {
  test('closes with the current epoch, fences an old one, and leaves a tombstone', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.attach(session, 'a')
    const close = (epoch: number, secretHash = new Uint8Array(0)) =>
      log.append('CloseSession', { ...numbers(session), epoch, secretHash })
    expect(code(close(0).reply)).toBe('FENCED')
    expect(code(close(99).reply)).toBe('INVALID')
    const applied = close(4)
    expect(applied.reply).toEqual({ kind: 'closed' })
    expect(applied.ended).toEqual([{ session, reason: 'closed' }])
    expect(close(4).reply).toMatchObject({ code: 'SESSION_EXPIRED', details: { reason: 'closed', at: log.now } })
    expect(code(log.request(session, 1, 'increment'))).toBe('SESSION_EXPIRED')
  })

  test('closes with the secret whatever the epoch, and a wrong secret is SESSION_UNKNOWN', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.attach(session, 'a')
    const close = (name: string) =>
      log.append('CloseSession', { ...numbers(session), epoch: 0, secretHash: secret(name) }).reply
    expect(code(close('b'))).toBe('SESSION_UNKNOWN')
    expect(close('a')).toEqual({ kind: 'closed' })
  })
})
