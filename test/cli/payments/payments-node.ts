import { onTestFinished } from 'vitest'
import type { Backend } from '../../../src/cli/payments/backend.ts'
import { connectBackend } from '../../../src/cli/payments/client-backend.ts'
import { ReplayRun } from '../../../src/cli/payments/replay-run.ts'
import type { ReplayTotals } from '../../../src/cli/payments/replay-totals.ts'
import { embeddedEnvironment } from '../../../src/client/connection/environment.ts'
import { inProcessDial } from '../../../src/client/index.ts'
import { payments } from '../../../src/machines/payments/index.ts'
import { planReplay } from '../../../src/machines/payments/tools/plan-replay.ts'
import { embeddedNode } from '../../../src/testing/index.ts'

/** A node with the machine payments, real log and real disk, and a client of it; both end with the test. */
export async function paymentsNode(): Promise<Backend> {
  const node = await embeddedNode({ machines: [payments], development: false })
  const backend = await connectBackend(['embedded'], embeddedEnvironment(inProcessDial(() => node.server)))
  onTestFinished(async () => {
    await backend.close()
    await node.close()
  })
  return backend
}

/** Feeds the lines of a replay file as the command does. */
export function replayLines(
  backend: Backend,
  lines: readonly string[],
  run = 'replay',
  refunds = false,
): Promise<ReplayTotals> {
  return new ReplayRun({ plan: planReplay(lines, { run }), backend, run, now: Date.now(), workers: 2, refunds }).run()
}
