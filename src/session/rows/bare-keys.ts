import { assert } from '../../base/assert.ts'
import { PagedList } from '../../base/paged-list.ts'
import { SpreadMap } from '../../base/spread-map.ts'
import type { Value } from '../../codec/value/value.ts'
import type { KeyRange } from './key-difference.ts'
import { SettlingKeys } from './keys/settling-keys.ts'

/** A row as it stands at a boundary; without a value it is gone. */
export interface ChangedRow {
  readonly key: string
  readonly value: Value | undefined
}

/** What a row holds that is its key alone, in a snapshot and where changes are told. */
export const BARE_VALUE = true

/** Whether the row of a user machine under that key is its key alone: `<name>/.…`. */
export function isBareKey(key: string): boolean {
  const slash = key.indexOf('/')
  return slash >= 0 && key.charCodeAt(slash + 1) === DOT
}

const DOT = 0x2e

/**
 * Rows of user machines that are their keys alone, as those of indexes. Nobody asks for one of them: whoever writes one knows
 * whether it is there, and who reads asks for a range.
 *
 * PERF: so there is no object and no hash table of them, and a key that comes costs a place in two lists: 0.5 to 1.5 µs among a
 * million, where a row took 8 to 12. Only keys that go are looked up in the same interval again.
 */
export class BareKeys {
  private readonly ordered = new SettlingKeys()
  private held = 0
  /** Keys that came since the last swap, each once, but for those that `changed` has. */
  private added = new PagedList<string>()
  /** Keys that went since then, and whether they came again; null: none. */
  private changed: SpreadMap<boolean> | null = null

  get size(): number {
    return this.held
  }

  /** Adds a key that is not there. */
  add(key: string): void {
    this.ordered.add(key)
    this.held += 1
    if (this.changed?.has(key) === true) this.changed.set(key, true)
    else this.added.push(key)
  }

  /** Removes a key that is there. */
  delete(key: string): void {
    if (!this.ordered.delete(key)) assert(false, 'a bare key that goes was there', { key })
    this.held -= 1
    this.changed ??= new SpreadMap()
    this.changed.set(key, false)
  }

  /** Loads a key of a snapshot: it has not changed. */
  restore(key: string): void {
    this.ordered.restore(key)
    this.held += 1
  }

  /** Keys in a range, at most `limit`. */
  range(bounds: KeyRange): readonly string[] {
    return this.ordered.range(bounds)
  }

  /** Number of keys in [from, to). */
  count(from: string, to: string): number {
    return this.ordered.count(from, to)
  }

  /**
   * Takes out what changed since the last swap, O(1); null: nothing. It can be read long after, and more than once; a null in
   * it stands for keys that came and went.
   */
  swap(): Iterable<ChangedRow | null> | null {
    const { added, changed } = this
    if (added.length === 0 && changed === null) return null
    this.added = new PagedList()
    this.changed = null
    return { [Symbol.iterator]: () => changes(added, changed) }
  }
}

/** Keys that came and went which are passed over in one step: some 0.2 ms. */
const PASSED_OVER = 128

/** Each key once; not those that came and went, of which there may be any number: so many of them are a step. */
function* changes(added: Iterable<string>, changed: SpreadMap<boolean> | null): Generator<ChangedRow | null> {
  /** Of those that went, the ones that had come before. */
  const came = new SpreadMap<true>()
  let passedOver = 0
  for (const key of added) {
    if (changed?.has(key) !== true) yield { key, value: BARE_VALUE }
    else {
      came.set(key, true)
      passedOver += 1
      if (passedOver % PASSED_OVER === 0) yield null
    }
  }
  if (changed === null) return
  for (const [key, there] of changed.entries()) {
    if (there) yield { key, value: BARE_VALUE }
    else if (!came.has(key)) yield { key, value: undefined }
    else {
      passedOver += 1
      if (passedOver % PASSED_OVER === 0) yield null
    }
  }
}
