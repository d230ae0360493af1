import { describe, expect, test } from 'vitest'
import { SessionStateMachine } from '../../../../src/session/session-state-machine.ts'
import { bareMachine, counter, counterHandlers } from '../../bare-machine.ts'
import { code, codec, Log, numbers, swapped } from '../../log.ts'

const evict = (log: Log, session: number, note = '') => log.append('EvictSession', { ...numbers(session), note })

describe('a session that an operator ends', () => {
  test('ends as by expiry: the hook runs once with what waits, and nothing of it stays but its tombstone', () => {
    const ended: unknown[] = []
    const log = new Log(
      bareMachine(counterHandlers, {
        onSessionExpired: (_context, session, pending, reason) =>
          void ended.push([session.name, pending.length, reason]),
      }),
    )
    const [session, other] = [log.open('a'), log.open('b')]
    log.request(session, 1, 'emit')
    const applied = evict(log, session, 'stolen')
    expect([applied.reply, applied.ended]).toEqual([{ kind: 'closed' }, [{ session, reason: 'expired' }]])
    expect(ended).toEqual([['a', 1, 'expired']])
    expect([log.machine.sessionFacts(session), log.machine.counts.sessions]).toEqual([null, 1])
    expect(log.machine.sessionEnd(numbers(session))).toEqual({ at: log.now, reason: 'expired', note: 'stolen' })
    expect(code(log.request(session, 2, 'increment', { epoch: 0 }))).toBe('SESSION_EXPIRED')
    expect(code(log.tryOpen('a').reply)).toBe('CLIENT_SESSION_CLOSED')
    expect(log.request(other, 1, 'increment')).toMatchObject({ outcome: { kind: 'value' } })
    log.machine.checkInvariants()
  })

  test('it was renewed a moment before, and ends all the same; a second wish finds it ended', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.request(session, 1, 'increment')
    expect(evict(log, session).reply).toEqual({ kind: 'closed' })
    log.advance(10)
    const again = evict(log, session, 'other words')
    expect([code(again.reply), again.ended]).toEqual(['SESSION_EXPIRED', []])
    expect(log.machine.sessionEnd(numbers(session))).toEqual({ at: log.now - 10, reason: 'expired', note: '' })
    expect(code(evict(log, 999).reply)).toBe('SESSION_UNKNOWN')
    expect(code(log.append('EvictSession', { ...numbers(session, 2), note: '' }).reply)).toBe('SESSION_UNKNOWN')
  })

  test('its tombstone keeps the note over a snapshot; that of a session that ended by itself has none', () => {
    const log = new Log(counter())
    const [session, closed] = [log.open('a'), log.open('b')]
    evict(log, session, 'stolen')
    const { index } = log.append('CloseSession', { ...numbers(closed), epoch: 0, secretHash: new Uint8Array(0) })
    const restored = new SessionStateMachine(counter(), codec)
    const rows = swapped(log.machine)
    for (const [key, row] of rows) if (row !== undefined) restored.restoreRow(key, row)
    restored.restored({ index, term: 1, lease: log.lease, now: log.now })
    expect(restored.sessionEnd(numbers(session))).toMatchObject({ note: 'stolen' })
    expect(restored.sessionEnd(numbers(closed))).not.toHaveProperty('note')
    const tombstones = [...rows].filter(([key]) => key.startsWith('session/tombstone/')).map(([, row]) => row)
    expect(tombstones.filter((row) => Object.keys(row as object).includes('note'))).toHaveLength(1)
  })
})
