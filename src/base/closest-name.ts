/** Names further away than this from what was written are no help: two slips, or a third of a long word. */
const distanceMax = (word: string): number => Math.max(2, Math.floor(word.length / 3))

/** The known name that was most likely meant by an unknown one ("did you mean"), or null when none is near. */
export function closestName(word: string, known: readonly string[]): string | null {
  let best: string | null = null
  let least = distanceMax(word) + 1
  for (const name of known) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase())
    if (distance < least) [best, least] = [name, distance]
  }
  return best
}

/** Levenshtein's distance: insertions, deletions and replacements that make one word of the other. O(length²). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (const [at, letter] of [...from].entries()) {
    const next = [at + 1]
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
