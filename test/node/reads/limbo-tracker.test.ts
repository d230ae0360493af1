import { describe, expect, test } from 'vitest'
import { groupId, logIndex, type LogIndex } from '../../../src/base/brand.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import type { ReadRecords } from '../../../src/node/ports/log-store.ts'
import type { StorageDone, StorageFault } from '../../../src/node/ports/storage-fault.ts'
import { LimboTracker } from '../../../src/node/reads/limbo-tracker.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { limboMachine } from '../../session/limbo/limbo-machine.ts'
import { codec, Log, RECORD_BYTES } from '../../session/log.ts'

const FAULT: StorageFault = { code: 'LOG_ROT', message: 'a record is wrong' }
/** What one turn has. */
const TURN_MS = 5

function recordOf(entry: Log['entries'][number]): Uint8Array {
  const encoder = new EntryEncoder()
  encoder.append({ ...entry, group: groupId(0), previousChain: 0 })
  return encoder.finish()
}

/** A tracker over a log whose last entries are in limbo: `count` puts, or no-ops of so many bytes. */
function world(options: { count?: number; perRead?: number; perEntryMs?: number; noopBytes?: number } = {}) {
  const { count = 4, perRead = 100, perEntryMs = 0, noopBytes = 0 } = options
  const log = new Log(limboMachine())
  const session = log.open('a')
  log.request(session, 1, 'arm', { input: 9 })
  const machine = new SessionStateMachine(limboMachine(), codec, {})
  for (const entry of log.entries) machine.apply(entry, RECORD_BYTES)
  for (let at = 1; at <= count; at += 1) {
    if (noopBytes > 0) log.raw('Noop', new Uint8Array(noopBytes))
    else log.request(session, at + 1, 'put', { input: at, lowestPendingRequestId: at + 1 })
  }
  const state = { fault: null as StorageFault | null, truncated: false, found: 0, nowMs: 0, turns: 0, tried: 0 }
  const reads: (() => void)[] = []
  const turns: ((untilMs: number) => void)[] = []
  const read = (range: { first: LogIndex; last: LogIndex }, done: StorageDone<ReadRecords>): void => {
    const last = Math.min(range.last, range.first + perRead - 1)
    const records = state.truncated ? [] : log.entries.slice(range.first - 1, last).map(recordOf)
    const answer = { records: Buffer.concat(records), first: range.first, last: logIndex(last) }
    reads.push(() => done(state.fault, answer))
  }
  const clock = {
    monotonicMs: () => {
      state.nowMs += perEntryMs
      return state.nowMs
    },
  }
  const tracked = {
    get underway() {
      return machine.underway
    },
    get appliedIndex() {
      return machine.appliedIndex
    },
    tryLimbo: () => {
      state.tried += 1
      return machine.tryLimbo()
    },
  }
  const parts = { log: { read }, clock, machine: tracked, inTurn: (run: (typeof turns)[number]) => turns.push(run) }
  const tracker = new LimboTracker(parts, () => {
    state.found += 1
  })
  const step = (): boolean => {
    const next = reads.shift() ?? turns.shift()
    if (next === undefined) return false
    state.turns += 1
    next(state.nowMs + TURN_MS)
    return true
  }
  const toTheEnd = (): void => {
    while (step()) expect(state.turns).toBeLessThan(1000)
  }
  const last = log.entries.at(-1)?.index ?? logIndex(0)
  return { tracker, log, machine, state, step, toTheEnd, last }
}

describe('the rows that limbo may write', () => {
  test('are found in later turns, once, and then told at once', () => {
    const { tracker, last, state, toTheEnd } = world()
    expect([tracker.rowsOf(last), tracker.rowsOf(last)]).toEqual([undefined, undefined])
    toTheEnd()
    expect([...(tracker.rowsOf(last) ?? [])]).toEqual(['k1', 'k2', 'k3', 'k4'])
    expect([state.found, state.tried]).toEqual([1, 1])
  })

  test('are found over as many reads and turns as it takes', () => {
    const { tracker, last, state, toTheEnd } = world({ count: 20, perRead: 3, perEntryMs: TURN_MS })
    tracker.rowsOf(last)
    toTheEnd()
    expect(tracker.rowsOf(last)?.size).toBe(20)
    // One entry a turn, and two of each chunk to ask for it.
    expect(state.turns).toBeGreaterThan(30)
  })

  test('cannot be told of a log that cannot be read, or has changed', () => {
    for (const change of [{ fault: FAULT }, { truncated: true }]) {
      const { tracker, last, state, toTheEnd } = world()
      Object.assign(state, change)
      tracker.rowsOf(last)
      toTheEnd()
      expect([tracker.rowsOf(last), state.found]).toEqual([null, 1])
    }
  })

  test('cannot be told of more than 8 MiB of records', () => {
    const { tracker, last, toTheEnd } = world({ count: 9, perRead: 1, noopBytes: 1024 * 1024 })
    tracker.rowsOf(last)
    toTheEnd()
    expect(tracker.rowsOf(last)).toBe(null)
    const fewer = world({ count: 7, perRead: 1, noopBytes: 1024 * 1024 })
    fewer.tracker.rowsOf(fewer.last)
    fewer.toTheEnd()
    expect(fewer.tracker.rowsOf(fewer.last)?.size).toBe(0)
  })

  test('cannot be told when one of the entries is applied meanwhile', () => {
    const { tracker, last, log, machine, step, toTheEnd } = world()
    tracker.rowsOf(last)
    step()
    for (const entry of log.entries.slice(machine.appliedIndex))
      if (entry.index < last) machine.apply(entry, RECORD_BYTES)
    toTheEnd()
    expect(tracker.rowsOf(last)).toBe(null)
  })

  test('are nothing to look for once all is applied, or while an entry is half applied', () => {
    const { tracker, last, log, machine, state, toTheEnd } = world()
    for (const entry of log.entries.slice(machine.appliedIndex)) machine.apply(entry, RECORD_BYTES)
    const tick = {
      ...(log.entries.at(-1) ?? never()),
      kind: 'Tick' as const,
      index: logIndex(last + 1),
      now: log.now + 10_000,
    }
    const entry = machine.begin(tick, RECORD_BYTES)
    // A timer is due before it: that is one step.
    expect('step' in entry && entry.step()).toBe(null)
    expect([tracker.rowsOf(last), machine.underway, tracker.rowsOf(logIndex(last + 9))]).toEqual([
      undefined,
      true,
      undefined,
    ])
    toTheEnd()
    expect([state.tried, state.found]).toEqual([0, 0])
  })

  test('are found anew for the next leader, whatever the last one was about to find', () => {
    for (let steps = 0; steps < 4; steps += 1) {
      const { tracker, last, state, step, toTheEnd } = world()
      tracker.rowsOf(last)
      for (let at = 0; at < steps; at += 1) step()
      const before = state.found
      tracker.forget()
      toTheEnd()
      expect([state.found, tracker.rowsOf(last)]).toEqual([before, undefined])
      toTheEnd()
      expect([tracker.rowsOf(last)?.size, state.tried]).toEqual([4, 2])
    }
  })
})

function never(): never {
  throw new Error('there is an entry')
}
