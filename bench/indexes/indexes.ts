import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, table, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { agreement } from '../agreement.ts'
import { closedLoop } from '../closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from '../cpu.ts'
import { rounded, type Spread, spread, two } from '../peers/spread.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { type ApplyCosts, applyCosts } from './apply-cost.ts'
import { lookUps, type LookupCost } from './look-ups.ts'
import { type Filled, type OrderMachine, OrderSessions, type OrderWrite } from './order-lanes.ts'
import { ORDERS_PER_OWNER, writeOrdersModule } from './orders-module.ts'

export interface IndexesFlags {
  readonly json: boolean
  /** 0 leaves the cluster out: then only what one process does is measured. */
  readonly nodes: number
  /** Of each of the two machines. */
  readonly rows: number
  /** How often look-ups are measured, and so many times `seconds` each write on either machine. */
  readonly rounds: number
  /** Of a round; its warm-up is a quarter of it. Writes are measured in pieces of `PIECE_MS`, in turn. */
  readonly seconds: number
  /** Sessions with one write in flight each. */
  readonly inFlight: number
  /** Most look-ups under way at a time: the bound holds for these. */
  readonly lookupsInFlight: number
}

/** Longest look-up that is wanted, and the most that an index may add to the processor time of a write. */
const LOOKUP_P99_US_MAX = 5000
const WRITE_COST_RATIO_MAX = 1.1

/**
 * Length of one measurement of writes. A snapshot, which any of the nodes may begin at any time, falls into some pairs of so
 * short ones, and the median is one of the others.
 */
const PIECE_MS = 500

const WRITES: readonly OrderWrite[] = ['insert', 'touch', 'move']

/** One kind of write on both machines. */
interface WriteCost {
  /**
   * Of pairs one after the other: processor time of a write with the index over that without it, all processes; the same of
   * the time that a write takes.
   */
  readonly cpuRatio: Spread
  readonly timeRatio: Spread
  /** Of all pairs together, with whatever snapshots fell into them. */
  readonly cpuRatioInAll: number
  readonly plainCpuMicros: number
  readonly indexedCpuMicros: number
  readonly plainPerSecond: number
  readonly indexedPerSecond: number
}

/**
 * Look-ups by prefix in an index of many rows, by linearizable queries, and what the index costs the writes of its table: the
 * same commands on two machines that differ in the index alone, in turn. True when the bounds hold and nothing failed.
 */
export async function indexes(flags: IndexesFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const machines = join(directory, 'machines.mjs')
    writeOrdersModule(machines)
    const filled = { rows: flags.rows, owners: Math.max(1, Math.floor(flags.rows / ORDERS_PER_OWNER)) }
    const start = { nodes: flags.nodes, directory: join(directory, 'cluster'), machines, signal: ended }
    const served =
      flags.nodes === 0
        ? null
        : await whileStarted(await LocalCluster.start(start), ended, (cluster) => onCluster(cluster, filled, flags))
    // Behind the cluster, whose nodes have ended: the rows are in the memory of this process.
    return report(flags, served, await applyCosts(machines, filled, flags.rounds))
  })
}

/** What a cluster was measured at. */
interface Served {
  readonly lookups: readonly LookupCost[]
  readonly costs: Costs
}

async function onCluster(cluster: LocalCluster, filled: Filled, flags: IndexesFlags): Promise<Served> {
  const { rows, inFlight } = flags
  const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
  const sessions = await OrderSessions.open(hub, inFlight, filled)
  for (const machine of ['plain', 'indexed'] as const) {
    await sessions.fill(machine)
    say(`${withCommas(rows)} rows of ${machine}`)
  }
  await agreement(cluster.endpoints)
  const lookups = await lookUps(sessions, flags)
  const costs = await writeCosts(cluster, sessions, flags)
  await agreement(cluster.endpoints)
  await sessions.close()
  hub.close()
  return { lookups, costs }
}

interface Costs {
  readonly byWrite: ReadonlyMap<OrderWrite, WriteCost>
  readonly failures: number
}

/** One measurement of one machine. */
interface Measured {
  readonly cpuMicros: number
  readonly perSecond: number
}

async function writeCosts(cluster: LocalCluster, sessions: OrderSessions, flags: IndexesFlags): Promise<Costs> {
  const byWrite = new Map<OrderWrite, WriteCost>()
  let failures = 0
  const measure = async (machine: OrderMachine, write: OrderWrite, measureMs: number): Promise<Measured> => {
    const cpu = new CpuMeter(pidsOf(cluster))
    const times = { warmUpMs: measureMs / 4, measureMs }
    const loop = await closedLoop(sessions.writes(machine, write), times)
    failures += loop.failures
    return { cpuMicros: perCommand(cpu.microsSince(), loop.commands) ?? 0, perSecond: loop.commandsPerSecond }
  }
  for (const write of WRITES) {
    await measure('plain', write, flags.seconds * 1000)
    await measure('indexed', write, flags.seconds * 1000)
    const pairs: (readonly [plain: Measured, indexed: Measured])[] = []
    const count = Math.ceil((flags.rounds * flags.seconds * 1000) / PIECE_MS)
    for (let pair = 0; pair < count; pair += 1) {
      // Who comes first changes, because the second one finds a larger state and a fuller disk.
      const first = pair % 2 === 0 ? await measure('plain', write, PIECE_MS) : null
      const indexed = await measure('indexed', write, PIECE_MS)
      pairs.push([first ?? (await measure('plain', write, PIECE_MS)), indexed])
    }
    const cost = costOf(pairs)
    say(`${write}: ${cost.plainCpuMicros} µs without the index, ${cost.indexedCpuMicros} with it`)
    byWrite.set(write, cost)
  }
  return { byWrite, failures }
}

function costOf(pairs: readonly (readonly [plain: Measured, indexed: Measured])[]): WriteCost {
  const medianOf = (of: (pair: readonly [Measured, Measured]) => number): number => spread(pairs.map(of)).median
  const sumOf = (of: (pair: readonly [Measured, Measured]) => number): number =>
    pairs.map(of).reduce((sum, one) => sum + one, 0)
  return {
    cpuRatio: rounded(spread(pairs.map(([plain, indexed]) => indexed.cpuMicros / plain.cpuMicros))),
    timeRatio: rounded(spread(pairs.map(([plain, indexed]) => plain.perSecond / indexed.perSecond))),
    cpuRatioInAll: two(sumOf(([, indexed]) => indexed.cpuMicros) / sumOf(([plain]) => plain.cpuMicros)),
    plainCpuMicros: medianOf(([plain]) => plain.cpuMicros),
    indexedCpuMicros: medianOf(([, indexed]) => indexed.cpuMicros),
    plainPerSecond: medianOf(([plain]) => plain.perSecond),
    indexedPerSecond: medianOf(([, indexed]) => indexed.perSecond),
  }
}

function report(flags: IndexesFlags, served: Served | null, apply: ApplyCosts): boolean {
  const lookups = served?.lookups ?? null
  const byWrite = served?.costs.byWrite
  const ratio = byWrite?.get('insert')?.cpuRatio.median ?? null
  const lookupP99Us = lookups?.at(-1)?.index.p99Us.median ?? null
  const failures = (served?.costs.failures ?? 0) + (lookups ?? []).reduce((sum, lookup) => sum + lookup.failures, 0)
  const hold = (lookupP99Us ?? 0) <= LOOKUP_P99_US_MAX && (ratio ?? 0) <= WRITE_COST_RATIO_MAX && failures === 0
  if (!flags.json) {
    say(tableOf(byWrite, apply))
    say(`a look-up in one process: p50 ${apply.lookupP50Us} µs, p99 ${apply.lookupP99Us} µs`)
    return hold
  }
  printJson({
    rows: flags.rows,
    nodes: flags.nodes,
    lookupP99Us,
    lookups,
    rowsPerLookup: ORDERS_PER_OWNER,
    writeCostRatio: ratio,
    writes: byWrite === undefined ? null : Object.fromEntries(byWrite),
    writesInFlight: flags.inFlight,
    apply,
    rounds: flags.rounds,
    bounds: { lookupP99UsMax: LOOKUP_P99_US_MAX, writeCostRatioMax: WRITE_COST_RATIO_MAX },
    failures,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version },
  })
  return hold
}

/** Processor time of a write, µs: of all processes of the cluster, and of applying it in one. */
function tableOf(byWrite: Costs['byWrite'] | undefined, apply: ApplyCosts): string {
  const header = ['write', 'µs without', 'µs with', 'ratio', 'range', 'applied without', 'applied with', 'ratio']
  const rows = WRITES.map((write) => {
    const { plain, indexed, ratio } = apply.writes[write]
    const cost = byWrite?.get(write)
    const served =
      cost === undefined
        ? ['-', '-', '-', '-']
        : [
            String(cost.plainCpuMicros),
            String(cost.indexedCpuMicros),
            String(cost.cpuRatio.median),
            `${cost.cpuRatio.min}–${cost.cpuRatio.max}`,
          ]
    return [write, ...served, String(plain.median), String(indexed.median), String(ratio.median)]
  })
  return table([header, ...rows])
}
