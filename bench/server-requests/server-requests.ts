import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { fetchSessions } from '../../src/client/operator/sessions.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { eventually } from '../agreement.ts'
import { closedLoop } from '../closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from '../cpu.ts'
import { measureFloor } from '../floor.ts'
import { profiling } from '../load/profiling.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { FanoutLanes } from './fanout-lanes.ts'
import { FANOUT, writeFanoutModule } from './fanout-module.ts'

export interface ServerRequestsFlags {
  readonly json: boolean
  readonly sessions: number
  /** Commands under way at a time. */
  readonly inFlight: number
  /** Length of the measurement; its warm-up is a quarter of it. */
  readonly seconds: number
  readonly cpuProf: string | null
}

const CONNECTIONS = 10
/** Server requests a second, each delivered, handled and acknowledged: what the bench must reach. */
const PER_SECOND_MIN = 40_000

/**
 * Server requests per second against three processes: each command emits one to each of 100 sessions, in turn over all of
 * them, and the time ends when the last one is acknowledged in the log. True when none is missing, no command failed and it
 * was fast enough.
 */
export async function serverRequests(flags: ServerRequestsFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const machines = join(directory, 'machines.mjs')
    writeFanoutModule(machines, flags.sessions)
    const nodeArguments = (id: string): readonly string[] => profiling(flags.cpuProf, id)
    const start = { nodes: 3, directory: join(directory, 'cluster'), machines, nodeArguments, signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, async (cluster) => {
      const measured = await onCluster(cluster, flags)
      const { perSecond, missing, failures } = measured
      const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
      const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
      if (flags.json)
        printJson({
          ...measured,
          perSecondMin: PER_SECOND_MIN,
          sessions: flags.sessions,
          fanout: FANOUT,
          floor,
          machine: { ...machine, load },
        })
      else
        say(
          `${withCommas(perSecond)} server requests/s delivered and acknowledged, ${missing} missing, ${failures} commands failed`,
        )
      return missing === 0 && failures === 0 && perSecond >= PER_SECOND_MIN
    })
  })
}

interface Measured {
  /** Server requests a second, to the acknowledgement of the last. */
  readonly perSecond: number
  readonly commandsPerSecond: number
  /** Of commands. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicrosPerRequest: number | null
  readonly missing: number
  readonly failures: number
}

async function onCluster(
  cluster: LocalCluster,
  { sessions, inFlight, seconds }: ServerRequestsFlags,
): Promise<Measured> {
  const hubs = Array.from(
    { length: CONNECTIONS },
    () => new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints }),
  )
  const lanes = await FanoutLanes.open(hubs, { sessions, inFlight })
  say('warming up')
  await closedLoop(lanes, { warmUpMs: 0, measureMs: seconds * 250 })
  await acknowledged(cluster, lanes)
  const [before, since] = [lanes.received, performance.now()]
  const cpu = new CpuMeter(pidsOf(cluster))
  const loop = await closedLoop(lanes, { warmUpMs: 0, measureMs: seconds * 1000 })
  await acknowledged(cluster, lanes)
  const [received, elapsed] = [lanes.received - before, (performance.now() - since) / 1000]
  const cpuMicrosPerRequest = perCommand(cpu.microsSince(), received)
  const missing = lanes.emitted - lanes.received
  for (const hub of hubs) hub.close()
  const { commandsPerSecond, p50Ms, p99Ms, failures } = loop
  return {
    perSecond: Math.round(received / elapsed),
    commandsPerSecond,
    p50Ms,
    p99Ms,
    cpuMicrosPerRequest,
    missing,
    failures,
  }
}

/** Everything that was emitted has been handled, and no outbox holds anything. */
async function acknowledged(cluster: LocalCluster, lanes: FanoutLanes): Promise<void> {
  await eventually('every server request', async () => (lanes.received >= lanes.emitted ? true : null))
  await eventually('empty outboxes', async () => {
    const { sessions } = await fetchSessions(cluster.endpoints, { limit: 1, machine: 'fanout' })
    return sessions.length === 0 ? true : null
  })
}
