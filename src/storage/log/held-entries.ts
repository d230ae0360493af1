import { assert } from '../../base/assert.ts'
import { lowerBoundBy } from '../../base/binary-search.ts'
import { indexAfter, indexBefore } from '../../base/brand.ts'
import type { LogIndex, Term } from '../../base/brand.ts'
import type { TermRun } from '../../base/term-run.ts'
import type { LogBase } from '../format/segment-header.ts'

/**
 * Which entries the log holds, (base.index, last], with their terms as runs and the chain value at both ends. What it does
 * not know of an entry stands in its record.
 *
 * PERF: a run of terms each, nothing per entry.
 */
export class HeldEntries {
  private below: LogBase
  private lastIndex: LogIndex
  private chain: number | null
  private trail: { first: LogIndex; last: LogIndex; term: Term }[] = []

  constructor(base: LogBase) {
    this.below = base
    this.lastIndex = base.index
    this.chain = base.chain
  }

  /** The entry before the first one held. */
  get base(): LogBase {
    return this.below
  }

  /** Last index held; base.index when empty. */
  get last(): LogIndex {
    return this.lastIndex
  }

  /** Term of the last entry held, of the base when empty. */
  get lastTerm(): Term {
    return this.trail.at(-1)?.term ?? this.below.term
  }

  /** Chain value of the last entry held, of the base when empty; null after a truncation to where only the disk knows it. */
  get lastChain(): number | null {
    return this.chain
  }

  /** Runs of equal terms over all entries held, a copy. */
  runs(): readonly TermRun[] {
    return this.trail.map((run) => ({ ...run }))
  }

  /** Adds the entry at last + 1. */
  push(chain: number, term: Term): void {
    const index = indexAfter(this.lastIndex)
    this.lastIndex = index
    this.chain = chain
    const run = this.trail.at(-1)
    if (run !== undefined && run.term === term) run.last = index
    else this.trail.push({ first: index, last: index, term })
  }

  /** Forgets the entries at and above `index`, which is above the base; `chain` is of the entry before, null: not known. */
  truncateFrom(index: LogIndex, chain: number | null): void {
    assert(index > this.below.index, 'the log is truncated above its base only', { index, base: this.below.index })
    if (index > this.lastIndex) return
    this.lastIndex = indexBefore(index)
    this.chain = this.lastIndex === this.below.index ? this.below.chain : chain
    while (this.trail.length > 0) {
      const run = this.trail[this.trail.length - 1]
      if (run === undefined || run.last < index) break
      if (run.first < index) {
        run.last = indexBefore(index)
        break
      }
      this.trail.pop()
    }
  }

  /** The chain value of the last entry was read back from the disk; another entry may be the last by now. */
  learnChain(index: LogIndex, chain: number): void {
    if (this.lastIndex === index) this.chain ??= chain
  }

  /** Makes the entry at `index`, whose chain value this is, the base: what is at and below it is forgotten. */
  discardUpTo(index: LogIndex, chain: number): void {
    if (index <= this.below.index) return
    this.below = { index, term: this.termAt(index), chain }
    this.trail = this.trail.filter((run) => run.last > index)
    const first = this.trail[0]
    if (first !== undefined && first.first <= index) first.first = indexAfter(index)
  }

  /** Forgets every entry: the log goes on behind another base. */
  restart(base: LogBase): void {
    this.below = base
    this.lastIndex = base.index
    this.chain = base.chain
    this.trail = []
  }

  /** True when the entry is held: base.index < index ≤ last. */
  has(index: LogIndex): boolean {
    return index > this.below.index && index <= this.lastIndex
  }

  /** Chain value at either end; null for every other index. */
  chainAt(index: LogIndex): number | null {
    if (index === this.lastIndex) return this.chain
    return index === this.below.index ? this.below.chain : null
  }

  /** Term at an index held, or at the base. */
  private termAt(index: LogIndex): Term {
    if (index === this.below.index) return this.below.term
    assert(this.has(index), 'the log holds the entry', { index, base: this.below.index, last: this.lastIndex })
    const run = this.trail[lowerBoundBy(this.trail, index, lastOf)] as TermRun // has() said that a run covers it
    return run.term
  }
}

const lastOf = (run: TermRun): LogIndex => run.last
