import { expect, test } from 'vitest'
import { CatchUpPace } from '../../../src/node/peers/catch-up-pace.ts'

const MIB = 1024 * 1024

/** Bytes that leave within a second of time, in pieces of 256 KiB, while so many are written. */
function sentWhile(writtenPerSecond: number): number {
  let now = 0
  const stats = { bytes: 0 }
  const pace = new CatchUpPace({ monotonicMs: () => now }, stats)
  const advance = (ms: number): void => {
    now += ms
    stats.bytes += (writtenPerSecond * ms) / 1000
  }
  const piece = (): number => {
    advance(pace.pauseMs() + 1)
    pace.sent(256 * 1024)
    return 256 * 1024
  }
  while (now < 500) piece()
  const from = now
  let sent = 0
  while (now < from + 1000) sent += piece()
  return sent / MIB
}

test('a follower that is far behind gets twice what is written, at least 8 MiB a second', () => {
  expect(sentWhile(MIB)).toBeGreaterThan(7)
  expect(sentWhile(MIB)).toBeLessThan(9)
  expect(sentWhile(20 * MIB)).toBeGreaterThan(30)
  expect(sentWhile(20 * MIB)).toBeLessThan(42)
})

test('while next to nothing is written it gets all that it can take', () => {
  expect(sentWhile(MIB / 8)).toBeGreaterThan(200)
})
