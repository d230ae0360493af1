import { cpus } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { Etcd } from '../peers/etcd.ts'
import { spread } from '../peers/spread.ts'
import { measureRegisters, type RegisterPoint } from '../register-load.ts'
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

interface Pair {
  readonly own: RegisterPoint
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
      const cold = said('cold', await measureRegisters(cluster, { inFlight: 1, seconds: flags.seconds, warmUp: 0 }))
      for (let commands = cold.commands; commands < WARM_COMMANDS; )
        commands += (await measureRegisters(cluster, { seconds: 1, warmUp: 0, inFlight: WARM_UP_IN_FLIGHT })).commands
      const etcd = await Etcd.startOrSkip(directory)
      if (typeof etcd === 'string')
        return report({ floor, cold, skipped: etcd, pairs: await measurePairs(cluster, null, flags) }, flags)
      return whileStarted(etcd, ended, async () =>
        report({ floor, cold, skipped: null, pairs: await measurePairs(cluster, etcd, flags) }, flags),
      )
    })
  })
}

async function measurePairs(cluster: LocalCluster, etcd: Etcd | null, flags: LatencyFlags): Promise<readonly Pair[]> {
  const pairs: Pair[] = []
  for (let pair = 0; pair < flags.pairs; pair += 1) {
    const own = said('warm', await measureRegisters(cluster, { inFlight: 1, seconds: flags.seconds }))
    const etcdPerSecond = etcd === null ? null : (await etcd.puts(1, flags.seconds)).perSecond
    if (etcdPerSecond !== null) say(`etcd: ${withCommas(etcdPerSecond)}/s`)
    pairs.push({ own, etcdPerSecond })
  }
  return pairs
}

function said(what: string, result: RegisterPoint): RegisterPoint {
  const { commandsPerSecond, p50Ms, p99Ms } = result
  say(`${what}: ${withCommas(commandsPerSecond)}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`)
  return result
}

function report(
  measured: { floor: Floor; cold: RegisterPoint; skipped: string | null; pairs: readonly Pair[] },
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
