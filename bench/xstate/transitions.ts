import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { closedLoop, type Lanes, type LoopResult } from '../closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from '../cpu.ts'
import { type ChartForm, PersistedCharts } from '../peers/persisted-charts.ts'
import type { Postgres } from '../peers/postgres.ts'
import { whileStarted } from '../scratch.ts'
import { lease } from './lease-chart.ts'
import { LeaseClients, leaseId } from './lease-clients.ts'
import { compiled } from './node-memory.ts'

/** Events at one number in flight. */
export interface TransitionPoint extends Pick<LoopResult, 'p50Ms' | 'p99Ms'> {
  readonly inFlight: number
  readonly perSecond: number
  /** Of all nodes and the client together; null where the system does not tell, and for PostgreSQL. */
  readonly cpuMicros: number | null
}

/** How PostgreSQL is used: what gave the most events. */
export interface ChartPool {
  readonly connections: number
  readonly form: ChartForm
}

const DAY_MS = 86_400_000
const WARM_UP = 0.3
const TRIED: readonly ChartPool[] = [8, 16, 32, 96].flatMap((connections) =>
  (['statements', 'pipelined'] as const).map((form) => ({ connections, form })),
)
export const CONNECTIONS_MAX = Math.max(...TRIED.map(({ connections }) => connections)) + 20

/** Three processes, and the sessions that send them events. */
export class LeaseCluster {
  private readonly cluster: LocalCluster
  private readonly clients: LeaseClients

  private constructor(cluster: LocalCluster, clients: LeaseClients) {
    this.cluster = cluster
    this.clients = clients
  }

  static async run<Result>(
    of: {
      readonly directory: string
      readonly sessions: number
      readonly ended: AbortSignal
      readonly cpuProf: string | null
    },
    work: (leases: LeaseCluster) => Promise<Result>,
  ): Promise<Result> {
    const { directory, sessions, ended, cpuProf } = of
    const cluster = await LocalCluster.start({
      nodes: 3,
      directory: join(directory),
      machines: compiled('lease-machine.js'),
      signal: ended,
      ...(cpuProf === null ? {} : { nodeArguments: () => ['--cpu-prof', `--cpu-prof-dir=${cpuProf}`] }),
    })
    return whileStarted(cluster, ended, async () => {
      const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
      const clients = await LeaseClients.open(hub, sessions)
      await clients.create({ count: sessions, dueAt: Date.now() + DAY_MS })
      const result = await work(new LeaseCluster(cluster, clients))
      await clients.close()
      return result
    })
  }

  async measure(inFlight: number, seconds: number): Promise<TransitionPoint> {
    const meter = new CpuMeter(pidsOf(this.cluster))
    const { commands, ...result } = await measured('holdfast', this.clients.renewals(inFlight), seconds)
    return { ...result, cpuMicros: perCommand(meter.microsSince(), commands) }
  }
}

/** The same events by a Node program on PostgreSQL. */
export async function measurePersisted(
  server: Postgres,
  pool: ChartPool,
  { inFlight, seconds }: { readonly inFlight: number; readonly seconds: number },
): Promise<TransitionPoint> {
  const { form } = pool
  const connections = Math.min(pool.connections, inFlight)
  const charts = await PersistedCharts.open(server, lease, { connections, form })
  const now = Date.now()
  await charts.begin(
    Array.from({ length: inFlight }, (_, lane) => ({
      id: leaseId(lane),
      input: { holder: `user:${lane}`, dueAt: now + DAY_MS, now },
    })),
  )
  const name = `postgres, ${form} on ${connections} connections`
  const { commands: _, ...point } = await measured(name, charts.lanes(inFlight, leaseId, 'RENEW'), seconds)
  await charts.close()
  return { ...point, cpuMicros: null }
}

/** The pool that carries most at the highest number in flight. */
export async function bestPool(server: Postgres, load: { inFlight: number; seconds: number }): Promise<ChartPool> {
  let best: { readonly pool: ChartPool; readonly perSecond: number } | null = null
  for (const pool of TRIED) {
    const { perSecond } = await measurePersisted(server, pool, load)
    if (best === null || perSecond > best.perSecond) best = { pool, perSecond }
  }
  if (best === null) throw new Error('no pool was tried')
  return best.pool
}

async function measured(name: string, lanes: Lanes, seconds: number) {
  const {
    commandsPerSecond: perSecond,
    p50Ms,
    p99Ms,
    failures,
    commands,
  } = await closedLoop(lanes, {
    warmUpMs: seconds * WARM_UP * 1000,
    measureMs: seconds * 1000,
  })
  if (failures > 0) throw new Error(`${name}: ${failures} events failed`)
  say(`${name}, ${lanes.count} in flight: ${withCommas(perSecond)}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`)
  return { inFlight: lanes.count, perSecond, p50Ms, p99Ms, commands }
}
