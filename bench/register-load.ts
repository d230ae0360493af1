import type { LocalCluster } from '../src/cli/cluster/local-cluster.ts'
import { dialGrpc, nodeEnvironment } from '../src/client/index.ts'
import { MultiSession } from '../src/client/session/multi-session.ts'
import { closedLoop, type LoopResult } from './closed-loop.ts'
import { CpuMeter, perCommand, pidsOf } from './cpu.ts'
import { registerLanes } from './register-lanes.ts'

export interface RegisterPoint extends LoopResult {
  /** Processor time of all nodes and this process; null where the system does not tell. */
  readonly cpuMicrosPerCommand: number | null
}

/** How much is under way, and for how long. */
export interface RegisterLoad {
  readonly inFlight: number
  readonly seconds: number
  /** Seconds before those, which are not counted. Default: a quarter of them. */
  readonly warmUp?: number
  /** Default 128. */
  readonly valueBytes?: number
}

/** Register writes on a connection of their own, so many in flight. */
export async function measureRegisters(
  cluster: LocalCluster,
  { inFlight, seconds, warmUp = seconds / 4, valueBytes }: RegisterLoad,
): Promise<RegisterPoint> {
  const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: cluster.endpoints })
  const lanes = await registerLanes(hub, inFlight, valueBytes)
  const cpu = new CpuMeter(pidsOf(cluster))
  const loop = await closedLoop(lanes, { warmUpMs: warmUp * 1000, measureMs: seconds * 1000 })
  const cpuMicrosPerCommand = perCommand(cpu.microsSince(), loop.commands)
  await lanes.close()
  hub.close()
  return { ...loop, cpuMicrosPerCommand }
}
