import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../../src/base/random.ts'
import type { End } from '../clients/looked.ts'
import { Steps } from '../clients/steps.ts'
import type { HistoryEvent, Step } from '../history.ts'
import { base64, type EtcdAnswer, type EtcdApi, EtcdFailure, valueIn } from './etcd-api.ts'

/** As for clients of Holdfast, and so are the times between. */
const PATIENCE_MS = { lane: 5_000, reader: 400 } as const
const THINK_MS = { lane: { min: 20, max: 120 }, reader: { min: 4, max: 16 } } as const

/** What a lane needs of its run. */
export interface EtcdLaneOptions {
  /** Its first process; an unknown outcome ends a process, and the lane goes on as the one so many behind it. */
  readonly process: number
  readonly processes: number
  readonly endpoints: readonly string[]
  /** Which of them it begins with. */
  readonly member: number
  /** Only reads, of that member alone. */
  readonly kind: 'lane' | 'reader'
  readonly api: EtcdApi
  readonly random: Random
  readonly note: (event: HistoryEvent) => void
  readonly nowNs: () => number
}

/**
 * Does one thing after the other with registers of etcd, and writes down each call and each end. A call that fails is not sent
 * again: what it may have done is unknown, and the next one goes to the next member.
 */
export class EtcdLane {
  private readonly options: EtcdLaneOptions
  private readonly steps: Steps
  private readonly loop: Promise<void>
  private process: number
  private member: number
  private stopping = false

  constructor(options: EtcdLaneOptions) {
    this.options = options
    this.steps = new Steps(options.process, options.random)
    this.process = options.process
    this.member = options.member
    this.loop = this.run()
  }

  /** Asks for nothing more; resolves when what was asked has ended. */
  stop(): Promise<void> {
    this.stopping = true
    return this.loop
  }

  private async run(): Promise<void> {
    const { random, kind, note, nowNs, processes } = this.options
    while (!this.stopping) {
      const step = kind === 'reader' ? this.steps.read('register', false) : this.steps.next('register')
      const told = { process: this.process, f: step.f }
      note({ ...told, type: 'invoke', value: step, timeNs: nowNs() })
      const end = await this.perform(step)
      note({ ...told, ...end, timeNs: nowNs() })
      if (end.type === 'info') this.process += processes
      await pause(random.between(THINK_MS[kind].min, THINK_MS[kind].max))
    }
  }

  private async perform(step: Step): Promise<End> {
    const { api, endpoints, kind } = this.options
    const { path, body, replyIn } = callOf(step)
    try {
      const answer = await api.call(endpoints[this.member] ?? '', path, body, PATIENCE_MS[kind])
      return { type: 'ok', value: JSON.stringify(replyIn(answer)) }
    } catch (error) {
      const { message, sent } = error instanceof EtcdFailure ? error : new EtcdFailure(String(error), true)
      if (kind === 'lane') this.member = (this.member + 1) % endpoints.length
      return { type: sent && step.f !== 'register.read' ? 'info' : 'fail', value: message }
    }
  }
}

interface Call {
  readonly path: string
  readonly body: object
  replyIn(answer: EtcdAnswer): number | boolean | null
}

/** A range as it comes is linearizable. */
function callOf({ f, key: name, a, b }: Step): Call {
  const key = base64(name)
  const put = { key, value: base64(String(a)) }
  if (f === 'register.read') return { path: 'kv/range', body: { key }, replyIn: valueIn }
  if (f === 'register.write') return { path: 'kv/put', body: put, replyIn: () => null }
  const compare = [{ key, target: 'VALUE', result: 'EQUAL', value: base64(String(b)) }]
  // The gateway leaves out what is false.
  const body = { compare, success: [{ requestPut: put }] }
  return { path: 'kv/txn', body, replyIn: ({ succeeded }) => succeeded === true }
}
