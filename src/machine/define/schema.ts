import type { z } from 'zod'
import type { Millis } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Description } from './describe-schema.ts'
import type { Drawable } from '../graph/drawable.ts'
import type { IndexesOn, NoIndexes, TableIndexes } from './indexes.ts'

/** A part of a table's key; numbers are integers to ±(2^53−1). */
export type KeyPart = string | number

/** A table's key: one part, or a tuple of parts that sorts part by part. */
export type TableKey = KeyPart | readonly KeyPart[]

/**
 * A value as machines see it: deeply frozen, because it is shared with the state and never copied (machines.md §1). What a
 * caller may give is the same type, so that a changed copy of a row (`{ ...row, status }`) is accepted.
 */
export type Frozen<Type> = [Value] extends [Type] ? Type : FrozenMember<Type>

/** Distributes over unions. `Value` itself (and unknown) was left as it is above: it is read-only and would recur for ever. */
type FrozenMember<Type> = Type extends string | number | boolean | null | undefined | Uint8Array
  ? Type
  : Type extends object
    ? { readonly [Key in keyof Type]: Frozen<Type[Key]> }
    : Type

/** What a schema gives after parsing, frozen. */
export type Parsed<Schema extends z.ZodType> = Frozen<z.output<Schema>>

/** Declaration of one table: the schemas of its keys and of its rows, and its indexes. */
export interface TableSchema<
  Key extends TableKey = TableKey,
  Row = unknown,
  Indexes extends TableIndexes = TableIndexes,
> {
  readonly key: z.ZodType<Key>
  readonly row: z.ZodType<Row>
  /** Rows by their fields, kept in the same write; absent: none. */
  readonly indexes?: Indexes
  /**
   * PERF: bytes in rows are handed over without a copy (1 to 2 µs each). The machine vows never to change bytes that it got
   * from this table or gave to it.
   */
  readonly sharesBytes?: boolean
}

/** What a table has beside its keys and rows. */
export interface TableOptions<Indexes> {
  /**
   * Indexes by name, each a list of fields of the rows: `{ byOwner: ['owner', 'createdAt'] }`. They hold text, numbers,
   * booleans or bytes; a row in which one of them is null or absent is not in the index. Equal ones are ordered by key.
   */
  readonly indexes?: Indexes
}

/**
 * Declares a table of a machine's state: `table(z.string(), z.object({ … }))`; the key may be a tuple. A machine that declares
 * an index on a table that has rows is a new version of it, which builds the index when the log switches to it.
 */
export function table<Key extends TableKey, Row, const Indexes extends IndexesOn<Row> = NoIndexes>(
  key: z.ZodType<Key>,
  row: z.ZodType<Row>,
  options: TableOptions<Indexes> = {},
): TableSchema<Key, Row, Indexes> {
  return { key, row, ...options }
}

/** The same for rows with bytes that are written so often that a copy is felt; see `sharesBytes`. */
export function tableSharingBytes<Key extends TableKey, Row, const Indexes extends IndexesOn<Row> = NoIndexes>(
  key: z.ZodType<Key>,
  row: z.ZodType<Row>,
  options: TableOptions<Indexes> = {},
): TableSchema<Key, Row, Indexes> {
  return { key, row, sharesBytes: true, ...options }
}

/** Declaration of one kind of task (domain.md §0.7). */
export interface TaskSchema<Payload extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  /** Role that a worker's session must hold. */
  readonly role: string
  readonly leaseMs: Millis
  readonly maxAttempts: number
  /** Wait before attempt 2, 3, …; the last one repeats. Empty: at once. */
  readonly backoffMs: readonly Millis[]
  readonly payload: Payload
  /** Checked inside apply, because a result that does not fit counts as a failed attempt. */
  readonly result: Result
}

/** Declares a kind of task; what happens with its result or failure stands in the machine's behaviour. */
export function task<Payload extends z.ZodType, Result extends z.ZodType>(
  schema: TaskSchema<Payload, Result>,
): TaskSchema<Payload, Result> {
  return schema
}

/** Schemas by name: of errors' details, server requests or timers. */
export type Shapes = { readonly [name: string]: z.ZodType }

/** Everything of a machine that is data: what it stores, refuses with, emits, hands to workers and waits for. */
export interface MachineSchema {
  /** Version of its code, 1 at first (sessions.md §10). */
  readonly version: number
  readonly state: { readonly [table: string]: TableSchema }
  /** Details of its own error codes. */
  readonly errors?: Shapes
  /** Payloads of the server requests it may emit. */
  readonly requests?: Shapes
  /** Payloads of its durable timers. */
  readonly timers?: Shapes
  /** Values of the signals that end its waits, by kind (docs/concepts/waits.md). */
  readonly waits?: Shapes
  /** Payloads of its schedules, by kind (docs/concepts/schedules.md). */
  readonly schedules?: Shapes
  /** Payloads of the domain events it may publish: `shapes` of its `domainEvents`. */
  readonly events?: Shapes
  readonly tasks?: { readonly [kind: string]: TaskSchema }
  /** What else it declares and decides by, such as a chart: part of its fingerprint. */
  readonly logic?: Description
  /** Its transition tables and state graphs, for diagrams alone: nothing is checked against them. */
  readonly graphs?: { readonly [name: string]: Drawable }
}

type None = { readonly [name: string]: never }

/** The declared errors of a schema, an empty record where it has none; likewise the next six. */
export type ErrorsOf<Schema> = Schema extends { readonly errors: infer Errors extends Shapes } ? Errors : None
/** Its server requests. */
export type RequestsOf<Schema> = Schema extends { readonly requests: infer Requests extends Shapes } ? Requests : None
/** Its timers. */
export type TimersOf<Schema> = Schema extends { readonly timers: infer Timers extends Shapes } ? Timers : None
/** Its waits. */
export type WaitsOf<Schema> = Schema extends { readonly waits: infer Waits extends Shapes } ? Waits : None
/** Its schedules. */
export type SchedulesOf<Schema> = Schema extends { readonly schedules: infer Schedules extends Shapes }
  ? Schedules
  : None
/** Its domain events. */
export type EventsOf<Schema> = Schema extends { readonly events: infer Events extends Shapes } ? Events : None
/** Its kinds of task. */
export type TasksOf<Schema> = Schema extends {
  readonly tasks: infer Tasks extends { readonly [kind: string]: TaskSchema }
}
  ? Tasks
  : None

/** The names of a record that are known; none for a record without declarations. */
export type NameOf<Record> = string extends keyof Record ? never : keyof Record & string

/** The type of a table's keys, and of its rows. */
export type KeyOf<Table> = Table extends TableSchema<infer Key, unknown> ? Key : never
export type RowOf<Table> = Table extends { readonly row: z.ZodType<infer Row> } ? Row : never
/** The indexes of a table, by their names. */
export type IndexesOf<Table> = Table extends { readonly indexes?: infer Indexes extends TableIndexes } ? Indexes : never
