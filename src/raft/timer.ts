import type { Millis } from '../base/brand.ts'
import { Random } from '../base/random.ts'
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

/**
 * Moves the state on to its next drawn election timeout (`draws` rises by one: call it before reading `turn.state`) and
 * returns the deadline that this timeout leads to; the caller puts it into the role. The deadline is anchored at `from`,
 * the moment the leader was heard or the deadline that has just passed, so that late ticks do not stretch it and nodes do
 * not fall into step (paper §5.2). One that would already lie in the past (the process stalled) is anchored at now instead.
 */
export function advanceElectionDraw(turn: Turn, from: Millis): Millis {
  const { config, seed, draws } = turn.state
  const timeout = new Random(seed, draws).between(config.electionTimeoutMinMs, config.electionTimeoutMaxMs)
  turn.state = { ...turn.state, draws: draws + 1 }
  const waitMs = turn.state.halted ? timeout + reluctanceMs(config) : timeout
  return from + waitMs > turn.now ? from + waitMs : turn.now + waitMs
}
