import { compareIds } from '../facts/ids.ts'
import { OVERLAP_RANKS } from '../facts/gates-bounds.ts'

/**
 * The strategies that both rank among their first three, those with the least sum of ranks first, equal ones by id (domain.md
 * §2.4). The same whoever is named first.
 */
export function overlapOf(one: readonly string[], other: readonly string[]): readonly string[] {
  const others = other.slice(0, OVERLAP_RANKS)
  const both = one.slice(0, OVERLAP_RANKS).flatMap((id, rank) => {
    const otherRank = others.indexOf(id)
    return otherRank === -1 ? [] : [{ id, ranks: rank + otherRank }]
  })
  return both.sort((a, b) => a.ranks - b.ranks || compareIds(a.id, b.id)).map(({ id }) => id)
}
