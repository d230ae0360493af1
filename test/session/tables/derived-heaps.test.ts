import { describe, expect, test } from 'vitest'
import type { SessionRecord } from '../../../src/session/clients/session-record.ts'
import { LiveSessions } from '../../../src/session/clients/live-sessions.ts'
import { Expiry } from '../../../src/session/clients/expiry.ts'
import { Retention, SWEEP_MAX } from '../../../src/session/tables/retention.ts'

describe('retention', () => {
  const world = () => {
    const live = new Map<string, number>()
    const dropped: string[] = []
    const retention = new Retention(
      (key) => live.get(key) ?? null,
      (key) => {
        live.delete(key)
        dropped.push(key)
      },
    )
    const put = (key: string, until: number): void => {
      live.set(key, until)
      retention.add(key, until)
    }
    const swept = (now: number): string[] => {
      retention.sweep(now)
      return dropped.splice(0)
    }
    return { live, retention, put, swept }
  }

  test('a row that is written again and again takes a bounded place, and goes at its last time', () => {
    const { retention, put, swept } = world()
    for (let until = 1; until <= 10_000; until += 1) put('a', until)
    expect(retention.size).toBeLessThan(200)
    expect(swept(10_000)).toEqual([])
    expect(swept(10_001)).toEqual(['a'])
    expect(retention.size).toBe(0)
  })

  test('rows go in the order (time, key), as many in one sweep, as in a table that was restored', () => {
    const straight = world()
    const restored = world()
    for (let row = 0; row < 200; row += 1) {
      straight.put(`k${row}`, 5)
      straight.put(`k${row}`, (row * 7919) % 31)
    }
    for (const [key, until] of [...straight.live].reverse()) restored.put(key, until)
    for (const now of [3, 3, 10, 40, 40, 40, 40]) {
      const dropped = straight.swept(now)
      expect(dropped).toEqual(restored.swept(now))
      expect(dropped.length).toBeLessThanOrEqual(SWEEP_MAX)
    }
    expect([straight.live.size, straight.retention.size]).toEqual([0, 0])
  })

  test('a row that is to stay longer stays, also when only its owner knows, and goes in its turn', () => {
    const { live, put, swept } = world()
    put('a', 10)
    put('b', 20)
    live.set('a', 30)
    put('c', 40)
    expect(swept(25)).toEqual(['b'])
    expect(swept(50)).toEqual(['a', 'c'])
  })

  test('a shorter time than before counts at once; a row that went and came back goes once', () => {
    const { live, put, swept } = world()
    put('a', 100)
    put('a', 10)
    put('b', 20)
    live.delete('b')
    put('b', 50)
    expect(swept(60)).toEqual(['a', 'b'])
    expect(swept(1000)).toEqual([])
  })

  test('rows that are removed by their owner leave no items behind that pile up', () => {
    const { live, retention, put } = world()
    for (let row = 0; row < 10_000; row += 1) {
      put(`k${row}`, 1_000_000 + row)
      live.delete(`k${row}`)
    }
    expect(retention.size).toBeLessThan(200)
  })
})

describe('expiry', () => {
  test('sessions that come and go leave a bounded heap on a node that never asks for it, a follower', () => {
    const sessions = new LiveSessions()
    const expiry = new Expiry(sessions)
    const session = (index: number): SessionRecord =>
      ({
        live: true,
        row: {
          index,
          secret: `s${index}`,
          renewedLease: 0,
          renewedAtIndex: index,
          terms: { timeoutMs: 30_000 + index },
          info: { id: `0/1/${index}`, principal: 'user:a', roles: [] },
        },
      }) as unknown as SessionRecord
    const kept = session(1)
    sessions.add(kept)
    expiry.add(1, 30_001)
    for (let index = 2; index < 10_000; index += 1) {
      const passing = session(index)
      sessions.add(passing)
      expiry.add(index, 30_000 + index)
      sessions.remove(passing)
    }
    expect(expiry.size).toBeLessThan(200)
    expect(expiry.next()).toBe(30_001)
  })

  test('a look for overdue sessions ranks none while none can be due, however many were renewed since the last look', () => {
    const sessions = new LiveSessions()
    const expiry = new Expiry(sessions)
    const rows = Array.from({ length: 1000 }, (_, at) => ({
      index: at + 1,
      secret: `s${at}`,
      renewedLease: 0,
      renewedAtIndex: at + 1,
      terms: { timeoutMs: 30_000 },
      info: { id: `0/1/${at + 1}`, principal: 'user:a', roles: [] },
    }))
    for (const row of rows) {
      sessions.add({ live: true, row } as unknown as SessionRecord)
      expiry.add(row.index, row.terms.timeoutMs)
    }
    let ranked = 0
    const at = sessions.at.bind(sessions)
    sessions.at = (index) => {
      ranked += 1
      return at(index)
    }
    const look = (lease: number) => expiry.overdue({ lease, readySince: 0 }, 10).map(({ index }) => index)
    for (const row of rows) row.renewedLease = 20_000
    expect(look(29_999)).toEqual([])
    expect(ranked).toBe(0)
    // Each of them could have been due at 30,000 as far as the last look knows.
    expect(look(30_000)).toEqual([])
    expect(ranked).toBeGreaterThan(0)
    ranked = 0
    expect(look(49_999)).toEqual([])
    expect(ranked).toBe(0)
    // One of them all is due for a look that does not rank those behind it.
    for (const row of rows) if (row.index > 1) row.renewedLease = 40_000
    expect(look(50_000)).toEqual([1])
    expect(ranked).toBeGreaterThanOrEqual(rows.length)
    ranked = 0
    for (const row of rows) row.renewedLease = row.index === 1 ? 20_000 : 41_000
    expect(look(50_000)).toEqual([1])
    expect(ranked).toBeLessThan(10)
    for (const row of rows) row.renewedLease = 20_000
    expect(look(70_000)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})
