import { setTimeout as pause } from 'node:timers/promises'
import { connectBackend } from '../../../src/cli/payments/client-backend.ts'
import { ReplayRun } from '../../../src/cli/payments/replay-run.ts'
import type { ReplayTotals } from '../../../src/cli/payments/replay-totals.ts'
import type { ClientEnvironment } from '../../../src/client/index.ts'
import { generateCallbacks } from '../../../src/machines/payments/tools/generate-callbacks.ts'
import { planReplay } from '../../../src/machines/payments/tools/plan-replay.ts'

/** Callbacks of a round: a few dozen bookings, of the lines one in seven a copy and one in ten too early. */
const CALLBACKS = 60
/** Bookings at work at once, and sessions of workers. */
const [PARALLEL, WORKERS] = [8, 2]
const THINK_MS = 200

/** What came of the payments of a run. */
export interface Payments {
  /** What the callbacks of each round were answered with, of which nothing depends on time or faults. */
  readonly rounds: readonly ReplayTotals[]
  /** The machine's own sums of all money at the end. */
  readonly totals: unknown
}

/** Against whom, and by which seed. */
export interface PaymentRoundsOptions {
  readonly endpoints: readonly string[]
  readonly environment: ClientEnvironment
  readonly seed: number
}

/** One round after the other of bookings, pushes and callbacks, as the provider sends them: doubled, late, out of order. */
export class PaymentRounds {
  private readonly options: PaymentRoundsOptions
  private readonly rounds: ReplayTotals[] = []
  private readonly loop: Promise<void>
  private stopping = false

  constructor(options: PaymentRoundsOptions) {
    this.options = options
    this.loop = this.run()
    // Whoever stops it hears of it.
    this.loop.catch(() => undefined)
  }

  /** Ends with the round that is under way. Rejects where one was not answered in the end. */
  async stop(): Promise<Payments> {
    this.stopping = true
    await this.loop
    const { endpoints, environment } = this.options
    return { rounds: this.rounds, totals: await totalsOf(endpoints, environment) }
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      this.rounds.push(await paymentRound(this.rounds.length, this.options))
      await pause(THINK_MS)
    }
  }
}

/** The round of that number, whose callbacks are the same wherever it is made. */
export async function paymentRound(
  round: number,
  { endpoints, environment, seed }: PaymentRoundsOptions,
): Promise<ReplayTotals> {
  const run = `faults-${round}`
  const plan = planReplay([...generateCallbacks({ count: CALLBACKS, seed: seed * 1000 + round })], { run })
  const backend = await connectBackend(endpoints, environment)
  try {
    return await new ReplayRun({ plan, backend, run, now: Date.now(), parallel: PARALLEL, workers: WORKERS }).run()
  } finally {
    await backend.close()
  }
}

export async function totalsOf(endpoints: readonly string[], environment: ClientEnvironment): Promise<unknown> {
  const backend = await connectBackend(endpoints, environment)
  try {
    const totals = await backend.query('admin:faults', 'payments', 'totals', {})
    if (totals.kind !== 'ok') throw new Error(`the totals were not told: ${totals.code}`)
    return totals.value
  } finally {
    await backend.close()
  }
}
