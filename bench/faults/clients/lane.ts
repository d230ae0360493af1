import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../../src/base/random.ts'
import { decodeValue } from '../../../src/codec/value/decode.ts'
import { encodeValue } from '../../../src/client/index.ts'
import type { MultiSession } from '../../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../../src/client/session/session-core.ts'
import { openBenchSession } from '../../bench-session.ts'
import type { Delivery, HistoryEvent, Step } from '../history.ts'
import { type End, looked } from './looked.ts'
import { Steps, type WorkloadName } from './steps.ts'

/** Longer than the longest fault. */
const SESSION_TIMEOUT_MS = 120_000
/** Of a visit: it may expire within a fault, and does where nobody ends it. */
const VISIT_TIMEOUT_MS = 2_000
const VISIT_STEPS = { min: 2, max: 8 } as const
/** Of the visits, those that are left without a word. */
const SILENT_SHARE = 0.5
/** What has no answer by then has an unknown outcome. */
const PATIENCE_MS = 5_000
/** A server request that has not come so long after the last command will not come. */
const DELIVERED_MS_MAX = 30_000
const LOOK_MS = 20
const THINK_MS = { min: 20, max: 120 } as const

/** What a lane needs of its run. */
export interface LaneOptions {
  readonly lane: number
  /** Of all: an unknown outcome ends a process, and its lane goes on as the next one. */
  readonly lanes: number
  readonly workload: WorkloadName
  readonly hub: MultiSession
  readonly random: Random
  /** Hears each event as it happens. */
  readonly note: (event: HistoryEvent) => void
  /** Nanoseconds since the run began. */
  readonly nowNs: () => number
}

/**
 * A session that does one thing after the other, and writes down each call and each end. A visitor has one after the other: a
 * session ends after a few commands, or is left to expire, or expires in the middle of a fault.
 */
export class Lane {
  /** Why its session is no more; null: it lives. */
  lost: string | null = null
  readonly options: LaneOptions
  /** Server requests that its session was given, in order. */
  readonly deliveries: Delivery[] = []
  private readonly steps: Steps
  /** Commands that emitted one, as far as it was told. */
  private emitted = 0
  private process: number
  private core: SessionCore | null = null
  private stopping = false
  private loop: Promise<void> = Promise.resolve()

  constructor(options: LaneOptions) {
    this.options = options
    this.process = options.lane
    this.steps = new Steps(options.lane, options.random)
  }

  async start(): Promise<void> {
    await this.open()
    this.loop = this.options.workload === 'visits' ? this.visit() : this.run()
  }

  private async open(): Promise<void> {
    const { hub, lane, workload } = this.options
    this.lost = null
    this.core = await openBenchSession(hub, {
      principal: `user:lane-${lane}`,
      timeoutMs: workload === 'visits' ? VISIT_TIMEOUT_MS : SESSION_TIMEOUT_MS,
      onLost: (code) => (this.lost = code),
      onServerRequest: ({ serverRequestId, payload }, done) => {
        const { id } = decodeValue(payload) as { readonly id: string } // What the machine emits.
        this.deliveries.push({ lane, serverRequestId, told: id })
        done(null)
      },
    })
  }

  /** Asks for nothing more; resolves when what was asked has ended, and what was emitted has come, or does not come. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.loop
    const end = performance.now() + DELIVERED_MS_MAX
    while (this.deliveries.length < this.emitted && performance.now() < end && this.lost === null) await pause(LOOK_MS)
  }

  private async run(stepsMax = Number.POSITIVE_INFINITY): Promise<void> {
    const { random, workload } = this.options
    for (let count = 0; count < stepsMax && !this.stopping && this.lost === null; count += 1) {
      await this.perform(this.steps.next(workload))
      await pause(random.between(THINK_MS.min, THINK_MS.max))
    }
  }

  private async visit(): Promise<void> {
    const { random } = this.options
    while (!this.stopping) {
      await this.run(random.between(VISIT_STEPS.min, VISIT_STEPS.max))
      await this.leave()
      // The one before it may have expired, and its successor too before it was heard of.
      if (!this.stopping) await this.open().catch(() => undefined)
    }
    this.lost = null
  }

  /** Ends the session in the log, or without a word: then it expires there. */
  private async leave(): Promise<void> {
    const { core, options } = this
    if (core === null) return
    if (options.random.chance(SILENT_SHARE)) core.drop('SESSION_CLOSED')
    else await Promise.race([new Promise((resolve) => core.closeSession(resolve)), pause(PATIENCE_MS)])
    core.drop('SESSION_CLOSED')
  }

  private async perform(step: Step): Promise<void> {
    const { note, nowNs, lanes } = this.options
    const { process, step: f } = { process: this.process, step: step.f }
    note({ process, type: 'invoke', f, value: step, timeNs: nowNs() })
    const end = await (step.id === '' ? looked(this.options.hub, step, PATIENCE_MS) : this.command(step))
    note({ process, f, ...end, timeNs: nowNs() })
    if (end.type === 'info') this.process += lanes
    if (end.type === 'ok' && f === 'requests.emit') this.emitted += 1
  }

  private command(step: Step): Promise<End> {
    const { core } = this
    if (core === null) throw new Error('a lane starts before it asks for anything')
    const call = { machine: 'proof', command: 'change', input: encodeValue({ ...step }) }
    const deadlineAt = this.options.hub.environment.clock.nowMs() + PATIENCE_MS
    return new Promise((resolve) =>
      core.enqueue(call, deadlineAt, (outcome) => {
        if (outcome.kind === 'ok') resolve({ type: 'ok', value: decodeValue(outcome.value), index: outcome.index })
        else resolve({ type: outcome.kind === 'unknown' ? 'info' : 'fail', value: outcome.code })
      }),
    )
  }
}
