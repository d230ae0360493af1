import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { connectBackend } from '../src/cli/payments/client-backend.ts'
import { LocalCluster } from '../src/cli/cluster/local-cluster.ts'
import { printJson, say, table, withCommas } from '../src/cli/terminal/output.ts'
import { packageFacts } from '../src/cli/package-root.ts'
import { ReplayRun } from '../src/cli/payments/replay-run.ts'
import { dialGrpc, nodeEnvironment } from '../src/client/index.ts'
import { MultiSession } from '../src/client/session/multi-session.ts'
import { generateCallbacks } from '../src/machines/payments/tools/generate-callbacks.ts'
import { planReplay, type ReplayPlan } from '../src/machines/payments/tools/plan-replay.ts'
import { closedLoop } from './closed-loop.ts'
import { Counted } from './counted.ts'
import { CpuMeter, perCommand } from './cpu.ts'
import { type Floor, measureFloor } from './floor.ts'
import { registerLanes } from './register-lanes.ts'

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

/** One load and what came of it. Latencies from sending to outcome, at the client. */
interface Point {
  readonly workload: 'register' | 'payments'
  readonly inFlight: number
  readonly commandsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of all nodes and the client together; null where the system does not tell. */
  readonly cpuMicrosPerCommand: number | null
}

const SESSIONS_OF_CALLBACKS = 1000
const WARM_UP_IN_FLIGHT = 256

/**
 * Exactly-once commands per second against three processes on loopback, each with its own log and one fdatasync per
 * batch; this process is the client. True when every command succeeded.
 */
export async function throughput(flags: ThroughputFlags): Promise<boolean> {
  const parent = join(packageFacts().root, 'data')
  mkdirSync(parent, { recursive: true })
  // Beside the checkout's own data, not in the temporary directory, which may be memory and sync for free.
  const directory = mkdtempSync(join(parent, 'bench-'))
  try {
    const floor = await measureFloor(directory)
    say(
      `floor: fdatasync p50 ${floor.fdatasyncP50Ms} ms, p99 ${floor.fdatasyncP99Ms} ms; stream round trip p50 ${floor.streamRttP50Ms} ms`,
    )
    return await onCluster(directory, floor, flags)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function onCluster(directory: string, floor: Floor, flags: ThroughputFlags): Promise<boolean> {
  const cluster = await LocalCluster.start({
    nodes: 3,
    directory: join(directory, 'cluster'),
    onLine: (id, line) => say(`[${id}] ${line}`),
    nodeArguments: (id) => (flags.cpuProf === null ? [] : profiling(flags.cpuProf, id)),
  })
  try {
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
    if (flags.callbacks > 0) points.push(await measurePayments(cluster, flags.callbacks))
    report(points, floor, failures, flags.json)
    return failures === 0
  } finally {
    await cluster.stop()
  }
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

/**
 * The first callback of each of many bookings, all of them under way beforehand, through 1,000 sessions. The first quarter
 * warms the nodes up and is not counted.
 */
async function measurePayments(cluster: LocalCluster, callbacks: number): Promise<Point> {
  const backend = await connectBackend(cluster.endpoints)
  const counted = new Counted(Math.ceil(callbacks / 4), () => new CpuMeter(pidsOf(cluster)))
  const run = new ReplayRun({
    plan: firstCallbacks(callbacks),
    backend,
    run: 'bench',
    now: Date.now(),
    parallel: SESSIONS_OF_CALLBACKS,
    workers: SESSIONS_OF_CALLBACKS,
    answered: (milliseconds) => counted.answered(milliseconds),
  })
  say(`payments: setting ${withCommas(callbacks)} bookings up`)
  await run.prepare()
  const totals = await run.feed()
  const { commandsPerSecond, cpuMicrosPerCommand, latencies } = counted.result()
  await backend.close()
  if (totals.applied !== callbacks) throw new Error(`${totals.applied} of ${callbacks} callbacks were applied`)
  return said({
    workload: 'payments',
    inFlight: SESSIONS_OF_CALLBACKS,
    commandsPerSecond,
    p50Ms: latencies.percentileMs(50),
    p99Ms: latencies.percentileMs(99),
    cpuMicrosPerCommand,
  })
}

function firstCallbacks(count: number): ReplayPlan {
  // A file has more lines than bookings: duplicates, retries and malformed lines are not measured here.
  const plan = planReplay(generateCallbacks({ count: count * 2, seed: 1 }), { run: 'bench', lanes: 64 })
  const bookings = plan.bookings.slice(0, count).map((booking) => ({ ...booking, steps: booking.steps.slice(0, 2) }))
  if (bookings.length < count) throw new Error(`the file has only ${bookings.length} bookings`)
  return { received: count, bookings, malformed: [] }
}

function profiling(directory: string, id: string): string[] {
  return ['--cpu-prof', '--cpu-prof-dir', directory, '--cpu-prof-name', `${id}.cpuprofile`]
}

function pidsOf(cluster: LocalCluster): number[] {
  return cluster.members.flatMap((member) => cluster.process(member.id)?.pid ?? [])
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
