import type { NodeId } from '../../base/brand.ts'

/** What the states at one index say. */
export interface StateVerdict {
  /** The state that more than half of all voters have, as far as they have said; null: none is known to be. */
  readonly majority: string | null
  /** Voters with another state than the one compared with, in the order given. */
  readonly others: readonly NodeId[]
}

/**
 * Compares states (running hashes) at one index. `voters`: how many there are, those that said nothing too: a state is a
 * majority's only if no other one can be, whatever they will say.
 */
export function verdictOf(own: string, states: ReadonlyMap<NodeId, string>, voters: number): StateVerdict {
  const counts = new Map<string, number>()
  for (const hash of states.values()) counts.set(hash, (counts.get(hash) ?? 0) + 1)
  const found = [...counts].find(([, count]) => 2 * count > voters)
  return {
    majority: found?.[0] ?? null,
    others: [...states].filter(([, hash]) => hash !== own).map(([voter]) => voter),
  }
}
