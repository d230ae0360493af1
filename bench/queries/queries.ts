import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { say, withCommas } from '../../src/cli/terminal/output.ts'
import type { LoopResult } from '../closed-loop.ts'
import { eventually, leaderOf } from '../agreement.ts'
import { measureFloor } from '../floor.ts'
import { profiling } from '../load/profiling.ts'
import { Etcd, type EtcdReads } from '../peers/etcd.ts'
import { Skipped } from '../peers/programs.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { afterElections, type Electorate } from './after-elections.ts'
import { Elections } from './elections.ts'
import { reportQueries } from './queries-report.ts'
import { queriesOf, type QuerySpeed, type SpeedOptions, writesOf } from './query-speed.ts'

export interface QueriesFlags extends SpeedOptions {
  readonly json: boolean
  /** How often each is measured, one after the other; 0 leaves speed out. */
  readonly rounds: number
  /** Kills of the leader, of each cluster; 0 leaves them out. */
  readonly trials: number
  /** Directory for one CPU profile per node of the cluster without leases; null for none. */
  readonly cpuProf: string | null
}

/** What was measured in turn. */
export interface QueriesRound {
  readonly queries: QuerySpeed
  /** Of the cluster with leases. */
  readonly leased: QuerySpeed
  readonly writes: LoopResult
  readonly etcd: EtcdReads | null
}

/**
 * Linearizable queries per second on three nodes, and on three nodes with leases, in turn with our own writes and with
 * linearizable reads of three members of etcd; then what those get who ask while leaders of both clusters are killed. False
 * when a bound does not hold, or a call failed.
 */
export async function queries(flags: QueriesFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const { cpuProf } = flags
    const start = async (name: string, leases: boolean): Promise<Electorate> => {
      const elections = new Elections()
      const cluster = await LocalCluster.start({
        nodes: 3,
        directory: join(directory, name),
        nodeArguments: (id) => profiling(leases ? null : cpuProf, id),
        environment: { HOLDFAST_LEASES: String(leases) },
        onLine: elections.onLine,
        signal: ended,
      })
      return { cluster, elections }
    }
    const plain = await start('plain', false)
    return whileStarted(plain.cluster, ended, async () => {
      const leased = await start('leased', true)
      return whileStarted(leased.cluster, ended, async () => {
        await eventually('leases in force', async () => ((await leaderOf(leased.cluster)).leaseMs > 0 ? true : null))
        const clusters = { plain: plain.cluster, leased: leased.cluster }
        const speed = flags.rounds === 0 ? null : await besideEtcd(clusters, flags, { directory, ended })
        const elections = flags.trials === 0 ? null : await afterElections(plain, leased, flags.trials)
        return reportQueries({ speed, elections, floor, flags })
      })
    })
  })
}

interface Clusters {
  readonly plain: LocalCluster
  readonly leased: LocalCluster
}

/** Why etcd was left out; null: it was not. */
type Speed = { readonly rounds: readonly QueriesRound[]; readonly skipped: string | null }

async function besideEtcd(
  clusters: Clusters,
  flags: QueriesFlags,
  { directory, ended }: { readonly directory: string; readonly ended: AbortSignal },
): Promise<Speed> {
  let etcd: Etcd
  try {
    etcd = await Etcd.start(directory)
  } catch (error) {
    if (!(error instanceof Skipped)) throw error
    return { rounds: await measure(clusters, null, flags), skipped: error.message }
  }
  return whileStarted(etcd, ended, async () => ({ rounds: await measure(clusters, etcd, flags), skipped: null }))
}

async function measure(
  { plain, leased }: Clusters,
  etcd: Etcd | null,
  flags: QueriesFlags,
): Promise<readonly QueriesRound[]> {
  // Until their code is compiled, nodes that have just started are several times slower.
  say('warming up')
  for (const cluster of [plain, leased]) {
    await writesOf(cluster, flags)
    await queriesOf(cluster, flags)
  }
  const measured: QueriesRound[] = []
  for (let round = 0; round < flags.rounds; round += 1) {
    const one = {
      queries: await queriesOf(plain, flags),
      leased: await queriesOf(leased, flags),
      writes: await writesOf(plain, flags),
      etcd: etcd === null ? null : await etcd.reads(flags.inFlight, flags.seconds),
    }
    measured.push(one)
    const beside = one.etcd === null ? '' : `, etcd ${withCommas(one.etcd.perSecond)}/s`
    const [asked, byLease, written] = [one.queries, one.leased, one.writes].map((of) =>
      withCommas(of.commandsPerSecond),
    )
    say(`queries ${asked}/s, by leases ${byLease}/s, writes ${written}/s${beside}`)
  }
  return measured
}
