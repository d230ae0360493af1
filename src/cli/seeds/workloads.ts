import { extname } from 'node:path'
import { runBoardSeed } from '../../sim/board/run-board-seed.ts'
import { runCoreSeed } from '../../sim/core/run-core-seed.ts'
import { runPaymentsSeed } from '../../sim/payments/run-payments-seed.ts'
import { runSeed, type SeedResult } from '../../sim/run-seed.ts'
import { runSchedulesSeed } from '../../sim/schedules/run-schedules-seed.ts'
import { runWaitsSeed } from '../../sim/waits/run-waits-seed.ts'
import { type Workload as Described, runWorkloadSeed, type SeedListener } from '../../testing/index.ts'
import type { TypedMachines } from '../../testing/machines.ts'
import { loadMachines } from '../machines/load-machines.ts'
import { historiesWorkload } from './histories-workload.ts'
import { loadWorkload } from './load-workload.ts'

/**
 * What the simulated clients do: add to a counter that all share, pay through a provider that misbehaves, wait for what
 * others signal, subscribe to and look up what others write under operators' hands, have schedules run while clocks leap, use
 * registers and lists as Jepsen has them used, or send events to charts of XState.
 */
export const WORKLOADS = ['counter', 'payments', 'waits', 'board', 'schedules', 'histories', 'charts'] as const

/** One of WORKLOADS, `core` (the consensus core alone), or the path of a module that exports a workload of the user's. */
export type Workload = string

/** Where seeds come from. */
export interface SeedSource {
  readonly workload: Workload
  /** Path of a module whose machines the nodes run in place of the workload's; absent: those. */
  readonly machines?: string | undefined
}

/** Runs one seed of a workload, and tells whoever listens more of it. */
export type RunSeed = (seed: number, listener?: SeedListener) => SeedResult | Promise<SeedResult>

/** Whether a workload is a module, which may be mistaken for a name that there is not. */
export function isModule(workload: Workload): boolean {
  return extname(workload) !== ''
}

/**
 * What runs the seeds of a workload. Charts are loaded when they are asked for alone: there are sixteen of them. Rejects with
 * CommandError where a module cannot be used.
 */
export async function seedRunner({ workload, machines }: SeedSource): Promise<RunSeed> {
  const described = await describedWorkload(workload)
  if (described !== null) {
    // What is mounted needs no types: clients have those of the workload's own machines.
    const mounted = machines === undefined ? undefined : ((await loadMachines(machines)) as unknown as TypedMachines)
    return (seed, listener) => runWorkloadSeed(described, seed, { ...listener, machines: mounted })
  }
  if (workload === 'counter') return (seed, listener) => runSeed(seed, listener?.trace, listener?.faults)
  const run = workload === 'charts' ? await chartsRunner() : BUILT_IN[workload as keyof typeof BUILT_IN]
  return (seed, listener) => run(seed, listener?.trace)
}

/** What a workload says of itself: the user's own, and those of ours that are made alike; null of the others. */
export async function describedWorkload(workload: Workload): Promise<Described | null> {
  if (isModule(workload)) return loadWorkload(workload)
  return workload === 'histories' ? historiesWorkload : null
}

async function chartsRunner(): Promise<(seed: number, trace?: (line: string) => void) => SeedResult> {
  const { runChartsSeed } = await import('../../sim/charts/run-charts-seed.ts')
  return runChartsSeed
}

/** Of these the faults cannot be told which of them happen. */
const BUILT_IN = {
  payments: runPaymentsSeed,
  waits: runWaitsSeed,
  board: runBoardSeed,
  schedules: runSchedulesSeed,
  core: runCoreSeed,
} as const
