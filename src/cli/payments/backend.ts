import type { Outcome, Plain } from './outcome.ts'

/** Work that the cluster gives to a worker session. */
export interface WorkerTask {
  readonly taskId: string
  readonly kind: string
  readonly attempt: number
  readonly payload: unknown
}

/** A session of the cluster. */
export interface BackendSession {
  /** Runs a command; those of one session are executed in the order of the calls. Every end is an outcome. */
  command(machine: string, command: string, input: Plain): Promise<Outcome>
}

/** Whose session it is, and what it does with tasks. */
export interface BackendSessionOptions {
  readonly principal: string
  readonly roles: readonly string[]
  /** Called for each task; the server request is acknowledged when it returns. */
  readonly onTask?: (task: WorkerTask) => void
}

/** What the replayer and the demo need of a client: a port, so that both are tested without a cluster. */
export interface Backend {
  open(options: BackendSessionOptions): Promise<BackendSession>
  /** A query by this principal, which sees at least what was done by this backend's commands. */
  query(principal: string, machine: string, query: string, input: Plain): Promise<Outcome>
  /** Ends the sessions and releases the connection. */
  close(): Promise<void>
}
