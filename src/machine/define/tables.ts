import type { IndexedValue } from './indexes.ts'
import type { Frozen, IndexesOf, KeyOf, NameOf, RowOf, TableKey } from './schema.ts'

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

/** Entries of an index with from ≤ fields < to; `prefix` keeps those that begin with these. Absent: no bound. */
export interface IndexBounds<Fields extends readonly unknown[]> {
  readonly prefix?: FieldsPrefix<Fields>
  readonly from?: FieldsPrefix<Fields>
  readonly to?: FieldsPrefix<Fields>
}

/** The first fields of an index, at most all. */
export type FieldsPrefix<Fields extends readonly unknown[]> = PartialTuple<Fields>

/** One page of an index. */
export interface IndexPage<After> {
  /** Most rows returned, ≥ 1: mandatory, as for a table. */
  readonly limit: number
  /** From the greatest entry down. */
  readonly reverse?: boolean
  /**
   * The last row of the page before, `rows.at(-1)`, of which the key and the indexed fields count: the page begins behind its
   * place, whether the row is still there or not. Undefined: the first page.
   */
  readonly after?: After | undefined
}

/**
 * An index of a table (docs/concepts/queries.md): its rows by the values of some fields, equal ones by key. Text is ordered by
 * code point, numbers by value, false before true, bytes as bytes. Rows with a null or absent field among these are not in it.
 */
export interface IndexView<Key, Row, Fields extends readonly unknown[], After> {
  /** The rows whose first fields have these values. */
  prefix(fields: FieldsPrefix<Fields>, page: IndexPage<After>): readonly (readonly [Key, Row])[]
  range(bounds: IndexBounds<Fields> & IndexPage<After>): readonly (readonly [Key, Row])[]
  count(bounds?: IndexBounds<Fields>): number
}

/** The indexes of a table as its members. */
export type IndexViews<Declared> = {
  readonly [Name in NameOf<IndexesOf<Declared>>]: IndexView<
    Frozen<KeyOf<Declared>>,
    Frozen<RowOf<Declared>>,
    FieldValues<RowOf<Declared>, IndexesOf<Declared>[Name]>,
    readonly [key: Frozen<KeyOf<Declared>>, fields: FieldsOfRow<RowOf<Declared>, IndexesOf<Declared>[Name][number]>]
  >
}

/** What an index of these fields is asked with. */
type FieldValues<Row, Names extends readonly string[]> = {
  readonly [At in keyof Names]: Frozen<Extract<FieldOf<Row, Names[At]>, IndexedValue>>
}

/** The fields of a row that say where it is in an index. */
type FieldsOfRow<Row, Names extends string> = {
  readonly [Name in Names]?: Frozen<FieldOf<Row, Name>> | null | undefined
}

/** What a field holds; of a union of rows, in those that have it. */
type FieldOf<Row, Name> = Row extends object ? (Name extends keyof Row ? Row[Name] : never) : never

/** A declared table as queries see it, with its indexes. */
export type TableViewOf<Declared> = [NameOf<IndexesOf<Declared>>] extends [never]
  ? TableView<KeyOf<Declared>, RowOf<Declared>>
  : TableView<KeyOf<Declared>, RowOf<Declared>> & IndexViews<Declared>

/** A declared table as commands, timers and hooks see it, with its indexes. */
export type TableOf<Declared> = [NameOf<IndexesOf<Declared>>] extends [never]
  ? Table<KeyOf<Declared>, RowOf<Declared>>
  : Table<KeyOf<Declared>, RowOf<Declared>> & IndexViews<Declared>
