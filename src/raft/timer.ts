import type { Millis } from '../base/brand.ts'
import { Random } from '../base/random.ts'
import type { Turn } from './turn.ts'

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
  return from + timeout > turn.now ? from + timeout : turn.now + timeout
}
