import type { Millis } from '../../base/brand.ts'
import { leastAfter } from '../../base/least-after.ts'
import type { Value } from '../../codec/value/value.ts'
import type { OutboxRow } from '../rows/session-rows.ts'
import { type Dictionary, rowValue } from '../rows/dictionary.ts'
import { Retention } from './retention.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import type { DeadLetter, MovedBefore } from '../dead-letter.ts'
import type { SessionInfo } from '../user-machine.ts'

/** Dead letters kept per group; the oldest goes first. */
const DEAD_LETTERS_MAX = 10_000

/** Letters remembered that were moved: as many as one entry moves, so that a copy of the last one is told of each. */
export const MOVED_MAX = 1024

export type MovedLetter = readonly [letter: number, done: MovedBefore]

export type DeadLetterRow = {
  readonly target: SessionInfo
  readonly request: OutboxRow
  readonly at: Millis
  readonly until: Millis
}

/**
 * Server requests that ran out of attempts or time (sessions.md §5), until an operator has them sent again or forgotten, or
 * their time is over.
 */
export class DeadLetters {
  /** Sequence number of the next one. */
  next = 1
  /** What was done to those that were moved last, in that order. */
  moved: readonly MovedLetter[] = []
  private readonly live = new Map<string, Millis>()
  private readonly retention = new Retention(
    (key) => this.live.get(key) ?? null,
    (key) => this.drop(key),
  )
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  add(row: DeadLetterRow): void {
    const key = this.keys.row(FAMILY.deadLetter, this.next)
    this.next += 1
    const value = rowValue(row)
    this.dictionary.set(key, value)
    this.restore(key, value)
    const oldest = this.live.size > DEAD_LETTERS_MAX ? this.retention.oldest() : null
    if (oldest !== null) this.drop(oldest.key)
  }

  /** Null: there is none of that number. */
  find(number: number): DeadLetterRow | null {
    const key = this.keys.row(FAMILY.deadLetter, number)
    return this.live.has(key) ? this.rowAt(key) : null
  }

  /** Takes out one that is there, and remembers what for; null: that it was there is forgotten. */
  take(number: number, done: MovedBefore | null): void {
    this.drop(this.keys.row(FAMILY.deadLetter, number))
    if (done === null) return
    const kept = this.moved.length < MOVED_MAX ? this.moved : this.moved.slice(1 - MOVED_MAX)
    this.moved = [...kept, [number, done]]
  }

  /** What an earlier entry has done to it; null: nothing, as far as is remembered. */
  movedBefore(number: number): MovedBefore | null {
    return this.moved.find(([moved]) => moved === number)?.[1] ?? null
  }

  /** Those with a number above `number`, rising, at most `limit`. PERF: as `leastAfter` of all of them. */
  after(number: number, limit: number): DeadLetter[] {
    const from = this.keys.row(FAMILY.deadLetter, number)
    // By code unit, which is byte order for binary strings, and the order of the numbers.
    const keys = leastAfter(this.live.keys(), from, limit)
    return keys.map((key) => ({ letter: this.numberOf(key), ...this.rowAt(key) }))
  }

  restore(key: string, value: Value): void {
    const { until } = value as unknown as DeadLetterRow
    this.live.set(key, until)
    this.retention.add(key, until)
  }

  sweep(now: Millis): void {
    this.retention.sweep(now)
  }

  private rowAt(key: string): DeadLetterRow {
    return this.dictionary.get(key) as unknown as DeadLetterRow // written by `add`
  }

  private numberOf(key: string): number {
    return Number(this.keys.parts(FAMILY.deadLetter, key)[0])
  }

  private drop(key: string): void {
    this.live.delete(key)
    this.dictionary.delete(key)
  }
}
