import type { NodeId } from '../../base/brand.ts'
import type { RoleName } from '../../node/api.ts'
import type { Configuration, ConfigurationEntry, Message } from '../../raft/types.ts'
import type { LogWitness, WitnessedEntry } from '../log-witness.ts'
import { Violation } from './violation.ts'

/** What the checkers look at after an event, of one running process. */
export interface Observed {
  readonly id: NodeId
  readonly role: RoleName
  readonly currentTerm: number
  readonly commitIndex: number
  readonly appliedIndex: number
  /** Of the configurations that its core knows, the newest is in force. */
  readonly configurations: readonly ConfigurationEntry[]
  readonly log: LogWitness
}

/** The log of each node as last witnessed, and those of the disks that it had before. */
export type DisksOfNodes = ReadonlyMap<NodeId, readonly LogWitness[]>

interface Reopened {
  readonly before: LogWitness | null
  readonly now: LogWitness
  readonly firstIndex: number
  readonly damaged: boolean
  /** Its newest write is not known, which a vote may have been. */
  readonly census: boolean
}

interface VotePromise {
  readonly term: number
  readonly votedFor: NodeId | null
}

/**
 * The safety properties of paper Figure 3 and what they rest on, over the whole run and across restarts (faults.md §1):
 * election safety, log matching by the hash chain, leader completeness, state-machine safety, committed-is-durable on a
 * quorum's disks, monotonic term, vote, commit and applied, equal state hash per index.
 */
export class Invariants {
  elections = 0
  /** Highest index committed anywhere. */
  committedIndex = 0
  private readonly leaders = new Map<number, NodeId>()
  private readonly chains = new Map<string, number>()
  private readonly committed: WitnessedEntry[] = []
  private readonly hashes: string[] = []
  private readonly last = new Map<NodeId, Observed>()
  /** Strongest word each node has put on the wire. */
  private readonly promises = new Map<NodeId, VotePromise>()
  /** Nodes whose damaged log may lack the newest of their promises, and a census is owed for it. */
  private readonly forgotten = new Set<NodeId>()

  /** Log matching (paper §5.3): one (index, term) has one chain value, hence one prefix. */
  appended(node: NodeId, index: number, entry: WitnessedEntry): void {
    const key = `${index}/${entry.term}`
    const known = this.chains.get(key)
    if (known === undefined) this.chains.set(key, entry.chain)
    else if (known !== entry.chain) throw new Violation('log matching', { node, index, term: entry.term })
  }

  /** A node put a message on the wire: what it promises must be on its disk already. */
  sent(node: NodeId, to: NodeId, message: Message, log: LogWitness): void {
    const term = message.term
    if (message.kind === 'requestVote') this.promise(node, { term, votedFor: node }, log)
    if (message.kind === 'requestVoteResponse' && message.verdict.granted)
      this.promise(node, { term, votedFor: to }, log)
    if (message.kind === 'appendEntriesResponse' && message.result.success) {
      const { matchIndex } = message.result
      // Replies wait for their write (architecture.md §3): an acknowledged entry is on the disk of who acknowledges it.
      if (matchIndex > log.covered && log.durable[matchIndex] === undefined) {
        throw new Violation('an acknowledged entry is durable', { node, matchIndex, term })
      }
    }
  }

  /** After every event, for each process that may have changed. */
  observe(now: Observed, disks: () => DisksOfNodes): void {
    const before = this.last.get(now.id)
    if (before !== undefined) this.monotonic(before, now)
    if (now.role === 'leader' && this.leaders.get(now.currentTerm) !== now.id) this.elected(now)
    if (before === undefined || now.commitIndex > before.commitIndex) this.commitAdvanced(now, before ?? now, disks)
    // What an earlier process of a node had applied, the next one applies before it hears that it is committed.
    if (now.appliedIndex > this.committedIndex) throw new Violation('only what is committed is applied', facts(now))
    this.last.set(now.id, now)
  }

  /** The state machine of a node has applied the entry at this index. */
  applied(node: NodeId, index: number, stateHash: string): void {
    const known = this.hashes[index]
    if (known === undefined) this.hashes[index] = stateHash
    else if (known !== stateHash) throw new Violation('equal state hash per index', { node, index, known, stateHash })
  }

  /**
   * A process has opened its log again: nothing it had on disk may be missing, no promise forgotten. Of a damaged one entries
   * may be missing, and where it owes a census its vote too, also at the restarts that follow: it must not vote in that term
   * again (`promise`).
   */
  reopened(node: NodeId, log: Reopened): void {
    this.last.delete(node)
    if (log.damaged && log.census) this.forgotten.add(node)
    const promise = this.promises.get(node)
    const { currentTerm, votedFor } = log.now.durableHardState
    if (promise !== undefined && !this.forgotten.has(node)) {
      const kept = currentTerm > promise.term || (currentTerm === promise.term && votedFor === promise.votedFor)
      if (!kept) throw new Violation('a vote survives restarts', { node, promise, currentTerm, votedFor })
    }
    const { before } = log
    // A snapshot was switched to that the log did not hold the end of: an open gives such a log up.
    const base = log.firstIndex - 1
    if (base > 0 && before?.durable[base]?.chain !== log.now.entries[base]?.chain) return
    before?.durable.forEach((entry, index) => {
      const found = log.now.entries[index]
      if (index < log.firstIndex || found?.chain === entry.chain) return
      if (before.mayHaveReplaced(index, found)) return
      throw new Violation('a durable entry survives restarts', { node, index })
    })
  }

  /** A node's disk was replaced: what it promised is gone with it, and Raft must not count on its successor for that. */
  replaced(node: NodeId): void {
    this.last.delete(node)
    this.promises.delete(node)
    this.forgotten.delete(node)
  }

  private promise(node: NodeId, promise: VotePromise, log: LogWitness): void {
    const { currentTerm, votedFor } = log.durableHardState
    const durable = currentTerm > promise.term || (currentTerm === promise.term && votedFor === promise.votedFor)
    if (!durable) throw new Violation('a vote is durable before it is spoken', { node, promise, currentTerm, votedFor })
    const known = this.promises.get(node)
    if (known !== undefined && known.term === promise.term && known.votedFor !== promise.votedFor) {
      throw new Violation('one vote per term', { node, known, promise })
    }
    if (known !== undefined && promise.term <= known.term) return
    this.promises.set(node, promise)
    this.forgotten.delete(node)
  }

  private monotonic(before: Observed, now: Observed): void {
    const falls =
      now.currentTerm < before.currentTerm ||
      now.commitIndex < before.commitIndex ||
      now.appliedIndex < before.appliedIndex
    if (falls)
      throw new Violation('term, commit and applied never decrease', { before: facts(before), now: facts(now) })
  }

  private elected(now: Observed): void {
    const other = this.leaders.get(now.currentTerm)
    if (other !== undefined) throw new Violation('election safety', { term: now.currentTerm, leaders: [other, now.id] })
    this.leaders.set(now.currentTerm, now.id)
    this.elections += 1
    const index = this.committedIndex
    if (index > 0 && now.log.entries[index]?.chain !== this.committed[index]?.chain) {
      throw new Violation('leader completeness', { leader: now.id, term: now.currentTerm, index })
    }
  }

  private commitAdvanced(now: Observed, before: Observed, disks: () => DisksOfNodes): void {
    const entry = now.log.entries[now.commitIndex]
    if (now.commitIndex === 0) return
    const known = this.committed[Math.min(now.commitIndex, this.committedIndex)]
    const own = now.log.entries[Math.min(now.commitIndex, this.committedIndex)]
    if (known !== undefined && known.chain !== own?.chain) {
      throw new Violation('state machine safety', { node: now.id, index: now.commitIndex })
    }
    if (entry === undefined) throw new Violation('a committed entry is in the log', facts(now))
    if (now.commitIndex <= this.committedIndex) return
    const { committedIndex } = this
    for (let index = committedIndex + 1; index <= now.commitIndex; index += 1) {
      this.committed[index] = now.log.entries[index] ?? entry
    }
    this.committedIndex = now.commitIndex
    const logs = disks()
    // The newest configuration of the log is in force (paper §6), and the step that commits may append another one. It may do
    // so as it commits a joint one; what is behind that may have its own majority alone, and it needs both of its own.
    const newest = before.configurations.at(-1)
    const appended = now.configurations.at(-1)
    if (newest !== undefined && newest.index > committedIndex && newest.index < now.commitIndex)
      requireQuorum(now, [newest], { index: newest.index, logs })
    requireQuorum(now, [newest, appended], { index: now.commitIndex, logs })
  }
}

/** What is committed at this index of the log is durable on a quorum of one of the configurations. */
function requireQuorum(
  now: Observed,
  configurations: readonly (ConfigurationEntry | undefined)[],
  { index, logs }: { readonly index: number; readonly logs: DisksOfNodes },
): void {
  const chain = now.log.entries[index]?.chain
  // A node is one voter, however many of its disks hold the entry.
  const holds = (id: NodeId): boolean => logs.get(id)?.some((log) => log.durable[index]?.chain === chain) ?? false
  if (configurations.some((known) => known !== undefined && isOnQuorum(known.configuration, holds))) return
  const holders = [...logs.keys()].filter(holds)
  throw new Violation('a committed entry is durable on a quorum', { ...facts(now), index, holders })
}

/** On the disks of a majority of the voters and, while a change is joint, of a majority of those before (thesis §4.3). */
function isOnQuorum({ voters, outgoing }: Configuration, holds: (id: NodeId) => boolean): boolean {
  return [voters, outgoing].every((ids) => ids.length === 0 || ids.filter(holds).length * 2 > ids.length)
}

function facts(observed: Observed): { readonly [name: string]: unknown } {
  const { id, role, currentTerm, commitIndex, appliedIndex } = observed
  return { id, role, currentTerm, commitIndex, appliedIndex }
}
