import { loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { type ClientSession, connect, dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { eventually, leaderOf } from '../agreement.ts'
import { openBenchSession } from '../bench-session.ts'
import { pidsOf } from '../cpu.ts'
import { Latencies } from '../latencies.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { MemoryProbes } from '../xstate/node-memory.ts'
import { writePresenceModule } from './presence-module.ts'

export interface ExpiryStormFlags {
  readonly json: boolean
  readonly sessions: number
}

const CONNECTIONS = 10
const TIMEOUT_MS = 10_000
const DEADLINE_MS = 120_000
/** Own work of a node's thread between two turns of its loop. */
const WORK_MS_MAX = 50
/** The probe forgets what was before a while after it was asked. */
const FORGOTTEN_MS = 500

interface Storm {
  /** Sessions whose hook has run. */
  readonly expired: number
  /** From the first to the last of them, as a client sees it. */
  readonly ms: number
  /** Commands of one session that goes on, each sent when the one before is answered. */
  readonly commandP50Ms: number
  readonly commandMaxMs: number
}

/**
 * Sessions that all end at once: their clients are gone, and the leader is killed, so that the next one finds all of them
 * overdue. True when the machine's hook has run for each of them, once, and no node worked longer than 50 ms in one turn.
 */
export async function expiryStorm(flags: ExpiryStormFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const machines = join(directory, 'machines.mjs')
    writePresenceModule(machines)
    const probes = new MemoryProbes()
    const { nodeArguments, onLine } = probes
    const start = { nodes: 3, directory: join(directory, 'cluster'), machines, nodeArguments, onLine, signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, async (cluster) => {
      await fill(cluster, flags.sessions)
      await probes.all(cluster)
      const stayed = pidsOf(cluster)
      const storm = await stormOn(cluster, flags.sessions)
      const [after, pids] = [await probes.all(cluster), pidsOf(cluster)]
      const survived = after.filter((_, at) => pids[at] === stayed[at])
      const longestDelayMs = Math.round(Math.max(...survived.map((node) => node.longestDelayMs)))
      const works = survived.flatMap(({ longestWorkMs }) => (longestWorkMs === null ? [] : [longestWorkMs]))
      const longestWorkMs = works.length === 0 ? null : Math.round(Math.max(...works) * 10) / 10
      const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
      const result = { sessions: flags.sessions, ...storm, longestWorkMs, longestDelayMs, workMsMax: WORK_MS_MAX, load }
      if (flags.json) printJson(result)
      else
        say(
          `${withCommas(storm.expired)} sessions expired in ${storm.ms} ms; longest work in one turn ${longestWorkMs} ms`,
        )
      return storm.expired === flags.sessions && (longestWorkMs ?? 0) <= WORK_MS_MAX
    })
  })
}

/** Opens the sessions and leaves them. */
async function fill(cluster: LocalCluster, sessions: number): Promise<void> {
  const { endpoints } = cluster
  const hubs = Array.from(
    { length: CONNECTIONS },
    () => new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints }),
  )
  say(`opening ${withCommas(sessions)} sessions`)
  await Promise.all(
    Array.from({ length: sessions }, (_, at) =>
      openBenchSession(hubs[at % CONNECTIONS] as MultiSession, {
        principal: `user:present-${at}`,
        timeoutMs: TIMEOUT_MS,
      }),
    ),
  )
  for (const hub of hubs) hub.close()
}

async function stormOn(cluster: LocalCluster, sessions: number): Promise<Storm> {
  const patience = { deadlineMs: DEADLINE_MS, connectDeadlineMs: DEADLINE_MS, timeoutMs: DEADLINE_MS }
  const session = await connect({ endpoints: cluster.endpoints, principal: 'user:watcher', ...patience })
  session.on('*', () => undefined)
  await new Promise((resolve) => setTimeout(resolve, FORGOTTEN_MS))
  const { id } = await leaderOf(cluster)
  const killed = cluster.members.find((member) => member.id === id)
  if (killed === undefined) throw new Error(`no process of this cluster is ${id}`)
  await cluster.kill(killed.id)
  await cluster.startNode(killed.id)
  const latencies = new Latencies()
  let over = false
  const writing = (async () => {
    while (!over) {
      const sentAt = performance.now()
      const outcome = await session.execute('presence', 'noop', null)
      if (outcome.kind !== 'ok') throw new Error(`a command had no answer: ${JSON.stringify(outcome)}`)
      latencies.record(performance.now() - sentAt)
    }
  })()
  let firstAt: number | null = null
  const expired = await eventually('the end of every session', async () => {
    const gone = await goneOf(session)
    if (gone > 0) firstAt ??= performance.now()
    return gone >= sessions ? gone : null
  })
  const ms = Math.round(performance.now() - (firstAt ?? performance.now()))
  over = true
  await writing
  await session.close()
  return { expired, ms, commandP50Ms: latencies.percentileMs(50), commandMaxMs: latencies.percentileMs(100) }
}

async function goneOf(session: ClientSession): Promise<number> {
  const outcome = await session.query('presence', 'counts', null)
  return outcome.kind === 'ok' ? Number((outcome.value as readonly number[])[1]) : 0
}
