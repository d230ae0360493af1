import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { changeLimits, fetchLimits } from '../../src/client/operator/limits.ts'
import { agreement, eventually, leaderOf, statusOf } from '../agreement.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { MemoryProbes } from '../xstate/node-memory.ts'
import { openAndLeave, writesPerSecond } from './session-load.ts'

export interface SessionsFlags {
  readonly json: boolean
  readonly sessions: number
  /** How often the throughput is measured with few sessions, and with all of them. */
  readonly runs: number
  /** Length of each measurement. */
  readonly seconds: number
}

/** Sessions that write, besides those that are open. */
const WRITERS = 1000
const WARM_COMMANDS = 200_000
/** Each measurement opens `WRITERS` sessions and closes them; those that have ended count with the others for a day. */
const TOMBSTONES_MAX = 200 * WRITERS
/** The product's other machines keep two rows for each session: with them it is their memory that is measured. */
const MACHINES = "export { register } from 'holdfast/machines'\n"
const BOUNDS = { heapBytesPerSession: 600, throughputRatio: 0.8, restartMs: 10_000 } as const

interface Held {
  readonly openedPerSecond: number
  /** Of each node, after its garbage was collected. */
  readonly heapBytesPerSession: readonly number[]
  readonly rssBytesPerSession: readonly number[]
}

/**
 * Sessions that are open and idle on three nodes: the memory of each, writes per second beside them and without them, and how
 * long a node takes from its start after a `kill -9` until it has caught up. True when all three are within their bounds.
 */
export async function sessions(flags: SessionsFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const probes = new MemoryProbes()
    const { nodeArguments, onLine } = probes
    const machines = join(directory, 'machines.mjs')
    writeFileSync(machines, MACHINES)
    const start = { nodes: 3, directory: join(directory, 'cluster'), machines, nodeArguments, onLine, signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, async (cluster) => {
      await leaderOf(cluster)
      await allow(cluster, flags.sessions + TOMBSTONES_MAX)
      await warmUp(cluster, flags)
      const few = await runsOf(cluster, 'few sessions', flags)
      const held = await hold(cluster, probes, flags.sessions)
      await warmUp(cluster, flags)
      const many = await runsOf(cluster, `${withCommas(flags.sessions)} sessions`, flags)
      return report({ few, many, ...held, restartMs: await restart(cluster) }, flags)
    })
  })
}

async function allow(cluster: LocalCluster, sessionsMax: number): Promise<void> {
  const { limits, index } = await fetchLimits(cluster.endpoints)
  if (limits.sessionsMax < sessionsMax)
    await changeLimits(cluster.endpoints, { changes: { sessionsMax }, basedOn: index })
}

/** Until the code is compiled, and what was opened is in a snapshot. */
async function warmUp(cluster: LocalCluster, { seconds }: SessionsFlags): Promise<void> {
  for (let commands = 0; commands < WARM_COMMANDS; )
    commands += seconds * (await writesPerSecond(cluster, WRITERS, seconds))
}

async function runsOf(cluster: LocalCluster, what: string, { runs, seconds }: SessionsFlags): Promise<Spread> {
  const perSecond: number[] = []
  for (let run = 0; run < runs; run += 1) {
    perSecond.push(await writesPerSecond(cluster, WRITERS, seconds))
    say(`beside ${what}: ${withCommas(perSecond.at(-1) ?? 0)} writes/s`)
  }
  return spread(perSecond)
}

async function hold(cluster: LocalCluster, probes: MemoryProbes, count: number): Promise<Held> {
  const before = await probes.all(cluster)
  const startedAt = performance.now()
  await openAndLeave(cluster, count)
  const openedPerSecond = Math.round(count / ((performance.now() - startedAt) / 1000))
  await agreement(cluster.endpoints)
  const after = await probes.all(cluster)
  const perSession = (bytes: 'heapUsed' | 'rss'): number[] =>
    after.map((node, at) => Math.round((node[bytes] - (before[at]?.[bytes] ?? 0)) / count))
  return {
    openedPerSecond,
    heapBytesPerSession: perSession('heapUsed'),
    rssBytesPerSession: perSession('rss'),
  }
}

/** A follower's, from the start of its process until it follows and has applied what was committed as it began. */
async function restart(cluster: LocalCluster): Promise<number> {
  const { id: leading, commitIndex } = await leaderOf(cluster)
  const member = cluster.members.find(({ id }) => id !== leading)
  if (member === undefined) throw new Error('a cluster of three has a follower')
  const endpoint = cluster.endpoints[cluster.members.indexOf(member)] ?? ''
  await cluster.kill(member.id)
  const startedAt = performance.now()
  await cluster.startNode(member.id)
  await eventually('the node has caught up', async () => {
    const status = await statusOf(endpoint)
    return status !== null && status.leader !== null && status.appliedIndex >= commitIndex ? status : null
  })
  return Math.round(performance.now() - startedAt)
}

interface Results extends Held {
  readonly few: Spread
  readonly many: Spread
  readonly restartMs: number
}

function report(results: Results, { json, sessions: count }: SessionsFlags): boolean {
  const { few, many, heapBytesPerSession, rssBytesPerSession, openedPerSecond, restartMs } = results
  const throughputRatio = Math.round((many.median / few.median) * 100) / 100
  const ok =
    Math.max(...heapBytesPerSession) <= BOUNDS.heapBytesPerSession &&
    throughputRatio >= BOUNDS.throughputRatio &&
    restartMs <= BOUNDS.restartMs
  const writesBeside = { few, many }
  if (json) {
    const machine = {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
      node: process.version,
      load: loadavg()[0],
    }
    const memory = { heapBytesPerSession, rssBytesPerSession }
    printJson({
      ...{ sessions: count, openedPerSecond, ...memory, writesPerSecond: writesBeside },
      ...{ throughputRatio, restartMs, bounds: BOUNDS, ok, machine },
    })
  } else {
    say(
      `${withCommas(count)} sessions: ${heapBytesPerSession.join(', ')} bytes of heap each, ${throughputRatio} times the writes ` +
        `of few sessions, restart in ${withCommas(restartMs)} ms`,
    )
  }
  return ok
}
