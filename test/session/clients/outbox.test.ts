import { describe, expect, test } from 'vitest'
import type { SessionId } from '../../../src/base/brand.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { fitsByDropping } from '../../../src/session/clients/outbox.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { SessionRecord } from '../../../src/session/clients/session-record.ts'
import type { ReplicatedState } from '../../../src/session/state/replicated-state.ts'
import type { EmitOptions, MachineContext } from '../../../src/session/user-machine.ts'
import { bareMachine, reject } from '../bare-machine.ts'
import { code, codec, Log, numbers, swapped, value } from '../log.ts'

/** `emit` takes {to?, type?, count?, options?, payload?} and answers what each emission answered. */
const emitter = () =>
  bareMachine(
    {
      emit(context: MachineContext, input: Value) {
        const { to, type, count, options, payload } = (input ?? {}) as {
          to?: SessionId
          type?: string
          count?: number
          options?: EmitOptions
          payload?: Value
        }
        const target = to ?? context.session?.id ?? ('0/0/0' as SessionId)
        const results: boolean[] = []
        for (let n = 0; n < (count ?? 1); n += 1)
          results.push(context.emit(target, type ?? 'event', payload ?? n, options))
        return results
      },
      emitAndRefuse(context: MachineContext) {
        if (context.session !== null) context.emit(context.session.id, 'event', null)
        return reject('NO')
      },
      late(context: MachineContext) {
        context.schedule('test', 'late', context.now + 10, context.session?.id ?? null)
        return null
      },
    },
    {
      onTimer(context, { payload }) {
        context.state.set('heard', context.emit(payload as SessionId, 'late', null))
      },
      onSessionExpired(context, { name }) {
        context.state.set('heard', context.emit(name as SessionId, 'gone', null))
      },
    },
  )

describe('server requests', () => {
  test('FR-017 FR-018 FR-021 S-06 S-07 one command gives a response and server requests, which are pending and to be delivered', () => {
    const log = new Log(emitter())
    const a = log.open('a')
    const b = log.open('b')
    const applied = log.requestApplied(a, 1, 'emit', { input: { to: `0/1/${b}`, count: 2 } })
    expect(value(applied.reply)).toEqual([true, true])
    expect(applied.deliver).toEqual([b])
    expect(log.machine.outbox(b, 0, 10)).toMatchObject([
      {
        serverRequestId: 1,
        previousId: 0,
        type: 'event',
        payload: 0,
        attempt: 1,
        createdIndex: 5,
        lastSentAt: log.now,
      },
      { serverRequestId: 2, previousId: 1, type: 'event', payload: 1 },
    ])
    expect(log.machine.outbox(b, 1, 10)).toHaveLength(1)
    expect(log.machine.outbox(b, 0, 1)).toHaveLength(1)
  })

  test('FR-022 FR-023 PC-4 INV-3 ids rise by one from 1, also across an empty outbox', () => {
    const log = new Log(emitter())
    const session = log.open('a')
    log.request(session, 1, 'emit', { input: { count: 3 } })
    expect(log.pending(session)).toEqual([1, 2, 3])
    log.ack(session, 3)
    expect(log.pending(session)).toEqual([])
    expect(log.machine.sessionFacts(session)?.lastServerRequestId).toBe(3)
    log.request(session, 2, 'emit')
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ serverRequestId: 4, previousId: 3 }])
  })

  test('FR-020 PC-3 INV-2 S-08 S-09 an ack removes every id up to it: {1,2,3,5,7} acked to 5 leaves {7}', () => {
    const log = new Log(emitter())
    const session = log.open('a')
    for (let id = 1; id <= 7; id += 1) {
      const options: EmitOptions = { overflow: 'coalesce', key: id === 4 || id === 5 ? 'x' : id >= 6 ? 'y' : `${id}` }
      log.request(session, id, 'emit', { input: { options: { ...options } } })
    }
    expect(log.pending(session)).toEqual([1, 2, 3, 5, 7])
    expect(log.ack(session, 5)).toEqual({ kind: 'acknowledged', upTo: 5 })
    expect(log.pending(session)).toEqual([7])
  })

  test('INVALID_ACK: an ack beyond the last id changes nothing; one at or below the known answers the known', () => {
    const log = new Log(emitter())
    const session = log.open('a')
    log.request(session, 1, 'emit', { input: { count: 2 } })
    expect(log.ack(session, 3)).toEqual({ kind: 'refused', code: 'INVALID_ACK', details: { last: 2 } })
    expect(log.pending(session)).toEqual([1, 2])
    expect(log.ack(session, 2)).toEqual({ kind: 'acknowledged', upTo: 2 })
    expect(log.ack(session, 1)).toEqual({ kind: 'acknowledged', upTo: 2 })
    log.attach(session, 'a')
    expect(code(log.ack(session, 2, 0))).toBe('FENCED')
    expect(code(log.ack(999, 2, 0))).toBe('SESSION_UNKNOWN')
  })

  test('ids go on where they were over a snapshot, also when nothing waits', () => {
    const log = new Log(emitter())
    const session = log.open('a')
    log.request(session, 1, 'emit', { input: { count: 3 } })
    log.ack(session, 3)
    const restored = new SessionStateMachine(emitter(), codec)
    for (const [key, row] of swapped(log.machine)) if (row !== undefined) restored.restoreRow(key, row)
    restored.restored({ index: log.entries.length, term: 1, lease: log.lease, now: log.now })
    log.machine = restored
    log.request(session, 2, 'emit', { input: { count: 2 } })
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([
      { serverRequestId: 4, previousId: 3 },
      { serverRequestId: 5, previousId: 4 },
    ])
  })

  test('an unknown target stores nothing and answers false', () => {
    const log = new Log(emitter())
    const session = log.open('a')
    const applied = log.requestApplied(session, 1, 'emit', { input: { to: '0/1/99' } })
    expect(value(applied.reply)).toEqual([false])
    expect(applied.deliver).toEqual([])
    expect(value(log.request(session, 2, 'emit', { input: { to: 'nonsense' } }))).toEqual([false])
  })

  test('a rejected command emits nothing and burns no id', () => {
    const log = new Log(emitter())
    const session = log.open('a')
    log.request(session, 1, 'emitAndRefuse')
    log.request(session, 2, 'emit')
    expect(log.pending(session)).toEqual([1])
  })
})

describe('a full outbox', () => {
  const limits = { outboxCountMax: 3 }

  test('OUTBOX_FULL: rejects the command by default, counting what it emitted itself', () => {
    const log = new Log(emitter(), limits)
    const session = log.open('a')
    expect(code(log.request(session, 1, 'emit', { input: { count: 4 } }))).toBe('OUTBOX_FULL')
    expect(log.pending(session)).toEqual([])
    expect(value(log.request(session, 2, 'emit', { input: { count: 3 } }))).toEqual([true, true, true])
    expect(code(log.request(session, 3, 'emit'))).toBe('OUTBOX_FULL')
  })

  test('OUTBOX_FULL: bytes count too', () => {
    const log = new Log(emitter(), { outboxBytesMax: 300 })
    const session = log.open('a')
    expect(value(log.request(session, 1, 'emit', { input: { payload: 'x'.repeat(100) } }))).toEqual([true])
    expect(code(log.request(session, 2, 'emit', { input: { payload: 'x'.repeat(100) } }))).toBe('OUTBOX_FULL')
    log.ack(session, 1)
    expect(value(log.request(session, 3, 'emit', { input: { payload: 'x'.repeat(100) } }))).toEqual([true])
  })

  test('coalesce replaces the waiting request of the same type and key, without a gap', () => {
    const log = new Log(emitter(), limits)
    const session = log.open('a')
    const options = { overflow: 'coalesce', key: 'k' }
    log.request(session, 1, 'emit', { input: { options, payload: 'old' } })
    log.request(session, 2, 'emit', { input: { count: 2 } })
    expect(value(log.request(session, 3, 'emit', { input: { options, payload: 'new' } }))).toEqual([true])
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([
      { serverRequestId: 2, previousId: 0 },
      { serverRequestId: 3, previousId: 2 },
      { serverRequestId: 4, previousId: 3, payload: 'new' },
    ])
    expect(code(log.request(session, 4, 'emit', { input: { options: { overflow: 'coalesce', key: 'z' } } }))).toBe(
      'OUTBOX_FULL',
    )
  })

  test('dropOldest drops the oldest that may be dropped; the chain of previousId skips it', () => {
    const log = new Log(emitter(), limits)
    const session = log.open('a')
    const options = { overflow: 'dropOldest' }
    log.request(session, 1, 'emit')
    log.request(session, 2, 'emit', { input: { count: 3, options } })
    expect(log.machine.outbox(session, 0, 9).map((r) => [r.serverRequestId, r.previousId])).toEqual([
      [1, 0],
      [3, 1],
      [4, 3],
    ])
  })

  test('a dropOldest request that finds nothing to drop is dropped itself, says so, and no previousId names it', () => {
    const log = new Log(emitter(), limits)
    const session = log.open('a')
    log.request(session, 1, 'emit', { input: { count: 3 } })
    expect(value(log.request(session, 2, 'emit', { input: { options: { overflow: 'dropOldest' } } }))).toEqual([false])
    expect(log.pending(session)).toEqual([1, 2, 3])
    log.ack(session, 3)
    log.request(session, 3, 'emit')
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ serverRequestId: 5, previousId: 3 }])
  })

  test('a client that takes each frame only after the one it names gets everything that was not dropped', () => {
    const log = new Log(emitter(), { outboxCountMax: 3, attemptsMax: 1 })
    const session = log.open('a')
    const steps: (EmitOptions | 'retry')[] = [
      { overflow: 'dropOldest' },
      { attemptsMax: 1 },
      { overflow: 'dropOldest' },
      { overflow: 'dropOldest' },
      'retry',
      { overflow: 'coalesce', key: 'k' },
      { overflow: 'dropOldest' },
      { overflow: 'coalesce', key: 'k' },
    ]
    steps.forEach((step, at) => {
      log.advance(600_000)
      log.append('KeepAlive', { sessions: [numbers(session)] })
      if (step === 'retry') log.append('RetryServerRequests', { sessions: [numbers(session)] })
      else log.request(session, at + 1, 'emit', { input: { options: { ...step } } })
      let received = 0
      for (const { serverRequestId, previousId } of log.machine.outbox(session, 0, 9)) {
        expect(previousId).toBeLessThanOrEqual(received)
        received = serverRequestId
      }
    })
    const last = log.machine.sessionFacts(session)?.lastServerRequestId ?? 0
    expect(log.pending(session).at(-1)).toBe(last)
    log.ack(session, last)
    log.request(session, 20, 'emit')
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ previousId: last }])
  })

  test('is read only as far as the first request whose drop makes enough room', () => {
    let read = 0
    const row = (droppable: boolean) => ({
      bytes: 10,
      get droppable() {
        read += 1
        return droppable
      },
    })
    const outbox = [row(false), row(true), row(true), row(false)]
    const session = { outbox, row: { outboxBytes: 40 } } as unknown as SessionRecord
    const fits = (staged: { count: number; bytes: number }, bytes: number): [boolean, number] => {
      read = 0
      const state = { limits: { outboxCountMax: 4, outboxBytesMax: 40 } } as unknown as ReplicatedState
      return [fitsByDropping(state, session, staged, bytes), read]
    }
    expect(fits({ count: 0, bytes: 0 }, 10)).toEqual([true, 2])
    expect(fits({ count: 0, bytes: 0 }, 11)).toEqual([true, 3])
    expect(fits({ count: 1, bytes: 10 }, 10)).toEqual([true, 3])
    expect(fits({ count: 2, bytes: 0 }, 10)).toEqual([false, 4])
    expect(fits({ count: 0, bytes: 0 }, 21)).toEqual([false, 4])
  })

  test('in a timer emit answers false and the timer is kept', () => {
    const log = new Log(emitter(), limits)
    const session = log.open('a')
    log.request(session, 1, 'late')
    log.request(session, 2, 'emit', { input: { count: 3 } })
    log.advance(10)
    log.empty('Tick')
    expect(swapped(log.machine).get('user/heard')).toBe(false)
    expect(log.pending(session)).toEqual([1, 2, 3])
  })

  test('in a hook emit answers false and the hook is kept', () => {
    const log = new Log(emitter(), limits)
    const session = log.open('a')
    const other = log.open('b', { name: `0/1/${session}` })
    log.request(session, 1, 'emit', { input: { count: 3 } })
    log.append('CloseSession', { ...numbers(other), epoch: 0, secretHash: new Uint8Array(0) })
    const rows = swapped(log.machine)
    expect(rows.get('user/heard')).toBe(false)
    expect([...rows.keys()].filter((key) => key.startsWith('session/audit/'))).toEqual([])
    expect(log.pending(session)).toEqual([1, 2, 3])
  })
})
