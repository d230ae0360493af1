import type { TracedRun } from '../line.ts'

/** A log written out: the term of each entry, behind a base that a snapshot covers. */
export class SpecLog {
  base = 0
  baseTerm = 0
  private terms: number[] = []

  static from(base: number, baseTerm: number, runs: readonly TracedRun[]): SpecLog {
    const log = new SpecLog()
    log.base = base
    log.baseTerm = baseTerm
    log.append(runs)
    return log
  }

  get last(): number {
    return this.base + this.terms.length
  }

  get lastTerm(): number {
    return this.terms.at(-1) ?? this.baseTerm
  }

  /** Null: below the base, or behind the last entry. */
  termAt(index: number): number | null {
    if (index === this.base) return this.baseTerm
    return this.terms[index - this.base - 1] ?? null
  }

  append(runs: readonly TracedRun[]): void {
    for (const { first, last, term } of runs) {
      if (first !== this.last + 1) throw new RangeError(`entry ${first} does not follow entry ${this.last}`)
      for (let index = first; index <= last; index += 1) this.terms.push(term)
    }
  }

  /** Drops the entries from that index on. */
  truncate(from: number): void {
    this.terms.length = Math.max(0, Math.min(this.terms.length, from - this.base - 1))
  }

  /** Lets go of the entries up to that index. */
  compact(index: number): void {
    const term = this.termAt(index)
    if (index <= this.base || term === null) return
    this.terms = this.terms.slice(index - this.base)
    this.base = index
    this.baseTerm = term
  }

  restart(index: number, term: number): void {
    this.base = index
    this.baseTerm = term
    this.terms = []
  }

  copy(): SpecLog {
    const copy = new SpecLog()
    copy.base = this.base
    copy.baseTerm = this.baseTerm
    copy.terms = [...this.terms]
    return copy
  }

  /** Whether both hold the same entries wherever both hold one, and end alike. */
  agrees(other: SpecLog): boolean {
    if (this.last !== other.last || this.lastTerm !== other.lastTerm) return false
    for (let index = Math.max(this.base, other.base) + 1; index <= this.last; index += 1) {
      if (this.termAt(index) !== other.termAt(index)) return false
    }
    return true
  }
}
