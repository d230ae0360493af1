import { assert } from '../base/assert.ts'
import { indexAfter, indexBefore, type LogIndex, type NodeId } from '../base/brand.ts'
import { holdsLease, inheritsLease, isDeferring, maybeRenewLease } from './lease.ts'
import { hasQuorum } from './quorum.ts'
import { sendHeartbeats, tellCommit } from './replicate.ts'
import { configurationOf, type Leader, leaderOf, NO_READS, type RaftState } from './state.ts'
import type { Turn } from './turn.ts'
import type { Message, Reader, ReadRound } from './types.ts'

/**
 * This node wants an index that holds everything that was committed anywhere before now (thesis §6.4). A leader lets the
 * read wait for its next round, a follower asks its leader; where neither is there it fails. `id` rises from read to read of
 * this process: an answer to one read is one to all before it, which had arrived earlier still.
 */
export function read(turn: Turn, id: number): void {
  const { state } = turn
  const { role, config } = state
  const reader: Reader = { node: config.self, life: state.seed, id }
  if (role.kind === 'leader') return enqueue(turn, reader)
  const leader = leaderOf(state)
  if (leader === null) return turn.failRead(id, 'noLeader')
  turn.state = { ...state, reads: { waiting: [reader], round: null } }
  turn.sendAtOnce(leader, { kind: 'readIndex', term: state.currentTerm, life: reader.life, id })
}

/**
 * A follower asks for its reads. Whoever does not lead is silent: the asker hears of the next leader, and asks again. It waits
 * for what it has not applied: news of a commit goes before the answer.
 */
export function receiveReadIndex(turn: Turn, from: NodeId, request: Extract<Message, { kind: 'readIndex' }>): void {
  if (turn.state.role.kind !== 'leader') return
  tellCommit(turn, from)
  enqueue(turn, { node: from, life: request.life, id: request.id })
}

/**
 * The leader's answer. It holds for the read that it names and those before it, whoever leads by now: the leader that gave
 * it still led after the request arrived. An answer to an earlier process of this node says nothing to this one, whose ids
 * begin anew (`life`): the read it names may have arrived after that answer was given (etcd #7331).
 */
export function receiveReadIndexResponse(turn: Turn, response: Extract<Message, { kind: 'readIndexResponse' }>): void {
  const { state } = turn
  const [asked] = state.reads.waiting
  if (state.role.kind === 'leader' || asked === undefined) return
  if (response.life !== asked.life || response.id > asked.id) return
  turn.answerRead(response.id, response.index, null)
  if (response.id === asked.id) turn.state = { ...state, reads: NO_READS }
}

/**
 * At the end of every step: reads whose leader, or whose term of it, is no more fail, a lease answers those that wait, a round
 * that a quorum has confirmed is answered, and the next one begins. PERF: one comparison where no read waits.
 */
export function advanceReads(turn: Turn, before: RaftState): void {
  const { state } = turn
  if (state.reads === NO_READS) return
  if (leaderOf(state) !== leaderOf(before) || state.currentTerm !== before.currentTerm) return abandon(turn)
  if (state.role.kind !== 'leader') return
  if (answeredByLease(turn, state.role)) return maybeRenewLease(turn)
  const { round } = state.reads
  if (round !== null) {
    if (!isConfirmed(state, state.role, round.sequence)) return
    answer(turn, round)
  }
  maybeBeginRound(turn, state.role)
  maybeRenewLease(turn)
}

/**
 * Whether a lease has answered all reads. They have arrived before `now`, and what `readableIndex` stands for now is all that
 * is committed anywhere: so each of them takes effect now, however late its answer is sent.
 */
function answeredByLease(turn: Turn, leader: Leader): boolean {
  const { state, now } = turn
  if (mustWait(state) || (!holdsLease(state, leader, now) && !inheritsLease(state, leader, now))) return false
  const { round, waiting } = state.reads
  const index = readableIndex(state, leader)
  turn.state = { ...state, reads: NO_READS }
  for (const reader of [...(round?.readers ?? []), ...waiting]) tell(turn, reader, index)
  return true
}

/**
 * Everything that is committed anywhere, as long as nobody leads a later term: by this leader up to its commit index, by those
 * before it no more than it took over. Of the entries of limbo, [commitIndex + 1, firstOwnIndex − 1], it cannot tell whether
 * one of them has committed and answered them: a read must see them too, unless it can tell that they do not touch it.
 */
function readableIndex({ commitIndex }: RaftState, { firstOwnIndex }: Leader): LogIndex {
  return commitIndex < firstOwnIndex ? indexBefore(firstOwnIndex) : commitIndex
}

/**
 * What a halted leader proposes all the same changes what an entry before it has done: until all of its log is committed
 * nobody reads by its word what that was (docs/decisions/skipping-an-entry.md).
 */
function mustWait({ halted, commitIndex, lastIndex }: RaftState): boolean {
  return halted && commitIndex < lastIndex
}

/** The newest read of a node covers its earlier ones, so that at most one per node waits. */
function enqueue(turn: Turn, reader: Reader): void {
  const { reads } = turn.state
  const known = reads.waiting.find(({ node }) => node === reader.node)
  // A copy that the network held back.
  if (known !== undefined && known.life === reader.life && known.id >= reader.id) return
  const waiting = [...reads.waiting.filter(({ node }) => node !== reader.node), reader]
  turn.state = { ...turn.state, reads: { ...reads, waiting } }
}

/**
 * One round is under way at a time, and all who wait share the next. It begins after each of its reads has arrived, with an
 * AppendEntries to everybody, and is confirmed by answers to what was sent from then on alone (raft.md §2.9):
 *
 *   1. n1 leads term 1 and sends a heartbeat, #7; n2 takes it. The answer is held up.
 *   2. n3 is elected in term 2 with the vote of n2, and commits a write.
 *   3. A read arrives at n1, and then the answer to #7. Were it counted, n1 would answer from before the write.
 *
 * And only once the leader has committed an entry of its own term. Until then it may know less than was committed: n3 in
 * step 2 holds the entries that n1 committed, and does not know that they are (etcd #20418, TiKV #9208). One that defers to an
 * earlier lease would let reads wait for that: once the lease that it inherited is over, those that limbo does not touch
 * are worth a round (golden script 93).
 */
function maybeBeginRound(turn: Turn, leader: Leader): void {
  const { state } = turn
  const { waiting } = state.reads
  if (waiting.length === 0 || mustWait(state)) return
  if (state.commitIndex < leader.firstOwnIndex && !isDeferring(leader, turn.now)) return
  const round: ReadRound = { index: readableIndex(state, leader), sequence: leader.sequence, readers: waiting }
  turn.state = { ...state, reads: { waiting: [], round } }
  // A sole voter is its own quorum: nobody need be asked.
  if (isConfirmed(state, leader, null)) return answer(turn, round)
  turn.state = { ...turn.state, role: { ...leader, readRounds: leader.readRounds + 1 } }
  sendHeartbeats(turn)
}

/**
 * A quorum follows what was sent above `sequence`; null: nobody has answered anything. The leader counts itself. A refusal does
 * not count, although it is of this term: a node that lost its newest write refuses too, for its log is short, and has perhaps
 * forgotten that it elected another leader (obligation.ts). Golden script 75 shows what a read would miss.
 */
function isConfirmed(state: RaftState, leader: Leader, sequence: number | null): boolean {
  const { self } = state.config
  return hasQuorum(configurationOf(state), (voter) => {
    if (voter === self) return true
    return sequence !== null && (leader.progress.get(voter)?.followed ?? 0) > sequence
  })
}

function answer(turn: Turn, round: ReadRound): void {
  const { state } = turn
  assert(state.role.kind === 'leader', 'a leader confirms reads', { role: state.role.kind })
  const { waiting } = state.reads
  turn.state = { ...state, reads: waiting.length === 0 ? NO_READS : { waiting, round: null } }
  for (const reader of round.readers) tell(turn, reader, round.index)
}

/** Another node has not what it takes to tell what the entries of limbo touch: it waits for `index`. */
function tell(turn: Turn, { node, life, id }: Reader, index: LogIndex): void {
  const { state } = turn
  const limboFrom = state.commitIndex < index ? indexAfter(state.commitIndex) : null
  if (node === state.config.self) turn.answerRead(id, index, limboFrom)
  else turn.sendAtOnce(node, { kind: 'readIndexResponse', term: state.currentTerm, life, id, index })
}

/** This node's own reads fail; other nodes hear of the next leader by themselves. */
function abandon(turn: Turn): void {
  const { state } = turn
  const { waiting, round } = state.reads
  turn.state = { ...state, reads: NO_READS }
  const own = [...(round?.readers ?? []), ...waiting].findLast(({ node }) => node === state.config.self)
  if (own !== undefined) turn.failRead(own.id, 'leaderChanged')
}
