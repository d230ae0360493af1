import { assert } from '../base/assert.ts'
import {
  indexPlus,
  type LogIndex,
  maxIndex,
  type Millis,
  minIndex,
  indexAfter,
  type NodeId,
  indexBefore,
} from '../base/brand.ts'
import { bytesBetween, lastWithin } from './sizes.ts'
import { firstIndexOf, type Leader, NEVER, type RaftState, termAt } from './state.ts'
import { runsBetween } from './trail.ts'
import type { Turn } from './turn.ts'
import type { Progress, RaftConfig } from './types.ts'

type Window = Pick<RaftConfig, 'inFlightMessagesMax' | 'inFlightBytesMax' | 'appendEntriesMax'>

/** A follower that has not been sent so many entries is far behind: it catches up. */
export const CATCH_UP_BEHIND = 4096
/**
 * What is in flight at most to one that catches up. PERF: 1,024 small entries take 0.3 ms to encode and 0.4 ms to verify,
 * the usual window, eight times 8,192 in one turn, 15 and 18 ms, and a log write of 13 MiB there. A MiB is far less than an
 * election timeout of its pace (`CatchUpPace`), after which what is in flight would count as lost.
 */
const CATCH_UP_WINDOW: Window = { inFlightMessagesMax: 8, inFlightBytesMax: 1024 * 1024, appendEntriesMax: 1024 }

/** Entries in a probe: enough for the usual case (one no-op), little enough to be wasted on a conflict. */
const PROBE_ENTRIES_MAX = 64

/**
 * Sends to every follower (or to `only`) what its window has room for. Where nothing is to send but the commit index is news to
 * it, that waits for `commitNewsMs`: entries that come meanwhile carry it (docs/decisions/commit-rides.md).
 */
export function replicate(turn: Turn, only: NodeId | null): void {
  const outbox = new Outbox(turn)
  for (const [id, progress] of outbox.followers()) {
    if (only === null || id === only) outbox.setProgress(id, sendWhatFits(outbox, id, progress))
  }
  outbox.storeProgress(only === null && !outbox.newsWaits)
}

/** News of the commit index that has waited for its time, and found nothing to ride on, goes in an empty AppendEntries. */
export function maybeTellCommit(turn: Turn): void {
  const { role } = turn.state
  if (role.kind !== 'leader' || turn.now < role.newsDeadline) return
  turn.state = { ...turn.state, role: { ...role, newsDeadline: NEVER } }
  tellCommit(turn, null)
}

/** Tells the commit index to every follower (or to `only`) that has not been sent it, at once, so that it applies. */
export function tellCommit(turn: Turn, only: NodeId | null): void {
  const outbox = new Outbox(turn)
  for (const [id, progress] of outbox.followers()) {
    const wanted = (only === null || id === only) && progress.mode === 'replicate'
    if (wanted && isNews(turn.state, progress)) outbox.setProgress(id, sendEmpty(outbox, id, progress))
  }
  outbox.storeProgress()
}

/**
 * A heartbeat to every follower (paper Figure 2, Leaders). A follower whose oldest message in flight is unanswered for a
 * minimum election timeout is probed from its match index: the message, or its answer, was lost and nothing else tells.
 */
export function sendHeartbeats(turn: Turn): void {
  const outbox = new Outbox(turn)
  for (const [id, progress] of outbox.followers()) {
    if (progress.nextIndex < firstIndexOf(turn.state)) outbox.setProgress(id, offerSnapshot(outbox, id, progress))
    else if (progress.mode === 'replicate' && isOverdue(turn, progress)) {
      const probe = toProbe(progress, indexAfter(progress.matchIndex))
      const sent = sendWhatFits(outbox, id, probe)
      outbox.setProgress(id, sent === probe ? sendEmpty(outbox, id, probe) : sent)
    } else outbox.setProgress(id, sendEmpty(outbox, id, progress))
  }
  outbox.storeProgress()
}

/** True when the oldest message in flight has been unanswered for a minimum election timeout. */
export function isOverdue(turn: Turn, progress: Progress): boolean {
  const oldest = progress.inFlight[0]
  return oldest !== undefined && turn.now - oldest.sentAt >= turn.state.config.electionTimeoutMinMs
}

/** Back to one message at a time, which begins at `from`: a vote says nothing any more. */
export function toProbe(progress: Progress, from: LogIndex): Progress {
  assert(from > progress.matchIndex, 'a probe starts above the match index', { from, progress })
  return { ...progress, mode: 'probe', voted: false, nextIndex: from, inFlight: [] }
}

/** The messages of one step to the followers: sequence numbers, send times, progress, put into the state once. */
class Outbox {
  readonly turn: Turn
  readonly leader: Leader
  /** The commit index is news to a follower, and may wait. */
  newsWaits = false
  private sequence: number
  private changed: Map<NodeId, Progress> | null = null

  constructor(turn: Turn) {
    const { role } = turn.state
    assert(role.kind === 'leader', 'only a leader sends AppendEntries', { role: role.kind })
    this.turn = turn
    this.leader = role
    this.sequence = role.sequence
  }

  followers(): ReadonlyMap<NodeId, Progress> {
    return this.leader.progress
  }

  setProgress(id: NodeId, progress: Progress): void {
    if (this.leader.progress.get(id) === progress) return
    this.changed ??= new Map(this.leader.progress)
    this.changed.set(id, progress)
  }

  /** Sends the entries `[prevLogIndex + 1, last]`, none when `last` is `prevLogIndex`; returns the sequence. */
  sendAppendEntries(to: NodeId, range: { prevLogIndex: LogIndex; last: LogIndex; leaderCommit: LogIndex }): number {
    const { state } = this.turn
    const { prevLogIndex, last, leaderCommit } = range
    const prevLogTerm = termAt(state, prevLogIndex)
    assert(prevLogTerm !== null, 'a leader sends from what its log holds', { prevLogIndex, trail: state.trail })
    this.sequence += 1
    this.turn.sendAtOnce(to, {
      kind: 'appendEntries',
      term: state.currentTerm,
      prevLogIndex,
      prevLogTerm,
      runs: runsBetween(state.trail, indexAfter(prevLogIndex), last),
      leaderCommit,
      configurations: [],
      sequence: this.sequence,
    })
    return this.sequence
  }

  /** Offers the snapshot that the log goes on from. */
  sendInstallSnapshot(to: NodeId): void {
    const { currentTerm, trail } = this.turn.state
    this.sequence += 1
    this.turn.sendAtOnce(to, {
      kind: 'installSnapshot',
      term: currentTerm,
      lastIncludedIndex: trail.snapshotIndex,
      lastIncludedTerm: trail.snapshotTerm,
      sequence: this.sequence,
    })
  }

  /** Puts what was sent into the state, once for all followers. `told`: no follower lacks news of the commit index. */
  storeProgress(told = false): void {
    const { leader, turn, sequence } = this
    const waits = this.newsWaits ? turn.now + turn.state.config.commitNewsMs : NEVER
    const newsDeadline = told ? NEVER : Math.min(leader.newsDeadline, waits)
    if (this.changed === null && sequence === leader.sequence && newsDeadline === leader.newsDeadline) return
    const sendTimes = sequence === leader.sequence ? leader.sendTimes : withSendTime(turn, leader)
    const role: Leader = { ...leader, progress: this.changed ?? leader.progress, sequence, sendTimes, newsDeadline }
    turn.state = { ...turn.state, role }
  }
}

function sendWhatFits(outbox: Outbox, id: NodeId, before: Progress): Progress {
  const { state, now } = outbox.turn
  if (before.mode === 'snapshot') return before
  if (before.nextIndex < firstIndexOf(state)) return offerSnapshot(outbox, id, before)
  let progress = before
  let last = lastToSend(state, outbox.leader, progress)
  while (last !== null) {
    const first = firstToSend(progress)
    const leaderCommit = minIndex(state.commitIndex, last)
    const sequence = outbox.sendAppendEntries(id, { prevLogIndex: indexBefore(first), last, leaderCommit })
    const bytes = bytesBetween(outbox.leader.sizes, first, last)
    progress = {
      ...progress,
      nextIndex: progress.mode === 'probe' ? progress.nextIndex : indexAfter(last),
      inFlight: [...progress.inFlight, { lastIndex: last, bytes, sequence, sentAt: now }],
      sentCommit: maxIndex(progress.sentCommit, leaderCommit),
    }
    last = lastToSend(state, outbox.leader, progress)
  }
  if (progress !== before || progress.mode === 'probe') return progress
  if (!isNews(state, progress)) return progress
  if (state.config.commitNewsMs === 0) return sendEmpty(outbox, id, progress)
  outbox.newsWaits = true
  return progress
}

/** What is committed reaches further, within what the follower is known to hold, than any message to it has said. */
function isNews({ commitIndex }: RaftState, { matchIndex, sentCommit }: Progress): boolean {
  return minIndex(commitIndex, matchIndex) > sentCommit
}

/**
 * What the follower needs next is no longer in the log: it gets a snapshot, whatever it was being sent (raft.md §1). While it
 * pulls, the offer takes the place of heartbeats, and nothing else is sent to it.
 */
function offerSnapshot(outbox: Outbox, id: NodeId, progress: Progress): Progress {
  outbox.sendInstallSnapshot(id)
  return progress.mode === 'snapshot' ? progress : { ...progress, mode: 'snapshot', inFlight: [] }
}

/** First index of the next message with entries: `nextIndex`, or what follows a probe that is under way. */
function firstToSend({ mode, nextIndex, inFlight }: Progress): LogIndex {
  return mode === 'probe' ? indexAfter(inFlight.at(-1)?.lastIndex ?? indexBefore(nextIndex)) : nextIndex
}

/**
 * Last index of the next message with entries, or null: nothing to send, or a full window. To whoever voted for this leader,
 * its first probe is followed by what comes meanwhile: that one is there, and holds, nearly always, what the leader held then,
 * and the first commands of the term would wait a round and a write to hear so (thesis §10.2.1). It is safe as any pipelining
 * is: the follower checks the entry before each message. Behind a refusal, and to the silent, probes go one by one.
 */
function lastToSend(state: RaftState, leader: Leader, progress: Progress): LogIndex | null {
  const { lastIndex } = state
  const { nextIndex, inFlight, mode, voted } = progress
  const first = firstToSend(progress)
  const window = mode === 'probe' ? smaller(state.config, CATCH_UP_WINDOW) : windowOf(state, first)
  if (first > lastIndex) return null
  if (mode === 'probe' && inFlight.length > 0 && !(voted && nextIndex === leader.firstOwnIndex)) return null
  if (inFlight.length >= window.inFlightMessagesMax) return null
  let bytesLeft = window.inFlightBytesMax
  for (const message of inFlight) bytesLeft -= message.bytes
  if (bytesLeft <= 0) return null
  const entriesMax = mode === 'probe' ? Math.min(PROBE_ENTRIES_MAX, window.appendEntriesMax) : window.appendEntriesMax
  const last = minIndex(lastIndex, indexPlus(first, entriesMax - 1))
  return lastWithin(leader.sizes, { first, last }, bytesLeft)
}

/** What may be in flight to a follower whose next entry is `first`. */
function windowOf({ config, lastIndex }: RaftState, first: LogIndex): Window {
  return lastIndex - first < CATCH_UP_BEHIND ? config : smaller(config, CATCH_UP_WINDOW)
}

function smaller(left: Window, right: Window): Window {
  return {
    inFlightMessagesMax: Math.min(left.inFlightMessagesMax, right.inFlightMessagesMax),
    inFlightBytesMax: Math.min(left.inFlightBytesMax, right.inFlightBytesMax),
    appendEntriesMax: Math.min(left.appendEntriesMax, right.appendEntriesMax),
  }
}

/**
 * An AppendEntries without entries. In replicate mode its previous entry is the match index, so that the follower always
 * verifies it, whatever is still on its way; in probe mode it is itself a probe. It never carries a commit index beyond
 * what the follower then has verified (raft.md §2.4).
 */
function sendEmpty(outbox: Outbox, id: NodeId, progress: Progress): Progress {
  const { state } = outbox.turn
  const verified = progress.mode === 'replicate' ? progress.matchIndex : indexBefore(progress.nextIndex)
  const prevLogIndex = maxIndex(verified, state.trail.snapshotIndex)
  const leaderCommit = minIndex(state.commitIndex, progress.mode === 'replicate' ? progress.matchIndex : prevLogIndex)
  outbox.sendAppendEntries(id, { prevLogIndex, last: prevLogIndex, leaderCommit })
  return leaderCommit > progress.sentCommit ? { ...progress, sentCommit: leaderCommit } : progress
}

/** Marks of send times with one for now; those that no answer in time can need are dropped. */
function withSendTime(turn: Turn, leader: Leader): Leader['sendTimes'] {
  const { config } = turn.state
  const newest = leader.sendTimes.at(-1)
  if (newest !== undefined && turn.now - newest.at < config.heartbeatMs / 4) return leader.sendTimes
  const horizon = turn.now - 2 * config.electionTimeoutMaxMs
  let kept = 0
  while ((leader.sendTimes[kept + 1]?.at ?? Number.POSITIVE_INFINITY) <= horizon) kept += 1
  return [...leader.sendTimes.slice(kept), { sequence: leader.sequence + 1, at: turn.now }]
}

/** When the message of that sequence was sent, at the latest known bound below it; null when it is too old to tell. */
export function sentAt(leader: Leader, sequence: number): Millis | null {
  for (let at = leader.sendTimes.length - 1; at >= 0; at -= 1) {
    const mark = leader.sendTimes[at]
    if (mark !== undefined && mark.sequence <= sequence) return mark.at
  }
  return null
}
