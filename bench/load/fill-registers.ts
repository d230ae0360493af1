import { dialGrpc, encodeValue, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { openBenchSession } from '../bench-session.ts'

const CONNECTIONS = 4
const SESSION_TIMEOUT_MS = 60_000
const COMMAND_MS_MAX = 120_000

/** Which registers are written. */
export interface RegisterFill {
  /** Registers `fill-0`, `fill-1`, …, each once. */
  readonly count: number
  readonly valueBytes: number
  /** One character, of which the values are made: another one changes the rows of a fill before. */
  readonly mark: string
  readonly inFlight?: number
}

/** Writes so many registers through sessions with one write in flight each; resolves with the rate. Rejects when one fails. */
export async function fillRegisters(
  endpoints: readonly string[],
  { count, valueBytes, mark, inFlight = 1000 }: RegisterFill,
): Promise<{ readonly perSecond: number }> {
  const hubs = Array.from(
    { length: CONNECTIONS },
    () => new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints }),
  )
  try {
    const cores = await Promise.all(
      Array.from({ length: Math.min(inFlight, count) }, (_, at) => {
        const hub = hubs[at % CONNECTIONS] as MultiSession // within range
        return openBenchSession(hub, { principal: `user:fill-${at}`, timeoutMs: SESSION_TIMEOUT_MS })
      }),
    )
    const value = mark.repeat(valueBytes)
    const begunAt = performance.now()
    let next = 0
    await Promise.all(
      cores.map((core) => {
        const { clock } = hubs[0]?.environment ?? nodeEnvironment(dialGrpc)
        return new Promise<void>((resolve, reject) => {
          const write = (): void => {
            if (next >= count) return resolve()
            const input = encodeValue({ key: `fill-${next}`, value })
            next += 1
            core.enqueue({ machine: 'register', command: 'write', input }, clock.nowMs() + COMMAND_MS_MAX, (outcome) =>
              outcome.kind === 'ok' ? write() : reject(new Error(`a write of the fill ended ${outcome.kind}`)),
            )
          }
          write()
        })
      }),
    )
    const perSecond = Math.round(count / ((performance.now() - begunAt) / 1000))
    await Promise.all(cores.map((core) => new Promise((resolve) => core.closeSession(resolve))))
    return { perSecond }
  } finally {
    for (const hub of hubs) hub.close()
  }
}
