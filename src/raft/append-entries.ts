import { assert } from '../base/assert.ts'
import { BEFORE_LOG, type LogIndex, minIndex, type NodeId, type Term } from '../base/brand.ts'
import { clipRuns } from '../base/term-run.ts'
import { mayAcknowledge } from './obligation.ts'
import { configurationOf, type RaftState } from './state.ts'
import { advanceElectionDraw } from './timer.ts'
import { firstMissing, lastIndexWithTermAtMost, trailTermAt } from './trail.ts'
import type { Turn } from './turn.ts'
import type { Message } from './types.ts'

type Request = Extract<Message, { kind: 'appendEntries' }>
type Response = Extract<Message, { kind: 'appendEntriesResponse' }>

/**
 * AppendEntries, receiver (paper Figure 2): the term is settled, so the sender is the leader or a deposed one. Match the
 * previous entry, resolve the conflict, append what is new, learn the commit index; the answer waits for the write that
 * holds the entries it acknowledges, whichever step issued it. A node that must not acknowledge, and has lost even the
 * Configuration, refuses a heartbeat too: else a leader whose first entries to it were lost would wait for an answer for ever.
 */
export function receiveAppendEntries(turn: Turn, from: NodeId, request: Request): void {
  if (request.term < turn.state.currentTerm) return refuse(turn, from, request)
  // The election timer of a node that must not acknowledge runs on: by it, the others are asked for their terms.
  if (mayAcknowledge(turn.state)) followLeader(turn, from)
  if (!matchesPrevious(turn.state, request)) return refuse(turn, from, request)
  const lastNew = request.runs.at(-1)?.last ?? request.prevLogIndex
  appendMissing(turn, request, lastNew)
  // A follower may hold entries beyond these which conflict with the leader's: they are not verified by this message.
  const verified = minIndex(request.leaderCommit, lastNew)
  if (verified > turn.state.commitIndex) turn.commit(verified)
  if (mayAcknowledge(turn.state))
    respond(turn, from, request.sequence, { success: true, matchIndex: held(turn, request, lastNew) })
  else if (configurationOf(turn.state) === null && request.runs.length === 0) refuse(turn, from, request)
}

/**
 * What an answer acknowledges. Entries are acknowledged once they are durable, however long that takes; a heartbeat is answered
 * now, by what is durable now. Otherwise: a probe learns that the follower has an entry whose write has only begun; its disk
 * hangs; every heartbeat behind that entry waits for it; and a leader that needs this follower for its quorum steps down, after
 * which all is to be replicated again with the retries of all clients on top.
 */
function held({ state }: Turn, { runs }: Request, lastNew: LogIndex): LogIndex {
  return runs.length === 0 ? minIndex(lastNew, state.disk.durableIndex) : lastNew
}

/** Acknowledges the sender as the leader of this term, and resets the election timer. */
export function followLeader(turn: Turn, from: NodeId): void {
  const { state, now } = turn
  const { role, currentTerm } = state
  assert(role.kind !== 'leader', 'there are never two leaders in one term', { currentTerm, from })
  const known = role.kind === 'follower' ? role.leader : null
  assert(known === null || known === from, 'there are never two leaders in one term', { currentTerm, from, known })
  // PERF: it is so for all heartbeats but the first, and a copy of the state costs as much as the rest of this.
  if (state.hurry !== null) turn.state = { ...state, hurry: null }
  const electionDeadline = advanceElectionDraw(turn, now)
  turn.state = { ...turn.state, heardLeaderAt: now, role: { kind: 'follower', leader: from, electionDeadline } }
}

/** Rule 2: the log holds the previous entry with its term. What the snapshot covers is committed, so it matches. */
function matchesPrevious(state: RaftState, request: Request): boolean {
  if (request.prevLogIndex < state.trail.snapshotIndex) return true
  return trailTermAt(state.trail, request.prevLogIndex) === request.prevLogTerm
}

/** Rules 3 and 4: existing entries that match are skipped, the first conflicting one and all behind it go. */
function appendMissing(turn: Turn, request: Request, lastNew: LogIndex): void {
  const { prevLogIndex, runs } = request
  const first = runs[0]?.first
  assert(first === undefined || first === prevLogIndex + 1, 'entries follow the previous one', { prevLogIndex, first })
  const missing = firstMissing(turn.state.trail, runs)
  if (missing === null) return
  if (missing <= turn.state.lastIndex) turn.truncate(missing)
  turn.append(clipRuns(runs, missing, lastNew).map((run) => ({ ...run, source: { kind: 'received' } })))
  const configurations = request.configurations.filter(({ index }) => index >= missing && index <= lastNew)
  if (configurations.length === 0) return
  turn.state = { ...turn.state, configurations: [...turn.state.configurations, ...configurations] }
}

/**
 * Refuses, with the hint that lets the leader skip a whole conflicting term: the follower's last entry, at or below the
 * one asked for, whose term is not above the leader's there. All above it must differ from the leader's log.
 */
function refuse(turn: Turn, to: NodeId, request: Request): void {
  const { prevLogIndex: rejectedIndex, prevLogTerm, sequence } = request
  const hint: { index: LogIndex; term: Term } = lastIndexWithTermAtMost(turn.state.trail, rejectedIndex, prevLogTerm)
  respond(turn, to, sequence, { success: false, rejectedIndex, hintIndex: hint.index, hintTerm: hint.term })
}

function respond(turn: Turn, to: NodeId, sequence: number, result: Response['result']): void {
  const response = { kind: 'appendEntriesResponse', term: turn.state.currentTerm, sequence, result } as const
  turn.sendOnceDurable(to, response, result.success ? result.matchIndex : BEFORE_LOG)
}
