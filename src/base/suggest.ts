/**
 * The end of a sentence about an unknown name: the nearest known one, when it is near, and what there is (at most 20).
 */
export function suggest(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'there is none'
  const sorted = [...known].sort()
  const shown = sorted.slice(0, 20).join(', ') + (sorted.length > 20 ? ', …' : '')
  const nearest = didYouMean(name, sorted)
  return nearest === null ? `known: ${shown}` : `did you mean ${nearest}? known: ${shown}`
}

/** The known name within a third of its length in edits, or null; ties go to the first. */
export function didYouMean(name: string, known: readonly string[]): string | null {
  if (name.length > 64) return null
  let best: string | null = null
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(candidate.length / 3))) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours between two short texts (optimal string alignment). */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, column) => column)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1]
      const swapped = row > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      const choices = [at(last, column - 1) + (same ? 0 : 1), at(last, column) + 1, at(current, column - 1) + 1]
      if (swapped) choices.push(at(beforeLast, column - 2) + 1)
      current.push(Math.min(...choices))
    }
    beforeLast = last
    last = current
  }
  return at(last, right.length)
}

const at = (row: readonly number[], column: number): number => row[column] ?? Number.POSITIVE_INFINITY
