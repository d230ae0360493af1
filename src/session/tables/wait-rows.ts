import type { Millis, SessionId } from '../../base/brand.ts'
import type { Limits, WaitLimits } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'
import type { WaitEnd } from '../user-machine.ts'

/**
 * What holds where a Limits entry says nothing of waits, as none did before there were any. Part of what a log means: a change
 * here would make old logs others, so that it never changes.
 */
export const WAIT_LIMITS: WaitLimits = {
  waitersPerKeyMax: 10_000,
  waitersPerSessionMax: 1000,
  signalsPerKeyMax: 1000,
  signalRetentionMaxMs: 24 * 3_600_000,
}

/** The limits of waits that hold by a Limits entry. */
export const waitLimits = ({ waits }: Limits): WaitLimits => waits ?? WAIT_LIMITS

/**
 * How deep ends of waits may follow from each other within one entry: an `onWait` whose signal ends a wait whose `onWait` … A
 * machine whose hook waits for what it signals would never end otherwise. Beyond it there is no room for a signal to a waiter.
 */
export const WAIT_CHAIN_MAX = 16

/**
 * Ends that a command, a timer or the end of a session may bring by signals and waits, with all that follows from them: each is
 * a hook, and nobody else is served meanwhile. Beyond it there is no room either.
 */
export const WAIT_ENDS_MAX = 1024

/** Name of the session layer's own timer of a waiter, under TASK_MACHINE, begins with this; then its `waitId`. */
export const WAIT_TIMER = 'wait:'

/** A stored wait (docs/decisions/waits.md). */
export type WaiterRow = {
  /** `<incarnation>-wait-<number>`. */
  readonly waitId: string
  /** Rises over the group's life, with those of signals: who waits longest is served first. */
  readonly number: number
  readonly machine: string
  readonly key: string
  /** Session with whose end the wait ends; null: none. */
  readonly owner: SessionId | null
  /** Type of the server request by which the owner hears of the end; null: the machine's hook hears of it. */
  readonly deliver: string | null
  /** On the `now` clock: it ends timed out then; null: never. */
  readonly dueAt: Millis | null
  readonly createdAt: Millis
}

/** A signal that found no waiter and is kept. */
export type SignalRow = {
  readonly number: number
  readonly machine: string
  readonly key: string
  readonly value: Value
  readonly at: Millis
  /** On the `now` clock: kept while `now` < `until`. */
  readonly until: Millis
}

/** The end of a wait that is to be delivered in the entry that brought it. */
export interface EndedWait {
  readonly waiter: WaiterRow
  readonly end: WaitEnd
  /** 1 for what a command or timer ended, one more for what the hook of another end did. */
  readonly depth: number
}

/** What `wait` goes by. */
export interface Waiting {
  readonly incarnation: number
  readonly limits: WaitLimits
  /** Its owner is no live session. */
  readonly ownerGone: boolean
}

/** What `signal` does with a signal that nobody waits for. */
export interface Keeping {
  readonly now: Millis
  readonly until: Millis
  /** Signals of the key that are kept at most, at least 1. */
  readonly keptMax: number
  /** What happens at `keptMax`. */
  readonly overflow: 'reject' | 'dropOldest' | 'coalesce'
}
