import { describe, expect, test } from 'vitest'
import { decodePayload } from '../../../src/codec/entry/payload-codec.ts'
import type { EntryKind } from '../../../src/codec/entry/entry.ts'
import type { ProposalSink } from '../../../src/node/api.ts'
import { DUTY_INTERVAL_MS, LeaderDuties, RETRY_SCAN_MS } from '../../../src/node/propose/leader-duties.ts'
import { dutyPayloads } from '../../../src/node/propose/created-payload.ts'
import type { StoredSchedule } from '../../../src/session/schedule.ts'
import type { StateMachine } from '../../../src/session/state-machine.ts'
import { bareMachine, counterHandlers } from '../../session/bare-machine.ts'
import { numbersOf, openSession, submit } from '../commands.ts'
import { TestClock } from '../test-clock.ts'
import { TestNode } from '../test-node.ts'
import { Told } from '../told.ts'

interface Facts {
  timers: number | null
  logIsLong: boolean
  sessions: { index: number; timeoutMs: number; expiresAt: number; renewedAtIndex: number }[]
  retryAt: Map<number, number>
  schedules: StoredSchedule[]
  /** An entry is half applied. */
  underway: boolean
}

/** Duties over a state machine that says what the test says, and a log that takes everything. */
function world(facts: Partial<Facts> = {}) {
  const state: Facts = {
    timers: null,
    logIsLong: false,
    sessions: [],
    retryAt: new Map(),
    schedules: [],
    underway: false,
    ...facts,
  }
  const submitted: { kind: EntryKind; payload: Uint8Array; sink: ProposalSink }[] = []
  const attachedSessions = new Set<number>()
  let dirtyReads = 0
  const machine = {
    nextTimerDue: () => state.timers,
    shortestTimeout: () =>
      state.sessions.length === 0 ? null : Math.min(...state.sessions.map(({ timeoutMs }) => timeoutMs)),
    overdueSessions: ({ lease }: { lease: number }) => state.sessions.filter(({ expiresAt }) => expiresAt <= lease),
    nextRetryDue: (sessions: Iterable<number>) => {
      const times = [...sessions].flatMap((session) => {
        dirtyReads += 1
        return state.retryAt.get(session) ?? []
      })
      return times.length === 0 ? null : Math.min(...times)
    },
    schedules: { awaited: () => state.schedules },
    get underway() {
      return state.underway
    },
  } as unknown as StateMachine
  const duties = new LeaderDuties({
    machine,
    encode: dutyPayloads,
    submit: (kind, payload, sink) => void submitted.push({ kind, payload, sink }),
    numbersOf,
    attachedSessions,
    voterBuilds: () => new Map(),
    logIsLong: () => state.logIsLong,
    note: () => undefined,
  })
  const run = (time: Partial<Parameters<LeaderDuties['run']>[0]> = {}): EntryKind[] => {
    const before = submitted.length
    duties.run({ lease: 0, now: 0, lastLease: 0, readySince: 0, ...time })
    return submitted.slice(before).map(({ kind }) => kind)
  }
  return { state, submitted, attachedSessions, duties, run, dirtyReads: () => dirtyReads }
}

const session = (index: number, expiresAt: number, timeoutMs = 30_000) => ({
  index,
  timeoutMs,
  expiresAt,
  renewedAtIndex: index,
})

test('the next occurrence of a schedule is computed and proposed, one entry at a time', () => {
  const now = Date.parse('2026-03-08T06:59Z')
  const asked = { machine: 'm', name: 's', cron: '30 2 * * *', zone: 'America/New_York', revision: 5, after: now }
  const { submitted, run } = world({ schedules: [{ ...asked, next: null, catchUpMs: 60_000 } as StoredSchedule] })
  expect(run({ now })).toEqual(['ScheduleNext'])
  expect(run({ now })).toEqual([])
  const [entry] = submitted
  if (entry === undefined) throw new Error('it was proposed')
  expect(decodePayload('ScheduleNext', entry.payload).steps).toMatchObject([
    {
      machine: 'm',
      name: 's',
      kind: 'next',
      revision: 5,
      after: now,
      upTo: now,
      times: [Date.parse('2026-03-08T07:00Z')],
    },
  ])
  entry.sink.lost()
  expect(run({ now })).toEqual(['ScheduleNext'])
})

// Timers before one entry fire in steps, and expiries end sessions in steps: hooks of two of them may put one schedule, both
// with the index of the entry as its revision and at one time: what was computed of the first would be taken for the second.
test('nothing is computed of schedules in the middle of an entry', () => {
  const now = Date.parse('2026-03-08T06:59Z')
  const asked = { machine: 'm', name: 's', cron: '30 2 * * *', zone: 'UTC', revision: 5, after: now }
  const schedules = [{ ...asked, next: null, catchUpMs: 60_000 } as StoredSchedule]
  const { run, state } = world({ schedules, underway: true })
  expect(run({ now })).toEqual([])
  state.underway = false
  expect(run({ now })).toEqual(['ScheduleNext'])
})

describe('an idle leader', () => {
  test('appends nothing while nothing is due', () => {
    const { run, attachedSessions, state } = world({ timers: 100, sessions: [session(3, 30_000)] })
    state.retryAt.set(3, 100)
    attachedSessions.add(3)
    expect(run({ now: 99, lease: 7499 })).toEqual([])
  })
})

describe('a snapshot', () => {
  test('is due while the log takes more than its records, one at a time', () => {
    const { run, state, submitted } = world({ logIsLong: true })
    expect(run()).toEqual(['Snapshot'])
    expect(run()).toEqual([])
    submitted[0]?.sink.refused('NOT_LEADER', null)
    expect(run()).toEqual(['Snapshot'])
    state.logIsLong = false
    expect(run()).toEqual([])
  })
})

describe('ticks', () => {
  test('come when a timer is due, one at a time', () => {
    const { run, submitted } = world({ timers: 100 })
    expect(run({ now: 100 })).toEqual(['Tick'])
    expect(run({ now: 200 })).toEqual([])
    submitted[0]?.sink.settled({ kind: 'none' }, 1, 200)
    expect(run({ now: 200 })).toEqual(['Tick'])
    submitted[1]?.sink.lost()
    expect(run({ now: 200 })).toEqual(['Tick'])
  })

  test('come when the lease is a quarter of the shortest timeout past the last entry, so that leader changes cannot freeze it', () => {
    const { run } = world({ sessions: [session(3, 90_000, 60_000), session(4, 90_000, 20_000)] })
    expect(run({ lease: 10_000 + 4999, lastLease: 10_000 })).toEqual([])
    expect(run({ lease: 10_000 + 5000, lastLease: 10_000 })).toEqual(['Tick'])
  })
})

describe('expiry', () => {
  test('P-21 names the overdue sessions with the index that renewed them, one entry at a time', () => {
    const { run, submitted, state } = world({ sessions: [session(3, 100), session(4, 101)] })
    expect(run({ lease: 100, lastLease: 100 })).toEqual(['ExpireSessions'])
    expect(decodePayload('ExpireSessions', submitted[0]?.payload ?? new Uint8Array(0)).sessions).toEqual([
      { ...numbersOf(3), renewedAtIndex: 3 },
    ])
    expect(run({ lease: 101, lastLease: 101 })).toEqual([])
    state.sessions.shift()
    submitted[0]?.sink.settled({ kind: 'none' }, 1, 0)
    expect(run({ lease: 101, lastLease: 101 })).toEqual(['ExpireSessions'])
  })
})

describe('pings', () => {
  test('P-20 of one interval become one entry, which answers each of them for itself', () => {
    const { duties, run, submitted } = world()
    const sinks = [3, 4, 5].map((index) => {
      const sink = new Told()
      duties.keepAlive(numbersOf(index), sink)
      return sink
    })
    expect(run()).toEqual(['KeepAlive'])
    expect(
      decodePayload('KeepAlive', submitted[0]?.payload ?? new Uint8Array(0)).sessions.map(({ index }) => index),
    ).toEqual([3, 4, 5])
    expect(sinks.map((sink) => sink.told)).toEqual([null, null, null])
    submitted[0]?.sink.settled({ kind: 'keptAlive', alive: [true, false, true] }, 7, 9)
    expect(sinks.map((sink) => sink.reply)).toEqual(
      [[true], [false], [true]].map((alive) => ({ kind: 'keptAlive', alive })),
    )
    expect(run()).toEqual([])
  })

  test('come before the expiry of the same interval, which then skips whom they renewed', () => {
    const { duties, run } = world({ sessions: [session(3, 100)] })
    duties.keepAlive(numbersOf(3), new Told())
    expect(run({ lease: 100, lastLease: 100 })).toEqual(['KeepAlive', 'ExpireSessions'])
  })

  test('a great many are named by several entries', () => {
    const { duties, run } = world()
    for (let index = 1; index <= 1025; index += 1) duties.keepAlive(numbersOf(index), new Told())
    expect(run()).toEqual(['KeepAlive', 'KeepAlive'])
  })

  test('that wait are refused when leadership ends, once; those that were appended are told by the log', () => {
    const { duties, run, submitted } = world()
    const [appended, waiting] = [new Told(), new Told()]
    duties.keepAlive(numbersOf(3), appended)
    run()
    duties.keepAlive(numbersOf(4), waiting)
    duties.refuse('NOT_LEADER')
    duties.refuse('NOT_LEADER')
    expect([appended.told, waiting.told]).toEqual([null, 'refused NOT_LEADER'])
    submitted[0]?.sink.lost()
    expect(appended.told).toBe('lost')
  })
})

describe('redelivery', () => {
  test('FR-026 FR-027 dirty-reads the attached sessions first, and appends only for those with something due', () => {
    const { run, attachedSessions, state, submitted, dirtyReads } = world()
    state.retryAt = new Map([
      [3, 100],
      [4, 300],
      [5, 50],
    ])
    expect(run({ now: 1000 })).toEqual([])
    expect(dirtyReads()).toBe(0)
    attachedSessions.add(3).add(4)
    expect(run({ now: 99 })).toEqual([])
    expect(dirtyReads()).toBeGreaterThan(0)
    expect(run({ now: 100 })).toEqual(['RetryServerRequests'])
    expect(decodePayload('RetryServerRequests', submitted[0]?.payload ?? new Uint8Array(0)).sessions).toEqual([
      numbersOf(3),
    ])
    expect(run({ now: 400 })).toEqual([])
    submitted[0]?.sink.settled({ kind: 'none' }, 1, 0)
    expect(run({ now: 400 })).toEqual(['RetryServerRequests'])
    expect(decodePayload('RetryServerRequests', submitted[1]?.payload ?? new Uint8Array(0)).sessions).toEqual([
      numbersOf(3),
      numbersOf(4),
    ])
  })

  test('looks at each attached session once a scan, and scans when one is due or a while has passed, not at every duty', () => {
    const { run, attachedSessions, state, dirtyReads } = world()
    for (let index = 3; index < 103; index += 1) {
      attachedSessions.add(index)
      state.retryAt.set(index, 1_000_000)
    }
    state.retryAt.set(50, 10_120)
    expect(run({ now: 10_000 })).toEqual([])
    expect(dirtyReads()).toBe(100)
    for (let now = 10_000; now < 10_120; now += 20) expect(run({ now })).toEqual([])
    expect(dirtyReads()).toBe(100)
    expect(run({ now: 10_120 })).toEqual(['RetryServerRequests'])
    expect(dirtyReads()).toBe(200)
  })

  test('notices a request that came due sooner than the last scan could know, and starts afresh as a new leader', () => {
    const { run, attachedSessions, state, duties } = world()
    attachedSessions.add(3)
    expect(run({ now: 10_000 })).toEqual([])
    state.retryAt.set(3, 10_010)
    expect(run({ now: 10_000 + RETRY_SCAN_MS - 1 })).toEqual([])
    expect(run({ now: 10_000 + RETRY_SCAN_MS })).toEqual(['RetryServerRequests'])
    duties.refuse('NOT_LEADER')
    expect(run({ now: 9000 })).toEqual([])
    state.retryAt.set(3, 9001)
    duties.refuse('NOT_LEADER')
    expect(run({ now: 9001 })).toEqual(['RetryServerRequests'])
  })

  test('a session that attaches while nobody is due is looked at at once', () => {
    const { run, attachedSessions, state } = world()
    attachedSessions.add(3)
    state.retryAt.set(4, 5)
    expect(run({ now: 10_000 })).toEqual([])
    attachedSessions.add(4)
    expect(run({ now: 10_001 })).toEqual(['RetryServerRequests'])
  })
})

describe('a node', () => {
  const kinds = (node: TestNode): number => node.driver.raftState.lastIndex

  test('P-21 P-24 expires the session of a client that is silent, and keeps the one that pings', () => {
    const node = new TestNode({ clock: new TestClock() }).start()
    const silent = openSession(node, 'silent', { timeoutMs: 6000 })
    const pinging = openSession(node, 'pinging', { timeoutMs: 6000 })
    for (let second = 0; second < 10; second += 2) {
      const sink = new Told()
      node.driver.keepAlive(numbersOf(pinging), sink)
      node.options.clock.advance(2000)
      expect(sink.reply).toEqual({ kind: 'keptAlive', alive: [true] })
    }
    expect([node.machine.sessionFacts(silent), node.machine.sessionFacts(pinging)?.info.name]).toEqual([
      null,
      'pinging',
    ])
  })

  test('an outage longer than the timeout expires nobody at once: the clients have a keep-alive interval to come back', () => {
    const node = new TestNode({ clock: new TestClock() }).start()
    const session = openSession(node, 'a', { timeoutMs: 6000 })
    node.options.clock.advance(5000)
    node.crash(false)
    node.options.clock.stall(3_600_000)
    node.start()
    node.options.clock.advance(1900)
    expect(node.machine.sessionFacts(session)).not.toBeNull()
    const sink = new Told()
    node.driver.keepAlive(numbersOf(session), sink)
    node.options.clock.advance(DUTY_INTERVAL_MS)
    expect(sink.reply).toEqual({ kind: 'keptAlive', alive: [true] })
    node.options.clock.advance(5000)
    expect(node.machine.sessionFacts(session)).not.toBeNull()
  })

  test('FR-026 sends again what an attached session has not acknowledged, and appends nothing for a detached one', () => {
    const user = () => bareMachine(counterHandlers)
    const node = new TestNode({ clock: new TestClock(), user, limits: { ackTimeoutMs: 1000 } }).start()
    const session = openSession(node, 'a', { timeoutMs: 600_000 })
    const emitted = submit(node, session, 1, 'emit', { hello: 1 })
    node.options.clock.settle()
    expect(emitted.told).toBe('settled')
    const before = kinds(node)
    node.options.clock.advance(5000)
    expect(kinds(node)).toBe(before)
    node.driver.attachedSessions.add(session)
    node.applied = []
    node.options.clock.advance(200)
    expect(node.applied.flatMap((applied) => applied.deliver)).toEqual([session])
    expect(node.machine.outbox(session, 0, 10)[0]?.attempt).toBeGreaterThan(1)
  })
})
