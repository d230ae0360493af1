import type { Millis } from '../base/brand.ts'
import { Random } from '../base/random.ts'
import { type RaftState, votersOf } from './state.ts'
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

/** Parts of a heartbeat interval: 5 ms and 20 ms of 50. A step is what an election takes whose disks write in a few ms. */
const HURRY_SHARE = 0.1
const RANK_SHARE = 0.4
/** A candidate waits for disks, its own and the voters’, before it asks anew. */
const HURRIED_VOTE_INTERVALS = 2

/**
 * Moves the state on to its next drawn election timeout (`draws` rises by one: call it before reading `turn.state`) and
 * returns the deadline that this timeout leads to; the caller puts it into the role. The deadline is anchored at `from`,
 * the moment the leader was heard or the deadline that has just passed, so that late ticks do not stretch it and nodes do
 * not fall into step (paper §5.2). One that would already lie in the past (the process stalled) is anchored at now instead.
 * `votes`: it is a candidate's, who waits for votes.
 */
export function advanceElectionDraw(turn: Turn, from: Millis, votes = false): Millis {
  const { config, seed, draws, halted } = turn.state
  const random = new Random(seed, draws)
  turn.state = { ...turn.state, draws: draws + 1 }
  const waitMs = isHurried(turn.state, turn.now)
    ? hurriedMs(turn.state, random, votes)
    : random.between(config.electionTimeoutMinMs, config.electionTimeoutMaxMs) + (halted ? reluctanceMs(config) : 0)
  return from + waitMs > turn.now ? from + waitMs : turn.now + waitMs
}

/** True from the evidence that the leader is gone, for a minimum election timeout or until a leader is heard. */
function isHurried({ lostLeader, halted }: RaftState, now: Millis): boolean {
  return lostLeader !== null && now < lostLeader.until && !halted
}

/**
 * The short timeout of a node whose leader is gone: those that are left go one after the other by their rank, each a step after
 * the one before, so that the first has won, or was refused, when the second begins. One uniform draw of 10 ms for all would
 * split the vote 28 times in a hundred.
 */
function hurriedMs(state: RaftState, random: Random, votes: boolean): Millis {
  const { config, lostLeader } = state
  const { heartbeatMs } = config
  const rank = votersOf(state)
    .filter((voter) => voter !== lostLeader?.id)
    .indexOf(config.self)
  const base = 1 + (random.float() * HURRY_SHARE + Math.max(rank, 0) * RANK_SHARE) * heartbeatMs
  return votes ? base + HURRIED_VOTE_INTERVALS * heartbeatMs : base
}
