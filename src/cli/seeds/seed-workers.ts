import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SeedResult } from '../../sim/run-seed.ts'
import { executablePath } from '../package-root.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { say } from '../terminal/output.ts'
import type { SeedRange } from './seed-ranges.ts'
import type { SeedOrder } from './seed-worker.ts'

/** A range that is being run. */
interface Run {
  readonly range: SeedRange
  readonly tell: (result: SeedResult) => void
  readonly ended: (error: unknown) => void
  /** Results that wait for those of earlier seeds. */
  readonly ready: Map<number, SeedResult>
  /** Seeds below these were sent to a thread, and told. */
  sent: number
  told: number
}

/** What is not as it is in the product. */
interface SeedWorkersOptions {
  /** A seed that runs for so long, in ms, is told: it may run for ever. */
  readonly slowMs?: number
  /** The module that is the thread. */
  readonly path?: string
}

const SLOW_MS = 60_000

/**
 * Threads that run seeds, for as many ranges as there are: each is started once, because what it loads takes as long
 * as some seeds do. Each seed is a world of its own: threads share nothing.
 */
export class SeedWorkers {
  private readonly jobs: number
  private readonly workers: Worker[] = []
  /** What a thread is at, and what tells that it takes long. */
  private readonly busy = new Map<Worker, { readonly order: SeedOrder; readonly slow: NodeJS.Timeout }>()
  private readonly slowMs: number
  private readonly path: string
  private running: Run | null = null

  /** `jobs`: seeds that run at a time, ≥ 1. */
  constructor(jobs: number, { slowMs = SLOW_MS, path = workerPath() }: SeedWorkersOptions = {}) {
    this.jobs = jobs
    this.slowMs = slowMs
    this.path = path
  }

  /**
   * Runs a range of seeds and tells each result in the order of the seeds, so that what is printed does not depend on
   * which thread was faster. One range at a time. Fails with a CommandError that names the seed of a thread that ends, if one
   * does; a seed that breaks an invariant is a result and no error.
   */
  run(range: SeedRange, tell: (result: SeedResult) => void): Promise<void> {
    const { first, count } = range
    while (this.workers.length < Math.min(this.jobs, count)) this.workers.push(this.newWorker())
    return new Promise((resolve, reject) => {
      const ended = (error: unknown): void => (error === null ? resolve() : reject(error))
      this.running = { range, tell, ended, ready: new Map(), sent: first, told: first }
      for (const worker of this.workers) this.sendNext(worker)
    })
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    this.running = null
    for (const worker of this.workers) this.idle(worker)
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }

  private newWorker(): Worker {
    const worker = new Worker(this.path)
    worker.on('error', (error) => this.gone(worker, wordsOf(error)))
    worker.on('exit', (code) => this.gone(worker, `its thread ended with ${code}`))
    worker.on('message', (result: SeedResult) => this.answered(worker, result))
    return worker
  }

  /** A thread that is gone answers nothing more. */
  private gone(worker: Worker, words: string): void {
    const order = this.busy.get(worker)?.order
    this.idle(worker)
    const message =
      order === undefined ? `a thread of seeds: ${words}` : `seed ${order.seed} of ${order.workload}: ${words}`
    this.running?.ended(new CommandError(EXIT.failure, message, 'Run that seed by itself: --seed S --seeds 1 --trace.'))
  }

  private idle(worker: Worker): void {
    clearTimeout(this.busy.get(worker)?.slow)
    this.busy.delete(worker)
  }

  private sendNext(worker: Worker): void {
    const { running } = this
    if (running === null || running.sent === endOf(running.range)) return
    const { workload, machines } = running.range
    const order: SeedOrder = { workload, machines, seed: running.sent }
    running.sent += 1
    const words = `seed ${order.seed} of ${workload} has run for ${this.slowMs / 1000} s`
    this.busy.set(worker, { order, slow: setTimeout(() => say(words), this.slowMs) })
    worker.postMessage(order)
  }

  private answered(worker: Worker, result: SeedResult): void {
    const { running } = this
    this.idle(worker)
    if (running === null) return
    const { ready, range, tell, ended } = running
    ready.set(result.seed, result)
    this.sendNext(worker)
    for (let next = ready.get(running.told); next !== undefined; next = ready.get(running.told)) {
      ready.delete(running.told)
      running.told += 1
      tell(next)
    }
    if (running.told === endOf(range)) ended(null)
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

const endOf = ({ first, count }: SeedRange): number => first + count

/** The compiled thread, also where this file itself runs uncompiled. */
function workerPath(): string {
  return join(dirname(executablePath()), 'seeds', 'seed-worker.js')
}
