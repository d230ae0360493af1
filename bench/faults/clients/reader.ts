import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../../../src/base/random.ts'
import type { ClientEnvironment } from '../../../src/client/connection/ports.ts'
import type { HistoryEvent } from '../history.ts'
import { looked } from './looked.ts'
import { NodeReads } from './node-reads.ts'
import { Steps } from './steps.ts'

/**
 * A read that has no answer by then is given up, and another one takes its place: so that a node which is stopped while others
 * write finds reads that were asked after their answers, when it goes on.
 */
const PATIENCE_MS = 400
const THINK_MS = { min: 4, max: 16 } as const

/** What a reader needs of its run. */
export interface ReaderOptions {
  readonly process: number
  readonly endpoint: string
  readonly environment: ClientEnvironment
  readonly random: Random
  readonly note: (event: HistoryEvent) => void
  readonly nowNs: () => number
}

/**
 * Reads registers of one node, again and again, and writes nothing: it waits for no write when its node is cut off from the
 * others, and does not leave it for the next leader. So it is there when the node answers what it must not.
 */
export class Reader {
  private readonly options: ReaderOptions
  private readonly steps: Steps
  private readonly reads: NodeReads
  private readonly loop: Promise<void>
  private stopping = false

  constructor(options: ReaderOptions) {
    this.options = options
    this.steps = new Steps(options.process, options.random)
    this.reads = new NodeReads(options.endpoint, options.environment)
    this.loop = this.run()
  }

  /** Asks for nothing more; resolves when what was asked has ended. */
  async stop(): Promise<void> {
    this.stopping = true
    await this.loop
    this.reads.close()
  }

  private async run(): Promise<void> {
    const { process, random, note, nowNs } = this.options
    while (!this.stopping) {
      const step = this.steps.read('register', false)
      note({ process, type: 'invoke', f: step.f, value: step, timeNs: nowNs() })
      const end = await looked(this.reads, step, PATIENCE_MS)
      note({ process, f: step.f, ...end, timeNs: nowNs() })
      await pause(random.between(THINK_MS.min, THINK_MS.max))
    }
  }
}
