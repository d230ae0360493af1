import { counter } from 'holdfast/machines'
import { defineWorkload, runWorkloadSeed } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { shrink } from '../../../src/cli/seeds/shrink.ts'
import type { RunSeed } from '../../../src/cli/seeds/workloads.ts'
import { FaultSchedule } from '../../../src/sim/fault-schedule.ts'
import { runSeed } from '../../../src/sim/run-seed.ts'

/** A seed of so many faults, which fails as `failureOf` says of those that happen. */
function seedOf(count: number, failureOf: (struck: readonly number[]) => string | null): RunSeed {
  return (seed, { faults = new FaultSchedule() } = {}) => {
    for (let at = 0; at < count; at += 1) faults.strike(at, `fault ${at}`, () => undefined)
    return { ...runSeedResult(seed), failure: failureOf(faults.struck.map(({ number }) => number)) }
  }
}

const runSeedResult = (seed: number) => ({
  seed,
  events: 0,
  simSeconds: 0,
  acks: 0,
  elections: 0,
  snapshots: 0,
  installs: 0,
  hash: '',
})

test('of many faults those are left without which the seed does not fail in the same way', async () => {
  const needs = (struck: readonly number[]): string | null => {
    if (struck.includes(3) && struck.includes(17)) return `Violation: lost: {"faults":${struck.length}}`
    return struck.length < 5 ? 'Violation: something else: {}' : null
  }
  const shrunk = await shrink(seedOf(40, needs), 1)
  expect(shrunk?.faults.map(({ number }) => number)).toEqual([3, 17])
  expect(shrunk?.drawn).toBe(40)
  expect(
    await shrink(
      seedOf(40, () => null),
      1,
    ),
  ).toBeNull()
  expect(
    (
      await shrink(
        seedOf(40, () => 'Violation: always: {}'),
        1,
      )
    )?.faults,
  ).toEqual([])
})

test('a fault that is needless once a later one is left out is left out too', async () => {
  const needs = (struck: readonly number[]): string | null =>
    [1, 3].every((each) => struck.includes(each)) && (struck.includes(0) || !struck.includes(2))
      ? 'Violation: lost: {}'
      : null
  expect((await shrink(seedOf(4, needs), 1))?.faults.map(({ number }) => number)).toEqual([1, 3])
})

test('what is drawn does not depend on what happens, and all of it is what happens by default', {
  timeout: 120_000,
}, () => {
  const all = new FaultSchedule()
  const whole = runSeed(7, undefined, all)
  expect(runSeed(7)).toEqual(whole)
  expect(all.struck.length).toBeGreaterThan(1)
  const some = new FaultSchedule(all.struck.filter((_, at) => at % 2 === 0).map(({ number }) => number))
  expect(runSeed(7, undefined, some).failure).toBeNull()
  expect(some.struck).toEqual(all.struck.filter((_, at) => at % 2 === 0))
  const none = new FaultSchedule([])
  runSeed(7, undefined, none)
  expect(none.struck).toEqual([])
})

test('a bug that one crash brings out is told with few faults', { timeout: 120_000 }, async () => {
  // Planted: whoever waited for more than 800 ms has lost patience, which no healthy cluster asks for.
  const workload = defineWorkload({
    machines: [counter],
    clients: 1,
    async client(client) {
      const session = await client.session()
      for (let turn = 0; turn < 60 && client.faulty; turn += 1) {
        const startedAt = client.now
        await session.machines.counter.increment({ name: 'x', by: 1 })
        if (turn > 0 && client.now - startedAt > 800) throw new Error('too late')
        await client.sleep(50)
      }
    },
  })
  const run: RunSeed = (seed, listener) => runWorkloadSeed(workload, seed, listener)
  for (let seed = 1; seed <= 12; seed += 1) {
    const shrunk = await shrink(run, seed)
    if (shrunk === null || shrunk.drawn < 4) continue
    const { faults, drawn } = shrunk
    expect(faults.length).toBeLessThan(drawn)
    expect(faults.length).toBeLessThanOrEqual(3)
    const again = await run(seed, { faults: new FaultSchedule(faults.map(({ number }) => number)) })
    expect(again.failure).toContain('too late')
    return
  }
  throw new Error('no seed of twelve lost its patience')
})
