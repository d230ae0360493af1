import type { NodeId } from '../base/brand.ts'
import type { Configuration } from './types.ts'

/** Of a node before bootstrap, which knows nobody: nothing is ever a quorum of it. */
const NOBODY: Configuration = { voters: [], learners: [], outgoing: [], promoting: [] }

/** How many of `count` voters are a majority: any two majorities share a voter (paper §5.2). */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1
}

/** True when a majority of the voters is among `granted`; false when there is no voter. */
export function hasMajority(voters: readonly NodeId[], granted: (voter: NodeId) => boolean): boolean {
  let count = 0
  for (const voter of voters) if (granted(voter)) count += 1
  return voters.length > 0 && count >= majority(voters.length)
}

/**
 * The highest value that a majority of the voters has reached (paper Figure 2, "a majority of matchIndex[i] ≥ N"): the value
 * of rank `majority` from the top; `least`, below which nothing lies, when there is no voter. PERF: O(n²) insertion over at
 * most a handful of voters, one small array.
 */
export function reachedByMajority<Value extends number>(
  voters: readonly NodeId[],
  least: Value,
  reached: (voter: NodeId) => Value,
): Value {
  const descending: Value[] = []
  for (const voter of voters) {
    const value = reached(voter)
    let at = descending.length
    while (at > 0 && (descending[at - 1] ?? least) < value) at -= 1
    descending.splice(at, 0, value)
  }
  return descending[majority(voters.length) - 1] ?? least
}

/**
 * Whether a quorum is among `granted`: a majority of the voters and, while a change is joint, one of the outgoing ones too
 * (thesis §4.3). The one place that decides elections; null: nobody is known.
 */
export function hasQuorum(configuration: Configuration | null, granted: (voter: NodeId) => boolean): boolean {
  const { voters, outgoing } = configuration ?? NOBODY
  if (!hasMajority(voters, granted)) return false
  // Without the second majority: of n1 n2 n3, n1 goes on to n1 n4 n5, which n2 and n3 have not heard of. n1, n4 and n5 commit
  // by the new majority, n2 and n3 by the old one: two histories.
  return outgoing.length === 0 || hasMajority(outgoing, granted)
}

/**
 * The highest value that a quorum has reached: what both majorities have, of a joint configuration; `least`, below which
 * nothing lies, when nobody is known. The one place that decides what is committed and who hears the leader.
 */
export function reachedByQuorum<Value extends number>(
  configuration: Configuration | null,
  least: Value,
  reached: (voter: NodeId) => Value,
): Value {
  const { voters, outgoing } = configuration ?? NOBODY
  const incoming = reachedByMajority(voters, least, reached)
  if (outgoing.length === 0) return incoming
  const before = reachedByMajority(outgoing, least, reached)
  return before < incoming ? before : incoming
}
