import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeId } from '../../base/brand.ts'
import { CommandError } from '../terminal/exit.ts'
import { paint, say } from '../terminal/output.ts'
import type { LocalCluster } from './local-cluster.ts'
import type { NodeProcess } from './node-process.ts'

/** A node that somebody killed comes back after this long, as under any supervisor. */
const RESTART_MS = 500
/** Ends this soon after its start this often in a row: the node cannot run, and is left alone. */
const EARLY_END_MS = 5_000
const EARLY_ENDS_MAX = 3

/** How nodes are supervised. */
export interface SupervisionOptions {
  /** Whether a node that ended by itself is started again. */
  readonly restart: boolean
  /** Once it is aborted, no node is started any more. */
  readonly signal: AbortSignal
  /** Called for every process that has become ready, the first ones included. */
  readonly ready: (child: NodeProcess) => void
}

/** The nodes of a local cluster: one that ends is started again, and all of them when there is a new build. */
export class SupervisedNodes {
  readonly signal: AbortSignal
  private readonly cluster: LocalCluster
  private readonly options: SupervisionOptions
  /** Those that somebody waits on; the others were left alone, until the next `restart`. */
  private readonly watched = new Set<NodeId>()
  /** Those that `restart` is about to start: their end was wanted. */
  private readonly starting = new Map<NodeId, Promise<NodeProcess>>()

  constructor(cluster: LocalCluster, options: SupervisionOptions) {
    this.cluster = cluster
    this.options = options
    this.signal = options.signal
    for (const { id } of cluster.members) {
      const child = cluster.process(id)
      if (child !== null) void this.supervise(child)
    }
  }

  /**
   * Starts every node again: one after the other, so that a majority serves; with `emptied`, which is called while none
   * runs, all at once. Rejects with CommandError when one does not start: that one is left alone, until the next call.
   */
  async restart(emptied: (() => void) | null): Promise<void> {
    const ids = this.cluster.members.map(({ id }) => id)
    if (emptied === null) {
      for (const id of ids) {
        const down = this.cluster.process(id) === null
        // One that ended by itself is on its way, with the new build.
        if (!down || !this.watched.has(id)) await this.startAgain(id, this.stop(id))
      }
      return
    }
    const stopped = Promise.all(ids.map((id) => this.stop(id))).then(async () => {
      emptied()
      await this.cluster.begin()
    })
    await Promise.all(ids.map((id) => this.startAgain(id, stopped)))
  }

  private async stop(id: NodeId): Promise<void> {
    await this.cluster.process(id)?.stop()
  }

  private async startAgain(id: NodeId, stopped: Promise<void>): Promise<void> {
    const started = stopped.then(() => this.cluster.startNode(id))
    this.starting.set(id, started)
    try {
      const child = await started
      if (!this.watched.has(id)) void this.supervise(child)
    } finally {
      this.starting.delete(id)
    }
  }

  /** Until the node is left alone. */
  private async supervise(first: NodeProcess): Promise<void> {
    const { id } = first.options
    this.watched.add(id)
    let child: NodeProcess | null = first
    for (let earlyEnds = 0; child !== null; ) {
      this.options.ready(child)
      const startedAt = Date.now()
      const end = await child.exited
      if (this.signal.aborted) break
      if (!this.starting.has(id)) {
        say(`${prefix(id)} ${paint('red', 'ended')} with ${end.signal ?? `exit code ${end.code}`}`)
        earlyEnds = Date.now() - startedAt < EARLY_END_MS ? earlyEnds + 1 : 0
        if (!(await this.mayStart(id, earlyEnds))) break
      }
      child = await this.started(id)
    }
    this.watched.delete(id)
  }

  private async mayStart(id: NodeId, earlyEnds: number): Promise<boolean> {
    if (!this.options.restart) return false
    if (earlyEnds > EARLY_ENDS_MAX) {
      say(`${prefix(id)} ends again and again: left alone`)
      return false
    }
    await sleep(RESTART_MS)
    return !this.signal.aborted
  }

  /** The next process of a node, by `restart` or else by its supervision; null: it does not start. */
  private async started(id: NodeId): Promise<NodeProcess | null> {
    try {
      return await (this.starting.get(id) ?? this.cluster.startNode(id))
    } catch (error) {
      if (this.signal.aborted) return null
      // Stopped while it was starting.
      if (this.starting.has(id)) return this.started(id)
      say(`${prefix(id)} ${error instanceof CommandError ? error.message : String(error)}: left alone`)
      return null
    }
  }
}

/** What lines of a node begin with. */
export function prefix(id: NodeId): string {
  return paint('cyan', `[${id}]`)
}
