import type { Frozen, TableKey } from './schema.ts'

/** The first parts of a tuple key, or the key itself: where a range may begin or end. */
export type KeyPrefix<Key extends TableKey> = Key extends readonly unknown[] ? PartialTuple<Key> : Frozen<Key>

type PartialTuple<Parts extends readonly unknown[]> = Parts extends readonly [infer First, ...infer Rest]
  ? readonly [] | readonly [First, ...PartialTuple<Rest>]
  : readonly []

/** Rows with from ≤ key < to in byte order; `prefix` keeps those that begin with these parts. Absent: no bound. */
export interface KeyBounds<Key extends TableKey> {
  readonly prefix?: KeyPrefix<Key>
  readonly from?: KeyPrefix<Key>
  readonly to?: KeyPrefix<Key>
}

/** Bounds of `range`. */
export interface RangeBounds<Key extends TableKey> extends KeyBounds<Key> {
  /** Most rows returned, ≥ 1: mandatory, so that no command costs the whole table unseen. */
  readonly limit: number
  /** From the greatest key down. */
  readonly reverse?: boolean
}

/** A table as queries see it. Rows come back frozen and shared; change a copy. */
export interface TableView<Key extends TableKey, Row> {
  get(key: Frozen<Key>): Frozen<Row> | undefined
  has(key: Frozen<Key>): boolean
  count(bounds?: KeyBounds<Key>): number
  /** Rows in byte order of their keys: strings by code point, integers by value, tuples part by part. */
  range(bounds: RangeBounds<Key>): readonly (readonly [Frozen<Key>, Frozen<Row>])[]
  /**
   * The rows in the order of `range`, each as it stands when it is reached: what is written meanwhile behind the place comes as
   * well. For migrations, which may let others go on between two rows (`yield`), and stop nowhere before the last.
   */
  each(bounds?: KeyBounds<Key>): Generator<readonly [Frozen<Key>, Frozen<Row>], void>
}

/** A table as commands, timers and hooks see it. */
export interface Table<Key extends TableKey, Row> extends TableView<Key, Row> {
  /** Stores a row; it is validated and frozen at once (a value that is not plain data is a bug: ValueError). */
  set(key: Frozen<Key>, row: Frozen<Row>): void
  /** True when there was such a row. */
  delete(key: Frozen<Key>): boolean
}
