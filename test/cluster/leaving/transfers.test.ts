import { beforeAll, expect, test } from 'vitest'
import { agreement, eventually, leaderOf } from '../../../bench/agreement.ts'
import { WriteGap } from '../../../bench/failover/write-gap.ts'
import { HoldfastWriter } from '../../../bench/failover/holdfast-writer.ts'
import { OperatorError } from '../../../src/client/operator/ask-leader.ts'
import { transferLeadership } from '../../../src/client/operator/leader.ts'
import { compileOnce, readerOf, realCluster } from '../processes.ts'
import { Writers } from '../writers.ts'

beforeAll(compileOnce)

const TRANSFERS = 100
const BEAT_MS = 5
/**
 * What the operator may hear without a free core, and asks again: nobody leads, no other voter was heard lately, or the
 * target was not elected in time.
 */
const NOT_YET: ReadonlySet<string> = new Set(['NO_LEADER', 'NO_TARGET', 'TRANSFER_TIMED_OUT'])

/** How many writes fail of a writer that sends one every 5 ms, until writes are acknowledged again after `fault`. */
async function failedAfter(endpoints: readonly string[], fault: () => Promise<unknown>): Promise<number> {
  const gap = new WriteGap()
  const writer = await HoldfastWriter.open(endpoints, gap)
  const beat = setInterval(() => {
    if (gap.waiting > 200) return
    gap.sent += 1
    writer.write()
  }, BEAT_MS)
  try {
    await eventually('writes are acknowledged', () => Promise.resolve(gap.acknowledged > 20 ? true : null))
    await fault()
    const before = gap.acknowledged
    await eventually('writes are acknowledged again', () =>
      Promise.resolve(gap.acknowledged > before + 20 ? true : null),
    )
    return gap.failed
  } finally {
    clearInterval(beat)
    writer.close()
  }
}

test('a hundred transfers of leadership under load: no client sees an error, and each command is applied once', async () => {
  const cluster = await realCluster()
  const writers = await Writers.start({ endpoints: cluster.endpoints, name: 'w', sessions: 20, inFlight: 2 })
  await writers.more(100)
  for (let transfers = 0; transfers < TRANSFERS; ) {
    try {
      await transferLeadership(cluster.endpoints)
      transfers += 1
    } catch (error) {
      if (!(error instanceof OperatorError) || !NOT_YET.has(error.code)) throw error
    }
    await writers.more(20)
  }
  await writers.stop()
  const reader = await readerOf(cluster.endpoints)
  await writers.expectExactlyOnce(reader)
  await reader.close()
  await agreement(cluster.endpoints)
}, 600_000)

test('SIGTERM of the leader under load: it exits in order, no write fails, and another one leads', async () => {
  const cluster = await realCluster()
  const { id, term } = await leaderOf(cluster)
  const member = cluster.members.find((candidate) => candidate.id === id)
  const child = member === undefined ? null : cluster.process(member.id)
  const failed = await failedAfter(cluster.endpoints, async () => child?.stop())
  expect(await child?.exited).toEqual({ code: 0, signal: null })
  expect(failed).toBe(0)
  const next = await leaderOf(cluster)
  expect(next.id).not.toBe(id)
  expect(next.term).toBeGreaterThan(term)
}, 180_000)
