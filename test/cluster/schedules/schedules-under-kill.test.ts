import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { agreement, eventually, leaderOf } from '../../../bench/agreement.ts'
import { nodeId } from '../../../src/base/brand.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import { run } from '../../../src/cli/run.ts'
import { type ClientSession, connect } from '../../../src/client/index.ts'
import { userProject } from '../../host/user-project.ts'
import { compileOnce, realCluster } from '../processes.ts'

beforeAll(compileOnce)

/** Some seconds and the rest of a minute on an idle machine; a process that starts on a busy one takes half a minute. */
const TIMEOUT_MS = 400_000
const MINUTE = 60_000

/** A schedule of every minute, whose runs are taken down in the order in which they came, those of backfills apart. */
const BELLS = `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

const everyMinute = { cron: '* * * * *', zone: 'Europe/Berlin', overlap: 'bufferAll', payload: null }

export const bells = defineMachine(
  'bells',
  { version: 1, state: { runs: table(z.string(), z.array(z.int())) }, schedules: { ring: z.null() } },
  {
    commands: {
      begin: command({ input: z.null(), output: z.boolean() }, (ctx) => ctx.schedules.put('ring', everyMinute)),
    },
    queries: {
      runs: query({ input: z.string(), output: z.array(z.int()) }, (view, kind) =>
        view.runs.range({ limit: 1000 }).flatMap(([key, times]) => (key.startsWith(kind) ? times : [])),
      ),
    },
    schedules: {
      ring: (ctx, { scheduledAt, backfilled }) => {
        const key = (backfilled ? 'asked' : 'clock') + Math.floor(scheduledAt / 3_600_000)
        ctx.state.runs.set(key, [...(ctx.state.runs.get(key) ?? []), scheduledAt])
      },
    },
  },
)
`

/** What `holdfast schedules … --json` says of the schedule, asked again where nobody leads. */
async function holdfast(cluster: LocalCluster, verb: string, ...words: string[]): Promise<Shown> {
  const named = ['node', 'holdfast', 'schedules', verb, 'bells', 'ring', '--json', ...words]
  return eventually(`schedules ${verb}`, async () => {
    let said = ''
    const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said += String(text)
      return true
    })
    const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      const code = await run([...named, '--endpoints', cluster.endpoints.join(',')])
      return code === 0 ? JSON.parse(said) : null
    } finally {
      out.mockRestore()
      err.mockRestore()
    }
  })
}

interface Shown {
  readonly state: string
  readonly nextMs: number | null
  readonly nowMs: number
  readonly runs: number
  readonly fillingMs: readonly number[]
  readonly backfills: readonly unknown[]
}

/** Kills whoever leads, while `meanwhile` goes on, and starts that node again. */
async function underKill<Answer>(cluster: LocalCluster, meanwhile: () => Promise<Answer>): Promise<Answer> {
  const { id } = await leaderOf(cluster)
  const [answer] = await Promise.all([meanwhile(), cluster.kill(nodeId(id))])
  await cluster.startNode(nodeId(id))
  return answer
}

/** Runs of the clock, or of backfills, in the order of their hours. */
async function runsOf(session: ClientSession, kind: 'asked' | 'clock'): Promise<readonly number[]> {
  return eventually(`runs are told`, async () => {
    const outcome = await session.query('bells', 'runs', kind)
    return outcome.kind === 'ok' ? (outcome.value as number[]) : null
  })
}

const minutes = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at * MINUTE)
const iso = (ms: number): string => new Date(ms).toISOString()

test(
  'every occurrence of a schedule runs exactly once, though leaders are killed around them and while operators change it',
  async () => {
    const directory = userProject({ 'machines.js': BELLS })
    const cluster = await realCluster({ machines: join(directory, 'machines.js') })
    const patient = { timeoutMs: 300_000, connectDeadlineMs: 60_000, deadlineMs: 60_000 }
    const session = await connect({ endpoints: cluster.endpoints, principal: 'user:ada', ...patient })
    expect(await session.execute('bells', 'begin', null)).toMatchObject({ kind: 'ok', value: true })
    const begun = (await holdfast(cluster, 'show')).nowMs

    // Fifty hours of occurrences, which come in thirty batches: leaders die in the middle of them.
    const to = Math.floor(begun / MINUTE) * MINUTE
    const from = to - 3000 * MINUTE
    await holdfast(cluster, 'backfill', '--from', iso(from), '--to', iso(to))
    for (const reached of [200, 1200, 2200]) {
      await underKill(cluster, () =>
        eventually(`${reached} runs`, async () => ((await runsOf(session, 'asked')).length >= reached ? true : null)),
      )
    }
    await eventually('all are run', async () => ((await runsOf(session, 'asked')).length >= 3000 ? true : null))
    expect(await runsOf(session, 'asked')).toEqual(minutes(from, 3000))

    // What is asked for while it is paused waits, whoever leads.
    const pausedAt = (await holdfast(cluster, 'show')).nowMs
    await underKill(cluster, () => holdfast(cluster, 'pause'))
    await holdfast(cluster, 'backfill', '--from', iso(from - 500 * MINUTE), '--to', iso(from))
    await underKill(cluster, async () => undefined)
    expect(await holdfast(cluster, 'show')).toMatchObject({
      state: 'paused',
      nextMs: null,
      backfills: [{}],
      fillingMs: [],
    })
    expect(await runsOf(session, 'asked')).toHaveLength(3000)
    await underKill(cluster, () => holdfast(cluster, 'resume'))
    const resumedAt = (await holdfast(cluster, 'show')).nowMs
    await eventually('all are run', async () => ((await runsOf(session, 'asked')).length >= 3500 ? true : null))

    // The leader that has computed an occurrence is gone when it comes.
    const next = await eventually('it goes on', async () => (await holdfast(cluster, 'show')).nextMs)
    await eventually('it is about to come', async () => {
      return (await holdfast(cluster, 'show')).nowMs >= next - 300 ? true : null
    })
    await underKill(cluster, () =>
      eventually('it has run', async () => ((await runsOf(session, 'clock')).includes(next) ? true : null)),
    )

    const [asked, clock] = [await runsOf(session, 'asked'), await runsOf(session, 'clock')]
    // An hour in which one backfill ended and the other began has its runs in the order in which they came.
    expect(asked.filter((at) => at < from)).toEqual(minutes(from - 500 * MINUTE, 500))
    expect(asked.filter((at) => at >= from)).toEqual(minutes(from, 3000))
    expect(clock).toEqual([...new Set(clock)].sort((left, right) => left - right))
    // What came just as it was paused or resumed may have come before it or after it.
    const owed = minutes(to + MINUTE, (next - to) / MINUTE).filter((at) => at <= pausedAt || at > resumedAt)
    expect(clock.filter((at) => owed.includes(at))).toEqual(owed)
    await agreement(cluster.endpoints, (await leaderOf(cluster)).appliedIndex)
    await session.close()
  },
  TIMEOUT_MS,
)
