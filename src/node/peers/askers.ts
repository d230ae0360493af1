import type { NodeId, Term } from '../../base/brand.ts'
import type { Message } from '../../raft/types.ts'

/** Nodes of which something is remembered. A member is forgotten by nobody's doing: it asks several times a second. */
const ASKERS_MAX = 64

interface Candidate {
  readonly instance: string
  readonly term: Term
}

interface Reached {
  readonly instance: string
  readonly address: string
}

/**
 * Whose disk asked last, by node id: answers go to it, whatever disk this node's Configuration names. A log that is behind
 * names members that have been replaced, or removed, since, and the leader may be on a disk that it does not name yet.
 */
export class Askers {
  private readonly asked = new Map<NodeId, string>()
  private readonly candidates = new Map<NodeId, Candidate>()
  private readonly reached = new Map<NodeId, Reached>()

  /** Takes note of a request; false: it must not be taken, for another disk of that id asked for a vote in that term. */
  hear(from: NodeId, instance: string, message: Message): boolean {
    if (!isRequest(message)) return true
    if (message.kind === 'requestVote' && !this.hearCandidate(from, { instance, term: message.term })) return false
    remember(this.asked, from, instance)
    return true
  }

  /** A disk that this node's Configuration does not name says where it is reached. */
  hearAddress(from: NodeId, reached: Reached): void {
    remember(this.reached, from, reached)
  }

  /** What that disk has said of where it is reached; null: nothing. */
  addressOf(id: NodeId, instance: string): string | null {
    const reached = this.reached.get(id)
    return reached?.instance === instance ? reached.address : null
  }

  /** The disk that an answer, or a question to the leader, goes to; null: none has asked, or none that this vote is for. */
  instanceFor(to: NodeId, message: Message): string | null {
    if (message.kind !== 'requestVoteResponse') return this.instanceOf(to)
    const candidate = this.candidates.get(to)
    if (candidate === undefined) return null
    return message.verdict.granted && candidate.term !== message.term ? null : candidate.instance
  }

  /** The disk of that id that asked last. */
  instanceOf(id: NodeId): string | null {
    return this.asked.get(id) ?? null
  }

  /**
   * A vote goes to the very disk whose log was compared. Without it:
   *
   *   1. n1 was replaced, which n5 does not know yet. The old disk asks n5 for its vote in term 7, and n5 writes it down.
   *   2. The new one asks in term 7 as well, under the same id. What was granted to the old one is sent to the new one.
   */
  private hearCandidate(from: NodeId, candidate: Candidate): boolean {
    const before = this.candidates.get(from)
    if (before !== undefined && before.term === candidate.term && before.instance !== candidate.instance) return false
    if (before === undefined || before.term < candidate.term) remember(this.candidates, from, candidate)
    return true
  }
}

function remember<Of>(map: Map<NodeId, Of>, id: NodeId, value: Of): void {
  map.delete(id)
  map.set(id, value)
  const [oldest] = map.keys()
  if (map.size > ASKERS_MAX && oldest !== undefined) map.delete(oldest)
}

/** What a leader or a candidate sends. */
export function isRequest({ kind }: Message): boolean {
  return (
    kind === 'appendEntries' ||
    kind === 'installSnapshot' ||
    kind === 'timeoutNow' ||
    kind === 'requestVote' ||
    kind === 'preVoteRequest'
  )
}

/** What a leader alone sends to bring its log to another node. */
export function isOfLeader({ kind }: Message): boolean {
  return kind === 'appendEntries' || kind === 'installSnapshot'
}

/** What goes to whoever asked, or leads. */
export function isAnswer({ kind }: Message): boolean {
  return (
    kind === 'appendEntriesResponse' ||
    kind === 'installSnapshotResponse' ||
    kind === 'requestVoteResponse' ||
    kind === 'preVoteResponse' ||
    kind === 'logEnd' ||
    kind === 'readIndex'
  )
}
