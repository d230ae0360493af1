import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { NodeId } from '../../src/base/brand.ts'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { eventually, leaderOf, statusOf } from '../agreement.ts'
import { FreezeLane } from './freeze-lane.ts'
import { Latencies } from '../latencies.ts'
import { rejected } from '../rejected.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'

export interface FreezeFlags {
  readonly json: boolean
  /** How often a leader is frozen. */
  readonly trials: number
  /** Sessions, ten to a connection. */
  readonly sessions: number
}

const SESSIONS_PER_CONNECTION = 10
/** Between a freeze and the end of the one before: followers have caught up, and clients are at work. */
const SETTLE_MS = 500
/** The nodes' longest election timeout (raft.md §4). */
const ELECTION_MS_MAX = 600
const GAP_P50_MS_MAX = 2 * ELECTION_MS_MAX
const GAP_P99_MS_MAX = 4 * ELECTION_MS_MAX
/** A trial in which some session is not served again by then has failed. */
const TRIAL_MS_MAX = 30_000

/**
 * Freezes the leader of three processes (SIGSTOP) under sessions of 5 s that write one command after the other, each with a
 * deadline of 10 s, and wakes it up when all of them are served again. True when no session was lost, every outcome was
 * definite, and the gaps were short.
 */
export async function freeze(flags: FreezeFlags): Promise<boolean> {
  if (process.platform === 'win32') {
    printJson({ skipped: 'this system has no SIGSTOP' })
    return true
  }
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-freeze-'))
  const ended = new AbortController()
  // A node that is stopped does not notice that its parent is gone.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort(new Error(signal)))
  try {
    const cluster = await LocalCluster.start({ nodes: 3, directory, signal: ended.signal })
    try {
      return await Promise.race([onCluster(cluster, flags), rejected(ended.signal)])
    } finally {
      await Promise.all(cluster.members.map((member) => cluster.kill(member.id)))
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function onCluster(cluster: LocalCluster, { trials, sessions, json }: FreezeFlags): Promise<boolean> {
  const hubs = Array.from(
    { length: Math.ceil(sessions / SESSIONS_PER_CONNECTION) },
    () => new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints }),
  )
  const lanes = await Promise.all(
    hubs.flatMap((hub, at) =>
      Array.from({ length: Math.min(SESSIONS_PER_CONNECTION, sessions - at * SESSIONS_PER_CONNECTION) }, (_, lane) =>
        FreezeLane.open(hub, `${at}-${lane}`),
      ),
    ),
  )
  for (const lane of lanes) lane.start()
  const gaps = new Latencies()
  for (let trial = 1; trial <= trials; trial += 1) {
    await pause(SETTLE_MS)
    const longest = await freezeOnce(cluster, lanes, gaps)
    say(`trial ${trial} of ${trials}: served again after ${Math.round(longest)} ms`)
  }
  await Promise.all(lanes.map((lane) => lane.stop()))
  const ok = report(trials, gaps, lanes, json)
  for (const hub of hubs) hub.close()
  return ok
}

/** One trial; its longest gap, ms. */
async function freezeOnce(cluster: LocalCluster, lanes: readonly FreezeLane[], gaps: Latencies): Promise<number> {
  const leader = await leaderOf(cluster)
  const member = cluster.members.find(({ id }) => id === leader.id)
  const pid = member === undefined ? undefined : cluster.process(member.id)?.pid
  if (member === undefined || pid === undefined) throw new Error(`no process of this cluster is ${leader.id}`)
  const measured = lanes.filter((lane) => !lane.lost).map((lane) => lane.gapWithout(member.id))
  process.kill(pid, 'SIGSTOP')
  let longest = 0
  try {
    for (const gapMs of await withinTrial(Promise.all(measured))) {
      gaps.record(gapMs)
      longest = Math.max(longest, gapMs)
    }
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await follows(cluster, member.id)
  return longest
}

/** The gaps, or a failure when some session is served by no other leader. */
function withinTrial(gaps: Promise<readonly number[]>): Promise<readonly number[]> {
  const late = AbortSignal.timeout(TRIAL_MS_MAX)
  return Promise.race([gaps, rejected(late)])
}

/** The node that was frozen follows another one, and has applied what that one had committed. */
async function follows(cluster: LocalCluster, id: NodeId): Promise<void> {
  const endpoint = cluster.endpoints[cluster.members.findIndex((member) => member.id === id)] ?? ''
  await eventually('the node that was frozen follows', async () => {
    const status = await statusOf(endpoint)
    return status?.role === 'follower' && status.leader !== null && status.leader !== id ? status : null
  })
  const { commitIndex } = await leaderOf(cluster)
  await eventually('the node that was frozen has caught up', async () => {
    const status = await statusOf(endpoint)
    return status !== null && status.appliedIndex >= commitIndex ? status : null
  })
}

function report(trials: number, gaps: Latencies, lanes: readonly FreezeLane[], json: boolean): boolean {
  const sum = (of: (lane: FreezeLane) => number): number => lanes.reduce((total, lane) => total + of(lane), 0)
  const [p50, p99, max] = [50, 99, 100].map((percentile) => Math.round(gaps.percentileMs(percentile)))
  const [expired, unknown, notExecuted] = [
    sum((lane) => Number(lane.lost)),
    sum((lane) => lane.unknown),
    sum((lane) => lane.notExecuted),
  ]
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
  const acknowledged = sum((lane) => lane.acknowledged)
  if (json) printJson({ trials, gapMs: { p50, p99, max }, expired, unknown, notExecuted, acknowledged, load })
  else {
    say(`gap of a client: p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms; ${acknowledged} commands acknowledged`)
    say(`sessions lost ${expired}, outcomes unknown ${unknown}, not executed ${notExecuted}; load ${load}`)
  }
  const short = (p50 ?? 0) <= GAP_P50_MS_MAX && (p99 ?? 0) <= GAP_P99_MS_MAX
  return short && expired === 0 && unknown === 0
}
