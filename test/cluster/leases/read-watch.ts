import { setTimeout as pause } from 'node:timers/promises'
import type { ClientSession } from '../../../src/client/index.ts'

/** Between two reads of one loop, so that none of them keeps a processor busy. */
const PAUSE_MS = 1

/**
 * One register that a session writes with rising numbers, one after the other, and that others read: no read may show less
 * than what was acknowledged, or shown to another read, before it was asked.
 */
export class ReadWatch {
  readonly key: string
  acknowledged = 0
  reads = 0
  /** What went wrong, a sentence each. */
  readonly problems: string[] = []
  private sent = 0
  private seen = 0
  private stopping = false
  private readonly loops: Promise<void>[] = []
  private wakes: (() => void)[] = []

  constructor(key: string) {
    this.key = key
  }

  /** Only one session writes. */
  writeBy(session: ClientSession): void {
    this.loops.push(this.writes(session))
  }

  /** Until it is closed, or `stop`. */
  readBy(session: ClientSession): void {
    this.loops.push(this.readings(session))
  }

  /** Resolves once so many more writes are acknowledged and so many more reads answered, or something went wrong. */
  async more({ writes, reads }: { readonly writes: number; readonly reads: number }): Promise<void> {
    const [writesMin, readsMin] = [this.acknowledged + writes, this.reads + reads]
    while ((this.acknowledged < writesMin || this.reads < readsMin) && this.problems.length === 0) {
      await new Promise<void>((resolve) => this.wakes.push(resolve))
    }
  }

  /** Ends the loops; resolves with the last number that was written. */
  async stop(): Promise<number> {
    this.stopping = true
    await Promise.all(this.loops)
    return this.sent
  }

  /** One behind the other: mostly the followers have not heard yet that the last one is committed. */
  private async writes(session: ClientSession): Promise<void> {
    while (!this.stopping && (await this.write(session))) {}
  }

  private async readings(session: ClientSession): Promise<void> {
    while (!this.stopping && (await this.read(session))) await pause(PAUSE_MS)
  }

  private async write(session: ClientSession): Promise<boolean> {
    this.sent += 1
    const value = this.sent
    const outcome = await session.execute('register', 'write', { key: this.key, value: String(value) })
    if (outcome.kind === 'ok') this.acknowledged = value
    else this.problems.push(`write ${value}: ${JSON.stringify(outcome)}`)
    this.wake()
    return outcome.kind === 'ok'
  }

  private async read(session: ClientSession): Promise<boolean> {
    const least = Math.max(this.acknowledged, this.seen)
    const outcome = await session.query('register', 'read', { key: this.key })
    // Its test has closed it, or its node did not come back in time: of that the writes tell.
    if (outcome.kind !== 'ok') return false
    const value = Number(outcome.value ?? 0)
    if (value < least) this.problems.push(`a read shows ${value}, and ${least} was known before it was asked`)
    if (value > this.sent) this.problems.push(`a read shows ${value}, and ${this.sent} was the last to be written`)
    this.seen = Math.max(this.seen, value)
    this.reads += 1
    this.wake()
    return true
  }

  private wake(): void {
    for (const wake of this.wakes.splice(0)) wake()
  }
}
