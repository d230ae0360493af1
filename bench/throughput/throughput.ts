import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, table, withCommas } from '../../src/cli/terminal/output.ts'
import { callbackPairs, type CallbackResult } from '../callbacks/callback-pairs.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { profiling } from '../load/profiling.ts'
import { Etcd } from '../peers/etcd.ts'
import { spread } from '../peers/spread.ts'
import { measureRegisters, type RegisterPoint } from '../register-load.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { type Ratios, type EtcdPair, isReached, ratiosToEtcd, WANTED_BESIDE_PEERS } from './wanted.ts'

export interface ThroughputFlags {
  readonly json: boolean
  /** How often each load is measured, in turn with the peers. */
  readonly runs: number
  /** Length of each measurement; its warm-up is a quarter of it. */
  readonly seconds: number
  readonly inFlight: readonly number[]
  /** Payment callbacks to feed in each run; 0 leaves them out. */
  readonly callbacks: number
  /** Directory for one CPU profile per node; null for none. Profiling slows the nodes down. */
  readonly cpuProf: string | null
}

/** A node's code is compiled by then, as far as it ever is: what it was long before is `latency`'s to say. */
const WARM_COMMANDS = 200_000
const WARM_UP_IN_FLIGHT = 256

interface Point {
  readonly inFlight: number
  readonly runs: readonly RegisterPoint[]
  /** Puts per second of etcd, one for each run; empty where it is not installed. */
  readonly etcd: readonly number[]
}

/**
 * Exactly-once commands per second against three processes on loopback, each with its own log and one fdatasync per batch; this
 * process is the client. In turn with puts of three members of etcd; and payment callbacks in turn with their peers. True when
 * every command succeeded, and every ratio to a peer that is there is as wanted in the median.
 */
export async function throughput(flags: ThroughputFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    say(
      `floor: fdatasync p50 ${floor.fdatasyncP50Ms} ms, p99 ${floor.fdatasyncP99Ms} ms; stream round trip p50 ${floor.streamRttP50Ms} ms`,
    )
    const { points, skipped } = await registers(directory, ended, flags)
    const { runs: pairs, callbacks, seconds } = flags
    const payments = callbacks > 0 ? await callbackPairs(directory, ended, { pairs, callbacks, seconds }) : null
    return report({ points, skipped, payments, floor }, flags)
  })
}

interface Results {
  readonly points: readonly Point[]
  /** Why etcd was not measured; null where it was. */
  readonly skipped: string | null
  readonly payments: CallbackResult | null
  readonly floor: Floor
}

async function registers(
  directory: string,
  ended: AbortSignal,
  flags: ThroughputFlags,
): Promise<Pick<Results, 'points' | 'skipped'>> {
  const cluster = await LocalCluster.start({
    nodes: 3,
    directory: join(directory, 'cluster'),
    onLine: (id, line) => say(`[${id}] ${line}`),
    nodeArguments: (id) => profiling(flags.cpuProf, id),
    signal: ended,
  })
  return whileStarted(cluster, ended, async () => {
    say('warming up')
    for (let commands = 0; commands < WARM_COMMANDS; )
      commands += (await measureRegisters(cluster, { inFlight: WARM_UP_IN_FLIGHT, seconds: flags.seconds })).commands
    const etcd = await Etcd.startOrSkip(directory)
    if (typeof etcd === 'string') return { points: await inTurn(cluster, null, flags), skipped: etcd }
    return whileStarted(etcd, ended, async () => ({ points: await inTurn(cluster, etcd, flags), skipped: null }))
  })
}

async function inTurn(cluster: LocalCluster, etcd: Etcd | null, flags: ThroughputFlags): Promise<Point[]> {
  const points = flags.inFlight.map((inFlight) => ({ inFlight, runs: [] as RegisterPoint[], etcd: [] as number[] }))
  for (let run = 0; run < flags.runs; run += 1) {
    for (const point of points) {
      const { inFlight } = point
      const own = await measureRegisters(cluster, { inFlight, seconds: flags.seconds })
      point.runs.push(own)
      const beside = etcd === null ? null : (await etcd.puts(inFlight, flags.seconds)).perSecond
      if (beside !== null) point.etcd.push(beside)
      say(
        `register at ${withCommas(inFlight)} in flight: ${withCommas(own.commandsPerSecond)}/s, p99 ${own.p99Ms} ms` +
          (beside === null ? '' : `; etcd: ${withCommas(beside)}/s`),
      )
    }
  }
  return points
}

function report({ points, skipped, payments, floor }: Results, { json }: ThroughputFlags): boolean {
  const failures = points.flatMap(({ runs }) => runs).reduce((sum, run) => sum + run.failures, 0)
  const ratioToEtcd = skipped === null ? ratiosToEtcd(points.map(pairsOf)) : { skipped }
  const beside = payments === null ? {} : ratiosOf(payments)
  const ok = failures === 0 && isReached(skipped === null ? ratiosToEtcd(points.map(pairsOf)) : {}, beside)
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    load: loadavg()[0],
  }
  const rows = points.map(rowOf)
  if (json) {
    const own = payments === null ? null : payments.holdfast
    printJson({
      points: rows,
      ratioToEtcd,
      payments: own,
      peers: payments?.peers ?? {},
      ...beside,
      failures,
      ok,
      floor,
      machine,
    })
    return ok
  }
  const header = ['in flight', 'commands/s', 'p50 ms', 'p99 ms', 'CPU µs/command', 'times etcd']
  const body = rows.map(({ inFlight, perSecond, p50Ms, p99Ms, cpuMicrosPerCommand }) => [
    withCommas(inFlight),
    withCommas(perSecond.median),
    String(p50Ms.median),
    String(p99Ms.median),
    String(cpuMicrosPerCommand.median),
    'skipped' in ratioToEtcd ? '-' : (ratioToEtcd[inFlight]?.median.toFixed(2) ?? '-'),
  ])
  say(table([header, ...body]))
  if (skipped !== null) say(`etcd: skipped, ${skipped}`)
  if (payments !== null) say(`payment callbacks: ${withCommas(payments.holdfast.perSecond.median)}/s`)
  for (const [name, ratio] of Object.entries(beside)) say(`${name}: ${ratio.median} (${ratio.min} to ${ratio.max})`)
  return ok
}

function pairsOf({ inFlight, runs, etcd }: Point): EtcdPair {
  return { inFlight, own: runs.map(({ commandsPerSecond }) => commandsPerSecond), etcd }
}

function rowOf({ inFlight, runs, etcd }: Point) {
  return {
    inFlight,
    perSecond: spread(runs.map(({ commandsPerSecond }) => commandsPerSecond)),
    p50Ms: spread(runs.map(({ p50Ms }) => p50Ms)),
    p99Ms: spread(runs.map(({ p99Ms }) => p99Ms)),
    cpuMicrosPerCommand: spread(runs.flatMap(({ cpuMicrosPerCommand: micros }) => (micros === null ? [] : [micros]))),
    ...(etcd.length === 0 ? {} : { etcdPerSecond: spread(etcd) }),
  }
}

/** By the name that the result has for them, of those that were there. */
function ratiosOf({ peers }: CallbackResult): Ratios {
  return Object.fromEntries(
    Object.entries(peers).flatMap(([name, peer]) =>
      'skipped' in peer ? [] : [[WANTED_BESIDE_PEERS[name as keyof CallbackResult['peers']].name, peer.ratio]],
    ),
  )
}
