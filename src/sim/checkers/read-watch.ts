import type { NodeId } from '../../base/brand.ts'
import type { Outcome } from '../../session/user-machine.ts'
import { Violation } from './violation.ts'

/** What is counted, each by a machine of its own: increments of the shared counter, strokes of the bell. */
export type Counted = 'counter' | 'bell'

/** What the world knew at the moment when a read was asked for. */
export interface SeenBefore {
  readonly counted: Counted
  /** Highest index that any node knew to be committed. */
  readonly committedIndex: number
  /** Highest count that a client had been told, by a command or by a read. */
  readonly value: number
}

export interface ReadWatchParts {
  /** Highest index committed anywhere. */
  committedIndex(): number
  /** Highest result of a command that counts that a client has. */
  acknowledged(counted: Counted): number
}

/**
 * Linearizability of reads among each other and with commands (raft.md §1). What is counted only grows, by one with each
 * command, and each result is given once; so it is enough that a read shows no less than anybody had been told when it was
 * asked for. Reads by index show more: all that any node knew to be committed, but for what a read in limbo does not ask for.
 */
export class ReadWatch {
  private readonly parts: ReadWatchParts
  private readonly highest = { counter: 0, bell: 0 }

  constructor(parts: ReadWatchParts) {
    this.parts = parts
  }

  seen(counted: Counted): SeenBefore {
    const { committedIndex, acknowledged } = this.parts
    const value = Math.max(this.highest[counted], acknowledged(counted))
    return { counted, committedIndex: committedIndex(), value }
  }

  /** `index`: of the entry applied last; null where it was answered in limbo. */
  answered(seen: SeenBefore, read: { node: NodeId; index: number | null; answer: Outcome }): void {
    const { answer } = read
    if (answer.kind !== 'value') throw new Violation('a read is answered by its machine', { ...read })
    const value = Number(answer.value)
    if (value < seen.value) throw new Violation('a read shows what anybody was told before it', { seen, ...read })
    if (read.index !== null && read.index < seen.committedIndex) {
      throw new Violation('a read by index shows what was committed anywhere before it', { seen, ...read })
    }
    this.highest[seen.counted] = Math.max(this.highest[seen.counted], value)
  }
}
