import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { closedLoop, type Lanes, type LoopResult } from '../closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from '../cpu.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { Etcd, type EtcdReads } from '../peers/etcd.ts'
import { Skipped } from '../peers/programs.ts'
import { spread } from '../peers/spread.ts'
import { registerLanes } from '../register-lanes.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { queryLanes } from './query-lanes.ts'

export interface QueriesFlags {
  readonly json: boolean
  /** How often each is measured, one after the other. */
  readonly rounds: number
  /** Length of each measurement; its warm-up is a quarter of it. */
  readonly seconds: number
  readonly inFlight: number
  /** Directory for one CPU profile per node; null for none. */
  readonly cpuProf: string | null
}

/** As many as `h2load` opens to etcd. */
const CONNECTIONS = 4
/** What must hold: linearizable queries beside etcd's linearizable reads, and beside our own writes. */
const TIMES_ETCD_MIN = 3
const TIMES_WRITES_MIN = 1.5
/** The register that everybody reads: written by the first lane of the writes. */
const KEY = 'register-0'

interface Round {
  readonly queries: LoopResult & { readonly cpuMicros: number | null }
  readonly writes: LoopResult
  readonly etcd: EtcdReads | null
}

/**
 * Linearizable queries per second on three nodes, in turn with our own writes and with linearizable reads of three members of
 * etcd. False when a bound does not hold, or a call failed.
 */
export async function queries(flags: QueriesFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const profiled = flags.cpuProf
    const cluster = await LocalCluster.start({
      nodes: 3,
      directory: join(directory, 'cluster'),
      nodeArguments: (id) =>
        profiled === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profiled, '--cpu-prof-name', `${id}.cpuprofile`],
      signal: ended,
    })
    return whileStarted(cluster, ended, async () => {
      let etcd: Etcd
      try {
        etcd = await Etcd.start(directory)
      } catch (error) {
        if (!(error instanceof Skipped)) throw error
        return report(await measure(cluster, null, flags), floor, { flags, skipped: error.message })
      }
      return whileStarted(etcd, ended, async () =>
        report(await measure(cluster, etcd, flags), floor, { flags, skipped: null }),
      )
    })
  })
}

async function measure(cluster: LocalCluster, etcd: Etcd | null, flags: QueriesFlags): Promise<readonly Round[]> {
  const { rounds, inFlight, seconds } = flags
  // Until their code is compiled, nodes that have just started are several times slower.
  say('warming up')
  await writesOf(cluster, flags)
  await queriesOf(cluster, flags)
  const measured: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    const queried = await queriesOf(cluster, flags)
    const writes = await writesOf(cluster, flags)
    const theirs = etcd === null ? null : await etcd.reads(inFlight, seconds)
    measured.push({ queries: queried, writes, etcd: theirs })
    const beside = theirs === null ? '' : `, etcd ${withCommas(theirs.perSecond)}/s`
    say(`queries ${withCommas(queried.commandsPerSecond)}/s, writes ${withCommas(writes.commandsPerSecond)}/s${beside}`)
  }
  return measured
}

async function queriesOf(cluster: LocalCluster, flags: QueriesFlags): Promise<Round['queries']> {
  const hubs = Array.from({ length: CONNECTIONS }, () => hubOf(cluster))
  const cpu = new CpuMeter(pidsOf(cluster))
  const result = await loop(queryLanes(hubs, flags.inFlight, KEY), flags.seconds)
  const cpuMicros = perCommand(cpu.microsSince(), result.commands)
  for (const hub of hubs) hub.close()
  return { ...result, cpuMicros }
}

async function writesOf(cluster: LocalCluster, flags: QueriesFlags): Promise<LoopResult> {
  const hub = hubOf(cluster)
  const lanes = await registerLanes(hub, flags.inFlight)
  const result = await loop(lanes, flags.seconds)
  await lanes.close()
  hub.close()
  return result
}

function hubOf(cluster: LocalCluster): MultiSession {
  return new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
}

function loop(lanes: Lanes, seconds: number): Promise<LoopResult> {
  return closedLoop(lanes, { warmUpMs: seconds * 250, measureMs: seconds * 1000 })
}

function report(
  rounds: readonly Round[],
  floor: Floor,
  { flags, skipped }: { flags: QueriesFlags; skipped: string | null },
): boolean {
  const perSecond = spread(rounds.map(({ queries: one }) => one.commandsPerSecond))
  const p99Ms = spread(rounds.map(({ queries: one }) => one.p99Ms))
  const writesPerSecond = spread(rounds.map(({ writes }) => writes.commandsPerSecond))
  const ratioToWrites = spread(rounds.map((one) => ratio(one.queries.commandsPerSecond, one.writes.commandsPerSecond)))
  const theirs = rounds.flatMap(({ queries: one, etcd }) =>
    etcd === null ? [] : [{ perSecond: etcd.perSecond, ratio: ratio(one.commandsPerSecond, etcd.perSecond) }],
  )
  const etcd =
    skipped === null ? { perSecond: spread(theirs.map((one) => one.perSecond)), connections: CONNECTIONS } : { skipped }
  const ratioToEtcd = skipped === null ? spread(theirs.map((one) => one.ratio)) : null
  const failures = rounds.reduce(
    (sum, one) => sum + one.queries.failures + one.writes.failures + (one.etcd?.failures ?? 0),
    0,
  )
  const cpuMicrosPerQuery = spread(rounds.map(({ queries: one }) => one.cpuMicros ?? Number.NaN)).median
  const holds = ratioToWrites.median >= TIMES_WRITES_MIN && (ratioToEtcd?.median ?? TIMES_ETCD_MIN) >= TIMES_ETCD_MIN
  const { inFlight } = flags
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    load: loadavg()[0],
  }
  if (flags.json) {
    const bounds = { ratioToEtcdMin: TIMES_ETCD_MIN, ratioToWritesMin: TIMES_WRITES_MIN, hold: holds }
    const queried = { perSecond, p99Ms, cpuMicrosPerQuery, inFlight, connections: CONNECTIONS }
    printJson({ queries: queried, writesPerSecond, etcd, ratioToEtcd, ratioToWrites, bounds, failures, floor, machine })
  } else {
    const beside = ratioToEtcd === null ? `no comparison with etcd: ${skipped}` : `${ratioToEtcd.median} times etcd's`
    say(
      `${withCommas(perSecond.median)} linearizable queries/s, p99 ${p99Ms.median} ms, ${cpuMicrosPerQuery} µs of CPU each: ` +
        `${ratioToWrites.median} times our writes, ${beside}`,
    )
  }
  return holds && failures === 0
}

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 100) / 100
}
