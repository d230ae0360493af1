import { runPaymentsSeed } from '../../sim/payments/run-payments-seed.ts'
import { runSeed, type SeedResult } from '../../sim/run-seed.ts'

/** What the simulated clients do: add to a counter that all share, or pay through a provider that misbehaves. */
export type Workload = 'counter' | 'payments'

/** Runs one seed of a workload, and tells each line of its transcript where that is asked for. */
export const RUN_SEED: { readonly [name in Workload]: (seed: number, trace?: (line: string) => void) => SeedResult } = {
  counter: runSeed,
  payments: runPaymentsSeed,
}
