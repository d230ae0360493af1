import { describe, expect, test } from 'vitest'
import { MOVED_LETTERS_SINCE, OWN_MACHINE_NAME } from '../../../../src/session/own-versions.ts'
import { SessionStateMachine } from '../../../../src/session/session-state-machine.ts'
import type { EmitOptions } from '../../../../src/session/user-machine.ts'
import { bareMachine, counterHandlers } from '../../bare-machine.ts'
import { codec, Log, numbers, swapped } from '../../log.ts'

/** A machine whose command `once` emits one request that dies after its first attempt. */
function machine(options: EmitOptions = {}) {
  return bareMachine({
    ...counterHandlers,
    once: (context, input) => {
      const own = context.session
      return own !== null && context.emit(own.id, 'event', input, { attemptsMax: 1, ...options })
    },
    all: (context, input) => {
      for (let at = 0; at < Number(input); at += 1)
        context.emit(context.session?.id ?? ('' as never), 'event', at, { deadlineAt: context.now + 1 })
      return null
    },
  })
}

/** Requests 1 to `count` of a session are dead letters 1 to `count`. */
function buried(log: Log, count: number): number {
  const session = log.open('a', { timeoutMs: 3_600_000 })
  for (let id = 1; id <= count; id += 1) {
    log.request(session, id, 'once', { input: `letter ${id}`, lowestPendingRequestId: id })
    log.advance(40_000)
    log.append('RetryServerRequests', { sessions: [numbers(session)] })
  }
  expect(letters(log)).toEqual(Array.from({ length: count }, (_, at) => at + 1))
  expect(log.pending(session)).toEqual([])
  return session
}

const letters = (log: Log) => log.machine.deadLetters(0, 100).map(({ letter }) => letter)
const redrive = (log: Log, ...named: number[]) => log.append('MoveDeadLetters', { move: 'redrive', letters: named })
const discard = (log: Log, ...named: number[]) => log.append('MoveDeadLetters', { move: 'discard', letters: named })
const moved = (...outcomes: string[]) => ({ kind: 'moved', outcomes })

describe('a dead letter', () => {
  test('is listed with its number, what it was and whom it was for, a page at a time', () => {
    const log = new Log(machine())
    const session = buried(log, 3)
    expect(log.machine.deadLetters(1, 1)).toMatchObject([
      { letter: 2, target: { id: `0/1/${session}`, name: 'a' }, request: { serverRequestId: 2, payload: 'letter 2' } },
    ])
    expect(log.machine.deadLetters(3, 5)).toEqual([])
  })

  test('that is redriven waits again, once, under the next id, with all its attempts and no deadline', () => {
    const log = new Log(machine({ deadlineAt: Number.MAX_SAFE_INTEGER }))
    const session = buried(log, 2)
    log.request(session, 3, 'emit', { lowestPendingRequestId: 3 })
    const applied = redrive(log, 2)
    expect([applied.reply, applied.deliver]).toEqual([moved('redriven'), [session]])
    expect(log.machine.outbox(session, 3, 9)).toMatchObject([
      {
        serverRequestId: 4,
        previousId: 3,
        type: 'event',
        payload: 'letter 2',
        attempt: 1,
        attemptsMax: 1,
        deadlineAt: null,
      },
    ])
    expect(letters(log)).toEqual([1])
    expect([redrive(log, 2).reply, discard(log, 2).reply]).toEqual([moved('wasRedriven'), moved('wasRedriven')])
    expect(log.pending(session)).toEqual([3, 4])
    log.machine.checkInvariants()
  })

  test('is not remembered before the log is at the version that does, as builds of before remember none', () => {
    const log = new Log(machine())
    const version = (own: number) =>
      log.append('AdvanceVersion', {
        machines: [
          { machine: 'test', to: 1, schema: '' },
          { machine: OWN_MACHINE_NAME, to: own, schema: '' },
        ],
      })
    version(MOVED_LETTERS_SINCE - 1)
    const session = buried(log, 4)
    expect([redrive(log, 1).reply, redrive(log, 1).reply]).toEqual([moved('redriven'), moved('unknown')])
    expect([discard(log, 2).reply, discard(log, 2).reply]).toEqual([moved('discarded'), moved('unknown')])
    expect(swapped(log.machine).get('session/meta')).not.toHaveProperty('moved')
    expect(log.machine.outbox(session, 0, 9)[0]).not.toHaveProperty('emittedIndex')
    version(MOVED_LETTERS_SINCE)
    expect([redrive(log, 1).reply, redrive(log, 3).reply, redrive(log, 3).reply]).toEqual([
      ...[moved('unknown'), moved('redriven'), moved('wasRedriven')],
    ])
    expect(swapped(log.machine).get('session/meta')).toHaveProperty('moved', [[3, 'wasRedriven']])
    log.machine.checkInvariants()
  })

  test('may die again, as another letter', () => {
    const log = new Log(machine())
    const session = buried(log, 1)
    redrive(log, 1)
    log.advance(40_000)
    log.append('RetryServerRequests', { sessions: [numbers(session)] })
    expect(letters(log)).toEqual([2])
  })

  test('of a session that has ended stays, and can be discarded, once', () => {
    const log = new Log(machine())
    const session = buried(log, 1)
    log.append('EvictSession', { ...numbers(session), note: '' })
    expect(redrive(log, 1, 7).reply).toEqual(moved('sessionEnded', 'unknown'))
    expect(letters(log)).toEqual([1])
    expect([discard(log, 1).reply, discard(log, 1).reply]).toEqual([moved('discarded'), moved('wasDiscarded')])
    expect(redrive(log, 1).reply).toEqual(moved('wasDiscarded'))
    expect(letters(log)).toEqual([])
    log.machine.checkInvariants()
  })

  test('stays where there is no room, and does not keep others from being moved', () => {
    const log = new Log(machine(), { outboxCountMax: 1 })
    const session = buried(log, 2)
    expect(redrive(log, 1, 2).reply).toEqual(moved('redriven', 'outboxFull'))
    expect(log.pending(session)).toEqual([3])
    log.ack(session, 3)
    expect(redrive(log, 2).reply).toEqual(moved('redriven'))
  })

  test('that may be dropped makes no room for itself: what waits is newer, or was redriven just now', () => {
    const log = new Log(machine({ overflow: 'dropOldest' }), { outboxCountMax: 1 })
    const session = buried(log, 3)
    expect(redrive(log, 1, 2).reply).toEqual(moved('redriven', 'outboxFull'))
    expect(redrive(log, 3).reply).toEqual(moved('outboxFull'))
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ serverRequestId: 4, payload: 'letter 1' }])
    expect(letters(log)).toEqual([2, 3])
    log.ack(session, 4)
    log.request(session, 4, 'emit', { lowestPendingRequestId: 4 })
    expect(redrive(log, 2).reply).toEqual(moved('outboxFull'))
    expect([letters(log), log.pending(session)]).toEqual([[2, 3], [5]])
    log.machine.checkInvariants()
  })

  test('that may be dropped, and was redriven, may be dropped for what is emitted after it', () => {
    const log = new Log(machine({ overflow: 'dropOldest' }), { outboxCountMax: 1 })
    const session = buried(log, 1)
    redrive(log, 1)
    log.request(session, 2, 'once', { input: 'newer', lowestPendingRequestId: 2 })
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ serverRequestId: 3, payload: 'newer' }])
    expect(letters(log)).toEqual([])
  })

  test('is not put behind a newer request of its key', () => {
    const log = new Log(machine({ overflow: 'coalesce', key: 'k' }))
    const session = buried(log, 1)
    log.request(session, 2, 'once', { input: 'newer', lowestPendingRequestId: 2 })
    expect(redrive(log, 1).reply).toEqual(moved('newerWaits'))
    log.ack(session, 2)
    expect(redrive(log, 1).reply).toEqual(moved('redriven'))
    log.request(session, 3, 'once', { input: 'newest', lowestPendingRequestId: 3 })
    expect(log.machine.outbox(session, 0, 9)).toMatchObject([{ payload: 'newest' }])
  })

  test('waits for an older one of its key that was redriven before it, and is not called the older', () => {
    const log = new Log(machine({ overflow: 'coalesce', key: 'k' }))
    const session = buried(log, 3)
    expect(redrive(log, 1, 2).reply).toEqual(moved('redriven', 'olderWaits'))
    log.ack(session, 4)
    expect(redrive(log, 3, 2).reply).toEqual(moved('redriven', 'newerWaits'))
    log.advance(40_000)
    log.append('RetryServerRequests', { sessions: [numbers(session)] })
    expect(letters(log)).toEqual([2, 4])
    // It is as old as before, however often it dies.
    expect(redrive(log, 4, 2).reply).toEqual(moved('redriven', 'newerWaits'))
    log.machine.checkInvariants()
  })

  test('is told as moved when it is moved once more, from a snapshot too, of the last 1,024', () => {
    const log = new Log(machine())
    const session = buried(log, 2)
    redrive(log, 1)
    discard(log, 2)
    const before = log.pending(session)
    const restored = new SessionStateMachine(machine(), codec)
    for (const [key, row] of swapped(log.machine)) if (row !== undefined) restored.restoreRow(key, row)
    restored.restored({ index: log.entries.length, term: 1, lease: log.lease, now: log.now })
    restored.checkInvariants()
    log.machine = restored
    expect([redrive(log, 1).reply, discard(log, 2).reply]).toEqual([moved('wasRedriven'), moved('wasDiscarded')])
    expect(log.pending(session)).toEqual(before)
    log.request(session, 3, 'all', { input: 1023, lowestPendingRequestId: 3 })
    log.advance(1)
    log.append('RetryServerRequests', { sessions: [numbers(session)] })
    const many = log.machine.deadLetters(0, 2000).map(({ letter }) => letter)
    expect(many).toHaveLength(1023)
    discard(log, ...many)
    expect([redrive(log, 1).reply, discard(log, 2).reply]).toEqual([moved('unknown'), moved('wasDiscarded')])
    log.machine.checkInvariants()
  })

  test('is kept 30 days, and of very many the newest', () => {
    const log = new Log(machine())
    buried(log, 2)
    log.advance(log.machine.limits.retentionMs - 40_000)
    log.empty('Tick')
    expect(letters(log)).toEqual([1, 2])
    log.advance(1)
    log.empty('Tick')
    expect(letters(log)).toEqual([2])
    const many = 10_000
    const session = log.open('many', { timeoutMs: 3_600_000 })
    log.request(session, 1, 'all', { input: many })
    log.advance(1)
    for (let at = 0; at < 10; at += 1) log.append('RetryServerRequests', { sessions: [numbers(session)] })
    expect(log.machine.deadLetters(0, many + 9)).toHaveLength(many)
    expect(letters(log)[0]).toBe(3)
    log.machine.checkInvariants()
  })

  test('comes with a snapshot, and is moved there as here', () => {
    const log = new Log(machine())
    buried(log, 2)
    const restored = new SessionStateMachine(machine(), codec)
    for (const [key, row] of swapped(log.machine)) if (row !== undefined) restored.restoreRow(key, row)
    const index = log.entries.length
    restored.restored({ index, term: 1, lease: log.lease, now: log.now })
    const { reply } = redrive(log, 2)
    const [entry] = log.entries.slice(index)
    if (entry === undefined) throw new Error('the entry is there')
    expect(restored.apply(entry, 100).reply).toEqual(reply)
    expect(restored.stateHash()).toBe(log.machine.stateHash())
    restored.checkInvariants()
  })
})
