import { assert } from '../base/assert.ts'
import { BEFORE_LOG, type LogIndex, maxIndex, minIndex, indexAfter, type NodeId } from '../base/brand.ts'
import { maybeAdvanceCommit } from './commit.ts'
import { maybeHandOver } from './hand-over.ts'
import { hasCaughtUp, maybeConcludeChange } from './membership.ts'
import { isOverdue, replicate, sentAt, toProbe } from './replicate.ts'
import type { Leader, RaftState } from './state.ts'
import { lastIndexWithTermAtMost } from './trail.ts'
import { maybeAskTarget } from './transfer.ts'
import type { Turn } from './turn.ts'
import type { Message, Progress } from './types.ts'

type Response = Extract<Message, { kind: 'appendEntriesResponse' }>
/** `isNewest`: no answer to this message or a later one came before. */
type Rejection = Extract<Response['result'], { success: false }> & { readonly isNewest: boolean }

/**
 * An answer to AppendEntries, of the current term (paper Figure 2, Leaders): a success moves the match index, perhaps the
 * commit index, and makes room for more; a refusal moves the next index back by a whole conflicting term.
 */
export function receiveAppendEntriesResponse(turn: Turn, from: NodeId, response: Response): void {
  const { role } = turn.state
  if (role.kind !== 'leader') return
  const before = role.progress.get(from)
  if (before === undefined) return
  if (response.sequence > role.sequence || response.sequence <= before.since) return
  const { result } = response
  const contacted = withContact(role, before, response.sequence, result.success)
  const after = result.success
    ? withMatch(turn, contacted, result.matchIndex)
    : withRefusal(turn.state, contacted, { ...result, isNewest: response.sequence > before.answered })
  turn.state = { ...turn.state, role: { ...role, progress: new Map(role.progress).set(from, after) } }
  const advanced = result.success && after.matchIndex > before.matchIndex && maybeAdvanceCommit(turn)
  const caughtUp = result.success && hasCaughtUp(turn, from)
  if ((advanced || caughtUp) && maybeConcludeChange(turn, caughtUp ? [from] : [])) return
  if (maybeHandOver(turn)) return
  replicate(turn, advanced ? null : from)
  maybeAskTarget(turn)
}

/** Contact is dated by when the request left, never by when its answer came (thesis §6.4.1). `follows`: it is no refusal. */
export function withContact(leader: Leader, progress: Progress, sequence: number, follows: boolean): Progress {
  const at = sentAt(leader, sequence) ?? progress.lastContact
  return {
    ...progress,
    lastContact: Math.max(progress.lastContact, at),
    forgivenMs: sequence > progress.answered ? 0 : progress.forgivenMs,
    answered: Math.max(progress.answered, sequence),
    followed: follows ? Math.max(progress.followed, sequence) : progress.followed,
  }
}

/**
 * The follower holds everything up to `matchIndex`, durably. In probe mode that is the match that was looked for, unless it
 * tells nothing new while the probe's own entries are still being answered.
 */
function withMatch(turn: Turn, progress: Progress, matched: LogIndex): Progress {
  const { lastIndex } = turn.state
  assert(matched <= lastIndex, 'a follower acknowledges only what the leader sent', { matched, lastIndex })
  const matchIndex = maxIndex(matched, progress.matchIndex)
  const inFlight =
    progress.inFlight.length === 0 ? progress.inFlight : progress.inFlight.filter((sent) => sent.lastIndex > matchIndex)
  if (progress.mode === 'snapshot') return withSnapshot(turn.state, progress, matchIndex)
  if (progress.mode === 'replicate') {
    return { ...progress, matchIndex, nextIndex: maxIndex(progress.nextIndex, indexAfter(matchIndex)), inFlight }
  }
  const waits = inFlight.length > 0 && !isOverdue(turn, progress)
  const found = matched > progress.matchIndex || (matched + 1 >= progress.nextIndex && !waits)
  if (!found) return progress
  // Answered by a heartbeat, the probe may be lost: it goes again, and what followed it. Else what followed is on its way.
  const following = matchIndex < progress.nextIndex ? [] : inFlight
  const nextIndex = indexAfter(following.at(-1)?.lastIndex ?? matchIndex)
  return { ...progress, mode: 'replicate', matchIndex, nextIndex, inFlight: following }
}

/**
 * A follower that was offered a snapshot holds the log up to `matchIndex`: it is probed from there as soon as the log reaches
 * that, and stays where it is while the log has gone further on meanwhile.
 */
export function withSnapshot(state: RaftState, progress: Progress, matchIndex: LogIndex): Progress {
  const matched = { ...progress, matchIndex, nextIndex: maxIndex(progress.nextIndex, indexAfter(matchIndex)) }
  if (matchIndex < state.trail.snapshotIndex) return matched
  return toProbe(matched, indexAfter(matchIndex))
}

/**
 * The follower does not hold the entry asked for. A refusal of something that it has matched since, or of another probe
 * than the current one, is late. The new next index lies behind the leader's last entry, at or below the hint, whose term
 * is not above the hint's: one round per conflicting term, of either log (paper §5.3).
 */
function withRefusal(state: RaftState, progress: Progress, refusal: Rejection): Progress {
  const { rejectedIndex, hintIndex, hintTerm } = refusal
  if (rejectedIndex <= progress.matchIndex) return refusal.isNewest ? withLoss(state, progress, refusal) : progress
  if (rejectedIndex >= progress.nextIndex) return progress
  if (progress.mode === 'snapshot') return progress
  if (progress.mode === 'probe' && rejectedIndex !== progress.nextIndex - 1) return progress
  const { index } = lastIndexWithTermAtMost(state.trail, hintIndex, hintTerm)
  return toProbe(progress, maxIndex(indexAfter(progress.matchIndex), minIndex(rejectedIndex, indexAfter(index))))
}

/**
 * A follower refuses, in the newest of its answers, an entry that it had acknowledged: its log was damaged (obligation.ts).
 * Nothing is known of it any more. A refusal that the network held back looks the same and costs a round: knowing less of a
 * follower is safe, and what was counted as committed stays so, since a damaged node helps to elect nobody who lacks it.
 */
function withLoss(state: RaftState, progress: Progress, { hintIndex, hintTerm }: Rejection): Progress {
  const { index } = lastIndexWithTermAtMost(state.trail, hintIndex, hintTerm)
  return toProbe({ ...progress, matchIndex: BEFORE_LOG }, indexAfter(index))
}
