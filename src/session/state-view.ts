import type { Value } from '../codec/types.ts'
import type { Dictionary } from './dictionary.ts'
import { USER_PREFIX } from './row-keys.ts'
import type { StateReader } from './types.ts'
import { assertLimit } from './write-buffer.ts'

/** Read-only window of a query on the rows under `user/`, as of the applied index. */
export class StateView implements StateReader {
  private readonly dictionary: Dictionary

  constructor(dictionary: Dictionary) {
    this.dictionary = dictionary
  }

  get(key: string): Value | undefined {
    return this.dictionary.get(USER_PREFIX + key)
  }

  has(key: string): boolean {
    return this.dictionary.has(USER_PREFIX + key)
  }

  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): (readonly [string, Value])[] {
    assertLimit(bounds.limit)
    const keys = this.dictionary.range({
      from: USER_PREFIX + bounds.from,
      to: USER_PREFIX + bounds.to,
      limit: bounds.limit,
      reverse: bounds.reverse ?? false,
    })
    return keys.map((key) => [key.slice(USER_PREFIX.length), this.dictionary.get(key) as Value])
  }

  count(bounds: { from: string; to: string }): number {
    return this.dictionary.count(USER_PREFIX + bounds.from, USER_PREFIX + bounds.to)
  }
}
