import { runBoardSeed } from '../../sim/board/run-board-seed.ts'
import { runPaymentsSeed } from '../../sim/payments/run-payments-seed.ts'
import { runSeed, type SeedResult } from '../../sim/run-seed.ts'
import { runSchedulesSeed } from '../../sim/schedules/run-schedules-seed.ts'
import { runWaitsSeed } from '../../sim/waits/run-waits-seed.ts'

/**
 * What the simulated clients do: add to a counter that all share, pay through a provider that misbehaves, wait for what
 * others signal, subscribe to and look up what others write under operators' hands, have schedules run while clocks leap, or
 * send events to charts of XState.
 */
export const WORKLOADS = ['counter', 'payments', 'waits', 'board', 'schedules', 'charts'] as const
export type Workload = (typeof WORKLOADS)[number]

/** Runs one seed of a workload, and tells each line of its transcript where that is asked for. */
export type RunSeed = (seed: number, trace?: (line: string) => void) => SeedResult

/** What runs the seeds of a workload. Charts are loaded when they are asked for alone: there are sixteen of them. */
export async function seedRunner(workload: Workload): Promise<RunSeed> {
  if (workload !== 'charts') return HERE[workload]
  const { runChartsSeed } = await import('../../sim/charts/run-charts-seed.ts')
  return runChartsSeed
}

const HERE = {
  counter: runSeed,
  payments: runPaymentsSeed,
  waits: runWaitsSeed,
  board: runBoardSeed,
  schedules: runSchedulesSeed,
} as const
