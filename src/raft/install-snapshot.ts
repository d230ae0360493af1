import { BEFORE_LOG, type LogIndex, maxIndex, type NodeId } from '../base/brand.ts'
import { followLeader } from './append-entries.ts'
import { withContact, withSnapshot } from './append-entries-response.ts'
import { adoptTerm, becomeFollower } from './become.ts'
import { maybeHandOver } from './hand-over.ts'
import { mayAcknowledge } from './obligation.ts'
import { replicate } from './replicate.ts'
import { mayCampaign } from './state.ts'
import { trailTermAt } from './trail.ts'
import type { Turn } from './turn.ts'
import type { Message, RaftEvent } from './types.ts'

type Request = Extract<Message, { kind: 'installSnapshot' }>
type Response = Extract<Message, { kind: 'installSnapshotResponse' }>
type Installed = Extract<RaftEvent, { kind: 'snapshotInstalled' }>

/**
 * InstallSnapshot, receiver (paper Figure 13, but that the follower pulls): the entry that the leader's log begins behind is
 * committed, so a log that holds it holds a prefix of the leader's, and nothing is to be pulled. Else a snapshot is, and the
 * answer says that this node is there. Offers come with every heartbeat; whether a pull is under way is the driver's to know,
 * and one from a leader of before goes on, for every member's snapshot is of committed entries alone.
 */
export function receiveInstallSnapshot(turn: Turn, from: NodeId, request: Request): void {
  const { lastIncludedIndex: index, lastIncludedTerm: term, sequence } = request
  if (request.term < turn.state.currentTerm) return respond(turn, from, { sequence, matchIndex: BEFORE_LOG })
  if (!mayAcknowledge(turn.state)) return turn.state.commitIndex < index ? turn.pull(from, { index, term }) : undefined
  followLeader(turn, from)
  const { state } = turn
  if (index > state.commitIndex && trailTermAt(state.trail, index) === term) turn.commit(index)
  const { commitIndex } = turn.state
  // What is committed is in the log of every later leader (paper §5.4.3): the answer may name all of it.
  if (commitIndex >= index) return respond(turn, from, { sequence, matchIndex: commitIndex })
  turn.pull(from, { index, term })
  respond(turn, from, { sequence, matchIndex: BEFORE_LOG })
}

function respond(turn: Turn, to: NodeId, answer: { sequence: number; matchIndex: LogIndex }): void {
  const { currentTerm: term } = turn.state
  turn.sendOnceDurable(to, { kind: 'installSnapshotResponse', term, ...answer }, answer.matchIndex)
}

/** An answer to an offer, of the current term: contact at least; once the follower has a snapshot, where its log goes on. */
export function receiveInstallSnapshotResponse(turn: Turn, from: NodeId, response: Response): void {
  const { state } = turn
  const { role } = state
  if (role.kind !== 'leader') return
  const before = role.progress.get(from)
  if (before === undefined || response.sequence > role.sequence || response.sequence <= before.since) return
  const contacted = withContact(role, before, response.sequence, true)
  // In another mode the answer is late: it was found to hold the log since, or the log reaches it again.
  const told = contacted.mode === 'snapshot' && response.matchIndex > 0
  const matchIndex = maxIndex(response.matchIndex, contacted.matchIndex)
  const after = told ? withSnapshot(state, contacted, matchIndex) : contacted
  turn.state = { ...state, role: { ...role, progress: new Map(role.progress).set(from, after) } }
  if (!maybeHandOver(turn)) replicate(turn, from)
}

/**
 * A snapshot has been installed. A log that holds its last entry is kept as it is, and with it what this node has
 * acknowledged beyond; any other is given up, for all that it lacks or contradicts is committed. One that this node has caught
 * up with meanwhile tells nothing new.
 */
export function snapshotInstalled(turn: Turn, { index, term, configurations }: Installed): void {
  // Who pulled may have heard less than whom it pulled from: a node has seen every term of what it holds (storage.md §2).
  if (term > turn.state.currentTerm) adoptTerm(turn, term)
  const { state } = turn
  // It lacks a committed entry, so that a later leader has committed that in place of this one's own, or behind them.
  const lacks = index > state.commitIndex && trailTermAt(state.trail, index) !== term
  if (state.role.kind === 'leader' && lacks) becomeFollower(turn, null)
  if (index <= state.commitIndex) return
  if (trailTermAt(state.trail, index) === term) turn.commit(index)
  else turn.restart({ index, term }, configurations)
  const { role } = turn.state
  const campaigns = role.kind === 'candidate' || role.kind === 'preCandidate'
  if (campaigns && !mayCampaign(turn.state)) becomeFollower(turn, null)
}
