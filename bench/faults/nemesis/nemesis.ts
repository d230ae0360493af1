import { CommandError } from '../../../src/cli/terminal/exit.ts'
import { loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { DivergenceError } from '../../agreement.ts'
import type { ProbeProcess } from '../../failover/probe-process.ts'
import type { Fault, Scene } from './fault.ts'

/** How long things last, ms. */
export interface Schedule {
  readonly healthyMs: number
  readonly holdMs: { readonly min: number; readonly max: number }
  readonly quietMs: { readonly min: number; readonly max: number }
  /** No fault begins later than this behind the first one. */
  readonly budgetMs: number
  /** A cluster that has not recovered by then is not waited for. */
  readonly recoveryMsMax: number
}

/** One fault as it happened; times are nanoseconds of the machine's monotonic clock. */
export interface Struck {
  readonly name: string
  readonly struckNs: bigint
  /** When what it did was undone. */
  readonly healedNs: bigint
  /** When what it had ended was started again; null: it does not tell. */
  readonly startedNs: bigint | null
  /** From the end until all nodes ran and agreed on one state; null: they did not. */
  readonly recoveredMs: number | null
  /** The longest time without an acknowledged write of the open loop, from the fault to the end of the quiet after it. */
  readonly gapMs: number | null
  /** What the fault said of itself, and what went wrong with it. */
  readonly said: readonly string[]
  /** Two nodes had two states of one index. */
  readonly diverged: boolean
  readonly load: number
}

/** A fault that is not over so long after it should be is given up. */
const OVERDUE_MS_MAX = 60_000
const GAP_LOOK_MS = 50

/**
 * Puts faults to a cluster, one after the other, with quiet between them; calls `struck` with each that is over, and `late`
 * with those that had no time left, or came behind one from which the cluster did not recover.
 */
export async function strikeAll(
  faults: readonly Fault[],
  options: {
    readonly schedule: Schedule
    readonly probe: ProbeProcess
    sceneOf(holdMs: number, heard: Pick<Scene, 'say' | 'starting'>): Scene
    struck(struck: Struck): void
    late(fault: Fault): void
  },
): Promise<void> {
  const { schedule, probe, sceneOf, struck, late } = options
  const calm = sceneOf(0, { say: () => undefined, starting: () => undefined })
  await calm.wait(schedule.healthyMs)
  const began = performance.now()
  let recovered = true
  for (const fault of faults) {
    if (!recovered || performance.now() - began > schedule.budgetMs) {
      late(fault)
      continue
    }
    const said: string[] = []
    let startedNs: bigint | null = null
    const scene = sceneOf(calm.random.between(schedule.holdMs.min, schedule.holdMs.max), {
      say: (line) => said.push(line),
      starting: () => (startedNs ??= process.hrtime.bigint()),
    })
    await probe.mark()
    const struckNs = process.hrtime.bigint()
    await bounded(fault.run(scene), scene.holdMs + OVERDUE_MS_MAX).catch((error: unknown) => {
      said.push(`the fault failed: ${wordsOf(error)}`)
    })
    await scene.world.heal()
    const healedNs = process.hrtime.bigint()
    const outcome = await recovery(scene, schedule.recoveryMsMax, said)
    recovered = outcome.recoveredMs !== null
    await scene.wait(scene.random.between(schedule.quietMs.min, schedule.quietMs.max))
    const load = Math.round((loadavg()[0] ?? 0) * 10) / 10
    const gapMs = await gapOf(probe, scene)
    struck({ name: fault.name, struckNs, healedNs, startedNs, gapMs, said, load, ...outcome })
  }
}

/** Until every node runs, and all agree on the state of one index behind what was committed then. */
async function recovery(
  scene: Scene,
  msMax: number,
  said: string[],
): Promise<Pick<Struck, 'recoveredMs' | 'diverged'>> {
  const from = performance.now()
  try {
    await bounded(scene.agreed(), msMax)
    return { recoveredMs: Math.round(performance.now() - from), diverged: false }
  } catch (error) {
    said.push(`not recovered: ${wordsOf(error)}`)
    return { recoveredMs: null, diverged: error instanceof DivergenceError }
  }
}

/** With what a node said before it ended. */
function wordsOf(error: unknown): string {
  if (error instanceof CommandError) return `${error.message}: ${error.cure}`
  return error instanceof Error ? error.message : String(error)
}

/** Rejects when it is not over by then; what is under way goes on, unheard. */
async function bounded(work: Promise<void>, msMax: number): Promise<void> {
  work.catch(() => undefined)
  const late = pause(msMax, 'late', { ref: false })
  if ((await Promise.race([work, late])) === 'late') throw new Error(`not within ${msMax / 1000} s`)
}

async function gapOf(probe: ProbeProcess, scene: Scene): Promise<number | null> {
  for (let looks = 0; looks < 100; looks += 1) {
    const gap = await probe.gap()
    if (gap !== null) return Math.round(gap)
    await scene.wait(GAP_LOOK_MS)
  }
  return null
}
