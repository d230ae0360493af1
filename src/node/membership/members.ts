import type { LogIndex, NodeId } from '../../base/brand.ts'
import type { ConfigurationPayload, Member } from '../../codec/entry/payload.ts'
import type { KnownConfiguration } from '../ports/log-store.ts'

/**
 * Who the members are, as the newest Configuration in the log says, applied or not (thesis §4.1): addresses and the
 * instance ids that bind a node id to one data directory. Rolled back with the log.
 */
export class Members {
  private stack: readonly KnownConfiguration[]

  /** `known`: what the node opened with, in order. */
  constructor(known: readonly KnownConfiguration[]) {
    this.stack = known
  }

  get newest(): ConfigurationPayload | null {
    return this.newestKnown?.payload ?? null
  }

  get newestKnown(): KnownConfiguration | null {
    return this.stack[this.stack.length - 1] ?? null
  }

  /** The newest one at or below an index: what a snapshot there must hold. */
  at(index: LogIndex): KnownConfiguration | null {
    return this.stack.filter((known) => known.index <= index).at(-1) ?? null
  }

  add(configuration: KnownConfiguration): void {
    this.stack = [...this.stack.filter((known) => known.index < configuration.index), configuration]
  }

  truncateFrom(index: LogIndex): void {
    if (this.stack.some((known) => known.index >= index)) {
      this.stack = this.stack.filter((known) => known.index < index)
    }
  }

  /**
   * Whom a frame to or from that id concerns. In a joint configuration a disk that is being replaced is still the voter: the
   * new one is a learner from the next configuration on.
   */
  member(id: NodeId): Member | null {
    const { newest } = this
    if (newest === null) return null
    const named = (members: readonly Member[]): Member | undefined => members.find((member) => member.id === id)
    return named(newest.voters) ?? named(newest.outgoing) ?? named(newest.learners) ?? null
  }
}
