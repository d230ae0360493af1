import type { Millis, NodeId } from '../base/brand.ts'
import { Random } from '../base/random.ts'
import { type Candidate, type Hurry, mayCampaign, type RaftState, votersOf } from './state.ts'
import type { Turn } from './turn.ts'
import type { RaftConfig } from './types.ts'

/**
 * A halted node waits two election timeouts longer than anybody: enough for the others to hold an election, and one more
 * after a split vote. It does campaign then, for where nobody else can, a log without a leader is worse than one whose
 * leader serves nobody: what the others lack is replicated, and whoever has caught up takes over.
 */
export function reluctanceMs(config: RaftConfig): Millis {
  return 2 * config.electionTimeoutMaxMs
}

/**
 * A leader that was elected although it had halted helps voters that are behind for so long at most: see `isHelping`. Most
 * of the time, then, goes into replication and not into the three timeouts that the next such election takes.
 */
export function helpMs(config: RaftConfig): Millis {
  return 10 * config.electionTimeoutMaxMs
}

/** Parts of a heartbeat interval: 2 ms and 20 ms of 50. A step is what an election takes whose disks write in a few ms. */
const HURRY_SHARE = 0.04
const RANK_SHARE = 0.4
/** A candidate waits for disks, its own and the voters’, before it asks anew. */
const HURRIED_VOTE_INTERVALS = 2
/** Each wait for pre-votes is twice the one before, up to this power: about half a heartbeat interval at last. */
const HURRIED_DOUBLINGS_MAX = 4

/** What a drawn timeout is the wait for. */
type Awaited = 'leader' | 'preVotes' | 'votes'

/**
 * Moves the state on to its next drawn election timeout (`draws` rises by one: call it before reading `turn.state`) and
 * returns the deadline that this timeout leads to; the caller puts it into the role. The deadline is anchored at `from`,
 * the moment the leader was heard or the deadline that has just passed, so that late ticks do not stretch it and nodes do
 * not fall into step (paper §5.2). One that would already lie in the past (the process stalled) is anchored at now instead.
 */
export function advanceElectionDraw(turn: Turn, from: Millis, awaited: Awaited = 'leader'): Millis {
  const { state, now } = turn
  const random = nextRandom(turn)
  const { hurry } = state
  if (hurry === null || !isHurried(state, now)) return ordinary(turn, from, random)
  const rank = rankOf(state, hurry, { of: state.config.self, behind: null })
  if (awaited === 'preVotes') turn.state = { ...turn.state, hurry: { ...hurry, asked: hurry.asked + 1 } }
  return later(turn, from, hurriedMs(state, hurry, { random, awaited, rank }))
}

/**
 * When a candidacy that begins at `from` is given up, an ordinary timeout later, and when its first wait is over: then as well,
 * or soon, where the leader's process is gone.
 */
export function advanceCandidacyDraws(turn: Turn, from: Millis): Pick<Candidate, 'giveUpAt' | 'electionDeadline'> {
  const giveUpAt = ordinary(turn, from, nextRandom(turn))
  if (!isHurried(turn.state, turn.now)) return { giveUpAt, electionDeadline: giveUpAt }
  return { giveUpAt, electionDeadline: Math.min(giveUpAt, advanceElectionDraw(turn, from, 'votes')) }
}

/**
 * What a node whose leader is gone makes of another one's pre-vote, beside its answer. It has refused one whose log is behind
 * its own: that one will not lead, and this node's turn comes a step earlier. It has granted one that goes before it, by its
 * log or its rank: its own turn comes once that election had time for its disks, else both would ask for votes of one term.
 * Who asks again and again puts it off for no longer than the hurry lasts.
 */
export function heedPreVote(turn: Turn, from: NodeId, verdict: 'behind' | 'ahead' | 'equal'): void {
  const { state, now } = turn
  const { role, hurry, config } = state
  if (hurry === null || !isHurried(state, now) || !mayCampaign(state)) return
  const own = rankOf(state, hurry, { of: config.self, behind: verdict === 'behind' ? from : null })
  if (verdict === 'behind') {
    if (role.kind !== 'follower') return
    const waitMs = hurriedMs(state, hurry, { random: nextRandom(turn), awaited: 'leader', rank: own })
    turn.state = { ...turn.state, role: { ...role, electionDeadline: Math.min(role.electionDeadline, now + waitMs) } }
    return
  }
  if (role.kind !== 'follower' && role.kind !== 'preCandidate') return
  if (verdict === 'equal' && own < rankOf(state, hurry, { of: from, behind: null })) return
  const waitMs = hurriedMs(state, hurry, { random: nextRandom(turn), awaited: 'votes', rank: own })
  turn.state = { ...turn.state, role: { kind: 'follower', leader: null, electionDeadline: now + waitMs } }
}

function nextRandom(turn: Turn): Random {
  const { seed, draws } = turn.state
  turn.state = { ...turn.state, draws: draws + 1 }
  return new Random(seed, draws)
}

function ordinary(turn: Turn, from: Millis, random: Random): Millis {
  const { config, halted } = turn.state
  const range = random.between(config.electionTimeoutMinMs, config.electionTimeoutMaxMs)
  return later(turn, from, range + (halted ? reluctanceMs(config) : 0))
}

function later({ now }: Turn, from: Millis, waitMs: Millis): Millis {
  return from + waitMs > now ? from + waitMs : now + waitMs
}

/** True from the evidence that the leader is gone, for a minimum election timeout or until a leader is heard. */
function isHurried({ hurry, halted }: RaftState, now: Millis): boolean {
  return hurry !== null && now < hurry.until && !halted
}

/** How many voters come before `of`: those of lower id but the lost leader, and the one that is `behind`. */
function rankOf(state: RaftState, hurry: Hurry, { of, behind }: { of: NodeId; behind: NodeId | null }): number {
  const left = votersOf(state).filter((voter) => voter !== hurry.lost && voter !== behind)
  return Math.max(left.indexOf(of), 0)
}

/**
 * The short timeout of a node whose leader is gone: those that are left go one after the other by their rank, each a step after
 * the one before, so that the first has won, or was refused, when the second begins. One uniform draw of 10 ms for all would
 * split the vote 28 times in a hundred. Who asks for pre-votes again waits twice as long each time: where loops take longer
 * than is usual, the old pace would add to what they have to do.
 */
function hurriedMs(
  { config: { heartbeatMs } }: RaftState,
  { lost, asked }: Hurry,
  { random, awaited, rank }: { readonly random: Random; readonly awaited: Awaited; readonly rank: number },
): Millis {
  const base = 1 + (random.float() * HURRY_SHARE + rank * RANK_SHARE) * heartbeatMs
  // A leader that is there after all says so within an interval: where it has not, none is heard of since the start.
  if (awaited === 'leader') return lost === null ? base + heartbeatMs : base
  if (awaited === 'preVotes') return base * 2 ** Math.min(asked, HURRIED_DOUBLINGS_MAX)
  return base + HURRIED_VOTE_INTERVALS * heartbeatMs
}
