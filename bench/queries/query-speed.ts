import { setTimeout as pause } from 'node:timers/promises'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { leaderOf } from '../agreement.ts'
import { closedLoop, type LoopResult } from '../closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from '../cpu.ts'
import { registerLanes } from '../register-lanes.ts'
import { queryLanes } from './query-lanes.ts'

/** How one measurement of speed is made. */
export interface SpeedOptions {
  /** Its length; the warm-up is a quarter of it. */
  readonly seconds: number
  readonly inFlight: number
}

/** Linearizable queries of one measurement. */
export interface QuerySpeed extends LoopResult {
  /** Processor time of a query, over all processes; null where the system does not tell. */
  readonly cpuMicros: number | null
  /** Rounds of reads that the leader asked the others for after the warm-up; null: another one led. */
  readonly readRounds: number | null
}

/** As many as `h2load` opens to etcd. */
export const CONNECTIONS = 4
/** The register that everybody reads: written by the first lane of the writes. */
const KEY = 'register-0'

/** Linearizable queries of one register, from clients that are connected to the leader. */
export async function queriesOf(cluster: LocalCluster, options: SpeedOptions): Promise<QuerySpeed> {
  const hubs = Array.from({ length: CONNECTIONS }, () => hubOf(cluster))
  const cpu = new CpuMeter(pidsOf(cluster))
  const times = timesOf(options)
  const warm = pause(times.warmUpMs).then(() => leaderOf(cluster))
  const result = await closedLoop(queryLanes(hubs, options.inFlight, KEY), times)
  const [before, after] = [await warm, await leaderOf(cluster)]
  const cpuMicros = perCommand(cpu.microsSince(), result.commands)
  for (const hub of hubs) hub.close()
  return { ...result, cpuMicros, readRounds: before.term === after.term ? after.readRounds - before.readRounds : null }
}

/** Writes of a register each, by as many sessions over one connection. */
export async function writesOf(cluster: LocalCluster, options: SpeedOptions): Promise<LoopResult> {
  const hub = hubOf(cluster)
  const lanes = await registerLanes(hub, options.inFlight)
  const result = await closedLoop(lanes, timesOf(options))
  await lanes.close()
  hub.close()
  return result
}

function hubOf(cluster: LocalCluster): MultiSession {
  return new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
}

function timesOf({ seconds }: SpeedOptions): { readonly warmUpMs: number; readonly measureMs: number } {
  return { warmUpMs: seconds * 250, measureMs: seconds * 1000 }
}
