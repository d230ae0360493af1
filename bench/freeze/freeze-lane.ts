import { setTimeout as pause } from 'node:timers/promises'
import { encodeValue } from '../../src/client/index.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'

import type { RawOutcome } from '../../src/client/calls/raw-outcome.ts'
import { openBenchSession } from '../bench-session.ts'

const SESSION_TIMEOUT_MS = 5_000
const COMMAND_MS_MAX = 10_000
/** Between an answer and the next command. */
const THINK_MS = 20

/** One session that writes to a register of its own, one command after the other, and counts what becomes of them. */
export class FreezeLane {
  acknowledged = 0
  unknown = 0
  notExecuted = 0
  /** The session is no more. */
  lost = false
  private readonly hub: MultiSession
  private readonly key: string
  private readonly core: SessionCore
  private stopped = false
  private inFlight: Promise<void> = Promise.resolve()
  private waiting: { readonly since: number; readonly frozen: string; readonly done: (gapMs: number) => void } | null =
    null

  private constructor(hub: MultiSession, key: string, core: SessionCore) {
    this.hub = hub
    this.key = key
    this.core = core
  }

  static async open(hub: MultiSession, key: string): Promise<FreezeLane> {
    let lost = (): void => undefined
    const principal = `user:freeze-${key}`
    const core = await openBenchSession(hub, { principal, timeoutMs: SESSION_TIMEOUT_MS, onLost: () => lost() })
    const lane = new FreezeLane(hub, key, core)
    lost = () => lane.sessionLost()
    return lane
  }

  start(): void {
    this.inFlight = this.write()
  }

  /** Sends nothing more; resolves when the command under way has its outcome. */
  stop(): Promise<void> {
    this.stopped = true
    return this.inFlight
  }

  /** Ms from now to the first acknowledgement by another leader than `frozen`; resolves as well when the session is lost. */
  gapWithout(frozen: string): Promise<number> {
    return new Promise((resolve) => {
      this.waiting = { since: performance.now(), frozen, done: resolve }
    })
  }

  private async write(): Promise<void> {
    for (let number = 1; !this.stopped && !this.lost; number += 1) {
      this.note(await this.execute(number))
      await pause(THINK_MS)
    }
  }

  private execute(number: number): Promise<RawOutcome> {
    const { core, hub, key } = this
    const input = encodeValue({ key, value: String(number) })
    const deadlineAt = hub.environment.clock.nowMs() + COMMAND_MS_MAX
    return new Promise((resolve) => core.enqueue({ machine: 'register', command: 'write', input }, deadlineAt, resolve))
  }

  private note(outcome: RawOutcome): void {
    if (outcome.kind === 'unknown') this.unknown += 1
    else if (outcome.kind === 'ok') this.answered()
    else this.notExecuted += 1
  }

  private answered(): void {
    this.acknowledged += 1
    if (this.hub.greeting?.node !== this.waiting?.frozen) this.waited()
  }

  private sessionLost(): void {
    this.lost = true
    this.waited()
  }

  private waited(): void {
    const { waiting } = this
    this.waiting = null
    waiting?.done(performance.now() - waiting.since)
  }
}
