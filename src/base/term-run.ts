import { type LogIndex, maxIndex, minIndex, type Term } from './brand.ts'

/** A run of consecutive log entries of one term: indexes `[first, last]`, `first ≤ last`. */
export interface TermRun {
  readonly first: LogIndex
  readonly last: LogIndex
  readonly term: Term
}

/** The parts of `runs`, which are in index order, that lie in `[first, last]`. PERF: the newest are looked at first. */
export function clipRuns(runs: readonly TermRun[], first: LogIndex, last: LogIndex): readonly TermRun[] {
  const clipped: TermRun[] = []
  for (let at = runs.length - 1; at >= 0; at -= 1) {
    const run = runs[at]
    if (run === undefined || run.last < first) break
    if (run.first > last) continue
    const inside = run.first >= first && run.last <= last
    clipped.push(inside ? run : { first: maxIndex(run.first, first), last: minIndex(run.last, last), term: run.term })
  }
  return clipped.reverse()
}
