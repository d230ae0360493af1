import type { Resources } from './resources.ts'

/** A node's process, of whichever product. */
export interface RunningNode {
  readonly pid: number
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Resolves once it listens, however the cluster is; rejects with its last words. */
  ready(): Promise<void>
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM, and force after a while. */
  stop(): Promise<void>
}

/** Where a node runs. */
export interface NodePlace {
  readonly id: string
  readonly endpoint: string
  readonly dataDirectory: string
  /** Program and arguments before its own. */
  readonly through: readonly string[]
}

/** How a node is started on its place. */
export type Spawn = (place: NodePlace, environment: { readonly [name: string]: string }) => RunningNode

/** One node of the cluster under faults: its place, and the process that is there now. */
export class NodeSeat {
  readonly place: NodePlace
  /** What happened to its processes that nobody had ordered, a sentence each. */
  readonly crashes: string[] = []
  private readonly spawn: Spawn
  private readonly resources: Resources
  private running: RunningNode | null = null
  private expendable = false

  constructor(place: NodePlace, spawn: Spawn, resources: Resources) {
    this.place = place
    this.spawn = spawn
    this.resources = resources
  }

  /** Null while it is down. */
  get pid(): number | null {
    return this.running?.pid ?? null
  }

  /** Starts it if it is down, and waits until it listens. */
  async start(environment: { readonly [name: string]: string } = {}): Promise<void> {
    if (this.running !== null) return
    const started = this.spawn(this.place, environment)
    this.running = started
    this.expendable = false
    this.resources.noteProcess(started.pid)
    void started.exited.then(({ code, signal }) => {
      if (this.running !== started) return
      this.running = null
      if (!this.expendable) this.crashes.push(`${this.place.id} ended by itself: ${signal ?? code}`)
    })
    await started.ready()
  }

  /** From now on until its next start it may end by itself: a fault makes it. */
  mayEnd(): void {
    this.expendable = true
  }

  /** Resolves when its process has ended; at once while it is down. */
  async ended(): Promise<void> {
    await this.running?.exited
  }

  async kill(): Promise<void> {
    const { running } = this
    this.running = null
    await running?.kill()
  }

  async stop(): Promise<void> {
    const { running } = this
    this.running = null
    await running?.stop()
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running !== null) process.kill(this.running.pid, signal)
  }
}
