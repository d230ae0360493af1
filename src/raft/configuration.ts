import type { LogIndex, Millis, NodeId } from '../base/brand.ts'

/**
 * Who the members are, as one Configuration entry says. Each list is sorted by id. Addresses and instance ids live in the
 * entry's payload, which the core never sees.
 */
export interface Configuration {
  /** Of whom a majority elects and commits. */
  readonly voters: readonly NodeId[]
  /** Are sent the log and count for nothing. One may be among `outgoing` too: it was a voter, or its disk is replaced. */
  readonly learners: readonly NodeId[]
  /**
   * Voters of the configuration before, while a change is joint: a majority of them is needed besides one of the voters
   * (thesis §4.3). Else empty.
   */
  readonly outgoing: readonly NodeId[]
  /** Learners that become voters once they have caught up; it stands in the log, so that every later leader sees to it. */
  readonly promoting: readonly NodeId[]
  /** Leaders may answer reads by a lease, and defer what they commit at first (lease.ts); absent: they do neither. */
  readonly lease?: LeaseTerms
}

/** How long a lease is. All nodes go by the same terms: a leader with a lease is right only if its successor defers. */
export interface LeaseTerms {
  /** Δ, ms of time: from an entry's append. */
  readonly ms: Millis
  /** ε, thousandths, in [0, 500]: within that share a node's monotonic clock keeps time. */
  readonly driftPermille: number
}

/** A Configuration and the index of the entry that carries it (0: from the snapshot's or the initial one). */
export interface ConfigurationEntry {
  readonly index: LogIndex
  readonly configuration: Configuration
}
