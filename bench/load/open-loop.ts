import { join } from 'node:path'
import { ProbeChild } from '../failover/probe-child.ts'

/** What the process of an open loop is told. */
export type OpenLoopOrder =
  | { readonly kind: 'begin'; readonly perSecond: number }
  | { readonly kind: 'take' }
  | { readonly kind: 'rest' }
  | { readonly kind: 'end' }

/** What was answered since the report before; latencies in ms, from the moment at which a write was due. */
export interface OpenLoopReport {
  readonly answered: number
  readonly failures: number
  /** Due, and without an answer. */
  readonly unanswered: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Processor time of the generator over the time that has passed, 1 being one processor. */
  readonly cpuShare: number
}

/**
 * Register writes at a fixed rate, whether or not those before are answered, by a process of its own: nothing else on its loop
 * makes it late, and a write that waits for one before it counts from when it was due.
 */
export class OpenLoop {
  private readonly child: ProbeChild<OpenLoopOrder, OpenLoopReport>

  private constructor(endpoints: readonly string[]) {
    this.child = new ProbeChild(join(import.meta.dirname, 'open-loop-child.js'), endpoints)
  }

  /** Opens the sessions; no write is due before `begin`. */
  static async start(endpoints: readonly string[]): Promise<OpenLoop> {
    const loop = new OpenLoop(endpoints)
    await loop.child.heard()
    return loop
  }

  /** Writes are due from now on. */
  async begin(perSecond: number): Promise<void> {
    await this.child.ask({ kind: 'begin', perSecond })
  }

  /** What was answered since it was asked last, or since it began. */
  take(): Promise<OpenLoopReport> {
    return this.child.ask({ kind: 'take' })
  }

  /** No more are due; the rest of the answers, when all are there. */
  rest(): Promise<OpenLoopReport> {
    return this.child.ask({ kind: 'rest' })
  }

  /** Ends the process. */
  stop(): Promise<void> {
    return this.child.end({ kind: 'end' })
  }
}
