import { unreachable } from '../base/assert.ts'
import type { LogIndex, Millis, NodeId, WriteNumber } from '../base/brand.ts'
import { receiveAppendEntries } from './append-entries.ts'
import { receiveAppendEntriesResponse } from './append-entries-response.ts'
import { adoptTerm, becomeFollower, campaign, maybeBecomeLeader, timeOut } from './become.ts'
import { hasLostQuorum, withoutAbsence } from './check-quorum.ts'
import { isLeaderAlive } from './check-vote.ts'
import { maybeAdvanceCommit } from './commit.ts'
import { maybeEndDeferral, noteAppended } from './lease.ts'
import { changeMembership, maybeConcludeChange, setLease } from './membership.ts'
import { withPersisted } from './durability.ts'
import { receivePreVoteRequest, receivePreVoteResponse } from './pre-vote.ts'
import { receiveInstallSnapshot, receiveInstallSnapshotResponse, snapshotInstalled } from './install-snapshot.ts'
import { halt, resume, setHaltedVoters } from './hand-over.ts'
import { maybeMeetObligation, receiveTerm } from './obligation.ts'
import { propose } from './propose.ts'
import { advanceReads, read, receiveReadIndex, receiveReadIndexResponse } from './read-index.ts'
import { maybeTellCommit, replicate, sendHeartbeats } from './replicate.ts'
import { receiveReachable, receiveUnreachable } from './evidence.ts'
import { receiveRequestVote, receiveRequestVoteResponse, rejectDisruptiveVote } from './request-vote.ts'
import { setStalled } from './stall.ts'
import { receiveLogEnd } from './survey.ts'
import { configurationOf, isVoter, leavesOffice, mayCampaign, NEVER, type RaftState, votersOf } from './state.ts'
import { advanceElectionDraw } from './timer.ts'
import { compactedTo } from './trail.ts'
import { maybeAskTarget, maybeGiveUpTransfer, receiveTimeoutNow, transfer } from './transfer.ts'
import { Turn } from './turn.ts'
import type { Agreed, Effect, Message, RaftEvent } from './types.ts'

/** What a step leads to. */
export interface Step {
  readonly state: RaftState
  /** To be carried out in order; at most one of them is a write. */
  readonly effects: readonly Effect[]
  /** Monotonic ms at which a `tick` is due; infinite when only another event can change anything. */
  readonly wakeAt: Millis
}

/**
 * The whole of Raft as one pure function (architecture.md §3): what a node in `state` does when `event` happens at `now`
 * (monotonic ms, never falling). Throws AssertionError when Raft's rules are broken, by this node or by another. From one
 * state to the next (`checkTransition`, check.ts, asserts each; paper Figures 2 and 3):
 *
 * - `currentTerm` never falls
 * - `commitIndex` never falls
 * - a step issues at most one write
 * - `disk.durableWrite` never falls
 * - the step that adopts a new term issues a write
 * - a vote is given once in a term
 * - only a candidate becomes leader
 * - a leader’s `matchIndex` never falls, but of a member that begins anew, or to 0
 * - no entry of `[1, commitIndex]`, and none of a leader’s `[1, lastIndex]`, is removed
 * - no entry of `[1, commitIndex]`, and none of a leader’s `[1, lastIndex]`, changes its term
 */
export function step(state: RaftState, now: Millis, event: RaftEvent): Step {
  const turn = new Turn(state, now)
  handle(turn, event)
  noteAppended(turn, state)
  maybeMeetObligation(turn)
  advanceReads(turn, state)
  const effects = turn.effects()
  return { state: turn.state, effects, wakeAt: wakeAt(turn.state) }
}

function handle(turn: Turn, event: RaftEvent): void {
  switch (event.kind) {
    case 'start':
      return start(turn)
    case 'tick':
      return tick(turn)
    case 'receive':
      return receive(turn, event.from, event.message)
    case 'propose':
      return propose(turn, event)
    case 'persisted':
      return persisted(turn, event.write)
    case 'bootstrapped':
      return bootstrapped(turn, event)
    case 'read':
      return read(turn, event.id)
    case 'campaign':
      return campaign(turn, turn.now)
    case 'halted':
      return halt(turn)
    case 'resumed':
      return resume(turn)
    case 'votersHalted':
      return setHaltedVoters(turn, event.voters)
    case 'transfer':
      return transfer(turn, event.to)
    case 'reachable':
      return receiveReachable(turn, event.peer)
    case 'unreachable':
      return receiveUnreachable(turn, event.peer)
    case 'stalled':
      return setStalled(turn, event.stalled)
    case 'snapshotted':
      return snapshotted(turn, event.index)
    case 'snapshotInstalled':
      return snapshotInstalled(turn, event)
    case 'changeMembership':
      return changeMembership(turn, event)
    case 'setLease':
      return setLease(turn, event.lease)
    default:
      return unreachable(event)
  }
}

/** When the next deadline of this node is. */
function wakeAt(state: RaftState): Millis {
  const { role } = state
  if (role.kind === 'leader') {
    const { heartbeatDeadline, newsDeadline, transfer: handing, lease } = role
    return Math.min(heartbeatDeadline, newsDeadline, handing?.deadline ?? NEVER, lease.deferUntil ?? NEVER)
  }
  return mayCampaign(state) || state.obligation?.kind === 'census' ? role.electionDeadline : NEVER
}

/** Arms the election timer. A single voter waits for nobody: it campaigns at once, by the same rules as any other. */
function start(turn: Turn): void {
  const { role } = turn.state
  if (role.kind !== 'follower') return
  const electionDeadline = advanceElectionDraw(turn, turn.now)
  turn.state = { ...turn.state, role: { ...role, electionDeadline } }
  if (isVoter(turn.state) && votersOf(turn.state).length === 1) campaign(turn, turn.now)
}

/** The initial configuration is agreed: from now on this node votes and campaigns (raft.md §1, Bootstrap). */
function bootstrapped(turn: Turn, { configuration, advances }: Agreed): void {
  if (configurationOf(turn.state) !== null) return
  turn.state = { ...turn.state, agreed: { configuration, advances } }
  start(turn)
}

/** Time has passed: heartbeats and check-quorum of a leader, the election timeout of all others. */
function tick(turn: Turn): void {
  const gaveUp = maybeGiveUpTransfer(turn)
  if (gaveUp && leavesOffice(turn.state)) return becomeFollower(turn, null)
  const { role } = turn.state
  if (role.kind === 'leader') {
    if (maybeEndDeferral(turn)) advanceCommit(turn)
    return tickLeader(turn)
  }
  if (turn.now < role.electionDeadline) return
  if (!turn.state.stalled) return timeOut(turn, role.electionDeadline)
  const electionDeadline = advanceElectionDraw(turn, role.electionDeadline)
  turn.state = { ...turn.state, role: { ...role, electionDeadline } }
}

function tickLeader(turn: Turn): void {
  const { now } = turn
  // What was committed may have ended its office.
  if (turn.state.role.kind !== 'leader') return
  maybeTellCommit(turn)
  const { role } = turn.state
  const { heartbeatMs } = turn.state.config
  const lateMs = now - role.heartbeatDeadline
  if (lateMs < 0) return
  const awake = lateMs > heartbeatMs ? withoutAbsence(turn.state, role, { now, ms: lateMs }) : role
  const heartbeatDeadline = lateMs < heartbeatMs ? role.heartbeatDeadline + heartbeatMs : now + heartbeatMs
  turn.state = { ...turn.state, role: { ...awake, heartbeatDeadline } }
  if (hasLostQuorum(turn.state, now)) return becomeFollower(turn, null)
  if (!leavesOffice(turn.state)) sendHeartbeats(turn)
}

/** Writes have completed: a candidate's vote may have become durable, a leader's entries count for itself. */
function persisted(turn: Turn, write: WriteNumber): void {
  const { state } = turn
  const disk = withPersisted(state.disk, write)
  if (disk === state.disk) return
  turn.state = { ...state, disk }
  if (state.role.kind === 'candidate') return maybeBecomeLeader(turn)
  if (state.role.kind === 'leader') advanceCommit(turn)
}

/** Commits what may be by now, and does what follows from it. */
function advanceCommit(turn: Turn): void {
  if (!maybeAdvanceCommit(turn)) return
  if (!maybeConcludeChange(turn)) replicate(turn, null)
  maybeAskTarget(turn)
}

/** The log up to `index`, all of it committed, is covered by a durable snapshot. */
function snapshotted(turn: Turn, index: LogIndex): void {
  const { state } = turn
  if (index <= state.trail.snapshotIndex || index > state.commitIndex) return
  turn.state = { ...state, trail: compactedTo(state.trail, index) }
}

/** Settles terms once, for every kind of message (paper Figure 2, All Servers; §5.1), then hands it to its rule. */
function receive(turn: Turn, from: NodeId, message: Message): void {
  if (message.kind === 'preVoteRequest') return receivePreVoteRequest(turn, from, message)
  const { state, now } = turn
  if (message.term > state.currentTerm) {
    const uninvited = message.kind === 'requestVote' && !message.transfer
    const disruptive = uninvited && state.config.checkQuorum && isLeaderAlive(state, now)
    if (disruptive) return rejectDisruptiveVote(turn, from)
    adoptTerm(turn, message.term)
  }
  const stale = message.term < turn.state.currentTerm
  switch (message.kind) {
    case 'requestVote':
      return receiveRequestVote(turn, from, message)
    case 'requestVoteResponse':
      return stale ? undefined : receiveRequestVoteResponse(turn, from, message)
    // A responder may well be in an older term than the pre-candidate: only `requestTerm` says whether a grant is stale.
    case 'preVoteResponse':
      return receivePreVoteResponse(turn, from, message)
    case 'appendEntries':
      return receiveAppendEntries(turn, from, message)
    case 'appendEntriesResponse':
      return stale ? undefined : receiveAppendEntriesResponse(turn, from, message)
    case 'installSnapshot':
      return receiveInstallSnapshot(turn, from, message)
    case 'installSnapshotResponse':
      return stale ? undefined : receiveInstallSnapshotResponse(turn, from, message)
    case 'readIndex':
      return receiveReadIndex(turn, from, message)
    case 'readIndexResponse':
      return receiveReadIndexResponse(turn, message)
    case 'logEnd':
      receiveTerm(turn, from, { requestTerm: message.requestTerm, lostTerm: message.lost === 'term' })
      return receiveLogEnd(turn, from, message)
    case 'timeoutNow':
      return stale ? undefined : receiveTimeoutNow(turn, message)
    default:
      return unreachable(message)
  }
}
