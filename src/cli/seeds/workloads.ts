import { runPaymentsSeed } from '../../sim/payments/run-payments-seed.ts'
import { runSeed, type SeedResult } from '../../sim/run-seed.ts'
import { usageError } from '../terminal/exit.ts'

/**
 * What the simulated clients do: add to a counter that all share, pay through a provider that misbehaves, or send events to
 * charts of XState.
 */
export type Workload = 'counter' | 'payments' | 'charts'

/** Runs one seed of a workload, and tells each line of its transcript where that is asked for. */
export type RunSeed = (seed: number, trace?: (line: string) => void) => SeedResult

/** What runs the seeds of a workload. Refuses charts where XState, which the package does not bring along, is not installed. */
export async function seedRunner(workload: Workload): Promise<RunSeed> {
  if (workload !== 'charts') return { counter: runSeed, payments: runPaymentsSeed }[workload]
  try {
    const { runChartsSeed } = await import('../../sim/charts/run-charts-seed.ts')
    return runChartsSeed
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    if (!missing) throw error
    throw usageError('the workload charts needs the package xstate', 'Install it: npm install xstate@5.33.3')
  }
}
