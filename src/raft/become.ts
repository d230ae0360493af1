import { assert } from '../base/assert.ts'
import { indexPlus, type LogIndex, type Millis, indexAfter, type NodeId, term } from '../base/brand.ts'
import { campaignOwing } from './obligation.ts'
import { newLease } from './lease.ts'
import { newProgress } from './progress.ts'
import { hasQuorum } from './quorum.ts'
import { replicate } from './replicate.ts'
import { noSizes } from './sizes.ts'
import { configurationOf, type Leader, mayCampaign, NEVER, peersOf, type RaftState, votersOf } from './state.ts'
import { advanceCandidacyDraws, advanceElectionDraw, helpMs } from './timer.ts'
import { lastTermOf } from './trail.ts'
import type { Turn } from './turn.ts'
import type { CreatedKind, PersistRun, Progress } from './types.ts'

/**
 * Starts an election, with a pre-vote where it is on; `anchor` is where the next election deadline counts from. Does
 * nothing on a leader, on a node that is no voter of its own configuration (or has none yet), and where the disk hangs; and
 * nothing of the kind where an obligation is open.
 */
export function campaign(turn: Turn, anchor: Millis): void {
  const { state } = turn
  if (state.role.kind === 'leader') return
  if (state.stalled) return
  // A learner too, which may have voted (raft.md §1, Membership).
  if (state.obligation !== null) return campaignOwing(turn, anchor)
  if (!mayCampaign(state)) return
  if (state.config.preVote) becomePreCandidate(turn, anchor)
  else becomeCandidate(turn, { anchor, transfer: false, released: false })
}

/** Steps down, or goes on following: `leader` is null until one is heard. Arms the timer where none was running. */
export function becomeFollower(turn: Turn, leader: NodeId | null): void {
  const { role } = turn.state
  const electionDeadline = role.kind === 'leader' ? advanceElectionDraw(turn, turn.now) : role.electionDeadline
  turn.state = { ...turn.state, role: { kind: 'follower', leader, electionDeadline } }
}

/** Adopts a newer term: nobody has this node's vote in it yet (paper §5.1). */
export function adoptTerm(turn: Turn, newer: RaftState['currentTerm']): void {
  assert(newer > turn.state.currentTerm, 'the term only rises', { newer, currentTerm: turn.state.currentTerm })
  turn.state = { ...turn.state, currentTerm: newer, votedFor: null }
  becomeFollower(turn, null)
}

/** Asks for pre-votes; neither term nor vote nor last contact changes (thesis §9.6). */
function becomePreCandidate(turn: Turn, anchor: Millis): void {
  const electionDeadline = advanceElectionDraw(turn, anchor, 'preVotes')
  const { state } = turn
  turn.state = { ...state, role: { kind: 'preCandidate', granted: [state.config.self], electionDeadline } }
  if (!maybeEndPreVote(turn)) for (const voter of otherVoters(state)) requestPreVote(turn, voter)
}

/** All that an election asks, of both halves of a joint configuration. */
function otherVoters(state: RaftState): readonly NodeId[] {
  return votersOf(state).filter((voter) => voter !== state.config.self)
}

function requestPreVote(turn: Turn, voter: NodeId): void {
  const { currentTerm, lastIndex: lastLogIndex, trail } = turn.state
  const lastLogTerm = lastTermOf(trail)
  turn.sendAtOnce(voter, { kind: 'preVoteRequest', term: term(currentTerm + 1), lastLogIndex, lastLogTerm })
}

/** Becomes a candidate once a majority would vote for it; says whether it did. */
export function maybeEndPreVote(turn: Turn): boolean {
  const { role } = turn.state
  if (role.kind !== 'preCandidate') return false
  if (!hasQuorum(configurationOf(turn.state), (voter) => role.granted.includes(voter))) return false
  becomeCandidate(turn, { anchor: turn.now, transfer: false, released: false })
  return true
}

/**
 * Starts an election: next term, vote for self, reset the timer, RequestVote to all (paper Figure 2, Candidates). `transfer`:
 * the leader asked for it; `released`: and answers no read by a lease any more.
 */
export function becomeCandidate(turn: Turn, wish: { anchor: Millis; transfer: boolean; released: boolean }): void {
  const { anchor, transfer, released } = wish
  assert(turn.state.role.kind !== 'leader', 'a leader does not campaign', { term: turn.state.currentTerm })
  const deadlines = advanceCandidacyDraws(turn, anchor)
  const { state } = turn
  const { self } = state.config
  const currentTerm = term(state.currentTerm + 1)
  turn.state = {
    ...state,
    currentTerm,
    votedFor: self,
    role: {
      kind: 'candidate',
      granted: [],
      voteWrite: turn.nextWrite(),
      refused: false,
      startedAt: turn.now,
      released,
      ...deadlines,
    },
  }
  for (const voter of otherVoters(turn.state)) requestVote(turn, voter, transfer)
}

/**
 * Its election timeout has passed. A candidate after a short wait stays one, when nobody has refused: those who did not answer
 * wait for their disks, or have not read the request, and giving up would cost all of them another write, for a term in which
 * they are as slow. It asks again, for a link may have been lost meanwhile; a vote that was given is given again.
 */
export function timeOut(turn: Turn, anchor: Millis): void {
  const { role, disk } = turn.state
  if (role.kind !== 'candidate' || role.refused || turn.now >= role.giveUpAt) return campaign(turn, anchor)
  const electionDeadline = Math.min(advanceElectionDraw(turn, anchor, 'votes'), role.giveUpAt)
  turn.state = { ...turn.state, role: { ...role, electionDeadline } }
  // Those that wait for the own disk have not left.
  if (disk.durableWrite >= role.voteWrite) for (const voter of otherVoters(turn.state)) requestVote(turn, voter, false)
}

/** What that voter was asked before did not reach it: it is asked again, which changes nothing where it did (timeOut). */
export function askAgain(turn: Turn, voter: NodeId): void {
  const { role, disk } = turn.state
  if (!otherVoters(turn.state).includes(voter)) return
  if (role.kind === 'preCandidate') requestPreVote(turn, voter)
  if (role.kind === 'candidate' && disk.durableWrite >= role.voteWrite) requestVote(turn, voter, false)
}

function requestVote(turn: Turn, voter: NodeId, transfer: boolean): void {
  const { currentTerm, lastIndex: lastLogIndex, trail } = turn.state
  const lastLogTerm = lastTermOf(trail)
  turn.sendOnceDurable(
    voter,
    { kind: 'requestVote', term: currentTerm, lastLogIndex, lastLogTerm, transfer },
    lastLogIndex,
  )
}

/** A candidate becomes leader once a majority voted for it and its own vote is durable (raft.md §2.1). */
export function maybeBecomeLeader(turn: Turn): void {
  const { role, config, disk } = turn.state
  if (role.kind !== 'candidate') return
  if (disk.durableWrite < role.voteWrite) return
  const granted = (voter: NodeId): boolean => voter === config.self || role.granted.includes(voter)
  if (hasQuorum(configurationOf(turn.state), granted)) becomeLeader(turn)
}

/**
 * Takes office: an entry of its own term at once, so that earlier ones can be committed (paper §5.4.2, §8), in the first
 * term of a cluster the Configuration, the Limits and the versions of its machines; every follower's progress is unknown.
 */
function becomeLeader(turn: Turn): void {
  const { state, now } = turn
  assert(state.role.kind === 'candidate', 'only a candidate becomes leader', { role: state.role.kind })
  assert(state.votedFor === state.config.self, 'a leader voted for itself', { votedFor: state.votedFor })
  const firstOwnIndex = indexAfter(state.lastIndex)
  appendCreated(turn, firstOwnIndex)
  const progress = new Map<NodeId, Progress>()
  for (const peer of peersOf(turn.state)) {
    const voted = state.role.granted.includes(peer)
    progress.set(peer, newProgress({ next: firstOwnIndex, now, since: 0, voted }))
  }
  const role: Leader = {
    kind: 'leader',
    firstOwnIndex,
    progress,
    sequence: 0,
    sendTimes: [{ sequence: 0, at: now }],
    sizes: noSizes(turn.state.lastIndex),
    rounds: new Map(),
    heartbeatDeadline: progress.size === 0 ? NEVER : now + state.config.heartbeatMs,
    newsDeadline: NEVER,
    helpUntil: state.halted ? now + helpMs(state.config) : null,
    transfer: null,
    lease: newLease(state, state.role, now),
    readRounds: 0,
  }
  turn.state = { ...turn.state, hurry: null, role }
  replicate(turn, null)
}

/** The entries with which a leader begins; a leader that finds no Limits behind the Configuration appends them. */
function appendCreated(turn: Turn, first: LogIndex): void {
  const { state } = turn
  const entries = createdKinds(state).map((entryKind, offset): PersistRun => {
    const index = indexPlus(first, offset)
    return { first: index, last: index, term: state.currentTerm, source: { kind: 'created', entryKind } }
  })
  turn.append(entries)
  if (state.lastIndex > 0) return
  const { agreed } = state
  assert(agreed !== null, 'the first leader has an agreed configuration', { term: state.currentTerm })
  turn.state = { ...turn.state, configurations: [{ index: first, configuration: agreed.configuration }] }
}

/**
 * A leader whose log holds no more than the first one's beginning adds the limits alone: the versions are then switched on as
 * in a log of an earlier build, once every voter has said what it has (sessions.md §10).
 */
function createdKinds({ lastIndex, agreed }: RaftState): readonly CreatedKind[] {
  if (lastIndex > 1) return ['noop']
  if (lastIndex === 1) return ['limits']
  return agreed?.advances === true ? ['configuration', 'limits', 'advanceVersion'] : ['configuration', 'limits']
}
