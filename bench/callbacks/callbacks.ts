import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { measureTransactions, prepareCallbacks, type TransactionPoint } from '../peers/callback-transaction.ts'
import { Postgres } from '../peers/postgres.ts'
import { Skipped } from '../peers/programs.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { spread } from '../peers/spread.ts'
import { measureCallbacks, type Point } from './measure-callbacks.ts'

export interface CallbacksFlags {
  readonly json: boolean
  /** How often each of the two is measured, one after the other. */
  readonly pairs: number
  /** Callbacks per measurement of ours. */
  readonly callbacks: number
  /** Length of a measurement of PostgreSQL, its warm-up not counted. */
  readonly seconds: number
}

/** What PostgreSQL is tried with at first; the best of it is measured beside us. */
const TRIED = [64, 256, 1_000].flatMap((connections) =>
  (['statements', 'pipelined'] as const).map((form) => ({ connections, form })),
)
const CONNECTIONS_SPARE = 20

/**
 * Payment callbacks per second on three nodes, beside the same as a transaction of PostgreSQL on one, in turn. Each pair has
 * its own cluster, so that no log is longer than another. True unless a callback was not applied, which rejects.
 */
export async function callbacks(flags: CallbacksFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const connections = Math.max(...TRIED.map((one) => one.connections)) + CONNECTIONS_SPARE
    let postgres: Postgres
    try {
      postgres = await Postgres.start(join(directory, 'postgres'), connections)
    } catch (error) {
      if (!(error instanceof Skipped)) throw error
      report({ ours: [await once(directory, ended, flags, 0)], theirs: { skipped: error.message }, floor }, flags.json)
      return true
    }
    return whileStarted(postgres, ended, async () => {
      const pairs = await measurePairs(postgres, directory, ended, flags)
      report({ ...pairs, floor }, flags.json)
      return true
    })
  })
}

interface Results {
  readonly ours: readonly Point[]
  readonly theirs:
    | { readonly version: string; readonly points: readonly TransactionPoint[] }
    | { readonly skipped: string }
  readonly floor: Floor
}

async function measurePairs(
  postgres: Postgres,
  directory: string,
  ended: AbortSignal,
  flags: CallbacksFlags,
): Promise<Omit<Results, 'floor'>> {
  const { pairs, seconds } = flags
  await prepareCallbacks(postgres)
  const tried: TransactionPoint[] = []
  for (const load of TRIED) tried.push(saidOf(await measureTransactions(postgres, { ...load, seconds, directory })))
  const best = tried.reduce((most, one) => (one.perSecond > most.perSecond ? one : most))
  const [ours, points]: [Point[], TransactionPoint[]] = [[], []]
  for (let pair = 1; pair <= pairs; pair += 1) {
    ours.push(await once(directory, ended, flags, pair))
    const { connections, form } = best
    points.push(saidOf(await measureTransactions(postgres, { connections, form, seconds, directory })))
  }
  return { ours, theirs: { version: postgres.version, points } }
}

async function once(directory: string, ended: AbortSignal, flags: CallbacksFlags, pair: number): Promise<Point> {
  const cluster = await LocalCluster.start({ nodes: 3, directory: join(directory, `cluster-${pair}`), signal: ended })
  return whileStarted(cluster, ended, async () => {
    const point = await measureCallbacks(cluster, flags.callbacks)
    say(`holdfast: ${withCommas(point.commandsPerSecond)}/s, p99 ${point.p99Ms} ms`)
    return point
  })
}

function saidOf(point: TransactionPoint): TransactionPoint {
  const { connections, form, perSecond, p99Ms } = point
  say(`postgres, ${form} on ${connections} connections: ${withCommas(perSecond)}/s, p99 ${p99Ms} ms`)
  return point
}

function report({ ours, theirs, floor }: Results, json: boolean): void {
  const holdfast = {
    perSecond: spread(ours.map((point) => point.commandsPerSecond)),
    p99Ms: spread(ours.map((point) => point.p99Ms)),
    inFlight: ours[0]?.inFlight,
    cpuMicrosPerCommand: spread(ours.map((point) => point.cpuMicrosPerCommand ?? Number.NaN)).median,
  }
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    load: loadavg()[0],
  }
  if ('skipped' in theirs) {
    if (json) printJson({ holdfast, postgres: theirs, floor, machine })
    else say(`no comparison: ${theirs.skipped}`)
    return
  }
  const { version, points } = theirs
  const ratios = points.map((point, at) => (ours[at]?.commandsPerSecond ?? 0) / point.perSecond)
  const { connections, form } = points[0] ?? {}
  const perSecond = spread(points.map((point) => point.perSecond))
  const p99Ms = spread(points.map((point) => point.p99Ms))
  const ratio = spread(ratios.map((one) => Math.round(one * 100) / 100))
  if (json) {
    printJson({
      holdfast,
      postgres: { version, connections, form, perSecond, p99Ms },
      ratio,
      pairs: points.length,
      floor,
      machine,
    })
    return
  }
  say(
    `${withCommas(holdfast.perSecond.median)}/s beside ${withCommas(perSecond.median)}/s of ${version}: ${ratio.median} times as many (${ratio.min} to ${ratio.max} in ${points.length} pairs)`,
  )
}
