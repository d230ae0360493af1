import type { RunningHash, SessionCodec, Value } from '../codec/types.ts'
import type { Dictionary } from './dictionary.ts'
import { lowerBound } from './ordered-keys.ts'
import { USER_PREFIX } from './row-keys.ts'
import type { StateStore } from './types.ts'

/**
 * The overlay that a machine writes into (sessions.md §3, step 11). Each write is walked once, when it is made, straight
 * into the running hash; a rollback puts the hash back.
 */
export class WriteBuffer implements StateStore {
  private readonly writes = new Map<string, Value | undefined>()
  private readonly dictionary: Dictionary
  private readonly codec: SessionCodec
  private readonly hash: RunningHash
  private readonly fault: () => void

  /** `fault` is called before a ValueError leaves `set`: a machine that swallows it is still refused. */
  constructor(dictionary: Dictionary, codec: SessionCodec, hash: RunningHash, fault: () => void) {
    this.dictionary = dictionary
    this.codec = codec
    this.hash = hash
    this.fault = fault
  }

  get(key: string): Value | undefined {
    const full = USER_PREFIX + key
    if (this.writes.size > 0) {
      const written = this.writes.get(full)
      if (written !== undefined || this.writes.has(full)) return written
    }
    return this.dictionary.get(full)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: Value): void {
    const full = USER_PREFIX + key
    if (!this.dictionary.has(full)) assertBinary(key)
    try {
      this.codec.foldString(this.hash, full)
      this.codec.walk(value, this.hash)
    } catch (error) {
      this.fault()
      throw error
    }
    this.writes.set(full, value)
  }

  delete(key: string): boolean {
    const full = USER_PREFIX + key
    if (!this.has(key)) return false
    this.codec.foldString(this.hash, full)
    this.codec.foldNumber(this.hash, 0)
    this.writes.set(full, undefined)
    return true
  }

  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): (readonly [string, Value])[] {
    const { limit, reverse = false } = bounds
    const from = USER_PREFIX + bounds.from
    const to = USER_PREFIX + bounds.to
    assertLimit(limit)
    const own = this.writtenIn(from, to)
    const stored = this.dictionary.range({ from, to, limit: limit + own.length, reverse })
    const keys = own.length === 0 ? stored : merge(stored, own, reverse)
    const rows: (readonly [string, Value])[] = []
    for (const key of keys) {
      if (rows.length >= limit) break
      const value = this.writes.has(key) ? this.writes.get(key) : this.dictionary.get(key)
      if (value !== undefined) rows.push([key.slice(USER_PREFIX.length), value])
    }
    return rows
  }

  count(bounds: { from: string; to: string }): number {
    const from = USER_PREFIX + bounds.from
    const to = USER_PREFIX + bounds.to
    let total = this.dictionary.count(from, to)
    for (const key of this.writtenIn(from, to)) {
      const before = this.dictionary.has(key) ? 1 : 0
      total += (this.writes.get(key) === undefined ? 0 : 1) - before
    }
    return total
  }

  /** Moves the writes into the dictionary. */
  commit(): void {
    for (const [key, value] of this.writes) {
      if (value === undefined) this.dictionary.delete(key)
      else this.dictionary.set(key, value)
    }
    this.writes.clear()
  }

  rollback(): void {
    if (this.writes.size > 0) this.writes.clear()
  }

  /** Keys of the overlay in [from, to), sorted. */
  private writtenIn(from: string, to: string): string[] {
    if (this.writes.size === 0) return []
    const keys: string[] = []
    for (const key of this.writes.keys()) if (key >= from && key < to) keys.push(key)
    return keys.sort((a, b) => (a < b ? -1 : 1))
  }
}

/** Union of two key lists: `stored` in the wanted direction, `own` rising. */
function merge(stored: readonly string[], own: readonly string[], reverse: boolean): string[] {
  const rising = reverse ? [...stored].reverse() : [...stored]
  for (const key of own) {
    const at = lowerBound(rising, key)
    if (rising[at] !== key) rising.splice(at, 0, key)
  }
  return reverse ? rising.reverse() : rising
}

/** A range without a limit could walk a million rows in one entry. */
export function assertLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 0) throw new TypeError(`range needs a limit ≥ 0, not ${limit}`)
}

function assertBinary(key: string): void {
  for (let at = 0; at < key.length; at += 1) {
    if (key.charCodeAt(at) > 0xff) throw new TypeError('a state key is a binary string: build it from key parts')
  }
}
