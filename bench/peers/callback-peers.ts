import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { say, withCommas } from '../../src/cli/terminal/output.ts'
import { measureTransactions, prepareCallbacks, type TransactionPoint } from './callback-transaction.ts'
import { Dbos } from './dbos.ts'
import { versionOf } from './packages.ts'
import { Postgres } from './postgres.ts'
import { Skipped } from './programs.ts'
import { Restate } from './restate.ts'

/** What a peer did of the payment callback. */
export interface PeerPoint {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** How it was asked. */
  readonly form: string
}

/** Who does the payment callback in our place. */
export interface CallbackPeer {
  readonly name: 'postgres' | 'restate' | 'dbos'
  readonly version: string
  /** Started anew for it, or left running since, whichever is kinder to it. */
  measure(): Promise<PeerPoint>
  stop(): Promise<void>
}

/** Where and how long a peer is measured. */
export interface PeerLoad {
  readonly directory: string
  readonly seconds: number
  readonly inFlight: number
}

/** What is missing of a peer that is not installed. */
export interface Absent {
  readonly name: CallbackPeer['name']
  readonly skipped: string
}

/** All that are installed, ready to be measured; those that are not. */
export async function callbackPeers(load: PeerLoad): Promise<{ present: CallbackPeer[]; absent: Absent[] }> {
  const starts = { postgres: postgresPeer, restate: restatePeer, dbos: dbosPeer }
  const present: CallbackPeer[] = []
  const absent: Absent[] = []
  for (const [name, start] of Object.entries(starts)) {
    try {
      present.push(await start(load))
    } catch (error) {
      if (!(error instanceof Skipped)) {
        await Promise.all(present.map((peer) => peer.stop()))
        throw error
      }
      absent.push({ name: name as CallbackPeer['name'], skipped: error.message })
    }
  }
  return { present, absent }
}

/** What PostgreSQL is tried with at first; the best of it is measured from then on. */
const TRIED = [64, 256, 1_000].flatMap((connections) =>
  (['statements', 'pipelined'] as const).map((form) => ({ connections, form })),
)
const CONNECTIONS_SPARE = 20

async function postgresPeer({ directory, seconds }: PeerLoad): Promise<CallbackPeer> {
  const most = Math.max(...TRIED.map((one) => one.connections)) + CONNECTIONS_SPARE
  const postgres = await Postgres.start(join(directory, 'postgres'), most)
  await prepareCallbacks(postgres)
  const measured = async (load: Pick<TransactionPoint, 'connections' | 'form'>): Promise<TransactionPoint> =>
    measureTransactions(postgres, { ...load, seconds, directory })
  const tried: TransactionPoint[] = []
  for (const load of TRIED) {
    const point = await measured(load)
    say(`postgres, ${formOf(point)}: ${withCommas(point.perSecond)}/s, p99 ${point.p99Ms} ms`)
    tried.push(point)
  }
  const best = tried.reduce((one, other) => (other.perSecond > one.perSecond ? other : one))
  return {
    name: 'postgres',
    version: postgres.version,
    measure: async () => {
      const point = await measured(best)
      return { ...pointOf(point), form: formOf(point) }
    },
    stop: () => postgres.stop(),
  }
}

function formOf({ form, connections }: Pick<TransactionPoint, 'connections' | 'form'>): string {
  return `${form} on ${connections} connections`
}

/** A thousand calls of theirs take seconds: a shorter measurement would count a wave of answers or none. */
const SECONDS_MIN = 10

/** A new server for each measurement, which is stopped behind it: it works on without being asked. */
async function restatePeer({ directory, seconds, inFlight }: PeerLoad): Promise<CallbackPeer> {
  let measurements = 0
  const measure = async (): Promise<PeerPoint> => {
    measurements += 1
    const folder = join(directory, `restate-${measurements}`)
    mkdirSync(folder)
    const restate = await Restate.start(folder)
    try {
      return {
        ...counted(await restate.callbacks(inFlight, Math.max(seconds, SECONDS_MIN))),
        form: `${inFlight} in flight`,
      }
    } finally {
      await restate.stop()
    }
  }
  Restate.find()
  return { name: 'restate', version: versionOf('restate'), measure, stop: async () => undefined }
}

/** Of both its pools together. More gain it nothing on two processors. */
const DBOS_CONNECTIONS = 64

async function dbosPeer({ directory, seconds, inFlight }: PeerLoad): Promise<CallbackPeer> {
  let measurements = 0
  const measure = async (): Promise<PeerPoint> => {
    measurements += 1
    const folder = join(directory, `dbos-${measurements}`)
    const postgres = await Postgres.start(folder, DBOS_CONNECTIONS + CONNECTIONS_SPARE)
    try {
      await prepareCallbacks(postgres)
      const dbos = await Dbos.start(postgres, DBOS_CONNECTIONS)
      try {
        return {
          ...counted(await dbos.callbacks(inFlight, Math.max(seconds, SECONDS_MIN))),
          form: `${inFlight} in flight`,
        }
      } finally {
        await dbos.stop()
      }
    } finally {
      await postgres.stop()
    }
  }
  Dbos.find()
  Postgres.find()
  return { name: 'dbos', version: versionOf('dbos'), measure, stop: async () => undefined }
}

function counted(loop: {
  commandsPerSecond: number
  p50Ms: number
  p99Ms: number
  failures: number
}): Omit<PeerPoint, 'form'> {
  if (loop.failures > 0) throw new Error(`${loop.failures} calls of a peer failed`)
  return pointOf({ ...loop, perSecond: loop.commandsPerSecond })
}

function pointOf({ perSecond, p50Ms, p99Ms }: Omit<PeerPoint, 'form'>): Omit<PeerPoint, 'form'> {
  return { perSecond, p50Ms, p99Ms }
}
