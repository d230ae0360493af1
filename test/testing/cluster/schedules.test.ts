import { expect, test } from 'vitest'
import { z } from 'zod'
import { command, cronText, defineMachine, query, table, zoneText } from '../../../src/machine/index.ts'
import { testCluster } from '../../../src/testing/index.ts'

/** Takes down every run of its schedule. */
const diary = defineMachine(
  'diary',
  { version: 1, state: { runs: table(z.int(), z.int()) }, schedules: { note: z.null() } },
  {
    commands: {
      begin: command({ input: z.object({ cron: cronText, zone: zoneText }), output: z.boolean() }, (ctx, given) =>
        ctx.schedules.put('note', { ...given, payload: null }),
      ),
    },
    queries: {
      runs: query({ input: z.null(), output: z.array(z.int()) }, (view) =>
        view.runs.range({ limit: 1000 }).flatMap(([at, times]) => Array.from({ length: times }, () => at)),
      ),
    },
    schedules: {
      note: (ctx, { scheduledAt }) => ctx.state.runs.set(scheduledAt, (ctx.state.runs.get(scheduledAt) ?? 0) + 1),
    },
  },
)

const MINUTE = 60_000

test('a leader computes the occurrences of schedules, and each runs once over kills of leaders and a restart', async () => {
  const world = testCluster([diary])
  try {
    const alice = await world.session('user:alice')
    const from = world.now
    await alice.machines.diary.begin({ cron: '* * * * *', zone: 'Europe/Berlin' })
    for (let round = 0; round < 3; round += 1) {
      await world.advance('90s')
      const killed = world.killLeader()
      await world.advance('60s')
      await world.restart(killed)
    }
    await world.restart()
    await world.advance('90s')
    const asked = await alice.queries.diary.runs(null)
    const runs = asked.kind === 'ok' ? asked.value : []
    const first = (Math.floor(from / MINUTE) + 1) * MINUTE
    expect(runs.length).toBeGreaterThanOrEqual(7)
    expect(runs).toEqual(runs.map((_, at) => first + at * MINUTE))
    // None is owed by now, but the one of a minute that has just begun.
    expect(world.now - (runs.at(-1) ?? 0)).toBeLessThan(MINUTE + 5000)
  } finally {
    await world.close()
  }
})
