import type { Dictionary } from '../rows/dictionary.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'

/**
 * Subjects whose data no node can read any more (docs/decisions/erasure.md), by the digest of their names in hex. A row stays
 * for
 * good: whoever finds it has no key of that subject, and makes none.
 */
export class ForgottenSubjects {
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  /** Index of the entry that has forgotten it; null: none has. */
  forgotten(subject: string): number | null {
    const row = this.dictionary.get(this.keys.row(FAMILY.forgotten, subject))
    return typeof row === 'number' ? row : null
  }

  /** Adds one that is not there. */
  add(subject: string, index: number): void {
    this.dictionary.set(this.keys.row(FAMILY.forgotten, subject), index)
  }
}
