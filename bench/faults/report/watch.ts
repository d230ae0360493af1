import { setTimeout as pause } from 'node:timers/promises'
import { statusOf } from '../../agreement.ts'

/** What a node said of itself at one moment; `role` is `down` where it did not answer. */
export interface Seen {
  /** Since the run began, ms. */
  readonly atMs: number
  readonly node: string
  readonly role: string
  readonly term: number
}

const LOOK_MS = 500

/** Looks at every node twice a second, for the report. */
export class Watch {
  readonly seen: Seen[] = []
  /** Of the last looks; 0 before a node has answered. */
  term = 0
  snapshotIndex = 0
  private readonly beganNs: bigint
  private stopping = false
  private readonly loop: Promise<unknown>

  constructor(nodes: readonly { readonly id: string; readonly endpoint: string }[], beganNs: bigint) {
    this.beganNs = beganNs
    this.loop = Promise.all(nodes.map((node) => this.look(node)))
  }

  async stop(): Promise<void> {
    this.stopping = true
    await this.loop
  }

  private async look({ id, endpoint }: { readonly id: string; readonly endpoint: string }): Promise<void> {
    while (!this.stopping) {
      const status = await statusOf(endpoint)
      const atMs = Math.round(Number(process.hrtime.bigint() - this.beganNs) / 1e6)
      this.seen.push({ atMs, node: id, role: status?.role ?? 'down', term: status?.term ?? 0 })
      this.term = Math.max(this.term, status?.term ?? 0)
      this.snapshotIndex = Math.max(this.snapshotIndex, status?.snapshotIndex ?? 0)
      await pause(LOOK_MS)
    }
  }
}
