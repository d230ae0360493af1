import type { LogIndex, NodeId, Term } from '../base/brand.ts'

/**
 * What a node owes whose log was damaged, before it may vote and campaign again (obligation.ts, storage.md §3).
 *
 * - `reach`: what it had was known to its end: the log must reach (term, index) again; term and vote are as they were.
 * - `census`: not even its newest write can be read: first every other voter must have told its term, meanwhile it
 *   acknowledges nothing either. `told`: who has told it to this process.
 */
export type Obligation =
  | { readonly kind: 'reach'; readonly term: Term; readonly index: LogIndex }
  | { readonly kind: 'census'; readonly told: readonly NodeId[] }

/** Where the log of a voter ends, and which process of it says so. */
export interface LogEnd {
  readonly life: number
  /** What it owes something for: entries, or its newest write, so that it may have been in later terms than it knows of. */
  readonly lost: 'nothing' | 'entries' | 'term'
  readonly lastLogTerm: Term
  readonly lastLogIndex: LogIndex
}

/** What a node that owes something has heard of the other voters (survey.ts). */
export interface Survey {
  /** Number of the newest question of this process. */
  readonly round: number
  /** Where their logs end, by the answers to it. */
  readonly told: ReadonlyMap<NodeId, LogEnd>
  /** By those to an earlier one that all of them answered; null: to none. */
  readonly before: ReadonlyMap<NodeId, LogEnd> | null
  /** Somebody who told its term has lost its own newest write. */
  readonly unsure: boolean
}
