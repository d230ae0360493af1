import { assert } from '../base/assert.ts'
import { lowerBoundBy } from '../base/binary-search.ts'
import { type LogIndex, indexAfter, indexBefore, type Term } from '../base/brand.ts'
import { clipRuns, type TermRun } from '../base/term-run.ts'

/**
 * The log as the core knows it: which term each index has, run-length encoded, and nothing else. Runs are maximal (two
 * neighbours differ in term), so a log of one leader's millions of entries is one run. Immutable.
 */
export interface Trail {
  /** Index and term before the log's first entry; 0, 0 for a log that is whole. The runs start above it. */
  readonly snapshotIndex: LogIndex
  readonly snapshotTerm: Term
  readonly runs: readonly TermRun[]
}

/** Index of the last entry, or of the snapshot when no entry follows it (0: an empty log). */
export function lastIndexOf(trail: Trail): LogIndex {
  return trail.runs.at(-1)?.last ?? trail.snapshotIndex
}

/** Term of the last entry, or of the snapshot. */
export function lastTermOf(trail: Trail): Term {
  return trail.runs.at(-1)?.term ?? trail.snapshotTerm
}

/**
 * Term of the entry at `index`; the snapshot's at its own index; null below the snapshot and beyond the last entry.
 * PERF: the newest run is tried first, so that the hot paths never search; else O(log runs).
 */
export function trailTermAt(trail: Trail, index: LogIndex): Term | null {
  if (index === trail.snapshotIndex) return trail.snapshotTerm
  return runAt(trail, index)?.term ?? null
}

/** The run that holds `index`, or null. */
function runAt(trail: Trail, index: LogIndex): TermRun | null {
  const { runs } = trail
  const newest = runs.at(-1)
  if (newest === undefined || index > newest.last || index <= trail.snapshotIndex) return null
  if (index >= newest.first) return newest
  return runs[lowerBoundBy(runs, index, lastIndexOfRun)] ?? null
}

const lastIndexOfRun = (run: TermRun): LogIndex => run.last

/** The trail with runs appended; asserts that they follow the last entry without gap and never fall in term. */
export function withAppended(trail: Trail, added: readonly TermRun[]): Trail {
  const runs = trail.runs.slice()
  let last = lastIndexOf(trail)
  let lastTerm = lastTermOf(trail)
  for (const run of added) {
    assert(run.first === last + 1, 'runs follow each other without gap', { run, last })
    assert(run.last >= run.first, 'a run holds at least one entry', { run })
    assert(run.term >= lastTerm, 'terms never fall along the log', { run, lastTerm })
    const newest = runs.at(-1)
    if (newest !== undefined && newest.term === run.term) {
      runs[runs.length - 1] = { first: newest.first, last: run.last, term: run.term }
    } else runs.push({ first: run.first, last: run.last, term: run.term })
    last = run.last
    lastTerm = run.term
  }
  return { ...trail, runs }
}

/** The trail without every entry at and above `from`, which must lie above the snapshot. */
export function withoutFrom(trail: Trail, from: LogIndex): Trail {
  assert(from > trail.snapshotIndex, 'entries of the snapshot are never truncated', { from, trail })
  const runs: TermRun[] = []
  for (const run of trail.runs) {
    if (run.first >= from) break
    runs.push(run.last < from ? run : { ...run, last: indexBefore(from) })
  }
  return { ...trail, runs }
}

/** The trail whose snapshot reaches up to `index`, an entry of the log; everything below is forgotten. */
export function compactedTo(trail: Trail, index: LogIndex): Trail {
  const snapshotTerm = trailTermAt(trail, index)
  assert(snapshotTerm !== null, 'a snapshot ends at an entry of the log', { index, trail })
  const runs: TermRun[] = []
  for (const run of trail.runs) {
    if (run.last <= index) continue
    runs.push(run.first > index ? run : { ...run, first: indexAfter(index) })
  }
  return { snapshotIndex: index, snapshotTerm, runs }
}

/** Runs of the entries `[first, last]`, all of which the trail holds; empty when `last < first`. */
export function runsBetween(trail: Trail, first: LogIndex, last: LogIndex): readonly TermRun[] {
  if (last < first) return []
  return clipRuns(trail.runs, first, last)
}

/**
 * The first index of `runs` that the trail does not hold with the same term: either it conflicts with an existing entry
 * (paper §5.3) or it lies beyond the last one. Null when the trail holds all of them. What the snapshot covers is
 * committed, so it matches by definition.
 */
export function firstMissing(trail: Trail, runs: readonly TermRun[]): LogIndex | null {
  for (const run of runs) {
    if (run.last <= trail.snapshotIndex) continue
    const from = run.first > trail.snapshotIndex ? run.first : indexAfter(trail.snapshotIndex)
    const own = runAt(trail, from)
    if (own === null || own.term !== run.term) return from
    if (own.last < run.last) return indexAfter(own.last)
  }
  return null
}

/**
 * The largest index ≤ `index` whose term is at most `bound`, or the snapshot's index (0 without one): one step of the
 * conflict repair, on either side (paper §5.3, "one AppendEntries per conflicting term").
 */
export function lastIndexWithTermAtMost(trail: Trail, index: LogIndex, bound: Term): { index: LogIndex; term: Term } {
  for (let at = trail.runs.length - 1; at >= 0; at -= 1) {
    const run = trail.runs[at]
    if (run === undefined || run.first > index || run.term > bound) continue
    return { index: run.last < index ? run.last : index, term: run.term }
  }
  return { index: trail.snapshotIndex, term: trail.snapshotTerm }
}

/** A trail from runs that may not be maximal yet. */
export function trailFrom(snapshot: { index: LogIndex; term: Term }, runs: readonly TermRun[]): Trail {
  const empty: Trail = { snapshotIndex: snapshot.index, snapshotTerm: snapshot.term, runs: [] }
  return withAppended(empty, runs)
}
