import type { RaftState } from '../../raft/index.ts'
import type { Effect } from '../../raft/types.ts'
import type { LogClock } from './log-clock.ts'
import type { Members } from '../membership/members.ts'
import type { Membership } from '../membership/membership.ts'
import type { DriverOptions } from '../options.ts'
import { createdPayload } from './created-payload.ts'
import type { Peers } from '../peers/peers.ts'
import type { Pending } from './pending.ts'
import type { Proposals } from './proposals.ts'
import type { KnownSkips } from '../skip/known-skips.ts'
import { type StepInput, recordsOf, type RecordsPorts } from './write-records.ts'

/** The parts of the driver that a log write reads or changes. */
export interface LogWritesParts {
  readonly clock: LogClock
  readonly members: Members
  readonly peers: Peers
  readonly pending: Pending
  readonly proposals: Proposals
  readonly membership: Membership
  readonly skips: KnownSkips
  /** Both clocks for the next entries. */
  stamp(): { lease: number; now: number }
}

/** From a persist effect to the log write: records, the Configurations among them, and who waits for its entries. */
export class LogWrites {
  private readonly log: DriverOptions['log']
  private readonly parts: LogWritesParts
  private readonly records: RecordsPorts

  constructor(options: DriverOptions, parts: LogWritesParts) {
    const { log, identity } = options
    this.log = log
    this.parts = parts
    this.records = {
      group: identity.group,
      clock: parts.clock,
      proposals: parts.proposals,
      stamp: () => parts.stamp(),
      chainAt: (index) => log.chainAt(index),
      // The first Configuration is the handshake's.
      createdPayload: (kind, index) =>
        kind === 'configuration' && index > 1
          ? parts.membership.payloadAt(index)
          : createdPayload(kind, options, parts.peers),
    }
  }

  persist(effect: Extract<Effect, { kind: 'persist' }>, input: StepInput, raft: RaftState): void {
    const { members, peers, pending, skips } = this.parts
    const { write, truncateFrom } = effect
    if (truncateFrom !== null) {
      members.truncateFrom(truncateFrom)
      skips.truncateFrom(truncateFrom)
    }
    const { skips: skipsSome, ...written } = recordsOf(effect, input, this.records)
    if (skipsSome) skips.learn(written.records)
    const hardState = effect.hardState ?? { currentTerm: raft.currentTerm, votedFor: raft.votedFor }
    const first = effect.entries[0]
    // PERF: what clients propose is never one, and what was received has been looked through.
    if (first?.source.kind === 'created' || input.configurations) peers.learnConfigurations(written.records)
    if (first?.source.kind === 'proposed') {
      // Before the write: should it fail at once, their outcome is unknown like that of everything appended.
      let index: number = first.first
      for (const { sink } of input.proposed) {
        if (sink !== null) pending.add(index, sink)
        index += 1
      }
    }
    this.log.append({ write, hardState, truncateFrom, ...written })
  }
}
