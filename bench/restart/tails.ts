import { CLIENT_REQUEST_FIXED_BYTES } from '../../src/codec/entry/client-request.ts'
import { encodeValue } from '../../src/client/index.ts'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { connectBackend } from '../../src/cli/payments/client-backend.ts'
import { ReplayRun } from '../../src/cli/payments/replay-run.ts'
import { firstCallbacks, SESSIONS_OF_CALLBACKS } from '../callbacks/measure-callbacks.ts'
import { fillRegisters } from '../load/fill-registers.ts'

const VALUE_BYTES = 128
/** As the fill names them, which is as many bytes as most have. */
const KEY = 'fill-100000'

/** Register writes that make so many bytes of log, an entry each. */
export function writesOf(bytes: number): number {
  const input = encodeValue({ key: KEY, value: 'v'.repeat(VALUE_BYTES) })
  return Math.ceil(bytes / (CLIENT_REQUEST_FIXED_BYTES + 'register'.length + 'write'.length + input.length))
}

/** Makes the log longer by so many register writes. */
export async function registerTail(cluster: LocalCluster, writes: number): Promise<void> {
  await fillRegisters(cluster.endpoints, { count: writes, valueBytes: VALUE_BYTES, mark: 'r' })
}

/** Makes the log longer by so many payment callbacks, once `prepared` is over: bookings are made ready before it. */
export async function callbackTail(
  cluster: LocalCluster,
  callbacks: number,
  prepared: () => Promise<void>,
): Promise<void> {
  const backend = await connectBackend(cluster.endpoints)
  const run = new ReplayRun({
    plan: firstCallbacks(callbacks),
    backend,
    run: 'bench',
    now: Date.now(),
    parallel: SESSIONS_OF_CALLBACKS,
    workers: SESSIONS_OF_CALLBACKS,
    answered: () => undefined,
  })
  await run.prepare()
  await prepared()
  const totals = await run.feed()
  await backend.close()
  if (totals.applied !== callbacks) throw new Error(`${totals.applied} of ${callbacks} callbacks were applied`)
}
