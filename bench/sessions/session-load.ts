import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { say, withCommas } from '../../src/cli/terminal/output.ts'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { openBenchSession } from '../bench-session.ts'
import { measureRegisters } from '../register-load.ts'

/** Sessions of one connection, which is closed behind them: the client would hold them in its memory else. */
const PER_CONNECTION = 10_000
/** Of these, so many are asked for at a time. */
const AT_A_TIME = 1000
/** Longer than the bench: nobody keeps them alive. */
const TIMEOUT_MS = 3_600_000

/** Opens sessions and leaves them, detached. `before`: how many there are of them already. */
export async function openAndLeave(cluster: LocalCluster, count: number, before = 0): Promise<void> {
  for (let opened = 0; opened < count; ) {
    const hub = hubOf(cluster)
    const until = Math.min(count, opened + PER_CONNECTION)
    while (opened < until) {
      const some = Math.min(AT_A_TIME, until - opened)
      const principal = (at: number): string => `user:idle-${before + opened + at}`
      await Promise.all(
        Array.from({ length: some }, (_, at) =>
          openBenchSession(hub, { principal: principal(at), timeoutMs: TIMEOUT_MS }),
        ),
      )
      opened += some
    }
    hub.close()
    if (opened % 100_000 === 0) say(`${withCommas(opened)} sessions are open`)
  }
}

/** One write in flight in each of so many sessions, for so many seconds after a warm-up of a quarter of that. */
export async function writesPerSecond(cluster: LocalCluster, inFlight: number, seconds: number): Promise<number> {
  const loop = await measureRegisters(cluster, { inFlight, seconds })
  if (loop.failures > 0) throw new Error(`${loop.failures} writes failed`)
  return loop.commandsPerSecond
}

function hubOf({ endpoints }: LocalCluster): MultiSession {
  return new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints })
}
