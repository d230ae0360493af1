import { describe, expect, test } from 'vitest'
import { decodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { Leadership } from '../../../src/node/leadership.ts'
import { dutyPayloads } from '../../../src/node/propose/created-payload.ts'
import { LeaderDuties } from '../../../src/node/propose/leader-duties.ts'
import type { RaftState } from '../../../src/raft/index.ts'
import { counter } from '../../session/bare-machine.ts'
import { Log, numbers } from '../../session/log.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Duties over a real state machine; every look is answered by the sessions that the leader names as overdue. */
function world() {
  const log = new Log(counter())
  const look = (time: { lease: number; readySince: number }): readonly number[] => {
    const named: number[] = []
    const duties = new LeaderDuties({
      machine: log.machine,
      encode: dutyPayloads,
      submit: (kind, payload) => {
        if (kind !== 'ExpireSessions') return
        named.push(...decodePayload('ExpireSessions', payload).sessions.map(({ index }) => index))
      },
      numbersOf: (index) => numbers(index),
      attachedSessions: new Set(),
      voterBuilds: () => new Map(),
      logIsLong: () => false,
      note: () => undefined,
    })
    duties.run({ ...time, now: 0, lastLease: time.lease })
    return named
  }
  return { log, look }
}

test('under a leader that had halted in office sessions have their chance from when it goes on', () => {
  const log = new Log(counter())
  const session = log.open('a', { timeoutMs: 30_000 })
  const named: number[] = []
  let lease = 0
  const node = {
    machine: log.machine,
    submit: (kind: string, payload: Uint8Array) => {
      if (kind !== 'ExpireSessions') return
      named.push(...decodePayload('ExpireSessions', payload).sessions.map(({ index }) => index))
    },
    attachedSessions: new Set<number>(),
    group: 0,
    incarnation: 1,
  }
  const parts = {
    clock: { monotonicMs: () => lease },
    logClock: { currentLease: () => lease, currentNow: () => 0, lastLease: 0, lead: () => undefined },
    time: () => null,
    peers: { builds: { current: () => new Map() } },
    logIsLong: () => false,
    note: () => undefined,
  }
  const leadership = new Leadership(node as never, parts as never)
  const configuration = { voters: ['n1'], learners: [] }
  const raft = { configurations: [{ configuration }], config: { self: 'n1' } } as unknown as RaftState
  const passTo = (time: number, leading: boolean) => {
    lease = time
    leadership.run(raft, leading)
  }
  passTo(50, true)
  passTo(100, false)
  passTo(100_000, false)
  passTo(100_100, true)
  passTo(100_100 + 14_999, true)
  expect(named).toEqual([])
  passTo(100_100 + 15_100, true)
  expect(named).toEqual([session])
})

describe('under a new leader', () => {
  test('an overdue session whose chance is over is not hidden by as many as an entry names whose chance is not', () => {
    const { log, look } = world()
    for (let count = 0; count < 1024; count += 1) log.open(`long${count}`, { timeoutMs: HOUR_MS })
    log.lease = HOUR_MS
    const short = log.open('short', { timeoutMs: 5000 })
    const readySince = HOUR_MS + 5000
    expect(look({ lease: readySince + 4999, readySince })).toEqual([])
    expect(look({ lease: readySince + 5000, readySince })).toEqual([short])
  })

  test('a session of a day expires although leaders change daily: its chance is a third of its timeout and 5 s', () => {
    const { log, look } = world()
    const session = log.open('a', { timeoutMs: 24 * HOUR_MS })
    const readySince = 24 * HOUR_MS
    expect(look({ lease: readySince + 8 * HOUR_MS + 4999, readySince })).toEqual([])
    expect(look({ lease: readySince + 8 * HOUR_MS + 5000, readySince })).toEqual([session])
  })

  test('the chance of a session of a few seconds is its whole timeout, and each new leader gives it anew', () => {
    const { log, look } = world()
    const [short, long] = [log.open('short', { timeoutMs: 6000 }), log.open('long', { timeoutMs: MINUTE_MS })]
    const readySince = MINUTE_MS
    expect(look({ lease: readySince + 5999, readySince })).toEqual([])
    expect(look({ lease: readySince + 6000, readySince })).toEqual([short])
    expect(look({ lease: readySince + 24_999, readySince })).toEqual([short])
    expect(look({ lease: readySince + 25_000, readySince })).toEqual([short, long])
    const next = readySince + 25_000
    expect(look({ lease: next + 5999, readySince: next })).toEqual([])
    log.lease = next + 5999
    log.append('KeepAlive', { sessions: [numbers(short)] })
    expect(look({ lease: next + 25_000, readySince: next })).toEqual([short, long])
    log.machine.checkInvariants()
  })
})
