import type { Outcome, Plain } from './outcome.ts'

/** Work that the cluster gives to a worker session. */
export interface WorkerTask {
  readonly taskId: string
  readonly kind: string
  readonly attempt: number
  readonly payload: unknown
}

/** A session of the cluster: requests are executed in the order of the calls. */
export interface BackendSession {
  request(machine: string, command: string, input: Plain): Promise<Outcome>
}

export interface BackendSessionOptions {
  readonly principal: string
  readonly roles: readonly string[]
  /** Called for each task; the server request is acknowledged when it returns. */
  readonly onTask?: (task: WorkerTask) => void
}

/** What the replayer and the demo need of a client: a port, so that both are tested without a cluster. */
export interface Backend {
  open(options: BackendSessionOptions): Promise<BackendSession>
  /** A linearizable query by this principal. */
  query(principal: string, machine: string, query: string, input: Plain): Promise<Outcome>
  close(): Promise<void>
}
