import { dialGrpc, encodeValue, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { openBenchSession } from '../bench-session.ts'
import type { Asked, Subject } from './election-figures.ts'

/** What the bench tells its probe, and is told: `taken` with everything that was asked since `begin`, once it is answered. */
export type ProbeOrder = { readonly kind: 'begin' } | { readonly kind: 'take' } | { readonly kind: 'end' }
export type ProbeReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'begun' }
  | { readonly kind: 'taken'; readonly asked: readonly Asked[] }

const BEAT_MS = 4
/** Beats of a subject are left out while so many of its requests are under way: nobody’s failover takes so long. */
const WAITING_MAX = 200
const REQUEST_MS_MAX = 30_000
const SESSION_TIMEOUT_MS = 30_000
const KEYS = { write: 'busy', busy: 'busy', quiet: 'quiet' } as const satisfies Record<Subject, string>
const SUBJECTS = ['write', 'busy', 'quiet'] as const satisfies readonly Subject[]

/** One session that writes one register, and reads it and another one, each at every beat, whatever is unanswered. */
class Load {
  private readonly hub: MultiSession
  private readonly core: SessionCore
  private asked: Asked[] = []
  private readonly waiting: Record<Subject, number> = { write: 0, busy: 0, quiet: 0 }
  private beat: NodeJS.Timeout | null = null
  private number = 0
  private rested: () => void = () => undefined

  private constructor(hub: MultiSession, core: SessionCore) {
    this.hub = hub
    this.core = core
  }

  static async open(endpoints: readonly string[]): Promise<Load> {
    const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints })
    const core = await openBenchSession(hub, { principal: 'user:probe', timeoutMs: SESSION_TIMEOUT_MS })
    return new Load(hub, core)
  }

  begin(): void {
    this.asked = []
    this.beat = setInterval(() => {
      for (const subject of SUBJECTS) if (this.waiting[subject] < WAITING_MAX) this.ask(subject)
    }, BEAT_MS)
  }

  /** Ends the load; resolves with what was asked, once all of it is answered. */
  async take(): Promise<readonly Asked[]> {
    clearInterval(this.beat ?? undefined)
    this.beat = null
    if (!this.rests) await new Promise<void>((resolve) => (this.rested = resolve))
    return this.asked
  }

  close(): void {
    clearInterval(this.beat ?? undefined)
    this.hub.close()
  }

  private get rests(): boolean {
    return this.beat === null && SUBJECTS.every((subject) => this.waiting[subject] === 0)
  }

  private ask(subject: Subject): void {
    const { hub, core } = this
    const askedAt = Date.now()
    const done = ({ kind }: { readonly kind: string }): void => {
      this.waiting[subject] -= 1
      this.asked.push({ subject, askedAt, answeredAt: kind === 'ok' ? Date.now() : null })
      if (this.rests) this.rested()
    }
    this.waiting[subject] += 1
    const key = KEYS[subject]
    if (subject === 'write') {
      this.number += 1
      const input = encodeValue({ key, value: String(this.number) })
      const deadlineAt = hub.environment.clock.nowMs() + REQUEST_MS_MAX
      core.enqueue({ machine: 'register', command: 'write', input }, deadlineAt, done)
      return
    }
    // Of the session, as those of an application are.
    const token = { channel: core.channel, consistency: 'linearizable', incarnation: 0, minIndex: 0 } as const
    const request = { ...token, machine: 'register', query: 'read', input: encodeValue({ key }) }
    hub.query(request, REQUEST_MS_MAX, done)
  }
}

/** A process of its own, so that nothing else on its loop makes it late: `reads-probe.js ENDPOINT…`. */
async function main(endpoints: readonly string[]): Promise<void> {
  const load = await Load.open(endpoints)
  const report = (said: ProbeReport): void => void process.send?.(said)
  process.on('message', async ({ kind }: ProbeOrder) => {
    if (kind === 'begin') {
      load.begin()
      return report({ kind: 'begun' })
    }
    if (kind === 'take') return report({ kind: 'taken', asked: await load.take() })
    load.close()
    process.disconnect()
  })
  report({ kind: 'ready' })
}

await main(process.argv.slice(2))
