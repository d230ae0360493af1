import { describe, expect, test } from 'vitest'
import type { Limits } from '../../../src/codec/entry/payload.ts'
import { encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { bareMachine, counter, counterHandlers, type Handler } from '../bare-machine.ts'
import { code, codec, Log, swapped } from '../log.ts'

function change(log: Log, changes: Partial<Limits>, basedOn = log.machine.limits.changedAt ?? 0) {
  const { changedAt: _changedAt, ...present } = log.machine.limits
  return log.append('Limits', { ...present, ...changes, basedOn })
}

describe('limits that are changed', () => {
  test('are in force from the entry on, and the next change is made of that entry', () => {
    const log = new Log(counter())
    expect(log.machine.limits).not.toHaveProperty('changedAt')
    const { index, reply } = change(log, { sessionsMax: 7 })
    expect([reply, log.machine.limits.sessionsMax, log.machine.limits.changedAt]).toEqual([{ kind: 'none' }, 7, index])
    const next = change(log, { mailboxMax: 3 })
    expect(log.machine.limits).toMatchObject({ sessionsMax: 7, mailboxMax: 3, changedAt: next.index })
  })

  test('of two changes that were made of the same limits the second is refused, and changes nothing but the hash', () => {
    const log = new Log(counter())
    const first = change(log, { sessionsMax: 7 }, 0)
    const second = change(log, { sessionsMax: 9 }, 0)
    expect(second.reply).toEqual({ kind: 'refused', code: 'LIMITS_CHANGED', details: { index: first.index } })
    expect(log.machine.limits).toMatchObject({ sessionsMax: 7, changedAt: first.index })
  })

  test('a cluster that never changes them has the row of entry 2 alone', () => {
    const log = new Log(counter())
    expect(swapped(log.machine).get('session/limits')).not.toHaveProperty('changedAt')
  })

  test('come with a snapshot, with the entry that the next change is made of', () => {
    const log = new Log(counter())
    const { index } = change(log, { sessionsMax: 7 })
    const restored = new SessionStateMachine(counter(), codec)
    for (const [key, row] of swapped(log.machine)) if (row !== undefined) restored.restoreRow(key, row)
    restored.restored({ index, term: 1, lease: log.lease, now: log.now })
    restored.checkInvariants()
    expect(restored.limits).toEqual(log.machine.limits)
    expect(restored.stateHash()).toBe(log.machine.stateHash())
  })

  test('what is above a lowered limit stays, and only what would add to it is refused', () => {
    const log = new Log(counter())
    const [a, b] = [log.open('a'), log.open('b')]
    for (let id = 1; id <= 3; id += 1) log.request(a, id, 'emit')
    expect(log.pending(a)).toEqual([1, 2, 3])
    change(log, { sessionsMax: 1, outboxCountMax: 2, cachedResponsesMax: 2 })
    expect([log.machine.counts.sessions, log.pending(a)]).toEqual([2, [1, 2, 3]])
    expect(log.machine.cached(a, 1)).not.toBeNull()
    expect(code(log.tryOpen('c').reply)).toBe('TOO_MANY_SESSIONS')
    expect(code(log.request(a, 4, 'emit'))).toBe('RESPONSE_BACKLOG')
    expect(code(log.request(a, 4, 'emit', { lowestPendingRequestId: 4 }))).toBe('OUTBOX_FULL')
    log.ack(a, 2)
    expect(log.request(a, 5, 'emit', { lowestPendingRequestId: 5 })).toMatchObject({ outcome: { kind: 'value' } })
    expect(log.pending(a)).toEqual([3, 4])
    expect(log.request(b, 1, 'increment')).toMatchObject({ outcome: { kind: 'value' } })
    log.machine.checkInvariants()
  })

  test('a request that replaces a waiting one adds none, also where more wait than a lowered limit allows', () => {
    const coalesce: Handler = (context, input) => {
      const own = context.session
      return own !== null && context.emit(own.id, 'state', input, { overflow: 'coalesce', key: 'k' })
    }
    const log = new Log(bareMachine({ ...counterHandlers, coalesce }))
    const session = log.open('a')
    for (const [at, command] of ['coalesce', 'emit', 'emit'].entries()) log.request(session, at + 1, command)
    change(log, { outboxCountMax: 1 })
    expect(log.request(session, 4, 'coalesce', { input: 'newer' })).toMatchObject({ outcome: { kind: 'value' } })
    expect(log.pending(session)).toEqual([2, 3, 4])
    expect(code(log.request(session, 5, 'emit'))).toBe('OUTBOX_FULL')
  })

  test('a lower number of bytes between snapshots makes a boundary of the entry that finds more', () => {
    const log = new Log(counter(), { snapshotBytes: 100_000 })
    const session = log.open('a')
    for (let id = 1; id <= 5; id += 1) expect(log.requestApplied(session, id, 'increment').boundary).toBe(false)
    expect(change(log, { snapshotBytes: 100 }).boundary).toBe(true)
    log.machine.checkInvariants()
  })

  test('a change is made of the bytes of entry 2 and one field more', () => {
    const log = new Log(counter())
    const plain = encodePayload('Limits', log.machine.limits)
    const changed = encodePayload('Limits', { ...log.machine.limits, basedOn: 0 })
    expect(Buffer.from(changed.subarray(3)).toString('hex')).toBe(
      `${Buffer.from(plain.subarray(3)).toString('hex')}a7${Buffer.from('basedOn').toString('hex')}00`,
    )
  })
})
