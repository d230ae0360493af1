import { assert } from '../base/assert.ts'
import type { Millis, NodeId } from '../base/brand.ts'
import { becomeCandidate } from './become.ts'
import { deferringUntil, release } from './lease.ts'
import { replicate } from './replicate.ts'
import { isVoter, type Leader, otherVotersOf, type RaftState } from './state.ts'
import type { Turn } from './turn.ts'
import type { Message, TransferRefusal } from './types.ts'

/**
 * Leadership transfer (thesis §3.10): from now on this leader takes no proposals; it brings the target to the end of its log,
 * tells it to campaign at once, and goes on leading if it still does after a minimum election timeout. `to` null: the voter
 * that is known to hold most of the log, of those that were heard within that time. It ends with the effect `transferEnded`,
 * in the same step where it cannot begin. While this leader defers to an earlier lease nothing can be committed, and that time
 * is not counted (golden script 98). The target is not asked sooner: it would defer anew, and whoever wrote wait for longer.
 */
export function transfer(turn: Turn, to: NodeId | null): void {
  const target = checkTransfer(turn, to)
  if (typeof target !== 'string') return turn.endTransfer(target.outcome)
  const { role } = turn.state
  if (role.kind === 'leader' && role.transfer === null) beginTransfer(turn, target, deferringUntil(role, turn.now))
}

/** Asks the best voter to lead, who has a minimum election timeout from now on; false where none was heard lately. */
export function maybeTransferAway(turn: Turn): boolean {
  const { role } = turn.state
  if (role.kind !== 'leader') return false
  if (role.transfer !== null) return true
  const best = bestTarget(turn.state, role, turn.now)
  if (best === null) return false
  beginTransfer(turn, best, turn.now)
  return true
}

/** The target has a minimum election timeout from `since` on, monotonic ms. */
function beginTransfer(turn: Turn, to: NodeId, since: Millis): void {
  const { role, config } = turn.state
  assert(role.kind === 'leader', 'only a leader transfers', { role: role.kind })
  const deadline = since + config.electionTimeoutMinMs
  turn.state = { ...turn.state, role: { ...role, transfer: { to, deadline, asked: false } } }
  replicate(turn, to)
  maybeAskTarget(turn)
}

/** The node to transfer to, or why not. A transfer to the same node that is under way is joined. */
function checkTransfer(turn: Turn, to: NodeId | null): NodeId | { readonly outcome: TransferRefusal } {
  const { state, now } = turn
  const { role, config } = state
  if (role.kind !== 'leader') return { outcome: 'notLeader' }
  if (role.transfer !== null) return to === null || to === role.transfer.to ? role.transfer.to : { outcome: 'busy' }
  if (to === config.self) return { outcome: 'alreadyLeads' }
  if (to === null) return bestTarget(state, role, now) ?? { outcome: 'noTarget' }
  if (!otherVotersOf(state).includes(to)) return { outcome: 'notVoter' }
  return isRecentlyActive(state, role, { voter: to, now }) ? to : { outcome: 'inactive' }
}

/** Of the other voters that were heard lately, the one known to hold most of the log; the first by id among equals. */
function bestTarget(state: RaftState, leader: Leader, now: number): NodeId | null {
  let best: NodeId | null = null
  for (const voter of otherVotersOf(state)) {
    if (!isRecentlyActive(state, leader, { voter, now })) continue
    if (best === null || matchOf(leader, voter) > matchOf(leader, best)) best = voter
  }
  return best
}

function isRecentlyActive(state: RaftState, leader: Leader, { voter, now }: { voter: NodeId; now: number }): boolean {
  const progress = leader.progress.get(voter)
  return progress !== undefined && now - progress.lastContact <= state.config.electionTimeoutMinMs
}

const matchOf = (leader: Leader, voter: NodeId): number => leader.progress.get(voter)?.matchIndex ?? -1

/**
 * Tells the target to campaign once it holds the whole log, and all of it is committed: who waits for an entry is answered
 * here before another leads. Nothing is appended meanwhile, so that this takes a round trip of what was under way.
 */
export function maybeAskTarget(turn: Turn): void {
  const { role, lastIndex, commitIndex } = turn.state
  if (role.kind !== 'leader' || role.transfer === null || role.transfer.asked) return
  const { to } = role.transfer
  if (matchOf(role, to) !== lastIndex || commitIndex !== lastIndex) return
  turn.state = { ...turn.state, role: { ...role, transfer: { ...role.transfer, asked: true } } }
  sendTimeoutNow(turn, to)
}

/** Asks a voter that holds the whole log to campaign at once; from then on no read is answered by a lease from that log. */
export function sendTimeoutNow(turn: Turn, to: NodeId): void {
  const releases = release(turn)
  const message = { kind: 'timeoutNow', term: turn.state.currentTerm } as const
  turn.sendAtOnce(to, releases === null ? message : { ...message, releases })
}

/**
 * Ends a transfer whose time is over, that to a dead or lagging node: the leader takes proposals again. A target that campaigns
 * only now costs a term, no more. Says whether it did.
 */
export function maybeGiveUpTransfer(turn: Turn): boolean {
  const { role } = turn.state
  if (role.kind !== 'leader' || role.transfer === null || turn.now < role.transfer.deadline) return false
  turn.endTransfer('timedOut')
  turn.state = { ...turn.state, role: { ...role, transfer: null } }
  return true
}

/**
 * The leader of this term asks this node to lead: it campaigns at once, without a pre-vote, and voters that hear the leader
 * vote all the same (thesis §3.10, §4.2.3). One that serves nobody, or cannot write its vote, lets the time pass.
 */
export function receiveTimeoutNow(turn: Turn, { releases }: Extract<Message, { kind: 'timeoutNow' }>): void {
  const { state } = turn
  const { role, halted, stalled, obligation } = state
  if (role.kind !== 'follower' && role.kind !== 'preCandidate') return
  if (halted || stalled || obligation !== null || !isVoter(state)) return
  becomeCandidate(turn, { anchor: turn.now, transfer: true, released: releases === state.lastIndex })
}
