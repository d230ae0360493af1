import { loadavg } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { RaceLanes } from './race-lanes.ts'
import { writeRaceModule } from './race-module.ts'

export interface WaitsFlags {
  readonly json: boolean
  readonly races: number
  /** Races under way at a time, each of two sessions. */
  readonly inFlight: number
}

/** Races before those that are counted: until their code is compiled, nodes are several times slower. */
const WARM_UP_RACES = 2000
/** Without the end of any race for so long, those that are left have missed theirs. */
const MISSED_AFTER_MS = 20_000
/** Longest wait for a signal's value that is wanted, at the 99th percentile, while all is well. */
const WAKE_P99_MS_MAX = 20

/**
 * Races of a wait against its signal, both sent at one moment by two sessions, on three processes: each wait is told of its end
 * once. True when none was missed or told twice, and the wake-ups were fast.
 */
export async function waits(flags: WaitsFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const path = join(directory, 'machines.mjs')
    writeRaceModule(path)
    const start = { nodes: 3, directory: join(directory, 'cluster'), machines: path, signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, (cluster) => onCluster(cluster, floor, flags))
  })
}

async function onCluster(cluster: LocalCluster, floor: Floor, { json, races, inFlight }: WaitsFlags): Promise<boolean> {
  const connection = (): MultiSession =>
    new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
  const hubs = { waits: connection(), signals: connection() }
  say('warming up')
  const warm = await RaceLanes.open(hubs, inFlight)
  await runRaces(warm, { first: races, count: WARM_UP_RACES })
  await warm.close()
  say(`${withCommas(races)} races`)
  const lanes = await RaceLanes.open(hubs, inFlight)
  const startedAt = performance.now()
  const missed = await runRaces(lanes, { first: 0, count: races })
  const seconds = (performance.now() - startedAt) / 1000
  await lanes.close()
  hubs.waits.close()
  hubs.signals.close()
  const { counts, wakeUps } = lanes
  const result = {
    races,
    missed,
    doubled: counts.doubled,
    failures: counts.failures,
    signalFirst: counts.signalFirst,
    wakeP50Ms: wakeUps.percentileMs(50),
    wakeP99Ms: wakeUps.percentileMs(99),
    wakeMaxMs: wakeUps.percentileMs(100),
    racesPerSecond: Math.round(races / seconds),
    inFlight,
  }
  if (json) printJson({ ...result, floor, load: Math.round((loadavg()[0] ?? 0) * 10) / 10 })
  else
    say(
      Object.entries(result)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    )
  return missed + counts.doubled + counts.failures === 0 && result.wakeP99Ms <= WAKE_P99_MS_MAX
}

/** Runs so many races, one after the other in each lane; how many of them never came to their end. */
function runRaces(
  lanes: RaceLanes,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<number> {
  return new Promise((resolve) => {
    let begun = 0
    let over = 0
    let lastAt = performance.now()
    const watch = setInterval(() => {
      if (performance.now() - lastAt > MISSED_AFTER_MS) finish()
    }, 1000)
    const finish = (): void => {
      clearInterval(watch)
      resolve(count - over)
    }
    const next = (lane: number): void => {
      if (begun === count) return
      begun += 1
      lanes.run(lane, first + begun, () => {
        over += 1
        lastAt = performance.now()
        if (over === count) finish()
        else next(lane)
      })
    }
    for (let lane = 0; lane < lanes.count; lane += 1) next(lane)
  })
}
