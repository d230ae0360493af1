import { describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import { LogClock } from '../../../src/node/propose/log-clock.ts'

const [n2, n3, n4] = [nodeId('n2'), nodeId('n3'), nodeId('n4')]
const ELECTION = 600
const clock = (): LogClock => new LogClock({ electionTimeoutMaxMs: ELECTION })

describe('lease', () => {
  test('goes on from the last entry of the log, whoever appended it: an outage counts for nothing', () => {
    const found = clock()
    found.adopt(5000, 0)
    found.turn(1_000_000)
    found.lead(1_000_000)
    expect(found.currentLease()).toBe(5000)
    found.turn(1_000_100.5)
    found.turn(1_000_101)
    expect(found.currentLease()).toBe(5101)
  })

  test('advances at most one election timeout per turn: a process that was stopped expires nobody', () => {
    const found = clock()
    found.lead(0)
    found.turn(10)
    found.turn(60_010)
    expect(found.currentLease()).toBe(10 + ELECTION)
    found.turn(60_020)
    expect(found.currentLease()).toBe(20 + ELECTION)
  })

  test('stands still on a follower, and never falls along the log', () => {
    const found = clock()
    found.lead(0)
    found.turn(100)
    found.follow()
    found.turn(500)
    expect(found.currentLease()).toBe(100)
    found.adopt(2000, 0)
    found.lead(600)
    expect(found.currentLease()).toBe(2000)
    found.turn(700)
    expect(found.stamp({ monotonicMs: 700, wallMs: 0, others: [] }).lease).toBe(2100)
    expect(found.lastLease).toBe(2100)
  })

  test('does not fall when the monotonic clock of a turn lies before the one of lead', () => {
    const found = clock()
    found.adopt(100, 0)
    found.lead(50)
    found.turn(40)
    expect(found.currentLease()).toBe(100)
  })
})

describe('now', () => {
  const time = (monotonicMs: number, wallMs: number, others = [n2, n3]) => ({ monotonicMs, wallMs, others })

  test('of a single voter is its wall clock, and never decreases', () => {
    const found = clock()
    found.lead(0)
    expect(found.stamp(time(0, 1000, [])).now).toBe(1000)
    expect(found.stamp(time(10, 400, [])).now).toBe(1000)
    expect(found.stamp(time(20, 1001, [])).now).toBe(1001)
  })

  test('is the lower median of a majority: one wrong clock, whoever has it, fires no timer early', () => {
    for (const [self, second, third] of [
      [9_999_999, 1000, 1001],
      [1000, 9_999_999, 1001],
      [1000, 1001, 9_999_999],
    ] as const) {
      const found = clock()
      found.lead(0)
      found.sample(n2, second, 0)
      found.sample(n3, third, 0)
      expect(found.stamp(time(0, self)).now).toBe(1001)
    }
    const two = clock()
    two.lead(0)
    two.sample(n2, 9_999_999, 0)
    expect(two.stamp(time(0, 1000)).now).toBe(1000)
  })

  test('is no learner’s clock: beside a sole voter one that is slow would hold the time of the log back', () => {
    const found = clock()
    found.lead(0)
    found.sample(n4, 5, 0)
    expect(found.stamp(time(0, 1000, [])).now).toBe(1000)
    // Nor do learners make a majority.
    found.sample(n3, 7, 0)
    expect(found.stamp(time(10, 99_999, [nodeId('n5'), n2])).now).toBe(1010)
  })

  test('counts a sample as old as it is, and none older than an election timeout', () => {
    const found = clock()
    found.lead(0)
    found.adopt(0, 500)
    found.sample(n2, 1000, 0)
    expect(found.currentNow(time(ELECTION, 9000))).toBe(1000 + ELECTION)
    expect(found.currentNow(time(ELECTION + 1, 9000))).toBe(500 + ELECTION + 1)
  })

  test('goes on by the leader’s monotonic clock while a majority’s samples are missing, from the last stamp', () => {
    const found = clock()
    found.adopt(0, 5000)
    found.lead(100)
    expect(found.stamp(time(150, 99_999)).now).toBe(5050)
    expect(found.stamp(time(160, 99_999)).now).toBe(5060)
    found.sample(n2, 7000, 160)
    expect(found.stamp(time(160, 99_999)).now).toBe(7000)
  })

  test('a newer sample of a peer replaces the one before', () => {
    const found = clock()
    found.lead(0)
    found.sample(n2, 9000, 0)
    found.sample(n2, 1000, 1)
    expect(found.stamp(time(1, 2000)).now).toBe(1000)
  })
})
