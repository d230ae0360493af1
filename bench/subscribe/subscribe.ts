import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { eventually } from '../agreement.ts'
import { measureFloor } from '../floor.ts'
import { Latencies } from '../latencies.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { Subscriber } from './subscriber.ts'
import { WriteStream } from './write-stream.ts'

export interface SubscribeFlags {
  readonly json: boolean
  /** Writes a second. */
  readonly rate: number
  readonly seconds: number
  readonly subscribers: number
}

const SESSIONS = 16
const CONNECTIONS = 2
/** Of the rate that was asked for: what must be written, or the figures are of another load. */
const RATE_SHARE_MIN = 0.95

interface Measured {
  /** Changes of all subscribers that were the very next value, and those that were `compacted`. */
  readonly values: number
  readonly compacted: number
  /** Writes whose value a subscriber was neither told nor told to be left out. */
  readonly missed: number
  readonly writesPerSecond: number
  /** From the sending of a write to the change that tells of it. */
  readonly latencyP50Ms: number
  readonly latencyP99Ms: number
  readonly failures: number
}

/**
 * A register on three processes that is written so many times a second by an open loop, and sessions that subscribe to it. True
 * when every subscriber heard every value, or that some were left out, and the load was what was asked for.
 */
export async function subscribe(flags: SubscribeFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const start = { nodes: 3, directory: join(directory, 'cluster'), signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, async (cluster) => {
      const measured = await onCluster(cluster, flags)
      const { values, compacted, missed, writesPerSecond, latencyP99Ms, failures } = measured
      const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
      const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
      if (flags.json) printJson({ ...measured, subscribers: flags.subscribers, floor, machine: { ...machine, load } })
      else
        say(
          `${withCommas(writesPerSecond)} writes/s of one register, ${flags.subscribers} subscribers: ${withCommas(values)} values, ` +
            `${compacted} compacted, ${missed} missed, p99 ${latencyP99Ms} ms`,
        )
      return missed === 0 && failures === 0 && writesPerSecond >= flags.rate * RATE_SHARE_MIN
    })
  })
}

async function onCluster(cluster: LocalCluster, flags: SubscribeFlags): Promise<Measured> {
  const connection = (): MultiSession =>
    new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
  const writing = Array.from({ length: CONNECTIONS }, connection)
  const reading = Array.from({ length: flags.subscribers }, connection)
  const latencies = new Latencies()
  const stream = await WriteStream.open(writing, { sessions: SESSIONS, perSecond: flags.rate })
  const subscribers = await Promise.all(reading.map((hub) => Subscriber.open(hub, stream, latencies)))
  const since = performance.now()
  await stream.run(flags.seconds * 1000)
  const elapsed = (performance.now() - since) / 1000
  const newest = [...stream.indexes].reduce((best, each) => (each[1] > best[1] ? each : best), [0, 0])[0]
  await eventually('the newest value at every subscriber', async () =>
    subscribers.every(({ last }) => last === newest) ? true : null,
  )
  const kinds = subscribers.flatMap(({ heard }) => heard.map(({ kind }) => kind))
  const missed = subscribers.reduce((sum, subscriber) => sum + subscriber.missed(stream).length, 0)
  for (const hub of [...writing, ...reading]) hub.close()
  return {
    values: kinds.filter((kind) => kind === 'value').length,
    compacted: kinds.filter((kind) => kind === 'compacted').length,
    missed,
    writesPerSecond: Math.round(stream.indexes.size / elapsed),
    latencyP50Ms: latencies.percentileMs(50),
    latencyP99Ms: latencies.percentileMs(99),
    failures: stream.failures,
  }
}
