import type { OpenedLine, TracedWrite } from '../line.ts'
import { SpecLog } from './log.ts'
import { allow } from './not-allowed.ts'

/**
 * A node's disk: what is on it, and the writes on their way there. They arrive in order; a crash may take any of the last
 * ones.
 */
export class SpecDisk {
  term: number
  vote: string | null
  readonly log: SpecLog
  /** Number of the newest write that is known to be on disk, in this life of the node. */
  written = 0
  /** The last entry of the newest snapshot that was installed, and is on disk; 0: none was. */
  snapshot = 0
  private pending: TracedWrite[] = []

  constructor(opened: OpenedLine) {
    this.term = opened.term
    this.vote = opened.vote
    this.log = SpecLog.from(opened.base, opened.baseTerm, opened.runs)
  }

  issue(write: TracedWrite): void {
    const newest = this.pending.at(-1)?.number ?? this.written
    allow(
      newest === 0 || write.number === newest + 1,
      'writes are numbered without a gap',
      () => `${write.number} after ${newest}`,
    )
    this.pending.push(write)
  }

  /** That write and all before it are on disk. */
  complete(write: number): void {
    const known = write <= (this.pending.at(-1)?.number ?? this.written)
    allow(known, 'only what was issued is written', () => `write ${write}`)
    while (this.pending[0] !== undefined && this.pending[0].number <= write) this.land()
    this.written = Math.max(this.written, write)
  }

  /**
   * What the next process of this node finds must be what was on disk, with as many of the writes that were under way as one
   * likes, oldest first. What the log let go of below its snapshot is not asked for.
   */
  reopen(found: SpecDisk): void {
    while (!this.holds(found) && this.pending.length > 0) this.land()
    allow(
      this.holds(found),
      'a restart finds what was written (paper Figure 2, persistent state)',
      () =>
        `term ${found.term}, vote ${found.vote ?? 'none'}, last ${found.log.last}@${found.log.lastTerm}, where the disk had ` +
        `term ${this.term}, vote ${this.vote ?? 'none'}, last ${this.log.last}@${this.log.lastTerm}`,
    )
  }

  private holds({ term, vote, log }: SpecDisk): boolean {
    return this.term === term && this.vote === vote && this.log.agrees(log)
  }

  private land(): void {
    const write = this.pending.shift()
    if (write === undefined) return
    this.written = write.number
    if (write.hardState !== null) {
      this.term = write.hardState.term
      this.vote = write.hardState.vote
    }
    if (write.restart !== null) this.log.restart(write.restart.index, write.restart.term)
    if (write.truncateFrom !== null) this.log.truncate(write.truncateFrom)
    this.log.append(write.runs)
  }
}
