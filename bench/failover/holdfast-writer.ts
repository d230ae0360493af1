import { dialGrpc, encodeValue, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { openBenchSession } from '../bench-session.ts'
import type { WriteGap } from './write-gap.ts'

const SESSION_TIMEOUT_MS = 30_000
const WRITE_MS_MAX = 30_000

/** Writes to a register over one session of the SDK; what it repeats by itself counts once. */
export class HoldfastWriter {
  private readonly hub: MultiSession
  private readonly core: SessionCore
  private readonly gap: WriteGap
  private number = 0

  private constructor(hub: MultiSession, core: SessionCore, gap: WriteGap) {
    this.hub = hub
    this.core = core
    this.gap = gap
  }

  static async open(endpoints: readonly string[], gap: WriteGap): Promise<HoldfastWriter> {
    const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints })
    const core = await openBenchSession(hub, { principal: 'user:probe', timeoutMs: SESSION_TIMEOUT_MS })
    return new HoldfastWriter(hub, core, gap)
  }

  write(): void {
    const { core, gap, hub } = this
    this.number += 1
    const input = encodeValue({ key: 'probe', value: String(this.number) })
    const deadlineAt = hub.environment.clock.nowMs() + WRITE_MS_MAX
    core.enqueue({ machine: 'register', command: 'write', input }, deadlineAt, ({ kind }) => {
      if (kind === 'ok') gap.answered()
      else gap.failed += 1
    })
  }

  close(): void {
    this.hub.close()
  }
}
