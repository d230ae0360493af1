import { describe, expect, test } from 'vitest'
import { groupId, logIndex, term } from '../../../src/base/brand.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { ApplyLoop, STEPS_BUDGET_MS } from '../../../src/node/apply/apply-loop.ts'
import { TURN_BUDGET_MS, TurnBudget } from '../../../src/node/apply/turn-budget.ts'
import type { LogStore, ReadRecords } from '../../../src/node/ports/log-store.ts'
import type { StorageDone, StorageFault } from '../../../src/node/ports/storage-fault.ts'
import { TestClock } from '../test-clock.ts'

const FAULT: StorageFault = { code: 'LOG_ROT', message: 'a record is wrong' }

function record(index: number): Uint8Array {
  const encoder = new EntryEncoder()
  encoder.append({
    kind: 'Tick',
    group: groupId(0),
    index: logIndex(index),
    term: term(1),
    lease: 0,
    now: 0,
    previousChain: 0,
    payload: new Uint8Array(0),
  })
  return encoder.finish()
}

/** An entry that takes so many steps before its last one. */
interface LongEntry {
  readonly index: number
  steps: number
  readonly perStepMs: number
}

function world(options: { later?: boolean; perEntryMs?: number; entriesPerRead?: number; long?: LongEntry } = {}) {
  const clock = new TestClock()
  const applied: number[] = []
  const faults: unknown[] = []
  const reads: (() => void)[] = []
  const state = { batches: 0, mustWait: false, refuseAt: 0, fault: null as StorageFault | null, readCount: 0 }
  const read = (range: { first: number; last: number }, done: StorageDone<ReadRecords>): void => {
    state.readCount += 1
    const complete = (): void => {
      const last = Math.min(range.last, range.first + (options.entriesPerRead ?? 100) - 1)
      const indexes = Array.from({ length: last - range.first + 1 }, (_, at) => range.first + at)
      done(state.fault, {
        records: Buffer.concat(indexes.map(record)),
        first: logIndex(range.first),
        last: logIndex(last),
      })
    }
    if (options.later === true) reads.push(complete)
    else complete()
  }
  const loop: ApplyLoop = new ApplyLoop(
    {
      log: { read } as unknown as LogStore,
      clock,
      turn: new TurnBudget(clock),
      apply: (header) => {
        if (header.index === state.refuseAt) return 'stopped'
        if (header.index === options.long?.index && options.long.steps > 0) {
          options.long.steps -= 1
          clock.stall(options.long.perStepMs)
          return 'more'
        }
        applied.push(header.index)
        clock.stall(options.perEntryMs ?? 0)
        return 'applied'
      },
      batchApplied: () => {
        state.batches += 1
      },
      mustWait: () => state.mustWait,
      fault: (fault) => faults.push(fault),
    },
    logIndex(10),
  )
  return { loop, applied, clock, faults, reads, state }
}

const upTo = (last: number): number[] => Array.from({ length: last - 10 }, (_, at) => 11 + at)

describe('committed entries', () => {
  test('are applied in order, each once, from the one after the snapshot', () => {
    const { loop, applied, clock, state } = world({ entriesPerRead: 3 })
    loop.commit(logIndex(5))
    loop.commit(logIndex(12))
    loop.commit(logIndex(12))
    loop.commit(logIndex(20))
    clock.advance(1000)
    expect(applied).toEqual(upTo(20))
    expect([loop.applied, loop.behind]).toEqual([20, 0])
    expect(state.batches).toBe(4)
  })

  test('that come while earlier ones are read are applied after them', () => {
    const { loop, applied, clock, reads } = world({ later: true })
    loop.commit(logIndex(12))
    loop.commit(logIndex(14))
    expect(reads).toHaveLength(1)
    expect(loop.behind).toBe(4)
    while (reads.length > 0) {
      reads.shift()?.()
      clock.advance(1000)
    }
    expect(applied).toEqual(upTo(14))
  })

  test('wait when what they must wait for comes while they are read, and go on once it is there', () => {
    const { loop, applied, reads, state } = world({ later: true })
    loop.commit(logIndex(12))
    state.mustWait = true
    reads.shift()?.()
    expect(applied).toEqual([])
    loop.resume()
    expect([reads.length, applied.length]).toEqual([0, 0])
    state.mustWait = false
    loop.resume()
    expect([applied, state.readCount]).toEqual([upTo(12), 1])
  })

  test('are applied for a bounded time, then the loop turns', () => {
    const { loop, applied, clock } = world({ perEntryMs: 1 })
    loop.commit(logIndex(40))
    expect(applied).toHaveLength(TURN_BUDGET_MS)
    clock.advance(1000)
    expect(applied).toEqual(upTo(40))
  })

  test('are read once, however many turns they take', () => {
    const { loop, clock, state } = world({ perEntryMs: TURN_BUDGET_MS })
    loop.commit(logIndex(40))
    clock.advance(1000)
    expect(state.readCount).toBe(1)
  })

  test('wait while snapshots are pending, and go on when told', () => {
    const { loop, applied, clock, state } = world()
    state.mustWait = true
    loop.commit(logIndex(12))
    clock.advance(1000)
    expect(applied).toEqual([])
    state.mustWait = false
    loop.resume()
    expect(applied).toEqual([11, 12])
  })

  test('end at one that cannot be applied: it is not counted, and nothing follows', () => {
    const { loop, applied, clock, state } = world()
    state.refuseAt = 13
    loop.commit(logIndex(20))
    loop.commit(logIndex(21))
    loop.resume()
    clock.advance(1000)
    expect(applied).toEqual([11, 12])
    expect(loop.applied).toBe(12)
  })

  test('that cannot be read are a fault', () => {
    const { loop, applied, faults, state } = world()
    state.fault = FAULT
    loop.commit(logIndex(12))
    expect([applied, faults]).toEqual([[], [FAULT]])
  })

  test('are not applied after close, also when their bytes are on the way', () => {
    const { loop, applied, clock, reads } = world({ later: true })
    loop.commit(logIndex(12))
    loop.stop()
    reads.shift()?.()
    loop.commit(logIndex(13))
    clock.advance(1000)
    expect([applied, reads]).toEqual([[], []])
  })
})

describe('an entry that takes long', () => {
  const long = (steps: number, perStepMs = 1): LongEntry => ({ index: 12, steps, perStepMs })

  test('leaves the loop to others after each bounded time, and nothing is applied meanwhile', () => {
    const entry = long(100)
    const { loop, applied, clock, state } = world({ long: entry })
    let turns = 0
    const turn = (): void => {
      turns += 1
      if (entry.steps > 0) clock.defer(turn)
    }
    clock.defer(turn)
    loop.commit(logIndex(14))
    loop.commit(logIndex(15))
    expect([applied, entry.steps, loop.applied]).toEqual([[11], 100 - STEPS_BUDGET_MS, 11])
    while (entry.steps > 0) clock.settle()
    expect(turns).toBeGreaterThanOrEqual(100 / STEPS_BUDGET_MS - 1)
    clock.settle()
    expect(applied).toEqual([11, 12, 13, 14, 15])
    // A run that came to the end of no entry is nobody's business: 11, 12 to 14, and 15, which came later.
    expect(state.batches).toBe(3)
  })

  test('goes on to its end, also when snapshots are pending', () => {
    const { loop, applied, clock, state } = world({ long: long(20) })
    loop.commit(logIndex(14))
    state.mustWait = true
    clock.advance(1000)
    expect(applied).toEqual([11, 12])
    state.mustWait = false
    loop.resume()
    clock.advance(1000)
    expect(applied).toEqual([11, 12, 13, 14])
  })

  test('is not gone on with after close', () => {
    const entry = long(20)
    const { loop, applied, clock } = world({ long: entry })
    loop.commit(logIndex(14))
    loop.stop()
    clock.advance(1000)
    expect([applied, entry.steps, loop.applied]).toEqual([[11], 20 - STEPS_BUDGET_MS, 11])
  })
})
