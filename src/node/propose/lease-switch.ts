import type { NodeId } from '../../base/brand.ts'
import { configurationOf, type RaftState } from '../../raft/index.ts'
import type { LeaseTerms } from '../../raft/types.ts'
import type { PeerTransport } from '../ports/peer-transport.ts'

export interface LeaseSwitchParts {
  /** Terms of the leases that this process is to see in force; null: none are to be; undefined: it is content with any. */
  readonly leases?: LeaseTerms | null | undefined
  readonly transport: Pick<PeerTransport, 'takesLeases'>
  /** One step of the core. */
  setLease(lease: LeaseTerms | null): void
}

/**
 * Puts leases in force, or ends them, as a leader was started to (lease-reads.md). Only once every other member's process
 * takes them: one of an earlier build cannot read the Configuration that says so, and would get no further. No safety rests on
 * it: such a node lacks an entry that is committed, and is not elected. Ending them needs nobody's leave.
 */
export class LeaseSwitch {
  private readonly parts: LeaseSwitchParts

  constructor(parts: LeaseSwitchParts) {
    this.parts = parts
  }

  /** At the leader, now and then. The core sees whether it is so already, and whether it may be changed now. */
  run(raft: RaftState, self: NodeId): void {
    const { leases, transport, setLease } = this.parts
    const present = configurationOf(raft)
    if (leases === undefined || present === null) return
    if ((present.lease ?? null) === leases) return
    const others = [...present.voters, ...present.learners].filter((id) => id !== self)
    const known = (id: NodeId): boolean => transport.takesLeases?.(id) ?? true
    if (leases === null || others.every(known)) setLease(leases)
  }
}
