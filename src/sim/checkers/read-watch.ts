import type { NodeId } from '../../base/brand.ts'
import type { Outcome } from '../../session/user-machine.ts'
import { Violation } from './violation.ts'

/** What the world knew at the moment when a read was asked for. */
export interface SeenBefore {
  /** Highest index that any node knew to be committed. */
  readonly committedIndex: number
  /** Highest value of the shared counter that a client had been told, by a command or by a read. */
  readonly value: number
}

export interface ReadWatchParts {
  /** Highest index committed anywhere. */
  committedIndex(): number
  /** Highest result of an increment that a client has. */
  acknowledged(): number
}

/**
 * Linearizability of reads among each other and with commands (raft.md §1). The shared counter only grows, by one with each
 * command, and each result is given once; so it is enough that a read shows no less than anybody had been told when it was
 * asked for. Reads by index show more: all that any node knew to be committed.
 */
export class ReadWatch {
  private readonly parts: ReadWatchParts
  private highest = 0

  constructor(parts: ReadWatchParts) {
    this.parts = parts
  }

  seen(): SeenBefore {
    const { committedIndex, acknowledged } = this.parts
    return { committedIndex: committedIndex(), value: Math.max(this.highest, acknowledged()) }
  }

  answered(seen: SeenBefore, read: { node: NodeId; index: number; answer: Outcome }): void {
    const { answer } = read
    if (answer.kind !== 'value') throw new Violation('a read is answered by its machine', { ...read })
    const value = Number(answer.value)
    if (value < seen.value) throw new Violation('a read shows what anybody was told before it', { seen, ...read })
    if (read.index < seen.committedIndex) {
      throw new Violation('a read by index shows what was committed anywhere before it', { seen, ...read })
    }
    this.highest = Math.max(this.highest, value)
  }
}
