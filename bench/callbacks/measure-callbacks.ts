import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { connectBackend } from '../../src/cli/payments/client-backend.ts'
import { ReplayRun } from '../../src/cli/payments/replay-run.ts'
import { say, withCommas } from '../../src/cli/terminal/output.ts'
import { generateCallbacks } from '../../src/machines/payments/tools/generate-callbacks.ts'
import { planReplay, type ReplayPlan } from '../../src/machines/payments/tools/plan-replay.ts'
import { Counted } from '../counted.ts'
import { CpuMeter, pidsOf } from '../cpu.ts'

/** One load and what came of it. Latencies from sending to outcome, at the client. */
export interface Point {
  readonly workload: 'register' | 'payments'
  readonly inFlight: number
  readonly commandsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of all nodes and the client together; null where the system does not tell. */
  readonly cpuMicrosPerCommand: number | null
}

/** Callbacks in flight, each in a session of its own. */
export const SESSIONS_OF_CALLBACKS = 1000

/**
 * The first callback of each of many bookings, all of them under way beforehand, through 1,000 sessions. The first quarter
 * warms the nodes up and is not counted.
 */
export async function measureCallbacks(cluster: LocalCluster, callbacks: number): Promise<Point> {
  const backend = await connectBackend(cluster.endpoints)
  const counted = new Counted(Math.ceil(callbacks / 4), () => new CpuMeter(pidsOf(cluster)))
  const run = new ReplayRun({
    plan: firstCallbacks(callbacks),
    backend,
    run: 'bench',
    now: Date.now(),
    parallel: SESSIONS_OF_CALLBACKS,
    workers: SESSIONS_OF_CALLBACKS,
    answered: (milliseconds) => counted.answered(milliseconds),
  })
  say(`payments: setting ${withCommas(callbacks)} bookings up`)
  await run.prepare()
  const totals = await run.feed()
  const { commandsPerSecond, cpuMicrosPerCommand, latencies } = counted.result()
  await backend.close()
  if (totals.applied !== callbacks) throw new Error(`${totals.applied} of ${callbacks} callbacks were applied`)
  return {
    workload: 'payments',
    inFlight: SESSIONS_OF_CALLBACKS,
    commandsPerSecond,
    p50Ms: latencies.percentileMs(50),
    p99Ms: latencies.percentileMs(99),
    cpuMicrosPerCommand,
  }
}

/** The first callback of each of so many bookings. */
export function firstCallbacks(count: number): ReplayPlan {
  // A file has more lines than bookings: duplicates, retries and malformed lines are not measured here.
  const plan = planReplay(generateCallbacks({ count: count * 2, seed: 1 }), { run: 'bench', lanes: 64 })
  const bookings = plan.bookings.slice(0, count).map((booking) => ({ ...booking, steps: booking.steps.slice(0, 2) }))
  if (bookings.length < count) throw new Error(`the file has only ${bookings.length} bookings`)
  return { received: count, bookings, malformed: [] }
}
