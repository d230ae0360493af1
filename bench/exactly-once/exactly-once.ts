import { loadavg } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../src/base/random.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { eventually } from '../agreement.ts'
import { GatedCluster } from '../gated/gated-cluster.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { Faults } from './faults.ts'
import { JournalLane } from './journal-lane.ts'
import { writeJournalModule } from './journal-module.ts'
import { appliedOf, countOutcomes, judge } from './judgement.ts'

export interface ExactlyOnceFlags {
  readonly json: boolean
  readonly sessions: number
  /** How long faults go on. */
  readonly seconds: number
  /** Of the faults and of what the sessions do. */
  readonly seed: number
}

const SESSIONS_PER_CONNECTION = 50
/** Purposes of streams of random numbers. */
const [FAULTS, LANES] = [1, 2]

/**
 * Sessions on three processes while one node after the other is killed, stopped or cut off (faults.md §5); afterwards, what
 * each session was told is held against what the machine has. True when nothing is lost, double, invented or out of order, no
 * session ended, no process ended by itself and no promise was rejected unheard.
 */
export async function exactlyOnce(flags: ExactlyOnceFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const machines = join(directory, 'machines.mjs')
    writeJournalModule(machines)
    const cluster = await GatedCluster.start({ directory, machines })
    return whileStarted(cluster, ended, () => onCluster(cluster, flags))
  })
}

async function onCluster(cluster: GatedCluster, flags: ExactlyOnceFlags): Promise<boolean> {
  const { json, sessions, seconds, seed } = flags
  let unhandledRejections = 0
  const unhandled = (reason: unknown): void => {
    unhandledRejections += 1
    say(`unhandled rejection: ${String(reason)}`)
  }
  process.on('unhandledRejection', unhandled)
  const hubs = Array.from({ length: Math.ceil(sessions / SESSIONS_PER_CONNECTION) }, () => hubOf(cluster))
  const lanes = Array.from(
    { length: sessions },
    (_, at) => new JournalLane(hubs[at % hubs.length] as MultiSession, at, new Random(seed, LANES, at)), // at least one
  )
  await Promise.all(lanes.map((lane) => lane.start()))
  const faults = new Faults(cluster, new Random(seed, FAULTS))
  await faults.run(seconds * 1000, say)
  await Promise.all(lanes.map((lane) => lane.stop()))
  const judged = await judgedOn(cluster, lanes)
  for (const hub of hubs) hub.close()
  process.off('unhandledRejection', unhandled)
  const { examples, ...mistakes } = judged
  const lost = lanes.filter((lane) => lane.lost !== null)
  for (const line of [...examples, ...cluster.crashes, ...lost.map((lane) => `lane ${lane.lane}: ${lane.lost}`)])
    say(line)
  const requests = lanes.reduce((sum, { noted }) => sum + noted.length, 0)
  const wrong = { ...mistakes, sessionsLost: lost.length, unhandledRejections, crashes: cluster.crashes.length }
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
  const result = { ...wrong, ...countOutcomes(lanes), requests, ...faults.counts, sessions, seconds, seed, load }
  if (json) printJson(result)
  else
    say(
      Object.entries(result)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    )
  return Object.values(wrong).every((count) => count === 0)
}

/** Once every server request of what was applied has come, or will not come any more. */
async function judgedOn(cluster: GatedCluster, lanes: readonly JournalLane[]): Promise<ReturnType<typeof judge>> {
  const reader = hubOf(cluster)
  const all = await Promise.all(lanes.map(async (lane) => ({ lane, applied: await appliedOf(reader, lane.lane) })))
  reader.close()
  const complete = (): boolean =>
    all.every(({ lane, applied }) => lane.lost !== null || lane.noted.length >= applied.size)
  await eventually('every server request', async () => (complete() ? true : null)).catch((error) => say(String(error)))
  return judge(all)
}

function hubOf({ endpoints }: GatedCluster): MultiSession {
  return new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints })
}
