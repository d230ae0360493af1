import type { LogIndex, NodeId, Term } from '../../base/brand.ts'
import { checkState, checkTransition, type Configuration, type Message, type RaftState } from '../../raft/index.ts'
import { Violation } from '../checkers/violation.ts'
import type { CoreDisk } from './core-disk.ts'
import type { CoreEntry } from './core-entry.ts'

/** A state is looked at as a whole after each step in so many, and whenever its role changes. */
const WHOLE_STATE_EVERY = 8
/** A log and a disk are compared entry by entry after each step in so many. */
const WHOLE_LOG_EVERY = 1024

/** What is looked at of a node. */
export interface CheckedNode {
  readonly id: NodeId
  readonly up: boolean
  readonly state: RaftState
  /** The log of its process, the first entry at 0. */
  readonly entries: readonly CoreEntry[]
  readonly disk: CoreDisk
  /** It has applied all up to here. */
  readonly applied: LogIndex
}

/**
 * What must hold of the core alone (paper Figure 3), over restarts, by what the harness itself knows: its entries, its disks,
 * and what anybody was told. PERF: O(1) for most steps; it shares no arithmetic with the core, a majority included.
 */
export class CoreInvariants {
  elections = 0
  /** Every entry that any node has committed, the first one at 0, and the term of the one that did so first. */
  readonly committed: CoreEntry[] = []
  private readonly committedIn: Term[] = []
  private readonly leaders = new Map<Term, NodeId>()
  /** The newest vote that each node has spoken of. */
  private readonly votes = new Map<NodeId, { readonly term: Term; readonly candidate: NodeId }>()
  private readonly nodes: readonly CheckedNode[]
  private steps = 0

  /** The list may grow afterwards. */
  constructor(nodes: readonly CheckedNode[]) {
    this.nodes = nodes
  }

  /** After each step of a node, all its effects carried out. */
  stepped(node: CheckedNode, before: RaftState): void {
    const { state, id } = node
    this.steps += 1
    checkTransition(before, state)
    const changed = state.role.kind !== before.role.kind
    if (changed || this.steps % WHOLE_STATE_EVERY === 0) checkState(state)
    if (state.trail !== before.trail) checkLogEnd(node)
    if (this.steps % WHOLE_LOG_EVERY === 0) checkWholeLog(node)
    if (state.role.kind !== 'leader' || (!changed && state.currentTerm === before.currentTerm)) return
    const first = this.leaders.get(state.currentTerm) ?? id
    if (first !== id) throw new Violation('one leader per term', { term: state.currentTerm, first, id })
    this.leaders.set(state.currentTerm, id)
    this.elections += 1
    this.checkCompleteness(node)
  }

  /** A node applies what lies in `(applied, upTo]`. `before`: its state before the step that says so. */
  applied(node: CheckedNode, upTo: LogIndex, before: RaftState): void {
    const { id, entries, state } = node
    if (upTo !== state.commitIndex) throw new Violation('only what is committed is applied', { id, upTo })
    for (let index = node.applied + 1; index <= upTo; index += 1) {
      const entry = entries[index - 1]
      const known = this.committed[index - 1]
      if (entry === undefined) throw new Violation('what is committed is in the log', { id, index })
      if (known !== undefined && known !== entry)
        throw new Violation('one entry per committed index', { id, index, term: entry.term, other: known.term })
      if (known !== undefined) continue
      this.committed.push(entry)
      this.committedIn.push(state.currentTerm)
      // An entry is on a disk only with all before it.
      if (index === upTo) this.checkDurable(node, entry, before)
    }
  }

  /** A message leaves a node: what it promises is on its disk. `acknowledged`: the entry that it says it holds. */
  sent(node: CheckedNode, to: NodeId, message: Message, acknowledged: CoreEntry | null): void {
    const { disk, id } = node
    const { term } = message
    if (PROMISES.has(message.kind) && disk.owes === null && disk.hardState().currentTerm < term)
      throw new Violation('a term is durable before it is spoken of', { id, message: message.kind, term })
    if (acknowledged !== null && !disk.holds(acknowledged))
      throw new Violation('an acknowledged entry is durable', { id, index: acknowledged.index, term })
    const candidate = message.kind === 'requestVote' ? id : to
    const isVote = message.kind === 'requestVote' || (message.kind === 'requestVoteResponse' && message.verdict.granted)
    if (!isVote) return
    if (disk.currentTerm < term || (disk.currentTerm === term && disk.votedFor !== candidate))
      throw new Violation('a vote is durable before it is spoken', { id, term, candidate })
    const known = this.votes.get(id)
    if (known !== undefined && known.term === term && known.candidate !== candidate)
      throw new Violation('one vote per term', { id, term, candidate, other: known.candidate })
    if (known === undefined || known.term < term) this.votes.set(id, { term, candidate })
  }

  /** A read is answered: it arrived when `floor` entries were committed. */
  answered(node: CheckedNode, read: { floor: number; index: LogIndex; limboFrom: LogIndex | null }): void {
    const { floor, index, limboFrom } = read
    if (index < floor) throw new Violation('a read shows all that was committed before it', { id: node.id, ...read })
    // Of what is in limbo it shows nothing; a follower waits for its index anyway.
    const shown = limboFrom === null ? index : limboFrom - 1
    if (node.state.role.kind === 'leader' && shown > this.committed.length)
      throw new Violation('a read shows only what is committed', { id: node.id, ...read })
  }

  /** Every log and disk as a whole. */
  checkEnd(): void {
    for (const node of this.nodes) if (node.up) checkWholeLog(node)
  }

  /** Leader completeness: it has what was committed in terms before its own. A deposed one need not have later ones. */
  private checkCompleteness({ id, state, entries }: CheckedNode): void {
    let at = this.committed.length - 1
    while (at >= 0 && (this.committedIn[at] ?? 0) >= state.currentTerm) at -= 1
    const newest = this.committed[at]
    if (newest !== undefined && entries[at] !== newest)
      throw new Violation('a leader has every committed entry', { id, term: state.currentTerm, index: newest.index })
  }

  private checkDurable(node: CheckedNode, entry: CoreEntry, before: RaftState): void {
    const { index, term } = entry
    // A leader commits by the configuration of its log, and may append the next one in the same step.
    const { configuration = null } = before.configurations.at(-1) ?? {}
    const counted = configuration ?? before.agreed?.configuration ?? null
    if (counted === null || !isOnQuorum(counted, (id) => this.isOn(id, entry)))
      throw new Violation('a committed entry is durable on a quorum', { id: node.id, index, term, counted })
  }

  /** A disk that lost it since it acknowledged it elects nobody who lacks it (src/raft/obligation.ts). */
  private isOn(id: NodeId, entry: CoreEntry): boolean {
    const disk = this.nodes.find((node) => node.id === id)?.disk
    return disk !== undefined && (disk.owes !== null || disk.holds(entry))
  }
}

/** What a node says by these it says of its term, too. */
const PROMISES: ReadonlySet<Message['kind']> = new Set([
  'requestVote',
  'requestVoteResponse',
  'appendEntries',
  'appendEntriesResponse',
  'installSnapshotResponse',
])

/** More than half of the voters and, while a change is joint, of the outgoing ones. */
function isOnQuorum({ voters, outgoing }: Configuration, isOn: (id: NodeId) => boolean): boolean {
  return isMajority(voters, isOn) && (outgoing.length === 0 || isMajority(outgoing, isOn))
}

function isMajority(ids: readonly NodeId[], isOn: (id: NodeId) => boolean): boolean {
  return ids.filter(isOn).length * 2 > ids.length
}

/** The core's trail ends as the log does, and its newest configuration is the log's. */
function checkLogEnd({ id, state, entries }: CheckedNode): void {
  const last = entries.at(-1) ?? null
  if (state.lastIndex !== entries.length) throw new Violation('the trail is as long as the log', { id })
  const term = state.trail.runs.at(-1)?.term ?? state.trail.snapshotTerm
  if (term !== (last?.term ?? 0)) throw new Violation('the trail ends with the term of the log', { id, term })
  const known = state.configurations.at(-1)?.configuration ?? null
  const inLog = last?.configured?.configuration ?? null
  if (known !== inLog) throw new Violation('the newest configuration of the log is in force', { id, known, inLog })
}

/** The runs of the trail are those of the log, and each entry stands behind the one that it was made behind. */
function checkWholeLog({ id, state, entries, disk }: CheckedNode): void {
  for (const log of [entries, disk.entries]) {
    let previous: CoreEntry | null = null
    for (const entry of log) {
      if (entry.previous !== previous) throw new Violation('log matching', { id, index: entry.index })
      previous = entry
    }
  }
  for (const { first, last, term } of state.trail.runs) {
    for (let index: number = first; index <= last; index += 1) {
      if (entries[index - 1]?.term !== term) throw new Violation('the trail has the terms of the log', { id, index })
    }
  }
}
