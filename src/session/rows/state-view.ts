import type { Value } from '../../codec/value/value.ts'
import type { Dictionary } from './dictionary.ts'
import type { StateReader } from '../user-machine.ts'
import { assertLimit } from './write-buffer.ts'

/** Read-only window of a query on the rows of user machines, as of the applied index. */
export class StateView implements StateReader {
  private readonly dictionary: Dictionary

  constructor(dictionary: Dictionary) {
    this.dictionary = dictionary
  }

  get(key: string): Value | undefined {
    return this.dictionary.get(key)
  }

  has(key: string): boolean {
    return this.dictionary.has(key)
  }

  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): (readonly [string, Value])[] {
    assertLimit(bounds.limit)
    const keys = this.dictionary.range({ ...bounds, reverse: bounds.reverse ?? false })
    return keys.map((key) => [key, this.dictionary.get(key) as Value])
  }

  count(bounds: { from: string; to: string }): number {
    return this.dictionary.count(bounds.from, bounds.to)
  }
}
