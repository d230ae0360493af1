import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { isDeepStrictEqual } from 'node:util'
import { connectBackend } from '../src/cli/payments/client-backend.ts'
import { LocalCluster } from '../src/cli/cluster/local-cluster.ts'
import { type ReplayProgress, ReplayRun } from '../src/cli/payments/replay-run.ts'
import type { ReplayTotals } from '../src/cli/payments/replay-totals.ts'
import { generateCallbacks } from '../src/machines/payments/tools/generate-callbacks.ts'
import { planReplay } from '../src/machines/payments/tools/plan-replay.ts'
import { type Agreement, agreement, DivergenceError } from './agreement.ts'
import { LeaderKiller } from './leader-killer.ts'

const NODES = 3
const RUN = 'replay'

export interface ReplayComparisonOptions {
  /** Lines of the generated file, malformed ones included. */
  readonly count: number
  readonly seed: number
  /** How often the leader is killed, evenly spread over the replies: 5 is at 1/6, 2/6 … 5/6. */
  readonly kills: number
  /** Holds the data of both clusters; the caller's to remove. */
  readonly directory: string
  /** Bookings at work at once. Default the replayer's. */
  readonly parallel?: number
  readonly progress?: (run: 'uninterrupted' | 'killed', progress: ReplayProgress) => void
}

/** One run of the file against a cluster of its own. */
export interface ReplayResult {
  /** What the callbacks were answered with. */
  readonly counted: ReplayTotals
  /** What the payments machine says of itself afterwards. */
  readonly totals: unknown
  readonly leaderKills: number
  /** The state that all nodes report for one index, or null: they do not agree. */
  readonly agreed: Agreement | null
  readonly seconds: number
}

export interface ReplayComparison {
  readonly uninterrupted: ReplayResult
  readonly killed: ReplayResult
  /** The answers and the machine's totals are the same in both runs. */
  readonly equalTotals: boolean
  /** In both runs all nodes reported the same state hash at the same index. */
  readonly equalHashes: boolean
}

/**
 * Feeds one generated file of callbacks to two new clusters of processes: one is left alone, the other one's leader is
 * killed with `kill -9` again and again while it answers. All nodes run again at the end of each.
 */
export async function compareReplays(options: ReplayComparisonOptions): Promise<ReplayComparison> {
  const lines = [...generateCallbacks(options)]
  const uninterrupted = await replayOnce(lines, 'uninterrupted', options)
  const killed = await replayOnce(lines, 'killed', options)
  return {
    uninterrupted,
    killed,
    equalTotals:
      isDeepStrictEqual(killed.counted, uninterrupted.counted) &&
      isDeepStrictEqual(killed.totals, uninterrupted.totals),
    equalHashes: killed.agreed !== null && uninterrupted.agreed !== null,
  }
}

async function replayOnce(
  lines: readonly string[],
  kind: 'uninterrupted' | 'killed',
  options: ReplayComparisonOptions,
): Promise<ReplayResult> {
  const cluster = await LocalCluster.start({ nodes: NODES, directory: join(options.directory, kind) })
  try {
    return await replayOn(cluster, lines, kind, options)
  } finally {
    await Promise.all(cluster.members.map((member) => cluster.kill(member.id)))
  }
}

async function replayOn(
  cluster: LocalCluster,
  lines: readonly string[],
  kind: 'uninterrupted' | 'killed',
  options: ReplayComparisonOptions,
): Promise<ReplayResult> {
  const { kills, parallel, progress } = options
  const plan = planReplay(lines, { run: RUN })
  const replies = plan.received - plan.malformed.length
  const killer = new LeaderKiller(cluster)
  const backend = await connectBackend(cluster.endpoints)
  let answered = 0
  const onAnswer = (): void => {
    answered += 1
    if (kind === 'killed' && isKillPoint(answered, replies, kills)) killer.killLeader()
  }
  try {
    const startedAt = performance.now()
    const counted = await new ReplayRun({
      plan,
      backend,
      run: RUN,
      now: Date.now(),
      answered: onAnswer,
      progress: (now) => progress?.(kind, now),
      ...(parallel === undefined ? {} : { parallel }),
    }).run()
    const seconds = (performance.now() - startedAt) / 1000
    await killer.settled()
    const totals = await backend.query('admin:replay', 'payments', 'totals', {})
    if (totals.kind !== 'ok') throw new Error(`the totals were not told: ${totals.code}`)
    const agreed = await agreedOrNull(cluster.endpoints)
    return { counted, totals: totals.value, leaderKills: killer.kills, agreed, seconds }
  } finally {
    killer.close()
    await backend.close()
  }
}

/** True for the replies that are the first at or beyond k/(kills + 1) of all. */
export function isKillPoint(answered: number, replies: number, kills: number): boolean {
  const part = (answers: number): number => Math.floor((answers * (kills + 1)) / replies)
  return answered < replies && part(answered) > part(answered - 1)
}

async function agreedOrNull(endpoints: readonly string[]): Promise<Agreement | null> {
  try {
    return await agreement(endpoints)
  } catch (error) {
    if (error instanceof DivergenceError) return null
    throw error
  }
}
