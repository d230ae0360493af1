import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, table, withCommas } from '../../src/cli/terminal/output.ts'
import { leaderOf } from '../agreement.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { machineFacts } from '../load/machine-facts.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { measureRegisters, type RegisterLoad, type RegisterPoint } from '../register-load.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { openAndLeave } from '../sessions/session-load.ts'
import { type Growth, writeCurves } from './curves.ts'

export interface GrowthFlags {
  readonly json: boolean
  readonly nodes: readonly number[]
  /** Bytes of a value. */
  readonly payload: readonly number[]
  /** Open sessions, rising. */
  readonly sessions: readonly number[]
  readonly runs: number
  /** Length of each measurement. */
  readonly seconds: number
  /** Directory for the curves; null for none. */
  readonly svg: string | null
}

const IN_FLIGHT = 1000
/** Of large values: a thousand of 64 KiB would be 64 MiB under way. */
const LARGE_IN_FLIGHT = 256
const NODES = 3
/** Most of what a command runs is compiled by then. */
const WARM_COMMANDS = 20_000
const WARM_UP_IN_FLIGHT = 256

interface GrowthPoint {
  readonly at: number
  readonly inFlight: number
  readonly perSecond: Spread
  readonly p99Ms: Spread
  readonly cpuMicrosPerCommand: Spread
  readonly failures: number
}

/** Register writes a second by nodes, by payload and by open sessions. True when no write failed. */
export async function growth(flags: GrowthFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const nodes: GrowthPoint[] = []
    for (const count of flags.nodes)
      nodes.push(
        await onCluster(join(directory, `${count}-nodes`), ended, { nodes: count, sessionsMax: IN_FLIGHT }, (cluster) =>
          measurePoint(cluster, flags, { what: 'nodes', at: count, load: { inFlight: IN_FLIGHT } }),
        ),
      )
    const payload = await byPayload(join(directory, 'payload'), ended, flags)
    const sessions = await bySessions(join(directory, 'sessions'), ended, flags)
    return report({ nodes, payload, sessions }, floor, flags)
  })
}

async function byPayload(directory: string, ended: AbortSignal, flags: GrowthFlags): Promise<GrowthPoint[]> {
  if (flags.payload.length === 0) return []
  return onCluster(directory, ended, { nodes: NODES, sessionsMax: IN_FLIGHT }, async (cluster) => {
    const points: GrowthPoint[] = []
    for (const valueBytes of flags.payload)
      points.push(
        await measurePoint(cluster, flags, {
          what: 'bytes of a value',
          at: valueBytes,
          load: { inFlight: LARGE_IN_FLIGHT, valueBytes },
        }),
      )
    return points
  })
}

/** So many are open, and as many of them as may be in flight at a time are those that write. */
async function bySessions(directory: string, ended: AbortSignal, flags: GrowthFlags): Promise<GrowthPoint[]> {
  const most = Math.max(0, ...flags.sessions)
  if (most === 0) return []
  return onCluster(directory, ended, { nodes: NODES, sessionsMax: most + IN_FLIGHT }, async (cluster) => {
    const points: GrowthPoint[] = []
    let idle = 0
    for (const at of flags.sessions) {
      const inFlight = Math.min(at, IN_FLIGHT)
      await openAndLeave(cluster, Math.max(0, at - inFlight - idle), idle)
      idle = Math.max(idle, at - inFlight)
      points.push(await measurePoint(cluster, flags, { what: 'sessions', at, load: { inFlight } }))
    }
    return points
  })
}

async function onCluster<Result>(
  directory: string,
  signal: AbortSignal,
  { nodes, sessionsMax }: { readonly nodes: number; readonly sessionsMax: number },
  work: (cluster: LocalCluster) => Promise<Result>,
): Promise<Result> {
  // Those of the warm-up, whose ends are on their way, count as well.
  const environment = { HOLDFAST_LIMITS: `sessionsMax=${sessionsMax + 2 * IN_FLIGHT}` }
  return whileStarted(await LocalCluster.start({ nodes, directory, environment, signal }), signal, async (cluster) => {
    await leaderOf(cluster)
    for (let commands = 0; commands < WARM_COMMANDS; )
      commands += (await measureRegisters(cluster, { inFlight: WARM_UP_IN_FLIGHT, seconds: 1, warmUp: 0 })).commands
    return work(cluster)
  })
}

async function measurePoint(
  cluster: LocalCluster,
  { runs, seconds }: GrowthFlags,
  { what, at, load }: { readonly what: string; readonly at: number; readonly load: Omit<RegisterLoad, 'seconds'> },
): Promise<GrowthPoint> {
  const points: RegisterPoint[] = []
  for (let run = 0; run < runs; run += 1) points.push(await measureRegisters(cluster, { ...load, seconds }))
  const perSecond = spread(points.map(({ commandsPerSecond }) => commandsPerSecond))
  say(`${withCommas(at)} ${what}: ${withCommas(perSecond.median)} writes/s`)
  return {
    at,
    inFlight: load.inFlight,
    perSecond,
    p99Ms: spread(points.map(({ p99Ms }) => p99Ms)),
    cpuMicrosPerCommand: spread(points.flatMap(({ cpuMicrosPerCommand: micros }) => (micros === null ? [] : [micros]))),
    failures: points.reduce((sum, point) => sum + point.failures, 0),
  }
}

interface Measured extends Growth {
  readonly nodes: GrowthPoint[]
  readonly payload: GrowthPoint[]
  readonly sessions: GrowthPoint[]
}

function report(measured: Measured, floor: Floor, { json, svg, runs, seconds }: GrowthFlags): boolean {
  const axes = Object.entries(measured) as [keyof Growth, GrowthPoint[]][]
  const failures = axes.flatMap(([, points]) => points).reduce((sum, point) => sum + point.failures, 0)
  const written = svg === null ? [] : writeCurves(measured, svg)
  if (json) printJson({ ...measured, runs, seconds, failures, ok: failures === 0, floor, machine: machineFacts() })
  else {
    const rows = axes.flatMap(([axis, points]) =>
      points.map(({ at, perSecond, p99Ms, cpuMicrosPerCommand }) => [
        `${withCommas(at)} ${axis === 'payload' ? 'bytes' : axis}`,
        withCommas(perSecond.median),
        `${withCommas(perSecond.min)} to ${withCommas(perSecond.max)}`,
        String(p99Ms.median),
        String(cpuMicrosPerCommand.median),
      ]),
    )
    say(table([['', 'writes/s', 'range', 'p99 ms', 'CPU µs/write'], ...rows]))
    for (const name of written) say(`${svg}/${name}`)
  }
  return failures === 0
}
