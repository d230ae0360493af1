import { setTimeout as pause } from 'node:timers/promises'
import type { LocalCluster } from '../src/cli/cluster/local-cluster.ts'
import { fetchStatus, type NodeStatusReport } from '../src/client/index.ts'

/** Between two looks at something that only another process knows. */
const LOOK_AGAIN_MS = 20
/** A node that has not answered its status by then is asked again. */
const STATUS_MS_MAX = 1000
/** Elections, restarts and catching up take seconds; what has not happened by then will not. */
const WAIT_MS_MAX = 120_000

/** One state that several nodes have reported for the same log index. */
export interface Agreement {
  readonly index: number
  readonly stateHash: string
}

/** Two nodes reported different state hashes for one index: a replica has diverged. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError'
}

/**
 * Calls `look` until it sees something: for facts of other processes, which announce them to nobody. Rejects after two
 * minutes, with `what` it waited for.
 */
export async function eventually<Value>(what: string, look: () => Promise<Value | null>): Promise<Value> {
  const end = performance.now() + WAIT_MS_MAX
  for (;;) {
    const seen = await look()
    if (seen !== null) return seen
    if (performance.now() > end) throw new Error(`within ${WAIT_MS_MAX / 1000} s there was not: ${what}`)
    await pause(LOOK_AGAIN_MS)
  }
}

/** What a node says of itself, or null while it does not answer. */
export function statusOf(endpoint: string): Promise<NodeStatusReport | null> {
  return fetchStatus(endpoint, STATUS_MS_MAX).catch(() => null)
}

/** The status of whoever leads in the highest term that any of the cluster's nodes knows. */
export function leaderOf(cluster: LocalCluster): Promise<NodeStatusReport> {
  return leaderAmong(cluster.endpoints)
}

/** The same as these nodes know it, where others of the cluster do not answer. */
export function leaderAmong(endpoints: readonly string[]): Promise<NodeStatusReport> {
  return eventually('a leader', async () => {
    const known = (await Promise.all(endpoints.map(statusOf))).filter((status) => status !== null)
    const term = Math.max(...known.map((status) => status.term))
    return known.find((status) => status.role === 'leader' && status.term === term) ?? null
  })
}

/**
 * Waits until every endpoint has reported one same applied index at or above `from`. Rejects with DivergenceError as soon
 * as two of them report different state hashes for any index.
 */
export async function agreement(endpoints: readonly string[], from = 0): Promise<Agreement> {
  const seen = new Map<number, { readonly stateHash: string; readonly nodes: Set<string> }>()
  return eventually('one index that all nodes have applied', async () => {
    for (const status of await Promise.all(endpoints.map(statusOf))) {
      if (status === null || status.appliedIndex < from) continue
      const { appliedIndex: index, stateHash, id } = status
      const known = seen.get(index) ?? { stateHash, nodes: new Set<string>() }
      seen.set(index, known)
      if (known.stateHash !== stateHash) {
        throw new DivergenceError(
          `index ${index}: ${[...known.nodes].join(', ')} hashed ${known.stateHash}, ${id} ${stateHash}`,
        )
      }
      known.nodes.add(id)
      if (known.nodes.size === endpoints.length) return { index, stateHash }
    }
    return null
  })
}
