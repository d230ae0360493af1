import type { z } from 'zod'
import type { Millis, SessionId } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type {
  EmitOptions,
  OpenTask,
  SessionInfo,
  SignalFate,
  SignalOptions,
  WaitOptions,
} from '../../session/user-machine.ts'
import type { ScheduleDefinition, ScheduleStatus } from '../../session/schedule.ts'
import type { CommandRef } from './command.ts'
import type { RejectDetails } from './refusal.ts'
import type { CommonErrorCode, Rejection } from './rejection.ts'
import type {
  ErrorsOf,
  EventsOf,
  MachineSchema,
  NameOf,
  Parsed,
  RequestsOf,
  SchedulesOf,
  TasksOf,
  TimersOf,
  WaitsOf,
} from './schema.ts'
import type { TablesRef } from './tables-of.ts'
import type { TableOf, TableViewOf } from './tables.ts'

/** The tables of a machine, as its handlers change them. */
export type Tables<Schema extends MachineSchema> = {
  readonly [Name in keyof Schema['state']]: TableOf<Schema['state'][Name]>
}

/** The same tables, as queries read them. */
export type TableViews<Schema extends MachineSchema> = {
  readonly [Name in keyof Schema['state']]: TableViewOf<Schema['state'][Name]>
}

/**
 * Makes a refusal; the handler returns it. Own codes carry typed details, common codes (domain.md §0.6) free ones. It is one
 * signature, because of two overloads the compiler explains the last, which is not the one that was meant.
 */
export type Reject<Schema extends MachineSchema> = <const Code extends NameOf<ErrorsOf<Schema>> | CommonErrorCode>(
  code: Code,
  ...details: RejectDetails<Schema, Code>
) => Rejection<Code, unknown>

/**
 * The only window that a handler has (machines.md §1), typed by its machine's schema. Valid during the call it was
 * given to; keeping it for later is a bug and throws.
 */
export interface Context<Schema extends MachineSchema> {
  /** Wall clock agreed by the log, ms since the Unix epoch; never decreases. */
  readonly now: Millis
  /** Log index of the entry being applied. */
  readonly index: number
  /** Rises when a cluster is restored from a backup: prefix of ids that the outside world sees. */
  readonly incarnation: number
  /** The issuing client session; in timers and hooks without one the pseudo session of `system`, id `0/0/0`. */
  readonly session: SessionInfo
  /** `session.principal`; `system` in timers, a name that no client can have. */
  readonly principal: string
  readonly roles: readonly string[]
  readonly state: Tables<Schema>
  readonly reject: Reject<Schema>
  /**
   * Adds a server request, of type `machine.type` on the wire, to a session's outbox. False when the target is unknown (or,
   * in timers and hooks, full).
   */
  emit<Type extends NameOf<RequestsOf<Schema>>>(
    target: SessionId,
    type: Type,
    payload: Parsed<RequestsOf<Schema>[Type] & z.ZodType>,
    options?: EmitOptions,
  ): boolean
  /** A hint to a principal: one copy per live session, else its mailbox (domain.md §0.7). */
  notify(principal: string, topic: string, body: Value): void
  /** Queues a task of a declared kind and returns its id. `ref` is the owner's reference, e.g. an attempt id. */
  task<Kind extends NameOf<TasksOf<Schema>>>(
    kind: Kind,
    ref: string,
    payload: Parsed<TasksOf<Schema>[Kind]['payload'] & z.ZodType>,
  ): string
  /** Ends a task without a result. False when there is no open task of that id. */
  cancelTask(taskId: string): boolean
  /**
   * This machine's open tasks of a kind, as they were before this call, oldest first: those of one `ref`, or all.
   * PERF: without `ref` it looks at every task there is; for what is done seldom.
   */
  openTasks(kind: NameOf<TasksOf<Schema>>, ref?: string): readonly OpenTask[]
  /**
   * Arms a durable timer of a declared kind, due at least at `now` + 1 ms. There is one per (kind, key); arming it again
   * replaces it. `key` is usually an entity's id.
   */
  schedule<Kind extends NameOf<TimersOf<Schema>>>(
    kind: Kind,
    dueAt: Millis,
    payload: Parsed<TimersOf<Schema>[Kind] & z.ZodType>,
    key?: string,
  ): void
  /** True when that timer was armed. */
  cancel(kind: NameOf<TimersOf<Schema>>, key?: string): boolean
  /**
   * Waits for a signal of a declared kind and key, and returns the wait's id. A signal that is kept ends it at once. The
   * handler of the kind hears of its end exactly once, after the function that runs now: the signal's value, the time that is
   * over, or the owner's end. Null, and nothing is stored, where there are as many waits as the limits allow. Not in
   * migrations.
   */
  wait(kind: NameOf<WaitsOf<Schema>>, key: string, options?: KitWaitOptions<NameOf<RequestsOf<Schema>>>): string | null
  /**
   * Ends the wait of that kind and key that has lasted longest, or is kept for the next one: of one key first in, first out,
   * for a time and to a number. Not in migrations.
   */
  signal<Kind extends NameOf<WaitsOf<Schema>>>(
    kind: Kind,
    key: string,
    value: Parsed<WaitsOf<Schema>[Kind] & z.ZodType>,
    options?: SignalOptions,
  ): SignalFate
  /** Removes a wait, of which nothing more is heard. False when there is no such wait (any more). */
  cancelWait(waitId: string): boolean
  /** Recurring runs of declared kinds, by the wall clock of a zone. */
  readonly schedules: KitSchedules<Schema>
  /**
   * Runs a command of another mounted machine in the same write buffer. When it throws, or rejects after it changed
   * something, this handler must reject too: one entry is one transaction (sessions.md §8). Pass the rejection on or
   * choose your own.
   */
  call<Input extends z.ZodType, Output extends z.ZodType, Code extends string>(
    command: CommandRef<Input, Output, Code>,
    input: Parsed<Input>,
  ): Parsed<Output> | Rejection<Code>
  /** The same by name, for machines that are not known at compile time. */
  call(machine: string, command: string, input: Value): Value | Rejection
  /**
   * Publishes a declared domain event: to every mounted machine that listens (`on`), in the order of their names, in this same
   * entry, after the function that runs now has ended and what was published before it is delivered. A rejection drops it.
   */
  publish<Event extends NameOf<EventsOf<Schema>>>(
    event: Event,
    payload: Parsed<EventsOf<Schema>[Event] & z.ZodType>,
  ): void
  /** The tables of another machine as they stand in this entry, read-only; empty when it is not mounted. */
  read<Other extends MachineSchema>(tables: TablesRef<Other>): TableViews<Other>
  /** Idempotency key that outlives sessions (sessions.md §8). `run` must return plain data, not a rejection. */
  once<Result>(request: OnceRequest, run: () => Result): OnceOutcome<Result>
  /** Append-only record that survives a rejection. */
  audit(record: Value): void
  /** Counted per kind and shown to every admin; survives a rejection. */
  alert(kind: string, details?: Value): void
  /** Runs after the rollback, if this command is rejected, in a write buffer of its own. */
  afterReject(run: (context: Context<Schema>) => void): void
  /** Principals of that kind prefix (`admin:`) that a session was ever bound to, sorted. */
  principalsKnown(prefix: string): readonly string[]
  /** SHA-256, 32 bytes. */
  hash(bytes: Uint8Array): Uint8Array
  /** SHA-256 of a text's UTF-8, as 64 hex digits. PERF: a fifth of what the bytes cost, since a host does it in one call. */
  hashHex(text: string): string
  /** Unique for ever: incarnation, index and a counter, after `prefix`. */
  id(prefix: string): string
  /** Uniform in [0, 1), seeded by the entry. */
  random(): number
  /** A line for the node's log: of the leader alone, and never for an entry of an earlier term (sessions.md §3). */
  log(message: string, fields?: { readonly [name: string]: Value }): void
}

/**
 * The schedules of a machine. There is one per (kind, key); `key` is usually the id of what it is for, '' by default. Calls
 * that answer false have changed nothing.
 */
export interface KitSchedules<Schema extends MachineSchema> {
  /**
   * Makes a schedule, or gives the one that there is another definition. Its occurrences after `now` run; with the expression
   * and zone that it has it goes on as it was, so that a repeated call changes nothing. False: a cluster has room for 10,000.
   */
  put<Kind extends NameOf<SchedulesOf<Schema>>>(
    kind: Kind,
    definition: KitScheduleDefinition<Parsed<SchedulesOf<Schema>[Kind] & z.ZodType>>,
    key?: string,
  ): boolean
  /** Nothing of it runs until it is resumed. False: there is none, or it is paused. */
  pause(kind: NameOf<SchedulesOf<Schema>>, key?: string): boolean
  /** Its occurrences after `now` run again, also those of one that has stopped. False: there is none, or it goes on. */
  resume(kind: NameOf<SchedulesOf<Schema>>, key?: string): boolean
  /**
   * Runs the occurrences in [from, to) before `now` as well: one after the other, each once, whatever its overlap says. False:
   * there is no such schedule, no such time, or it has 16 backfills that are not done.
   */
  backfill(
    kind: NameOf<SchedulesOf<Schema>>,
    range: { readonly from: Millis; readonly to: Millis },
    key?: string,
  ): boolean
  /** Removes it, with all that is open or waits; also of a kind that only an earlier version declared. False: there is none. */
  cancel(kind: string, key?: string): boolean
  /** A run whose handler said `open` is over. False: it is not open. */
  end(kind: NameOf<SchedulesOf<Schema>>, run: number, key?: string): boolean
  /** As it stands in this transaction; null: there is none. */
  find(kind: NameOf<SchedulesOf<Schema>>, key?: string): ScheduleStatus | null
}

/** What `ctx.schedules.put` is given. */
export interface KitScheduleDefinition<Payload> extends Omit<ScheduleDefinition, 'payload'> {
  /** What each run is told. */
  readonly payload: Payload
}

/** How `ctx.wait` waits. */
export interface KitWaitOptions<Request extends string = string> extends Omit<WaitOptions, 'deliver'> {
  /** The owner hears of the end by a server request of this type, with a `WaitNotice`; the handler, where it cannot. */
  readonly deliver?: { readonly type: Request } | null
}

/** What `ctx.once` is asked (sessions.md §8). */
export interface OnceRequest {
  /** Keys of one scope are apart from those of another. */
  readonly scope: string
  readonly key: string
  /** Of the content: the same key with another fingerprint is a conflict. */
  readonly fingerprint: string
  /** How long the result is kept, ms. */
  readonly retentionMs: Millis
}

/** What `ctx.once` found: a first run, the result of an earlier one, or another content under the key. */
export type OnceOutcome<Result> =
  | { readonly kind: 'fresh' | 'replayed'; readonly value: Result }
  | { readonly kind: 'conflict' }

/** What a query knows beside the tables: when it looks, and who asks. */
export interface QueryContext<Schema extends MachineSchema> {
  readonly now: Millis
  readonly index: number
  /** Null for a query outside a session. */
  readonly session: SessionInfo | null
  readonly reject: Reject<Schema>
  /** The tables of another machine as of the same entry; empty when it is not mounted. */
  read<Other extends MachineSchema>(tables: TablesRef<Other>): TableViews<Other>
}
