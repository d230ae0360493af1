import { describe, expect, test } from 'vitest'
import type { ServerRequest } from '../../src/session/types.ts'
import { bareMachine, counterHandlers } from './bare-machine.ts'
import { Log, numbers } from './log.ts'

const retry = (log: Log, ...sessions: number[]) =>
  log.append('RetryServerRequests', { sessions: sessions.map((index) => numbers(index)) })

describe('redelivery', () => {
  test('FR-025 S-10 the retry command bumps attempt and lastSentAt of what is due, and its answer names the sessions', () => {
    const log = new Log(bareMachine(counterHandlers))
    const session = log.open('a')
    log.request(session, 1, 'emit')
    log.advance(36_000)
    log.request(session, 2, 'emit')
    const applied = retry(log, session)
    expect(applied.deliver).toEqual([session])
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([
      { serverRequestId: 1, attempt: 2, lastSentAt: log.now },
      { serverRequestId: 2, attempt: 1 },
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
    const rows = log.machine.swapDirty()
    expect(rows.get('user/dead')).toBe(1)
    expect([...rows.keys()].filter((key) => key.startsWith('session/dead/'))).toHaveLength(1)
    log.advance(30 * 86_400_000 + 1)
    log.empty('Noop')
    expect(
      [...log.machine.swapDirty()].filter(([key, row]) => key.startsWith('session/dead/') && row === undefined),
    ).toHaveLength(1)
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
