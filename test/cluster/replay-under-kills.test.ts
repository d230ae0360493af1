import { beforeAll, expect, test } from 'vitest'
import { compareReplays, isKillPoint } from '../../bench/replay-comparison.ts'
import { compileOnce, temporaryDirectory } from './processes.ts'

beforeAll(compileOnce)

const COUNT = 600
const SEED = 20
const KILLS = 5
/** A dozen processes are started one after another: seconds on an idle machine, minutes on a busy one. */
const TIMEOUT_MS = 240_000

test(
  'P-18 S-05 callbacks replayed while the leader is killed five times end with the totals of an uninterrupted run',
  async () => {
    const directory = await temporaryDirectory()
    // Few at a time, so that every kill finds some on their way and most still to come.
    const result = await compareReplays({ count: COUNT, seed: SEED, kills: KILLS, directory, parallel: 48 })
    const { killed, uninterrupted } = result
    expect(killed.leaderKills).toBe(KILLS)
    expect(uninterrupted.leaderKills).toBe(0)
    expect(killed.counted).toEqual(uninterrupted.counted)
    expect(killed.totals).toEqual(uninterrupted.totals)
    expect(killed.agreed).not.toBe(null)
    expect(uninterrupted.agreed).not.toBe(null)
    expect(result).toMatchObject({ equalTotals: true, equalHashes: true })
    // The file is worth its name: all kinds of lines are in it, and each was counted once.
    const { received, applied, replayed, ignored, orphaned, suspense, unknown, malformed, rejected } = killed.counted
    expect(received).toBe(COUNT)
    expect(Math.min(applied, replayed, malformed)).toBeGreaterThan(0)
    const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0)
    expect(applied + replayed + ignored + orphaned + suspense + unknown + malformed + refused).toBe(COUNT)
  },
  TIMEOUT_MS,
)

test('the kills of a replay fall at 1/6, 2/6 … 5/6 of the replies', () => {
  const points = Array.from({ length: 600 }, (_, at) => at + 1).filter((answered) => isKillPoint(answered, 600, 5))
  expect(points).toEqual([100, 200, 300, 400, 500])
})
