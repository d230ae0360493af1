import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, table, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { agreement } from '../agreement.ts'
import { closedLoop } from '../closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from '../cpu.ts'
import { type Spread, spread } from '../peers/spread.ts'
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
  /** How often each write is measured on either machine, in turn. */
  readonly rounds: number
  /** Length of each measurement; its warm-up is a quarter of it. */
  readonly seconds: number
  /** Sessions with one write in flight each. */
  readonly inFlight: number
  /** Most look-ups under way at a time: the bound holds for these. */
  readonly lookupsInFlight: number
}

/** Longest look-up that is wanted, and the most that an index may add to the processor time of a write. */
const LOOKUP_P99_US_MAX = 5000
const WRITE_COST_RATIO_MAX = 1.1

const WRITES: readonly OrderWrite[] = ['insert', 'touch', 'move']

/** One kind of write on both machines. */
interface WriteCost {
  /** Processor time of a write with the index over that without it, all processes; the same of the time that a write takes. */
  readonly cpuRatio: Spread
  readonly timeRatio: Spread
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
  const measure = async (machine: OrderMachine, write: OrderWrite): Promise<Measured> => {
    const cpu = new CpuMeter(pidsOf(cluster))
    const times = { warmUpMs: flags.seconds * 250, measureMs: flags.seconds * 1000 }
    const loop = await closedLoop(sessions.writes(machine, write), times)
    failures += loop.failures
    return { cpuMicros: perCommand(cpu.microsSince(), loop.commands) ?? 0, perSecond: loop.commandsPerSecond }
  }
  for (const write of WRITES) {
    await measure('plain', write)
    await measure('indexed', write)
    const rounds: (readonly [plain: Measured, indexed: Measured])[] = []
    for (let round = 0; round < flags.rounds; round += 1) {
      // Who comes first changes, because the second one finds a larger state and a fuller disk.
      if (round % 2 === 0) rounds.push([await measure('plain', write), await measure('indexed', write)])
      else {
        const indexed = await measure('indexed', write)
        rounds.push([await measure('plain', write), indexed])
      }
    }
    const cost = costOf(rounds)
    say(`${write}: ${cost.plainCpuMicros} µs without the index, ${cost.indexedCpuMicros} with it`)
    byWrite.set(write, cost)
  }
  return { byWrite, failures }
}

function costOf(rounds: readonly (readonly [plain: Measured, indexed: Measured])[]): WriteCost {
  const medianOf = (of: (round: readonly [Measured, Measured]) => number): number => spread(rounds.map(of)).median
  return {
    cpuRatio: rounded(spread(rounds.map(([plain, indexed]) => indexed.cpuMicros / plain.cpuMicros))),
    timeRatio: rounded(spread(rounds.map(([plain, indexed]) => plain.perSecond / indexed.perSecond))),
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
  const header = ['write', 'µs without', 'µs with', 'ratio', 'range', 'applied without', 'applied with']
  const rows = WRITES.map((write) => {
    const { plain, indexed } = apply.writes[write]
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
    return [write, ...served, String(plain.median), String(indexed.median)]
  })
  return table([header, ...rows])
}

const rounded = ({ median, min, max }: Spread): Spread => ({ median: two(median), min: two(min), max: two(max) })
const two = (ratio: number): number => Math.round(ratio * 100) / 100
