import { describe, expect, test } from 'vitest'
import { bareMachine, counter, counterHandlers } from '../bare-machine.ts'
import { code, Log, numbers, value } from '../log.ts'

describe('a client request', () => {
  test('FR-001 FR-003 FR-019 S-01 S-03 PC-2 a new id calls the user machine once and its response is returned', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    expect(log.request(session, 1, 'increment')).toEqual({
      kind: 'outcome',
      outcome: { kind: 'value', value: 1 },
      replayed: false,
      index: 4,
      invalidAck: false,
    })
    expect(user.calls).toEqual(['increment'])
  })

  test('FR-004 FR-007 FR-008 S-02 PC-1 INV-1 a duplicate is answered from the cache, the user machine is not called and its state stays', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    const first = log.request(session, 1, 'increment')
    const again = log.request(session, 1, 'increment')
    expect(again).toEqual({ ...first, replayed: true })
    expect(user.calls).toEqual(['increment'])
    expect(value(log.request(session, 2, 'increment'))).toBe(2)
    expect(log.machine.cached(session, 1)).toMatchObject({ outcome: { kind: 'value', value: 1 }, entryIndex: 4 })
    expect(log.machine.cached(session, 3)).toBeNull()
  })

  test('a response is answered again however much later, while its session lives', () => {
    const log = new Log(counter())
    const session = log.open('a')
    const first = log.request(session, 1, 'increment')
    for (let year = 0; year < 20; year += 1) {
      log.advance(365 * 86_400_000)
      log.append('KeepAlive', { sessions: [numbers(session)] })
    }
    expect(log.request(session, 1, 'increment')).toEqual({ ...first, replayed: true })
  })

  test('the same id with other bytes is a REQUEST_CONFLICT and nothing runs', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    log.request(session, 1, 'increment')
    expect(code(log.request(session, 1, 'increment', { input: 'other' }))).toBe('REQUEST_CONFLICT')
    expect(user.calls).toHaveLength(1)
  })

  test('FR-014 S-04 UPC-4 a rejection is a response: cached, and its writes and emissions are gone', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    const first = log.request(session, 1, 'refuse')
    expect(first).toMatchObject({ outcome: { kind: 'reject', code: 'NO', details: { why: 'test' } } })
    expect(log.pending(session)).toEqual([])
    expect(log.request(session, 1, 'refuse')).toEqual({ ...first, replayed: true })
    expect(value(log.request(session, 2, 'increment'))).toBe(1)
    expect(user.calls).toEqual(['refuse', 'increment'])
  })

  test('FR-009 many requests in flight are cached as a set, in any order', () => {
    const log = new Log(counter())
    const session = log.open('a')
    for (const id of [3, 1, 5, 2]) log.request(session, id, 'increment')
    for (const [id, count] of [
      [1, 2],
      [2, 4],
      [3, 1],
      [5, 3],
    ] as const) {
      expect(log.request(session, id, 'increment')).toMatchObject({ replayed: true, outcome: { value: count } })
    }
    expect(log.request(session, 4, 'increment')).toMatchObject({ replayed: false, outcome: { value: 5 } })
  })

  test('S-05 FR-006 sessions do not see each other: equal ids are different commands, applied in log order', () => {
    const log = new Log(counter())
    const a = log.open('a')
    const b = log.open('b')
    expect(value(log.request(a, 1, 'increment'))).toBe(1)
    expect(value(log.request(b, 1, 'increment'))).toBe(2)
    expect(log.request(b, 1, 'increment')).toMatchObject({ replayed: true, outcome: { value: 2 } })
  })
})

describe('the lowest pending request id', () => {
  test('C71 FR-010 LR-002 LR-003 responses below it go and the one at it stays', () => {
    const log = new Log(counter())
    const session = log.open('a')
    for (const id of [1, 2, 3]) log.request(session, id, 'increment')
    log.request(session, 4, 'increment', { lowestPendingRequestId: 2 })
    expect(log.machine.cached(session, 1)).toBeNull()
    expect(log.machine.cached(session, 2)).not.toBeNull()
    expect(log.machine.sessionFacts(session)).toMatchObject({ floor: 2, highest: 4 })
  })

  test('LR-004 a regression is ignored', () => {
    const log = new Log(counter())
    const session = log.open('a')
    for (const id of [1, 2, 3]) log.request(session, id, 'increment', { lowestPendingRequestId: id })
    log.request(session, 4, 'increment', { lowestPendingRequestId: 1 })
    expect(log.machine.sessionFacts(session)?.floor).toBe(3)
  })

  test('LR-003 it is read before the duplicate check and never passes the request itself', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.request(session, 1, 'increment')
    const reply = log.request(session, 2, 'increment', { lowestPendingRequestId: 100 })
    expect(value(reply)).toBe(2)
    expect(log.machine.sessionFacts(session)?.floor).toBe(2)
  })

  test('LR-008 a duplicate below it is RESPONSE_EVICTED and never executed', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    log.request(session, 1, 'increment')
    log.request(session, 2, 'increment', { lowestPendingRequestId: 2 })
    expect(code(log.request(session, 1, 'increment'))).toBe('RESPONSE_EVICTED')
    expect(user.calls).toHaveLength(2)
  })

  test('an abandoned id below it is RESPONSE_EVICTED although it never ran', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    log.request(session, 5, 'increment', { lowestPendingRequestId: 5 })
    expect(code(log.request(session, 4, 'increment'))).toBe('RESPONSE_EVICTED')
    expect(user.calls).toHaveLength(1)
  })

  test('LR-006 a missing one is INVALID and changes nothing', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    expect(code(log.request(session, 1, 'increment', { lowestPendingRequestId: 0 }))).toBe('INVALID')
    expect(user.calls).toEqual([])
  })

  test('LR-005 the same log evicts the same responses on every replica', () => {
    const run = () => {
      const log = new Log(counter())
      const session = log.open('a')
      for (const id of [1, 2, 3, 4])
        log.request(session, id, 'increment', { lowestPendingRequestId: Math.max(1, id - 2) })
      return [1, 2, 3, 4].map((id) => log.machine.cached(session, id) !== null)
    }
    expect(run()).toEqual([false, true, true, true])
    expect(run()).toEqual(run())
  })
})

describe('a refusal', () => {
  test('SESSION_UNKNOWN: requests of unknown sessions do not run, and another incarnation is another session', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    expect(code(log.request(999, 1, 'increment', { epoch: 0 }))).toBe('SESSION_UNKNOWN')
    expect(code(log.request(session, 1, 'increment', { incarnation: 2 }))).toBe('SESSION_UNKNOWN')
    expect(code(log.request(session, 1, 'increment', { group: 7 }))).toBe('SESSION_UNKNOWN')
    expect(user.calls).toEqual([])
  })

  test('FENCED: an old epoch changes nothing, not even the lease; a greater one is INVALID', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    log.attach(session, 'a')
    const before = log.machine.sessionFacts(session)
    log.advance(1000)
    expect(log.request(session, 1, 'increment', { epoch: 0 })).toEqual({
      kind: 'refused',
      code: 'FENCED',
      details: { current: 4 },
    })
    expect(code(log.request(session, 1, 'increment', { epoch: 5 }))).toBe('INVALID')
    expect(log.machine.sessionFacts(session)).toEqual(before)
    expect(user.calls).toEqual([])
  })

  test('VERSION_CHANGED: a command parsed under another version is not executed', () => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    log.append('AdvanceVersion', { machines: [{ machine: 'test', to: 2, schema: '' }] })
    expect(log.machine.activeVersion('test')).toBe(2)
    expect(code(log.request(session, 1, 'increment'))).toBe('VERSION_CHANGED')
    expect(value(log.request(session, 1, 'increment', { version: 2 }))).toBe(1)
  })

  test('WINDOW_EXCEEDED: an id a window above the floor is not executed', () => {
    const log = new Log(counter(), { windowRequests: 4 })
    const session = log.open('a')
    expect(code(log.request(session, 5, 'increment'))).toBe('WINDOW_EXCEEDED')
    expect(value(log.request(session, 4, 'increment'))).toBe(1)
  })

  test('OUT_OF_ORDER: an ordered session executes ids without a gap', () => {
    const log = new Log(counter())
    const session = log.open('a', { ordered: true })
    expect(log.request(session, 2, 'increment')).toMatchObject({ code: 'OUT_OF_ORDER', details: { expected: 1 } })
    expect(value(log.request(session, 1, 'increment'))).toBe(1)
    expect(value(log.request(session, 2, 'increment'))).toBe(2)
    expect(value(log.request(session, 9, 'increment', { lowestPendingRequestId: 9 }))).toBe(3)
  })

  test('FR-015 RESPONSE_BACKLOG: the cache is bounded in bytes and count, and the request at the floor always runs', () => {
    const big = 'x'.repeat(600)
    const user = bareMachine({ big: () => big })
    const bytes = new Log(user, { cachedBytesMax: 2000, responseBytesMax: 1000 })
    const session = bytes.open('a')
    expect(value(bytes.request(session, 2, 'big'))).toBe(big)
    expect(value(bytes.request(session, 3, 'big'))).toBe(big)
    expect(code(bytes.request(session, 4, 'big'))).toBe('RESPONSE_BACKLOG')
    expect(value(bytes.request(session, 1, 'big'))).toBe(big)
    expect(value(bytes.request(session, 4, 'big', { lowestPendingRequestId: 4 }))).toBe(big)
    bytes.request(session, 5, 'big', { lowestPendingRequestId: 5 })
    expect(value(bytes.request(session, 6, 'big', { lowestPendingRequestId: 5 }))).toBe(big)
    const count = new Log(counter(), { cachedResponsesMax: 2 })
    const other = count.open('a')
    for (const id of [2, 3]) count.request(other, id, 'increment')
    expect(code(count.request(other, 4, 'increment'))).toBe('RESPONSE_BACKLOG')
    expect(value(count.request(other, 1, 'increment'))).toBe(3)
  })

  test.each([0, -1, 2 ** 53])('INVALID: the request id %d', (requestId) => {
    const user = counter()
    const log = new Log(user)
    const session = log.open('a')
    let reply: string
    try {
      reply = code(log.request(session, requestId, 'increment'))
    } catch {
      reply = 'INVALID' // The packed payload cannot even carry it.
    }
    expect(reply).toBe('INVALID')
    expect(user.calls).toEqual([])
  })

  test('INVALID: a payload that does not decode is an entry without effect', () => {
    const log = new Log(counter())
    for (const kind of ['ClientRequest', 'OpenSession', 'KeepAlive'] as const) {
      expect(code(log.raw(kind, Uint8Array.of(1, 2, 3)).reply)).toBe('INVALID')
    }
    expect(log.machine.appliedIndex).toBe(5)
  })

  test('INVALID_ACK: a wrong riding ack is flagged and the request proceeds; a right one is applied, on duplicates too', () => {
    const log = new Log(bareMachine(counterHandlers))
    const session = log.open('a')
    log.request(session, 1, 'emit')
    expect(log.request(session, 2, 'increment', { ackServerRequests: 9 })).toMatchObject({
      invalidAck: true,
      outcome: { kind: 'value' },
    })
    expect(log.pending(session)).toEqual([1])
    log.request(session, 2, 'increment', { ackServerRequests: 1 })
    expect(log.pending(session)).toEqual([])
  })

  test('any command renews the session, a refused one past step 3 included', () => {
    const log = new Log(counter(), { windowRequests: 2 })
    const session = log.open('a')
    log.advance(5000)
    log.request(session, 9, 'increment')
    expect(log.machine.sessionFacts(session)).toMatchObject({ renewedLease: 5000, renewedAtIndex: 4 })
  })
})
