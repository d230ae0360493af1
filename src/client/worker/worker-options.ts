import type { Value } from '../../codec/value/value.ts'
import { callback, fieldsOf, integer, optional, waitMs } from '../check/fields.ts'

/** Why the result of an attempt was not taken, or there is none. */
export interface TaskProblem {
  readonly taskId: string
  readonly kind: string
  readonly attempt: number
  /**
   * HANDLER_FAILED: the handler threw. UNHANDLED_TASK: there is none. LEASE_EXPIRED: it took too long. STALE_TASK: the result
   * came too late, or the task was cancelled. VALIDATION_ERROR: the result does not fit. WORKER_STOPPED: given back by `stop`.
   * Else what kept the result from being told.
   */
  readonly code: string
  /** Details of the refusal; null: none. */
  readonly details: Value
  /** What the handler threw; null: nothing. */
  readonly error: unknown
}

/** How a worker works; all of it may be left out. */
export interface WorkerOptions {
  /**
   * Attempts that run at once, from 1 to 1024. More wait here, and their leases run. Default 64: the server gives a session no
   * more by default.
   */
  readonly concurrency?: number
  /** How long an attempt may take, ms, for kinds whose machine was not given to `connect`. Default: for ever. */
  readonly leaseMs?: number
  /** Hears of every attempt whose result was not taken. Absent: a warning, once per kind and code. */
  readonly onProblem?: (problem: TaskProblem) => void
}

/** The same, read once. */
export interface CheckedWorkerOptions {
  readonly concurrency: number
  readonly leaseMs: number | null
  readonly onProblem: ((problem: TaskProblem) => void) | null
}

const CONCURRENCY = 64
const CONCURRENCY_MAX = 1024

/** Throws InvalidArgument with the field. */
export function checkWorkerOptions(given: unknown): CheckedWorkerOptions {
  const { concurrency, leaseMs, onProblem } = fieldsOf(given, 'options')
  if (onProblem !== undefined) callback(onProblem, 'options.onProblem')
  return {
    concurrency: optional(concurrency, 'options.concurrency', {
      read: (value, field) => integer(value, field, [1, CONCURRENCY_MAX]),
      fallback: CONCURRENCY,
    }),
    leaseMs: optional(leaseMs, 'options.leaseMs', { read: waitMs, fallback: null }),
    onProblem: (onProblem ?? null) as CheckedWorkerOptions['onProblem'], // a function, checked above
  }
}
