import { encodeValue } from '../src/client/index.ts'
import type { MultiSession } from '../src/client/session/multi-session.ts'
import { openBenchSession } from './bench-session.ts'
import type { Lanes } from './closed-loop.ts'

/** Bytes of the value that each write stores, where nothing else is asked for. */
const VALUE_BYTES = 128
const COMMAND_MS_MAX = 60_000
const SESSION_TIMEOUT_MS = 60_000

/** One session per lane, each writing a value to a register of its own, one write in flight at a time. */
export async function registerLanes(
  hub: MultiSession,
  count: number,
  valueBytes = VALUE_BYTES,
): Promise<Lanes & { close(): Promise<void> }> {
  const cores = await Promise.all(
    Array.from({ length: count }, (_, lane) =>
      openBenchSession(hub, { principal: `user:bench-${lane}`, timeoutMs: SESSION_TIMEOUT_MS }),
    ),
  )
  const value = 'v'.repeat(valueBytes)
  const inputs = cores.map((_, lane) => encodeValue({ key: `register-${lane}`, value }))
  return {
    count,
    send: (lane, done) => {
      const core = cores[lane]
      const input = inputs[lane]
      if (core === undefined || input === undefined) throw new Error(`there is no lane ${lane}`)
      const deadlineAt = hub.environment.clock.nowMs() + COMMAND_MS_MAX
      core.enqueue({ machine: 'register', command: 'write', input }, deadlineAt, (outcome) =>
        done(outcome.kind === 'ok'),
      )
    },
    close: async () => {
      await Promise.all(cores.map((core) => new Promise((resolve) => core.closeSession(resolve))))
    },
  }
}
