import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { Postgres } from '../peers/postgres.ts'
import { Skipped } from '../peers/programs.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { costPerEvent, type EventCost } from './cost-per-event.ts'
import { timersUnderKill, type TimersResult } from './timers-under-kill.ts'
import {
  bestPool,
  type ChartPool,
  CONNECTIONS_MAX,
  LeaseCluster,
  measurePersisted,
  type TransitionPoint,
} from './transitions.ts'

export interface XStateFlags {
  readonly json: boolean
  /** Instances with a timer each; 0 leaves them out. */
  readonly instances: number
  /** How often the two are measured, one after the other; 0 leaves transitions out. */
  readonly pairs: number
  /** Length of a measurement, its warm-up not counted. */
  readonly seconds: number
  readonly inFlight: readonly number[]
  /** One CPU profile per node; slows the nodes down. */
  readonly cpuProf: string | null
}

const SESSIONS = 1_000
/** The last of them must have fired within so much of the log's time. */
const LOGICAL_MS_MAX = 10_000

/**
 * One chart of XState on three processes: what an instance takes of memory, timers that all fall due while the leader is
 * killed, and events per second beside a Node program that persists snapshots to PostgreSQL, in turn. True when every timer
 * fired once, in time.
 */
export async function xstate(flags: XStateFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const cost = costPerEvent()
    say(`in one process: ${JSON.stringify(cost)}`)
    const transitions = flags.pairs === 0 ? null : await measureTransitions(directory, ended, flags)
    const timers =
      flags.instances === 0
        ? null
        : await timersUnderKill({
            instances: flags.instances,
            sessions: SESSIONS,
            directory: join(directory, 'timers'),
            ended,
          })
    report({ timers, transitions, cost, floor }, flags.json)
    return timers === null || allInTime(timers)
  })
}

export function allInTime({ instances, fired, lost, doubled, logicalMs }: TimersResult): boolean {
  return fired === instances && lost === 0 && doubled === 0 && logicalMs <= LOGICAL_MS_MAX
}

/** The points of each number in flight, pair by pair. */
interface Transitions {
  readonly ours: readonly TransitionPoint[]
  readonly theirs: readonly TransitionPoint[]
  readonly pool: ChartPool | null
  readonly version: string
  /** Why there is nothing beside ours; ''. */
  readonly skipped: string
}

async function measureTransitions(directory: string, ended: AbortSignal, flags: XStateFlags): Promise<Transitions> {
  let server: Postgres
  try {
    server = await Postgres.start(join(directory, 'postgres'), CONNECTIONS_MAX)
  } catch (error) {
    if (!(error instanceof Skipped)) throw error
    say(`no comparison: ${error.message}`)
    const ours = await measurePairs({ directory, ended, server: null, pool: null }, flags)
    return { ...ours, pool: null, version: '', skipped: error.message }
  }
  return whileStarted(server, ended, async () => {
    const pool = await bestPool(server, { inFlight: Math.max(...flags.inFlight), seconds: flags.seconds })
    const points = await measurePairs({ directory, ended, server, pool }, flags)
    return { ...points, pool, version: server.version, skipped: '' }
  })
}

async function measurePairs(
  on: {
    readonly directory: string
    readonly ended: AbortSignal
    readonly server: Postgres | null
    readonly pool: ChartPool | null
  },
  { pairs, seconds, inFlight, cpuProf }: XStateFlags,
): Promise<Pick<Transitions, 'ours' | 'theirs'>> {
  const [ours, theirs]: [TransitionPoint[], TransitionPoint[]] = [[], []]
  const { server, pool, ended } = on
  for (let pair = 1; pair <= pairs; pair += 1) {
    // A cluster of its own, so that no log is longer than another.
    const of = { directory: join(on.directory, `cluster-${pair}`), sessions: Math.max(...inFlight), ended, cpuProf }
    await LeaseCluster.run(of, async (leases) => {
      for (const count of inFlight) {
        ours.push(await leases.measure(count, seconds))
        if (server !== null && pool !== null)
          theirs.push(await measurePersisted(server, pool, { inFlight: count, seconds }))
      }
    })
  }
  return { ours, theirs }
}

interface Results {
  readonly timers: TimersResult | null
  readonly transitions: Transitions | null
  readonly cost: EventCost
  readonly floor: Floor
}

/** One number in flight: medians and ranges over the pairs. */
interface Compared {
  readonly inFlight: number
  readonly perSecond: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly cpuMicros: number
  readonly postgres: { readonly perSecond: Spread; readonly p50Ms: Spread; readonly p99Ms: Spread } | null
  readonly ratio: Spread | null
}

function report({ timers, transitions, cost, floor }: Results, json: boolean): void {
  const compared = transitions === null ? [] : comparedBy(transitions)
  const most = compared.at(-1)
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version, load: loadavg() }
  const result = {
    ...timers,
    transitionsPerSecond: most?.perSecond.median ?? null,
    ratioToPostgres: most?.ratio?.median ?? null,
    transitions: compared,
    postgres: transitions === null ? null : postgresOf(transitions),
    cost: { ...cost, ...consensusOf(cost, most) },
    floor,
    machine,
  }
  if (json) {
    printJson(result)
    return
  }
  if (timers !== null) {
    const { instances, fired, lost, doubled, bytesPerInstance, logicalMs, seenMs } = timers
    say(
      `${withCommas(instances)} instances of ${bytesPerInstance} bytes, fired ${fired}, lost ${lost}, doubled ${doubled}`,
    )
    say(`the last within ${logicalMs} ms of the log's time, seen after ${seenMs} ms`)
  }
  for (const { inFlight, perSecond, postgres, ratio } of compared) {
    const beside = postgres === null ? '' : ` beside ${withCommas(postgres.perSecond.median)}/s: ${ratio?.median} times`
    say(`${inFlight} in flight: ${withCommas(perSecond.median)}/s${beside}`)
  }
  say(`per event, µs of processor time: ${JSON.stringify(result.cost)}`)
}

const postgresOf = ({ version, pool, skipped }: Transitions): object =>
  pool === null ? { skipped } : { version, ...pool }

function comparedBy({ ours, theirs }: Transitions): Compared[] {
  const counts = [...new Set(ours.map(({ inFlight }) => inFlight))]
  return counts.map((inFlight) => {
    const [own, other] = [ours, theirs].map((points) => points.filter((point) => point.inFlight === inFlight))
    const [mine, beside] = [own ?? [], other ?? []]
    const ratios = beside.map(({ perSecond }, at) => (mine[at]?.perSecond ?? 0) / perSecond)
    return {
      inFlight,
      ...speeds(mine),
      cpuMicros: spread(mine.map(({ cpuMicros }) => cpuMicros ?? Number.NaN)).median,
      postgres: beside.length === 0 ? null : speeds(beside),
      ratio: beside.length === 0 ? null : spread(ratios.map((ratio) => Math.round(ratio * 100) / 100)),
    }
  })
}

const speeds = (points: readonly TransitionPoint[]): Pick<Compared, 'perSecond' | 'p50Ms' | 'p99Ms'> => ({
  perSecond: spread(points.map(({ perSecond }) => perSecond)),
  p50Ms: spread(points.map(({ p50Ms }) => p50Ms)),
  p99Ms: spread(points.map(({ p99Ms }) => p99Ms)),
})

/** What is left of the whole when three replicas have applied it: log, network, gateway and client. */
function consensusOf(
  { applyMicros }: EventCost,
  most: Compared | undefined,
): { totalMicros?: number; consensusMicros?: number } {
  if (most === undefined || Number.isNaN(most.cpuMicros)) return {}
  const consensusMicros = Math.round((most.cpuMicros - 3 * applyMicros) * 10) / 10
  return { totalMicros: most.cpuMicros, consensusMicros }
}
