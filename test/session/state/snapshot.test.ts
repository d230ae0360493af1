import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Applied } from '../../../src/session/state-machine.ts'
import type { MachineContext, Outcome } from '../../../src/session/user-machine.ts'
import { bareMachine, counter, reject } from '../bare-machine.ts'
import { nested } from '../../codec/value/values.ts'
import { codec, Log, numbers, RECORD_BYTES, swapped, value } from '../log.ts'
import { ALL, operations, perform, SMALL } from '../operations.ts'
import { propertyMachine } from '../property-machine.ts'
import { sample } from '../../effort.ts'

/** Rows as a snapshot store holds them: bytes by key. */
type Stored = Map<string, Uint8Array>

function store(stored: Stored, dirty: ReadonlyMap<string, Value | undefined>): void {
  for (const [key, row] of dirty) {
    if (row === undefined) stored.delete(key)
    else stored.set(key, codec.encodeValue(row))
  }
}

function restore(stored: Stored, log: Log, index: number, user = propertyMachine()): SessionStateMachine {
  const machine = new SessionStateMachine(user, codec)
  // The reverse of key order: a restore must not depend on the order of rows.
  for (const [key, bytes] of [...stored].sort(([a], [b]) => (a < b ? 1 : -1)))
    machine.restoreRow(key, codec.decodeValue(bytes))
  const entry = log.entries[index - 1]
  machine.restored({ index, term: 1, lease: entry?.lease ?? 0, now: entry?.now ?? 0 })
  machine.checkInvariants()
  return machine
}

const hex = (stored: Stored) =>
  [...stored].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, bytes]) => [key, Buffer.from(bytes).toString('hex')])

describe('a snapshot', () => {
  test('FR-012 FR-013 S-11 D8 restore(snapshot(i)) and replay equal the straight replay, byte for byte, for every i', () => {
    fc.assert(
      fc.property(operations(ALL, 'remembered'), fc.nat({ max: 1000 }), (steps, pick) => {
        const log = new Log(propertyMachine(), SMALL)
        const opened: number[] = []
        const results: Applied[] = []
        const hashes: string[] = []
        for (const step of steps) {
          const done = perform(log, opened, step)
          if (done === null) continue
          results[done.applied.index] = done.applied
          hashes[done.applied.index] = log.machine.stateHash()
        }
        const last = log.entries.length
        const at = 2 + (pick % (last - 1))
        const straight: Stored = new Map()
        const prefix = new SessionStateMachine(propertyMachine(), codec)
        for (const entry of log.entries.slice(0, at)) {
          log.replay(prefix, entry)
          // Swaps at every third entry: rows that came and went between two swaps leave no trace.
          if (entry.index % 3 === 0) store(straight, swapped(prefix))
        }
        store(straight, swapped(prefix))
        const restored = restore(straight, log, at)
        expect(restored.stateHash()).toBe(prefix.stateHash())
        expect(restored.counts).toEqual(prefix.counts)
        const copy: Stored = new Map(straight)
        for (const entry of log.entries.slice(at)) {
          const applied = log.replay(restored, entry)
          expect(applied).toEqual(results[entry.index])
          expect(restored.stateHash()).toBe(hashes[entry.index])
        }
        store(copy, swapped(restored))
        const whole: Stored = new Map()
        store(whole, swapped(log.machine))
        expect(hex(copy)).toEqual(hex(whole))
        expect(restored.nextExpiry()).toBe(log.machine.nextExpiry())
        expect(restored.nextTimerDue()).toBe(log.machine.nextTimerDue())
        expect(restored.shortestTimeout()).toBe(log.machine.shortestTimeout())
      }),
      { numRuns: sample(60) },
    )
  })

  test('FR-002 FR-011 UPC-1 UPC-2 FM-2 two machines that apply one log share nothing and have equal hashes at every entry', () => {
    fc.assert(
      fc.property(operations(ALL, 'remembered'), (steps) => {
        const log = new Log(propertyMachine(), SMALL)
        const twin = new SessionStateMachine(propertyMachine(), codec)
        const opened: number[] = []
        for (const step of steps) {
          perform(log, opened, step)
          for (const entry of log.entries.slice(twin.appliedIndex)) log.replay(twin, entry)
          expect(twin.stateHash()).toBe(log.machine.stateHash())
        }
        expect([...swapped(twin)]).toEqual([...swapped(log.machine)])
      }),
      { numRuns: sample(40) },
    )
  })

  test('FM-2 what a machine knows of a session cannot be written to, opened or restored', () => {
    const touched = bareMachine({
      rename: (context) => {
        Object.assign(context.session ?? {}, { name: 'another' })
        return null
      },
    })
    const log = new Log(touched)
    const session = log.open('a')
    const rows: Stored = new Map()
    store(rows, swapped(log.machine))
    const restored = restore(rows, log, log.entries.length, touched)
    expect(log.request(session, 1, 'rename')).toMatchObject({ outcome: { code: 'MACHINE_ERROR' } })
    for (const entry of log.entries.slice(restored.appliedIndex)) log.replay(restored, entry)
    expect(restored.stateHash()).toBe(log.machine.stateHash())
  })

  test('FM-2 a machine that does not say the same twice shows in the hash', () => {
    const run = (noise: number) => {
      const log = new Log(counter())
      log.request(log.open('a'), 1, 'emit', { input: noise, hashHigh: 1, hashLow: 1 })
      return log.machine.stateHash()
    }
    expect(run(1)).toBe(run(1))
    expect(run(1)).not.toBe(run(2))
  })

  test('dropped writes and emissions leave no trace in the hash, kept records do', () => {
    const run = (dropped: number, kept: number) => {
      const log = new Log(
        bareMachine({
          refuse: (context) => {
            context.state.set('x', dropped)
            context.emit(context.session?.id ?? ('' as never), 'x', dropped)
            context.audit(kept)
            return reject('NO')
          },
        }),
      )
      log.request(log.open('a'), 1, 'refuse')
      return log.machine.stateHash()
    }
    expect(run(1, 1)).toBe(run(2, 1))
    expect(run(1, 1)).not.toBe(run(1, 2))
  })

  test('D8 a restored machine goes on with tasks, mailboxes, timers, audit and dead letters as the original does', () => {
    const log = new Log(propertyMachine(), { ...SMALL, sessionsMax: 100, mailboxMax: 9, windowRequests: 100 })
    const asker = log.open('1')
    const worker = log.open('w', { roles: ['r'], principal: 'worker:w', timeoutMs: 86_400_000 })
    const send = (command: string, input: Value = null) => {
      const requestId = (log.machine.sessionFacts(asker)?.highest ?? 0) + 1
      return log.request(asker, requestId, command, { input, lowestPendingRequestId: requestId })
    }
    for (let count = 0; count < 3; count += 1) send('ask')
    for (const n of [3, 4, 3]) send('notify', n)
    for (let count = 0; count < 10_010; count += 1) send('audit')
    send('later', 1)
    const at = log.entries.length
    const stored: Stored = new Map()
    store(stored, swapped(log.machine))
    const restored = restore(stored, log, at)
    expect(restored.counts).toEqual(log.machine.counts)
    log.ack(worker, log.machine.sessionFacts(worker)?.lastServerRequestId ?? 0)
    send('audit')
    log.request(worker, 1, 'complete', { machine: 'task', input: { taskId: '1-task-1', attempt: 1, result: 1 } })
    log.open('3')
    log.open('4')
    log.advance(20_000)
    log.empty('Tick')
    log.advance(100_000)
    log.append('RetryServerRequests', { sessions: [{ group: 0, incarnation: 1, index: worker }] })
    log.advance(100_000)
    log.append('RetryServerRequests', { sessions: [{ group: 0, incarnation: 1, index: worker }] })
    log.append('CloseSession', { group: 0, incarnation: 1, index: worker, epoch: 0, secretHash: new Uint8Array(0) })
    log.advance(31 * 86_400_000)
    log.empty('Noop')
    for (const entry of log.entries.slice(at)) restored.apply(entry, RECORD_BYTES)
    expect(restored.stateHash()).toBe(log.machine.stateHash())
    const [straight, replayed]: [Stored, Stored] = [new Map(), new Map()]
    store(straight, swapped(log.machine))
    store(replayed, swapped(restored))
    expect(hex(replayed)).toEqual(hex(straight))
    expect(straight.size).toBeGreaterThan(0)
  })

  test('every entry kind moves the hash', () => {
    const log = new Log(counter())
    const seen = new Set<string>()
    for (const kind of ['Noop', 'Tick', 'Snapshot'] as const) {
      log.empty(kind)
      seen.add(log.machine.stateHash())
    }
    expect(seen.size).toBe(3)
    expect(log.machine.stateHash()).toMatch(/^[0-9a-f]{16}$/)
  })

  test('UPC-3 a row that went through the codec is the row', () => {
    fc.assert(
      fc.property(operations(ALL, 'remembered'), (steps) => {
        const log = new Log(propertyMachine(), SMALL)
        const opened: number[] = []
        for (const step of steps) perform(log, opened, step)
        for (const row of swapped(log.machine).values()) {
          if (row !== undefined) expect(codec.decodeValue(codec.encodeValue(row))).toEqual(row)
        }
      }),
      { numRuns: sample(20) },
    )
  })
})

describe('a session that onSessionCreated refuses', () => {
  test.each<[string, (context: MachineContext) => undefined | Outcome]>([
    [
      'throws',
      () => {
        throw new Error('a bug')
      },
    ],
    [
      'rejects after an alert',
      (context) => {
        context.alert('WATCH')
        return reject('NO')
      },
    ],
    [
      'rejects, then notifies, emits and queues a task',
      (context) => {
        context.afterReject((after) => {
          after.notify('admin:b', 'news', 1)
          after.emit(context.session?.id ?? ('' as never), 'event', 1)
          after.task('test', { kind: 'k', role: 'r', leaseMs: 1000, maxAttempts: 1, backoffMs: [] }, 'ref', 1)
        })
        return reject('NO')
      },
    ],
    ['returns no value', () => ({ kind: 'reject', code: 'NO', details: new Map() as never })],
  ])('FR-012 leaves no row behind, when it %s', (_what, created) => {
    const log = new Log(
      bareMachine({}, { onSessionCreated: (context, { name }) => (name === 'b' ? created(context) : undefined) }),
    )
    const other = log.open('a', { principal: 'admin:a' })
    const applied = log.tryOpen('b', { principal: 'admin:b', roles: ['r'] })
    expect(applied.reply).toMatchObject({ code: 'OPEN_REJECTED' })
    expect(applied.deliver.every((session) => session === other)).toBe(true)
    const stored: Stored = new Map()
    store(stored, swapped(log.machine))
    const restored = restore(stored, log, log.entries.length)
    expect(restored.stateHash()).toBe(log.machine.stateHash())
    expect(restored.counts).toEqual(log.machine.counts)
    expect(log.machine.counts.sessions).toBe(1)
  })
})

describe('values at the bounds', () => {
  test('FR-012 whatever apply accepted can be stored: values 32 deep in every row that wraps one', () => {
    const deep = nested(32) as { [key: string]: Value }
    const log = new Log(
      bareMachine(
        {
          all(context) {
            const own = context.session?.id ?? ('' as never)
            context.state.set('row', deep)
            context.emit(own, 'event', deep, { attemptsMax: 1 })
            context.notify('user:nobody', 'news', deep)
            context.schedule('test', 'later', context.now + 1_000_000, deep)
            context.once('scope', 'key', '', 1_000_000, () => deep)
            context.task('test', { kind: 'k', role: 'r', leaseMs: 1, maxAttempts: 1, backoffMs: [] }, 'ref', deep)
            context.audit(deep)
            context.alert('DEEP', deep)
            return deep
          },
          refuse: () => reject('NO', deep),
        },
        { onSessionCreated: (_context, { name }) => (name === 'refused' ? reject('NO', deep) : undefined) },
      ),
      { attemptsMax: 1 },
    )
    const session = log.open('a', { capabilities: deep, principal: 'admin:a', roles: ['r'] })
    expect(value(log.request(session, 1, 'all'))).toEqual(deep)
    expect(log.request(session, 2, 'refuse')).toMatchObject({ outcome: { kind: 'reject', details: deep } })
    expect(log.tryOpen('refused').reply).toMatchObject({ code: 'OPEN_REJECTED', details: { details: deep } })
    const stored: Stored = new Map()
    store(stored, swapped(log.machine))
    for (let round = 0; round < 4; round += 1) {
      log.advance(600_000)
      log.append('RetryServerRequests', { sessions: [numbers(session)] })
    }
    store(stored, swapped(log.machine))
    expect([...stored.keys()].filter((key) => key.startsWith('session/dead/')).length).toBeGreaterThan(1)
    expect(restore(stored, log, log.entries.length).stateHash()).toBe(log.machine.stateHash())
  })

  test('capabilities that nest deeper than a value may are refused when they are applied', () => {
    const log = new Log(counter())
    const reply = log.tryOpen('a', { capabilities: nested(33) as { [key: string]: Value } }).reply
    expect(reply).toEqual({ kind: 'refused', code: 'INVALID', details: { reason: 'CAPABILITIES' } })
    log.open('b')
  })
})

describe('a boundary', () => {
  test('is the entry that brings the record bytes over the limit as that entry leaves it, and every Snapshot entry', () => {
    const log = new Log(counter(), { snapshotBytes: 450 })
    const boundaries: number[] = []
    for (let count = 0; count < 10; count += 1) {
      const applied = log.empty('Noop')
      if (applied.boundary) boundaries.push(applied.index)
    }
    expect(boundaries).toEqual([5, 10])
    expect(log.empty('Snapshot').boundary).toBe(true)
    expect(log.append('Limits', { ...log.machine.limits, snapshotBytes: 99 }).boundary).toBe(true)
  })

  test('the count of bytes is part of the state', () => {
    const log = new Log(propertyMachine(), { snapshotBytes: 450 })
    const stored: Stored = new Map()
    log.empty('Noop')
    log.empty('Noop')
    store(stored, swapped(log.machine))
    const restored = restore(stored, log, 4)
    expect(log.empty('Noop').boundary).toBe(true)
    const entry = log.entries[4]
    if (entry === undefined) throw new Error('five entries were appended')
    expect(restored.apply(entry, RECORD_BYTES).boundary).toBe(true)
  })

  test('a swap takes what changed, and only that', () => {
    const log = new Log(counter())
    const session = log.open('a')
    swapped(log.machine)
    log.request(session, 1, 'increment')
    log.request(session, 2, 'increment', { lowestPendingRequestId: 2 })
    const dirty = swapped(log.machine)
    expect([...dirty.keys()].map((key) => key.split('/').slice(0, 2).join('/')).sort()).toEqual([
      'session/client',
      'session/meta',
      'session/response',
      'user/count',
    ])
    log.request(session, 3, 'increment', { lowestPendingRequestId: 3 })
    expect([...swapped(log.machine).values()].filter((row) => row === undefined)).toHaveLength(1)
    expect([...swapped(log.machine).keys()]).toEqual(['session/meta'])
  })

  test('FR-005 the machine runs without a cluster, and refuses an entry out of order', () => {
    const log = new Log(counter())
    expect(value(log.request(log.open('a'), 1, 'increment'))).toBe(1)
    const first = log.entries[0]
    if (first === undefined) throw new Error('entries were appended')
    expect(() => log.machine.apply(first, RECORD_BYTES)).toThrow('in order')
  })
})
