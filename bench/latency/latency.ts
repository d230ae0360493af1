import { cpus } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { closedLoop, type LoopResult } from '../closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from '../cpu.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { Etcd } from '../peers/etcd.ts'
import { Skipped } from '../peers/programs.ts'
import { spread } from '../peers/spread.ts'
import { registerLanes } from '../register-lanes.ts'
import { inScratch, whileStarted } from '../scratch.ts'

export interface LatencyFlags {
  readonly json: boolean
  /** How often each of the two is measured, one after the other. */
  readonly pairs: number
  /** Length of each measurement, that of the cold cluster among them. */
  readonly seconds: number
}

/** Commands after which a cluster counts as warm: by then most of what one command runs is compiled. */
const WARM_COMMANDS = 20_000
const WARM_UP_IN_FLIGHT = 64

interface Measured extends LoopResult {
  /** Processor time of all nodes and this process. */
  readonly cpuMicrosPerCommand: number | null
}

interface Pair {
  readonly own: Measured
  /** Null where etcd is not installed. */
  readonly etcdPerSecond: number | null
}

/**
 * One command in flight: the first that a new cluster takes, and those after `WARM_COMMANDS`, in turn with puts of etcd, one in
 * flight as well. True when every command succeeded.
 */
export async function latency(flags: LatencyFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const cluster = await LocalCluster.start({ nodes: 3, directory: join(directory, 'cluster'), signal: ended })
    return whileStarted(cluster, ended, async () => {
      const cold = said('cold', await oneInFlight(cluster, { seconds: flags.seconds, warmUp: 0 }))
      for (let commands = cold.commands; commands < WARM_COMMANDS; )
        commands += (await oneInFlight(cluster, { seconds: 1, warmUp: 0, inFlight: WARM_UP_IN_FLIGHT })).commands
      const { etcd, skipped } = await etcdIn(directory)
      if (etcd === null) return report({ floor, cold, skipped, pairs: await measurePairs(cluster, null, flags) }, flags)
      return whileStarted(etcd, ended, async () =>
        report({ floor, cold, skipped, pairs: await measurePairs(cluster, etcd, flags) }, flags),
      )
    })
  })
}

async function etcdIn(directory: string): Promise<{ etcd: Etcd | null; skipped: string | null }> {
  try {
    return { etcd: await Etcd.start(directory), skipped: null }
  } catch (error) {
    if (error instanceof Skipped) return { etcd: null, skipped: error.message }
    throw error
  }
}

async function measurePairs(cluster: LocalCluster, etcd: Etcd | null, flags: LatencyFlags): Promise<readonly Pair[]> {
  const pairs: Pair[] = []
  for (let pair = 0; pair < flags.pairs; pair += 1) {
    const own = said('warm', await oneInFlight(cluster, { seconds: flags.seconds, warmUp: flags.seconds / 4 }))
    const etcdPerSecond = etcd === null ? null : (await etcd.puts(1, flags.seconds)).perSecond
    if (etcdPerSecond !== null) say(`etcd: ${withCommas(etcdPerSecond)}/s`)
    pairs.push({ own, etcdPerSecond })
  }
  return pairs
}

/** `warmUp`: seconds before them that are not counted. */
async function oneInFlight(
  cluster: LocalCluster,
  { seconds, warmUp, inFlight = 1 }: { seconds: number; warmUp: number; inFlight?: number },
): Promise<Measured> {
  const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
  const lanes = await registerLanes(hub, inFlight)
  const cpu = new CpuMeter(pidsOf(cluster))
  const loop = await closedLoop(lanes, { warmUpMs: warmUp * 1000, measureMs: seconds * 1000 })
  const cpuMicrosPerCommand = perCommand(cpu.microsSince(), loop.commands)
  await lanes.close()
  hub.close()
  return { ...loop, cpuMicrosPerCommand }
}

function said(what: string, result: Measured): Measured {
  const { commandsPerSecond, p50Ms, p99Ms } = result
  say(`${what}: ${withCommas(commandsPerSecond)}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`)
  return result
}

function report(
  measured: { floor: Floor; cold: Measured; skipped: string | null; pairs: readonly Pair[] },
  { json }: LatencyFlags,
): boolean {
  const { floor, cold, skipped, pairs } = measured
  const { fdatasyncP50Ms, streamRttP50Ms } = floor
  const ratios = pairs.flatMap(({ own, etcdPerSecond }) =>
    etcdPerSecond === null ? [] : [own.commandsPerSecond / etcdPerSecond],
  )
  const ratioToEtcd = skipped === null ? spread(ratios) : null
  const own = pairs.map((pair) => pair.own)
  const warm = {
    perSecond: spread(own.map(({ commandsPerSecond }) => commandsPerSecond)),
    p50Ms: spread(own.map(({ p50Ms }) => p50Ms)),
    p99Ms: spread(own.map(({ p99Ms }) => p99Ms)),
    cpuMicrosPerCommand: spread(own.flatMap(({ cpuMicrosPerCommand: micros }) => (micros === null ? [] : [micros]))),
  }
  const etcd = skipped === null ? spread(pairs.flatMap(({ etcdPerSecond }) => etcdPerSecond ?? [])) : { skipped }
  const failures = [cold, ...own].reduce((sum, result) => sum + result.failures, 0)
  // A client's round trip, a peer's, and the write of the log.
  const floorMs = Math.round((fdatasyncP50Ms + 2 * streamRttP50Ms) * 1000) / 1000
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
  if (json) printJson({ cold, warm, etcd, ratioToEtcd, floorMs, floor, failures, machine })
  else
    say(
      `warm: ${warm.perSecond.median}/s, p50 ${warm.p50Ms.median} ms (floor ${floorMs} ms), ` +
        (ratioToEtcd === null
          ? `no comparison with etcd: ${skipped}`
          : `${ratioToEtcd.median.toFixed(2)} times etcd's`),
    )
  return failures === 0
}
