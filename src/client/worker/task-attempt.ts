import type { ClientClock } from '../connection/ports.ts'
import type { TaskAssignment } from '../session/typed-requests.ts'
import type { WorkerKind } from './worker-kinds.ts'
import type { WorkerTask } from './typed-tasks.ts'

/**
 * Why an attempt is no longer this worker's; the reason of its signal. Codes are of scope `machine` or `client` in the
 * registry.
 */
export class TaskAborted extends Error {
  override readonly name = 'TaskAborted'
  readonly code: AbortCode

  constructor(code: AbortCode, taskId: string) {
    super(`the attempt at task ${taskId} is over: ${code}`)
    this.code = code
  }
}

/** LEASE_EXPIRED: another attempt follows. WORKER_LOST: the session ended. WORKER_STOPPED: `stop` waits no longer. */
export type AbortCode = 'LEASE_EXPIRED' | 'WORKER_LOST' | 'WORKER_STOPPED'

/** One attempt that was assigned to this worker, from its arrival until its end was told. */
export class TaskAttempt {
  readonly assignment: TaskAssignment
  readonly kind: WorkerKind
  private readonly controller = new AbortController()
  private readonly clock: ClientClock
  private readonly leaseEndsAt: number | null
  private readonly timer: { cancel(): void } | null
  private abortCode: AbortCode | null = null
  private ended = false

  /** `expired` is called when the lease is over, as this clock has it: from the arrival on. */
  constructor(assignment: TaskAssignment, kind: WorkerKind, clock: ClientClock, expired: () => void) {
    this.assignment = assignment
    this.kind = kind
    this.clock = clock
    this.leaseEndsAt = kind.leaseMs === null ? null : clock.nowMs() + kind.leaseMs
    this.timer = kind.leaseMs === null ? null : clock.setTimer(kind.leaseMs, expired, 'upkeep')
  }

  /** Null while it is this worker's. */
  get abortedBy(): AbortCode | null {
    return this.abortCode
  }

  /** What is left of the lease, ms; 0 where it is not known. */
  get leftMs(): number {
    return this.leaseEndsAt === null ? 0 : Math.max(0, this.leaseEndsAt - this.clock.nowMs())
  }

  get task(): WorkerTask {
    const { taskId, kind, attempt } = this.assignment
    return { taskId, kind, attempt, signal: this.controller.signal }
  }

  /** The first reason counts; false: there was one, or the handler has ended and only its word is on the way. */
  abort(code: AbortCode): boolean {
    if (this.abortCode !== null || this.ended) return false
    this.abortCode = code
    this.timer?.cancel()
    this.controller.abort(new TaskAborted(code, this.assignment.taskId))
    return true
  }

  /** Its handler has ended, or never begins; no timer stays behind. */
  close(): void {
    this.ended = true
    this.timer?.cancel()
  }
}
