import { encodeValue } from '../../src/client/index.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { openBenchSession } from '../bench-session.ts'

/** The register that is written, and subscribed to. */
export const HOT_KEY = 'hot'
const SESSION_TIMEOUT_MS = 60_000
const COMMAND_MS_MAX = 60_000
/** How often it is looked how many writes are due. */
const STEP_MS = 2

/**
 * An open loop: so many writes a second of one register over all sessions in turn, whether or not the ones before are answered.
 * The values are 1, 2, 3, … in the order of sending.
 */
export class WriteStream {
  /** When the write of each number was sent, ms; the first at 1. */
  readonly sentAt: number[] = [0]
  /** Log index of each write that was answered, by its number. */
  readonly indexes = new Map<number, number>()
  failures = 0
  private readonly cores: readonly SessionCore[]
  private readonly perSecond: number
  private underWay = 0
  private idle: () => void = () => undefined

  private constructor(cores: readonly SessionCore[], perSecond: number) {
    this.cores = cores
    this.perSecond = perSecond
  }

  static async open(
    hubs: readonly MultiSession[],
    of: { readonly sessions: number; readonly perSecond: number },
  ): Promise<WriteStream> {
    const opening = Array.from({ length: of.sessions }, (_, at) => {
      const hub = hubs[at % hubs.length] as MultiSession // at least one
      return openBenchSession(hub, { principal: `user:writer-${at}`, timeoutMs: SESSION_TIMEOUT_MS })
    })
    return new WriteStream(await Promise.all(opening), of.perSecond)
  }

  /** Writes for so long; resolves when every write has its outcome. */
  async run(ms: number): Promise<void> {
    const startedAt = performance.now()
    const before = this.sentAt.length
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsed = Math.min(performance.now() - startedAt, ms)
        const due = before + Math.floor((elapsed / 1000) * this.perSecond)
        while (this.sentAt.length < due) this.write()
        if (elapsed < ms) return
        clearInterval(timer)
        resolve()
      }, STEP_MS)
    })
    await new Promise<void>((resolve) => {
      this.idle = resolve
      if (this.underWay === 0) resolve()
    })
  }

  private write(): void {
    const number = this.sentAt.length
    const now = performance.now()
    this.sentAt.push(now)
    this.underWay += 1
    const core = this.cores[number % this.cores.length] as SessionCore // within range
    const input = encodeValue({ key: HOT_KEY, value: String(number) })
    core.enqueue({ machine: 'register', command: 'write', input }, now + COMMAND_MS_MAX, (outcome) => {
      if (outcome.kind === 'ok') this.indexes.set(number, outcome.index)
      else this.failures += 1
      this.underWay -= 1
      if (this.underWay === 0) this.idle()
    })
  }
}
