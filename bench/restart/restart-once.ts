import { setTimeout as pause } from 'node:timers/promises'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { leaderOf, statusOf } from '../agreement.ts'
import { fillRegisters } from '../load/fill-registers.ts'

/** One start of a node that was killed, from the moment at which its process was spawned. */
export interface Restart {
  /** Until it listens: by then the rows of its snapshot are loaded. */
  readonly readyMs: number
  /** Until it has answered a command of a new session. */
  readonly servingMs: number
  /** Of that, while entries of the log were applied, as its status was seen. */
  readonly replayMs: number
  readonly replayedEntries: number
  readonly entriesPerSecond: number
  /** That it holds in the end. */
  readonly rows: number
}

const LOOK_AGAIN_MS = 10

/** Kills the node of a cluster of one and starts it again. */
export async function restartOnce(cluster: LocalCluster): Promise<Restart> {
  const [member, endpoint] = [cluster.members[0], cluster.endpoints[0]]
  if (member === undefined || endpoint === undefined) throw new Error('a cluster has a node')
  const { lastIndex, snapshotIndex } = await leaderOf(cluster)
  await cluster.kill(member.id)
  const begunAt = performance.now()
  await cluster.startNode(member.id)
  const readyMs = Math.round(performance.now() - begunAt)
  const replay = await replayed(endpoint, { from: snapshotIndex, to: lastIndex })
  await fillRegisters(cluster.endpoints, { count: 1, valueBytes: 1, mark: 's' })
  const servingMs = Math.round(performance.now() - begunAt)
  const { rows } = await leaderOf(cluster)
  const replayMs = Math.max(1, Math.round(replay.endedAt - replay.begunAt))
  const replayedEntries = lastIndex - snapshotIndex
  const entriesPerSecond = Math.round((replayedEntries / replayMs) * 1000)
  return { readyMs, servingMs, replayMs, replayedEntries, entriesPerSecond, rows }
}

/**
 * While it applied what its log held as it was killed. Its status is asked for all the time: the replay began after the last
 * answer that told of nothing applied beyond the snapshot. Before it, a node has to know what is committed.
 */
async function replayed(
  endpoint: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<{ readonly begunAt: number; readonly endedAt: number }> {
  let begunAt = performance.now()
  for (;;) {
    const askedAt = performance.now()
    const status = await statusOf(endpoint)
    if (status !== null && status.appliedIndex >= to) return { begunAt, endedAt: performance.now() }
    if (status !== null && status.appliedIndex <= from) begunAt = askedAt
    await pause(LOOK_AGAIN_MS)
  }
}
