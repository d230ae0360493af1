import { describe, expect, test } from 'vitest'
import type { ServerRequest } from '../../../src/session/user-machine.ts'
import { bareMachine, counterHandlers, type Handler } from '../bare-machine.ts'
import { Log, numbers, swapped } from '../log.ts'

const retry = (log: Log, ...sessions: number[]) =>
  log.append('RetryServerRequests', { sessions: sessions.map((index) => numbers(index)) })

describe('redelivery', () => {
  test('FR-025 S-10 the retry command bumps attempt and lastSentAt of what is due and of all behind it, and its answer names the sessions', () => {
    const log = new Log(bareMachine(counterHandlers))
    const session = log.open('a')
    log.request(session, 1, 'emit')
    log.advance(36_000)
    log.request(session, 2, 'emit')
    const applied = retry(log, session)
    expect(applied.deliver).toEqual([session])
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([
      { serverRequestId: 1, attempt: 2, lastSentAt: log.now },
      { serverRequestId: 2, attempt: 2, lastSentAt: log.now },
    ])
  })

  test('FR-025 apply checks again: what was acknowledged or retried meanwhile is not sent', () => {
    const log = new Log(bareMachine(counterHandlers))
    const session = log.open('a')
    log.request(session, 1, 'emit')
    log.advance(36_000)
    retry(log, session)
    expect(retry(log, session, 999).deliver).toEqual([])
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ attempt: 2 }])
    log.ack(session, 1)
    log.advance(3_600_000)
    expect(retry(log, session).deliver).toEqual([])
  })

  test('FR-026 FR-027 the dirty read tells whether anything is due among the attached sessions and changes nothing', () => {
    const log = new Log(bareMachine(counterHandlers))
    const session = log.open('a')
    expect(log.machine.nextRetryDue([session])).toBeNull()
    log.request(session, 1, 'emit')
    const due = log.machine.nextRetryDue([session])
    expect(due).toBeGreaterThanOrEqual(log.now + 24_000)
    expect(due).toBeLessThanOrEqual(log.now + 36_000)
    const hash = log.machine.stateHash()
    expect(log.machine.retriesDue((due ?? 0) - 1, [session])).toBe(false)
    expect(log.machine.retriesDue(due ?? 0, [session])).toBe(true)
    expect(log.machine.retriesDue(due ?? 0, [])).toBe(false)
    expect(log.machine.stateHash()).toBe(hash)
  })

  test('the wait doubles up to its cap, give or take 20 %', () => {
    const log = new Log(bareMachine(counterHandlers))
    const session = log.open('a')
    log.request(session, 1, 'emit')
    for (const nominal of [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]) {
      const due = log.machine.nextRetryDue([session]) ?? 0
      expect(due - log.now).toBeGreaterThanOrEqual(nominal * 0.8)
      expect(due - log.now).toBeLessThanOrEqual(nominal * 1.2)
      log.advance(due - log.now)
      retry(log, session)
    }
  })

  test('beyond its attempts a request is a dead letter, the hook runs, and the next previousId skips it', () => {
    const dead: [ServerRequest, string][] = []
    const log = new Log(
      bareMachine(
        {
          ...counterHandlers,
          twice: (context) => {
            const own = context.session
            if (own === null) return null
            context.emit(own.id, 'first', null, { attemptsMax: 2 })
            return context.emit(own.id, 'second', null)
          },
        },
        {
          onDeadLetter(context, request, target) {
            dead.push([request, target.name])
            context.state.set('dead', request.serverRequestId)
          },
        },
      ),
    )
    const session = log.open('a')
    log.request(session, 1, 'twice')
    for (let round = 0; round < 2; round += 1) {
      log.advance(80_000)
      retry(log, session)
    }
    expect(dead).toMatchObject([[{ serverRequestId: 1, type: 'first', attempt: 2 }, 'a']])
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ serverRequestId: 2, previousId: 0 }])
    const rows = swapped(log.machine)
    expect(rows.get('user/dead')).toBe(1)
    expect([...rows.keys()].filter((key) => key.startsWith('session/dead/'))).toHaveLength(1)
    log.advance(30 * 86_400_000 + 1)
    log.empty('Noop')
    expect(
      [...swapped(log.machine)].filter(([key, row]) => key.startsWith('session/dead/') && row === undefined),
    ).toHaveLength(1)
  })

  test('what waits behind a request that fails for good is not lost with it, and gets all its attempts', () => {
    const dead: number[] = []
    const log = new Log(
      bareMachine(counterHandlers, { onDeadLetter: (_context, request) => void dead.push(request.serverRequestId) }),
      { attemptsMax: 3 },
    )
    const session = log.open('a')
    for (let id = 1; id <= 300; id += 1) {
      log.request(session, id, 'emit', { lowestPendingRequestId: id })
      log.advance(10)
    }
    let rounds = 0
    for (; dead.length === 0; rounds += 1) {
      log.advance((log.machine.nextRetryDue([session]) ?? 0) - log.now)
      expect(retry(log, session).deliver).toEqual([session])
      const [first, ...behind] = log.machine.outbox(session, 0, 1000)
      expect(new Set(behind.map(({ lastSentAt }) => lastSentAt))).toEqual(new Set([log.now]))
      expect(first?.lastSentAt).toBe(log.now)
    }
    expect([dead, rounds]).toEqual([[1], 3])
    expect(log.pending(session)).toHaveLength(299)
    expect(new Set(log.machine.outbox(session, 0, 1000).map(({ attempt }) => attempt))).toEqual(new Set([1]))
    log.ack(session, 300)
    expect(dead).toEqual([1])
  })

  test('one entry sends a bounded number of requests again; the next one goes on where it stopped', () => {
    const many: Handler = (context) => {
      const own = context.session?.id ?? ('' as never)
      for (let count = 0; count < 1100; count += 1) context.emit(own, 'event', null)
      return null
    }
    const log = new Log(bareMachine({ many }))
    const sessions = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => log.open(name))
    for (const session of sessions) log.request(session, 1, 'many')
    log.advance(36_000)
    expect(retry(log, ...sessions).deliver).toEqual(sessions.slice(0, 4))
    const attempts = log.machine.outbox(sessions[0] ?? 0, 0, 2000).map(({ attempt }) => attempt)
    expect(attempts).toEqual([...new Array(1024).fill(2), ...new Array(76).fill(1)])
    expect(log.machine.retriesDue(log.now, sessions)).toBe(true)
    expect(retry(log, ...sessions).deliver).toEqual(sessions.slice(4))
    expect(log.machine.retriesDue(log.now, sessions)).toBe(false)
  })

  test('a deadline of one that waits behind is kept, whatever is added, acknowledged and dropped before it', () => {
    const dead: number[] = []
    const until: Handler = (context, input) =>
      context.emit(context.session?.id ?? ('' as never), 'x', null, { deadlineAt: context.now + Number(input) })
    const log = new Log(
      bareMachine(
        { ...counterHandlers, until },
        { onDeadLetter: (_context, { serverRequestId }) => void dead.push(serverRequestId) },
      ),
    )
    const session = log.open('a')
    const start = log.now
    log.request(session, 1, 'emit')
    log.request(session, 2, 'until', { input: 9000 })
    expect(log.machine.nextRetryDue([session])).toBe(start + 9000)
    log.request(session, 3, 'until', { input: 5000 })
    log.request(session, 4, 'until', { input: 7000 })
    log.request(session, 5, 'emit')
    expect(log.machine.nextRetryDue([session])).toBe(start + 5000)
    log.advance(5000)
    retry(log, session)
    expect(dead).toEqual([3])
    expect(log.machine.outbox(session, 0, 9).map(({ serverRequestId, attempt }) => [serverRequestId, attempt])).toEqual(
      [
        [1, 1],
        [2, 1],
        [4, 1],
        [5, 1],
      ],
    )
    expect(log.machine.nextRetryDue([session])).toBe(start + 7000)
    log.ack(session, 4)
    expect(log.machine.nextRetryDue([session])).toBeGreaterThanOrEqual(start + 24_000)
  })

  test('a deadline ends it early', () => {
    let dead = 0
    const log = new Log(
      bareMachine(
        {
          soon: (context) =>
            context.emit(context.session?.id ?? ('' as never), 'soon', null, { deadlineAt: context.now + 5000 }),
        },
        { onDeadLetter: () => void (dead += 1) },
      ),
    )
    const session = log.open('a')
    log.request(session, 1, 'soon')
    expect(log.machine.nextRetryDue([session])).toBe(log.now + 5000)
    log.advance(5000)
    retry(log, session)
    expect(dead).toBe(1)
    expect(log.pending(session)).toEqual([])
  })
})
