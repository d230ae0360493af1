import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../src/base/random.ts'
import { decodeValue } from '../../src/codec/value/decode.ts'
import { encodeValue } from '../../src/client/index.ts'
import type { RawOutcome } from '../../src/client/calls/raw-outcome.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import type { ServerRequestMessage } from '../../src/protocol/down-message.ts'
import { openBenchSession } from '../bench-session.ts'

const SESSION_TIMEOUT_MS = 30_000
/** Longer than any fault: such a command is answered. */
const PATIENT_MS = 60_000
/** Shorter than most faults: of such a command the outcome is often unknown. */
const HASTY_MS = { min: 20, max: 500 } as const
const HASTY_SHARE = 0.1
const DECLINED_SHARE = 0.05
/** Commands of one session under way at a time. */
const IN_FLIGHT = 2
const THINK_MS = { min: 50, max: 600 } as const
const HANDLE_MS_MAX = 20
/** Of the server requests, those whose handler takes a while. */
const SLOW_SHARE = 0.1

/** A session that appends 1, 2, 3, … to its lane of the journal, each in one command, and keeps what it was told. */
export class JournalLane {
  readonly lane: number
  /** What was told of the command with number `at + 1`; null while it is under way. */
  readonly outcomes: (RawOutcome['kind'] | null)[] = []
  /** Numbers that server requests told of, in the order of arrival. */
  readonly noted: number[] = []
  /** Server requests that were skipped, came twice or in another order, a sentence each. */
  readonly disorder: string[] = []
  /** Why the session is no more; null: it lives. */
  lost: string | null = null
  private readonly hub: MultiSession
  private readonly random: Random
  private core: SessionCore | null = null
  private lastRequestId = 0
  private lastRequestIndex = 0
  private stopping = false
  private loops: Promise<void>[] = []

  constructor(hub: MultiSession, lane: number, random: Random) {
    this.hub = hub
    this.lane = lane
    this.random = random
  }

  async start(): Promise<void> {
    this.core = await openBenchSession(this.hub, {
      principal: `user:lane-${this.lane}`,
      timeoutMs: SESSION_TIMEOUT_MS,
      onLost: (code) => (this.lost = code),
      onServerRequest: (request, done) => this.note(request, done),
    })
    this.loops = Array.from({ length: IN_FLIGHT }, () => this.loop())
  }

  /** Sends nothing more; resolves when every command has its outcome. */
  async stop(): Promise<void> {
    this.stopping = true
    await Promise.all(this.loops)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.core === null) resolve()
      else this.core.closeSession(() => resolve())
    })
  }

  private async loop(): Promise<void> {
    const { random } = this
    while (!this.stopping && this.lost === null) {
      const at = this.outcomes.push(null) - 1
      const outcome = await this.append(at + 1)
      this.outcomes[at] = outcome.kind
      await pause(random.between(THINK_MS.min, THINK_MS.max))
    }
  }

  private append(number: number): Promise<RawOutcome> {
    const { core, random, lane } = this
    if (core === null) throw new Error('a lane starts before it appends')
    const decline = random.chance(DECLINED_SHARE)
    const patience = random.chance(HASTY_SHARE) ? random.between(HASTY_MS.min, HASTY_MS.max) : PATIENT_MS
    const call = { machine: 'journal', command: 'append', input: encodeValue({ lane, number, decline }) }
    return new Promise((resolve) => core.enqueue(call, this.hub.environment.clock.nowMs() + patience, resolve))
  }

  private note(request: ServerRequestMessage, done: (error: unknown) => void): void {
    const { serverRequestId, index } = request
    if (serverRequestId !== this.lastRequestId + 1 || index < this.lastRequestIndex)
      this.disorder.push(
        `lane ${this.lane}: request ${serverRequestId} of entry ${index} came after ${this.lastRequestId} of ${this.lastRequestIndex}`,
      )
    this.lastRequestId = serverRequestId
    this.lastRequestIndex = index
    const { number } = decodeValue(request.payload) as { readonly number: number }
    this.noted.push(number)
    if (!this.random.chance(SLOW_SHARE)) return done(null)
    setTimeout(() => done(null), this.random.below(HANDLE_MS_MAX))
  }
}
