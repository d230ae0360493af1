import { encodeValue } from '../../src/client/index.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { RawOutcome } from '../../src/client/calls/raw-outcome.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { openBenchSession } from '../bench-session.ts'
import type { Lanes } from '../closed-loop.ts'

const COMMAND_MS_MAX = 120_000
const SESSION_TIMEOUT_MS = 60_000

/** Name of an instance; of one width, so that their order is that of their numbers. */
export const leaseId = (number: number, kind = 'lease'): string => `${kind}-${String(number).padStart(7, '0')}`

/** Sessions that create leases and renew them, each with one command under way at a time. */
export class LeaseClients {
  private readonly hub: MultiSession
  private readonly cores: readonly SessionCore[]

  private constructor(hub: MultiSession, cores: readonly SessionCore[]) {
    this.hub = hub
    this.cores = cores
  }

  static async open(hub: MultiSession, count: number): Promise<LeaseClients> {
    const cores = Array.from({ length: count }, (_, lane) =>
      openBenchSession(hub, { principal: `user:bench-${lane}`, timeoutMs: SESSION_TIMEOUT_MS }),
    )
    return new LeaseClients(hub, await Promise.all(cores))
  }

  /** Instances `[0, count)`, each with its timer; rejects when one of them is refused. */
  async create({ count, dueAt, kind }: { count: number; dueAt: number; kind?: string }): Promise<void> {
    let next = 0
    const lane = async (core: SessionCore): Promise<void> => {
      while (next < count) {
        const number = next
        next += 1
        const input = { id: leaseId(number, kind), input: { holder: `user:${number}`, dueAt } }
        await new Promise<void>((resolve, reject) =>
          this.execute(core, { command: 'create', input }, (outcome) =>
            outcome.kind === 'ok' ? resolve() : reject(new Error(`${input.id} was not created: ${saidBy(outcome)}`)),
          ),
        )
      }
    }
    await Promise.all(this.cores.map(lane))
  }

  /** So many sessions, each of which renews an instance of its own. */
  renewals(count: number): Lanes {
    const inputs = Array.from({ length: count }, (_, lane) => ({ id: leaseId(lane), event: { type: 'RENEW' } }))
    return {
      count,
      send: (lane, done) => {
        const core = this.cores[lane]
        const input = inputs[lane]
        if (core === undefined || input === undefined) throw new Error(`there is no lane ${lane}`)
        this.execute(core, { command: 'send', input }, ({ kind }) => done(kind === 'ok'))
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.cores.map((core) => new Promise((resolve) => core.closeSession(resolve))))
    this.hub.close()
  }

  private execute(
    core: SessionCore,
    call: { command: string; input: Value },
    done: (outcome: RawOutcome) => void,
  ): void {
    const { command, input } = call
    const deadlineAt = this.hub.environment.clock.nowMs() + COMMAND_MS_MAX
    core.enqueue({ machine: 'leases', command, input: encodeValue(input) }, deadlineAt, done)
  }
}

const saidBy = (outcome: RawOutcome): string => ('code' in outcome ? `${outcome.kind} ${outcome.code}` : outcome.kind)
