import type { RawChange } from '../../client/calls/subscription-board.ts'
import { Violation } from '../checkers/violation.ts'
import type { Asked, BoardHistory } from './board-history.ts'

/**
 * What one subscriber was told, held against the history: every answer is that of its index, indexes rise, nothing is told
 * twice, and whoever is told a `value` has missed none since the one before.
 */
export class ChangeLedger {
  private readonly history: BoardHistory
  private readonly asked: Asked
  private readonly who: string
  private readonly minIndex: number
  private last: { readonly index: number; readonly value: Uint8Array } | null = null

  /** `minIndex`: of what the subscriber had seen before. */
  constructor(history: BoardHistory, { asked, who, minIndex }: { asked: Asked; who: string; minIndex: number }) {
    this.history = history
    this.asked = asked
    this.who = who
    this.minIndex = minIndex
  }

  changed({ kind, value, index }: RawChange): void {
    const { history, asked, last } = this
    if (index <= (last?.index ?? this.minIndex - 1)) {
      this.fail('changes rise, from what was seen on', { index, last: last?.index, minIndex: this.minIndex })
    }
    if (Buffer.compare(history.answerAt(index, asked), value) !== 0)
      this.fail('a subscriber is told the answer of that index', { index, last: last?.index })
    if (last !== null && Buffer.compare(last.value, value) === 0)
      this.fail('nothing is told twice', { index, last: last.index })
    if (last !== null && kind === 'value') {
      const missed = history.changedBetween(last.index, index, { asked, value: last.value })
      if (missed !== null) this.fail('what is left out is said', { index, last: last.index, missed })
    }
    this.last = { index, value }
  }

  /** It knows the answer of now. */
  get current(): boolean {
    const { last, history, asked } = this
    return last !== null && Buffer.compare(last.value, history.answerAt(Number.MAX_SAFE_INTEGER, asked)) === 0
  }

  private fail(invariant: string, facts: { readonly [name: string]: unknown }): never {
    throw new Violation(invariant, { who: this.who, asked: this.asked, ...facts })
  }
}
