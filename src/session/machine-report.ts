import { unreachable } from '../base/assert.ts'
import type { SessionId } from '../base/brand.ts'
import type { Value } from '../codec/value/value.ts'

/** Reasons of MACHINE_ERROR; never a message or a stack, which differ between builds. */
export type MachineErrorReason =
  | 'EXCEPTION'
  | 'INTERNAL_INVARIANT'
  | 'INVALID_VALUE'
  | 'ASYNC_HANDLER'
  | 'RESPONSE_TOO_LARGE'
  | 'NONDETERMINISTIC'
  | 'SKIPPED'

/** Which of a machine's functions ran. */
export interface MachinePart {
  /** Null when it is a hook and the machine that ran is not known. */
  readonly machine: string | null
  readonly kind: 'command' | 'timer' | 'hook' | 'query'
  /** Name of the command, timer or query, or the hook's own: `onSessionCreated`, `onTaskResult`, `afterReject`, … */
  readonly name: string
}

/** A function of a machine threw, or gave what is refused as if it had: what it did was dropped (sessions.md §3, step 11). */
export interface MachineFailure {
  readonly kind: 'failure'
  readonly part: MachinePart
  /** Entry that ran it; of a query, the entry applied last. */
  readonly index: number
  /** Whose command or session it was; null in timers. */
  readonly session: SessionId | null
  readonly reason: MachineErrorReason
  /** What was thrown, as this process saw it; null when nothing was. Never replicated. */
  readonly error: unknown
}

/** What a machine said with `ctx.log`, while the entry at `index` was applied. */
export interface MachineLine {
  readonly kind: 'line'
  readonly machine: string | null
  readonly index: number
  readonly message: string
  readonly fields: { readonly [name: string]: Value }
}

/** What a machine tells the people who run it; nothing that is replicated depends on it. */
export type MachineReport = MachineFailure | MachineLine

/** `command stock.reserve`, `timer stock.expired/7`, `onSessionExpired of stock`. */
export function nameOfPart({ machine, kind, name }: MachinePart): string {
  if (kind === 'hook') return machine === null ? name : `${name} of ${machine}`
  return `${kind} ${machine ?? '?'}.${name}`
}

/** What a reason means, and what to do. */
export function meaningOf(reason: MachineErrorReason): string {
  switch (reason) {
    case 'ASYNC_HANDLER':
      return 'its handler returned a promise; handlers are synchronous: emit a request or a task, let a worker do the waiting, and take its answer as a new command'
    case 'INVALID_VALUE':
      return 'it set, emitted or returned something that is not plain data'
    case 'RESPONSE_TOO_LARGE':
      return 'its response is larger than the limit'
    case 'INTERNAL_INVARIANT':
      return 'an invariant does not hold'
    case 'NONDETERMINISTIC':
      return 'two runs of it on the same state did different things'
    case 'SKIPPED':
      return 'it was not run: every voter had stopped at it, and an operator had it skipped'
    case 'EXCEPTION':
      return 'it threw'
    default:
      return unreachable(reason)
  }
}
