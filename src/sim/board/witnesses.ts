import type { RawChange } from '../../client/calls/subscription-board.ts'
import type { Consistency } from '../../protocol/up-frame.ts'
import { Violation } from '../checkers/violation.ts'
import { type Asked, BoardHistory } from './board-history.ts'
import { NoticeFates } from './notice-fates.ts'

/** Sessions with a timeout below this may expire while faults strike, ms. */
export const PATIENT_MS = 600_000

/** An answer to a query, and what was known when it was asked. */
interface Answer {
  readonly name: string
  readonly asked: Asked
  readonly consistency: Consistency
  readonly index: number
  readonly value: Uint8Array
  /** Highest index that its own session had seen. */
  readonly seen: number
  /** Highest index that anybody had been told. */
  readonly toldBefore: number
}

/** What the visitors of one seed share: what the log says, what they were told, and who may be sent away. */
export class Witnesses {
  readonly history = new BoardHistory()
  readonly fates = new NoticeFates()
  /** Highest index that anybody was told. */
  told = 0
  /** Answers that were held against the log's, and those through an index. */
  answers = 0
  lookups = 0
  values = 0
  compacted = 0
  evicted = 0
  private readonly doomed = new Set<number>()

  tell(index: number): void {
    this.told = Math.max(this.told, index)
  }

  changed({ kind }: RawChange): void {
    if (kind === 'value') this.values += 1
    else this.compacted += 1
  }

  /** An operator has said that this session is to end, which may or may not reach the log. */
  dooms(session: number): void {
    this.doomed.add(session)
  }

  /** Whether a session may end that its client keeps alive as well as it can. */
  mayEnd(session: number, timeoutMs: number): boolean {
    return timeoutMs < PATIENT_MS || this.doomed.has(session)
  }

  /** An answer shows the posts at its index: no index and no node makes it another one than all posts of then do. */
  answered({ name, asked, consistency, index, value, seen, toldBefore }: Answer): void {
    const { history } = this
    const facts = { name, asked, consistency, index, seen, toldBefore }
    this.answers += 1
    if (asked.query !== 'one') this.lookups += 1
    if (Buffer.compare(history.answerAt(index, asked), value) !== 0)
      throw new Violation('a query answers what a scan at its index does', facts)
    if (consistency === 'sequential' && index < seen)
      throw new Violation('a session reads no less than it has seen', facts)
    if (consistency !== 'linearizable' || index >= toldBefore) return
    // In limbo a leader answers what no entry that may have been committed meanwhile has changed.
    if (Buffer.compare(history.answerAt(toldBefore, asked), value) !== 0)
      throw new Violation('a read shows whatever anybody was told before it', facts)
  }
}
