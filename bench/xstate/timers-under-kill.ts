import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { say, withCommas } from '../../src/cli/terminal/output.ts'
import { connect, dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { agreement, eventually, leaderOf } from '../agreement.ts'
import { pidsOf } from '../cpu.ts'
import { LeaderKiller } from '../leader-killer.ts'
import { whileStarted } from '../scratch.ts'
import { type Fates, fatesOf, firingAt, isHeld } from './lease-fates.ts'
import { LeaseClients, leaseId } from './lease-clients.ts'
import { compiled, MemoryProbes, type NodeMemory } from './node-memory.ts'

/** What became of timers that all fell due at one moment while the leader was killed. */
export interface TimersResult extends Fates {
  readonly instances: number
  readonly createdPerSecond: number
  /** Heap and buffers of a node after a collection, per instance, timer included. */
  readonly bytesPerInstance: number
  readonly rssPerInstance: number
  /** Data directory of a node, per instance: its log is kept whole. */
  readonly diskBytesPerInstance: number
  /** From the moment when they were due to the log's time of the entry in which the last of them fired, ms. */
  readonly logicalMs: number
  /** From then to the moment when a client saw it, ms. */
  readonly seenMs: number
  readonly killedMs: number
  /** How long a node that stayed worked on that entry, ms; null: none was seen to. */
  readonly passMs: number | null
  /** Longest time that the event loop of a node that stayed was late by, from before they were due, ms. */
  readonly longestDelayMs: number
  /** Most processor time that such a node took between two turns of its loop, ms; null where the system does not tell. */
  readonly longestWorkMs: number | null
  readonly hashesEqual: boolean
}

/** Instances that tell how fast they are created; their timers are due a day later. */
const PACE_MAX = 2_000
const DAY_MS = 86_400_000
/** How much longer than at that pace all of them may take. */
const PATIENCE = 1.7
const SPARE_MS = 4_000
/** The leader has noticed by then that timers are due (it looks every 50 ms), and is at work on them. */
const KILL_AFTER_MS = 100

/** So many instances on three processes, whose timers fall due at one moment, in which the leader is killed. */
export async function timersUnderKill(of: {
  readonly instances: number
  readonly sessions: number
  readonly directory: string
  readonly ended: AbortSignal
}): Promise<TimersResult> {
  const probes = new MemoryProbes()
  const cluster = await LocalCluster.start({
    nodes: 3,
    directory: of.directory,
    machines: compiled('lease-machine.js'),
    nodeArguments: probes.nodeArguments,
    onLine: probes.onLine,
    signal: of.ended,
  })
  return whileStarted(cluster, of.ended, () => onCluster(cluster, probes, of))
}

async function onCluster(
  cluster: LocalCluster,
  probes: MemoryProbes,
  { instances, sessions, directory }: { instances: number; sessions: number; directory: string },
): Promise<TimersResult> {
  const { endpoints } = cluster
  const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints })
  const clients = await LeaseClients.open(hub, sessions)
  const pace = Math.min(PACE_MAX, instances)
  const pacedAt = performance.now()
  await clients.create({ count: pace, dueAt: Date.now() + DAY_MS, kind: 'pace' })
  const msEach = (performance.now() - pacedAt) / pace
  const before = { memory: await probes.all(cluster), disk: bytesBelow(directory) }

  const beganAt = Date.now()
  const dueAt = beganAt + Math.round(msEach * instances * PATIENCE) + SPARE_MS
  say(`creating ${withCommas(instances)} instances, due in ${Math.round((dueAt - beganAt) / 1000)} s`)
  await clients.create({ count: instances, dueAt })
  const createdPerSecond = Math.round(instances / ((Date.now() - beganAt) / 1000))
  await clients.close()
  const { lastIndex } = await leaderOf(cluster)
  const created = await agreement(endpoints, lastIndex)
  const after = { memory: await probes.all(cluster), disk: bytesBelow(directory) }
  if (Date.now() >= dueAt) throw new Error('creating them took longer than planned: is the machine busy?')

  const stayed = pidsOf(cluster)
  const firing = endpoints.map((endpoint) => firingAt(endpoint, { since: created.index, dueAt }))
  const killer = new LeaderKiller(cluster)
  const reader = await connect({ endpoints, principal: 'user:reader', deadlineMs: 120_000 })
  await pause(dueAt + KILL_AFTER_MS - Date.now())
  const killedMs = Date.now() - dueAt
  killer.killLeader()
  // Timers that are due together fire in the order of their names.
  await eventually('the last timer has fired', async () =>
    (await isHeld(reader, leaseId(instances - 1))) ? null : true,
  )
  const seenMs = Date.now() - dueAt
  await killer.settled()
  killer.close()
  const fates = await fatesOf(reader, instances)
  await reader.close()
  const seen = (await Promise.all(firing)).filter((entry) => entry !== null)
  const { lastIndex: end } = await leaderOf(cluster)
  await agreement(endpoints, end)
  const [delays, pids] = [await probes.all(cluster), pidsOf(cluster)]
  const survived = delays.filter((_, at) => pids[at] === stayed[at])
  const [memory, previous] = [after.memory.map(heldBy), before.memory.map(heldBy)]
  return {
    instances,
    ...fates,
    createdPerSecond,
    bytesPerInstance: perInstance(memory, previous, instances),
    rssPerInstance: perInstance(
      after.memory.map(({ rss }) => rss),
      before.memory.map(({ rss }) => rss),
      instances,
    ),
    diskBytesPerInstance: Math.round((after.disk - before.disk) / endpoints.length / instances),
    logicalMs: Math.max(...seen.map(({ now }) => now - dueAt)),
    seenMs,
    killedMs,
    passMs: seen.reduce<number | null>((most, { ms }) => (ms === null ? most : Math.max(most ?? 0, ms)), null),
    longestDelayMs: Math.round(Math.max(...survived.map(({ longestDelayMs }) => longestDelayMs))),
    longestWorkMs: survived.reduce<number | null>(
      (most, { longestWorkMs }) => (longestWorkMs === null ? most : Math.max(most ?? 0, Math.round(longestWorkMs))),
      null,
    ),
    hashesEqual: true,
  }
}

const heldBy = ({ heapUsed, external }: NodeMemory): number => heapUsed + external

/** The median of the nodes. */
function perInstance(after: readonly number[], before: readonly number[], instances: number): number {
  const each = after.map((bytes, node) => bytes - (before[node] ?? 0)).sort((one, other) => one - other)
  return Math.round((each[Math.floor(each.length / 2)] ?? 0) / instances)
}

function bytesBelow(directory: string): number {
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}
