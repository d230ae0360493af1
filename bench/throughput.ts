import { cpus } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../src/cli/cluster/local-cluster.ts'
import { printJson, say, table, withCommas } from '../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../src/client/index.ts'
import { MultiSession } from '../src/client/session/multi-session.ts'
import { closedLoop } from './closed-loop.ts'
import { measureCallbacks, type Point } from './callbacks/measure-callbacks.ts'
import { CpuMeter, perCommand, pidsOf } from './cpu.ts'
import { type Floor, measureFloor } from './floor.ts'
import { registerLanes } from './register-lanes.ts'
import { inScratch, whileStarted } from './scratch.ts'

export interface ThroughputFlags {
  readonly json: boolean
  /** Length of each measurement; its warm-up is a quarter of it. */
  readonly seconds: number
  readonly inFlight: readonly number[]
  /** Payment callbacks to feed; 0 leaves them out. */
  readonly callbacks: number
  /** Directory for one CPU profile per node; null for none. Profiling slows the nodes down. */
  readonly cpuProf: string | null
}

const WARM_UP_IN_FLIGHT = 256

/**
 * Exactly-once commands per second against three processes on loopback, each with its own log and one fdatasync per
 * batch; this process is the client. True when every command succeeded.
 */
export async function throughput(flags: ThroughputFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    say(
      `floor: fdatasync p50 ${floor.fdatasyncP50Ms} ms, p99 ${floor.fdatasyncP99Ms} ms; stream round trip p50 ${floor.streamRttP50Ms} ms`,
    )
    const cluster = await LocalCluster.start({
      nodes: 3,
      directory: join(directory, 'cluster'),
      onLine: (id, line) => say(`[${id}] ${line}`),
      nodeArguments: (id) => (flags.cpuProf === null ? [] : profiling(flags.cpuProf, id)),
      signal: ended,
    })
    return whileStarted(cluster, ended, () => onCluster(cluster, floor, flags))
  })
}

async function onCluster(cluster: LocalCluster, floor: Floor, flags: ThroughputFlags): Promise<boolean> {
  // Until their code is compiled, nodes that have just started are several times slower.
  say('warming up')
  await measureRegister(cluster, WARM_UP_IN_FLIGHT, flags.seconds)
  const points: Point[] = []
  let failures = 0
  for (const inFlight of flags.inFlight) {
    const result = await measureRegister(cluster, inFlight, flags.seconds)
    points.push(said(result.point))
    failures += result.failures
  }
  if (flags.callbacks > 0) points.push(said(await measureCallbacks(cluster, flags.callbacks)))
  report(points, floor, failures, flags.json)
  return failures === 0
}

async function measureRegister(
  cluster: LocalCluster,
  inFlight: number,
  seconds: number,
): Promise<{ point: Point; failures: number }> {
  const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
  const lanes = await registerLanes(hub, inFlight)
  const cpu = new CpuMeter(pidsOf(cluster))
  const loop = await closedLoop(lanes, { warmUpMs: seconds * 250, measureMs: seconds * 1000 })
  const micros = cpu.microsSince()
  await lanes.close()
  hub.close()
  const { commandsPerSecond, p50Ms, p99Ms, commands, failures } = loop
  const cpuMicrosPerCommand = perCommand(micros, commands)
  return { point: { workload: 'register', inFlight, commandsPerSecond, p50Ms, p99Ms, cpuMicrosPerCommand }, failures }
}

function profiling(directory: string, id: string): string[] {
  return ['--cpu-prof', '--cpu-prof-dir', directory, '--cpu-prof-name', `${id}.cpuprofile`]
}

function said(point: Point): Point {
  say(
    `${point.workload} at ${withCommas(point.inFlight)} in flight: ${withCommas(point.commandsPerSecond)}/s, p99 ${point.p99Ms} ms`,
  )
  return point
}

function report(points: readonly Point[], floor: Floor, failures: number, json: boolean): void {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
  if (json) {
    const registers = points.filter((point) => point.workload === 'register')
    const payments = points.filter((point) => point.workload === 'payments')
    printJson({ points: registers, payments, floor, failures, machine })
    return
  }
  const header = ['workload', 'in flight', 'commands/s', 'p50 ms', 'p99 ms', 'CPU µs/command']
  const rows = points.map((point) => [
    point.workload,
    withCommas(point.inFlight),
    withCommas(point.commandsPerSecond),
    String(point.p50Ms),
    String(point.p99Ms),
    String(point.cpuMicrosPerCommand ?? '-'),
  ])
  say(table([header, ...rows]))
}
