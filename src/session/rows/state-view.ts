import type { Value } from '../../codec/value/value.ts'
import type { Dictionary } from './dictionary.ts'
import type { KeyReader, StateReader } from '../user-machine.ts'
import { assertLimit } from './row-keys.ts'
import type { WriteBuffer } from './write-buffer.ts'

/**
 * Read-only window of a query on the rows of user machines, as of the applied index: without what a running transaction has
 * staged, with all of what one has published and not yet moved into the dictionary.
 */
export class StateView implements StateReader {
  readonly bare: KeyReader
  private readonly dictionary: Dictionary
  private readonly writes: WriteBuffer

  constructor(dictionary: Dictionary, writes: WriteBuffer) {
    this.dictionary = dictionary
    this.writes = writes
    this.bare = new KeyView(dictionary, writes)
  }

  get(key: string): Value | undefined {
    return this.writes.published ? this.writes.get(key) : this.dictionary.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): (readonly [string, Value])[] {
    if (this.writes.published) return this.writes.range(bounds)
    const { from, to, limit, reverse = false } = bounds
    assertLimit(limit)
    return this.dictionary.range({ from, to, limit, reverse }).map((key) => [key, this.dictionary.get(key) as Value])
  }

  count(bounds: { from: string; to: string }): number {
    return this.writes.published ? this.writes.count(bounds) : this.dictionary.count(bounds.from, bounds.to)
  }
}

class KeyView implements KeyReader {
  private readonly dictionary: Dictionary
  private readonly writes: WriteBuffer

  constructor(dictionary: Dictionary, writes: WriteBuffer) {
    this.dictionary = dictionary
    this.writes = writes
  }

  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): readonly string[] {
    if (this.writes.published) return this.writes.bare.range(bounds)
    const { from, to, limit, reverse = false } = bounds
    assertLimit(limit)
    return this.dictionary.bare.range({ from, to, limit, reverse })
  }

  count(bounds: { from: string; to: string }): number {
    const { bare } = this.dictionary
    return this.writes.published ? this.writes.bare.count(bounds) : bare.count(bounds.from, bounds.to)
  }
}
