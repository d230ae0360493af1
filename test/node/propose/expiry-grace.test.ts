import { describe, expect, test } from 'vitest'
import { decodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { dutyPayloads } from '../../../src/node/propose/created-payload.ts'
import { LeaderDuties } from '../../../src/node/propose/leader-duties.ts'
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
