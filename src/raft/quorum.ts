import type { NodeId } from '../base/brand.ts'

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
