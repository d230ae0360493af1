import { type KeyRange, merged } from '../key-difference.ts'
import { IndexKeys, type Waiting } from './index-keys.ts'

/** Indexes whose keys are apart from each other; those of all others are together, and cost more. */
const INDEXES_MAX = 256

/**
 * A very large set of binary strings in order: those of each index by themselves, since only keys that begin alike can be told
 * apart by few of their units.
 */
export class SettlingKeys {
  /** By what their keys begin with. */
  private readonly indexes = new Map<string, IndexKeys>()
  /** Keys that are in none of these. PERF: lists are made for the first key, so that a set that stays empty costs nothing. */
  private others: IndexKeys | null = null
  /** The index that was used last. */
  private last: IndexKeys | null = null
  private readonly waiting: Waiting | undefined

  /** `waiting`: how many keys wait where, in each index. */
  constructor(waiting?: Waiting) {
    this.waiting = waiting
  }

  /** Adds a key that is not in the set. */
  add(key: string): void {
    this.indexOf(key).add(key)
  }

  /** Loads a key that is not in the set, among many. */
  restore(key: string): void {
    this.indexOf(key).restore(key)
  }

  /** Removes a key; false when it is not there. */
  delete(key: string): boolean {
    return this.indexOf(key).delete(key) || this.others?.delete(key) === true
  }

  /** Keys in [from, to) in byte order, or from the end; at most `limit`. */
  range(bounds: KeyRange): readonly string[] {
    let found = this.others?.range(bounds) ?? []
    for (const index of this.within(bounds)) {
      const keys = index.range(bounds)
      found = found.length === 0 ? keys : keys.length === 0 ? found : merged(found, keys, bounds)
    }
    return found
  }

  /** How many keys lie in [from, to). */
  count(from: string, to: string): number {
    let total = this.others?.count(from, to) ?? 0
    for (const index of this.within({ from, to })) total += index.count(from, to)
    return total
  }

  /** The index of a key, which is made when it is new. */
  private indexOf(key: string): IndexKeys {
    if (this.last !== null && key.startsWith(this.last.prefix)) return this.last
    const prefix = prefixOf(key)
    const index = this.indexes.get(prefix) ?? this.made(prefix)
    if (index.prefix !== '') this.last = index
    return index
  }

  private made(prefix: string): IndexKeys {
    const { indexes, waiting } = this
    if (prefix !== '' && indexes.size >= INDEXES_MAX) this.forgetEmpty()
    if (prefix === '' || indexes.size >= INDEXES_MAX) {
      this.others ??= new IndexKeys('', waiting)
      return this.others
    }
    const index = new IndexKeys(prefix, waiting)
    indexes.set(prefix, index)
    return index
  }

  private forgetEmpty(): void {
    for (const [prefix, index] of this.indexes) if (index.size === 0) this.indexes.delete(prefix)
    this.last = null
  }

  /** Indexes that may have keys in [from, to). */
  private *within({ from, to }: { readonly from: string; readonly to: string }): Generator<IndexKeys, void> {
    for (const index of this.indexes.values()) {
      const { prefix } = index
      if (prefix < to && (prefix >= from || from.startsWith(prefix))) yield index
    }
  }
}

/** What the keys of an index begin with: `<machine>/.<table>/<fields>/`; nothing where a key is none of an index. */
function prefixOf(key: string): string {
  const table = key.indexOf('/') + 1
  const fields = key.indexOf('/', table) + 1
  const end = key.indexOf('/', fields) + 1
  return table > 0 && fields > 0 ? key.slice(0, end) : ''
}
