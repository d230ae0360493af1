/** A node's state at an index, as it said. */
interface Hashed {
  readonly id: string
  readonly appliedIndex: number
  readonly stateHash: string
}

/**
 * Nodes whose state hash differs from others' at an equal index, which determinism forbids (sessions.md §10). Right is what
 * most say; of a tie nobody is, for a leader may be the odd one, and people would give up the data of the right node.
 */
export function divergedNodes(nodes: readonly Hashed[]): ReadonlySet<string> {
  const diverged = new Set<string>()
  for (const index of new Set(nodes.map((node) => node.appliedIndex))) {
    const same = nodes.filter((node) => node.appliedIndex === index)
    const right = mostCommon(same)
    for (const node of same) if (node.stateHash !== right) diverged.add(node.id)
  }
  return diverged
}

/** Null for a tie. */
function mostCommon(nodes: readonly Hashed[]): string | null {
  const counts = new Map<string, number>()
  for (const { stateHash } of nodes) counts.set(stateHash, (counts.get(stateHash) ?? 0) + 1)
  const [first, second] = [...counts].sort((left, right) => right[1] - left[1])
  return first !== undefined && first[1] !== second?.[1] ? first[0] : null
}
