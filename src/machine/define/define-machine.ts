import type { z } from 'zod'
import { assert } from '../../base/assert.ts'
import type { SessionId } from '../../base/brand.ts'
import type { ScheduleRun } from '../../session/schedule.ts'
import { TASK_MACHINE } from '../../session/tables/tasks.ts'
import type { ServerRequest, SessionInfo, TaskRecord, WaitEnd } from '../../session/user-machine.ts'
import type { Command, CommandRef, Query, QueryRef } from './command.ts'
import type { Context, QueryContext, TableViews } from './context.ts'
import type { Subscription } from './events.ts'
import { checkPersonal } from '../personal/check-personal.ts'
import { declaredIndexes } from './indexes.ts'
import { owned } from './own-machines.ts'
import type { Rejection } from './rejection.ts'
import type { MachineSchema, NameOf, Parsed, SchedulesOf, TasksOf, TimersOf, WaitsOf } from './schema.ts'

/** A command of a machine with that schema, whatever its input and output; likewise a query. */
export type AnyCommand<Schema extends MachineSchema> = Command<Context<Schema>, z.ZodType, z.ZodType>
export type AnyQuery<Schema extends MachineSchema> = Query<
  TableViews<Schema>,
  QueryContext<Schema>,
  z.ZodType,
  z.ZodType
>

/** Everything of a machine that runs: its commands, queries, and what it does on timers, tasks and session events. */
export interface MachineBehaviour<
  Schema extends MachineSchema,
  Commands extends { readonly [name: string]: AnyCommand<Schema> },
  Queries extends { readonly [name: string]: AnyQuery<Schema> },
> {
  readonly commands: Commands
  readonly queries?: Queries
  /** One handler per timer that the schema declares; `key` is the one given to `ctx.schedule`, else ''. */
  readonly timers?: {
    readonly [Kind in NameOf<TimersOf<Schema>>]: (
      context: Context<Schema>,
      payload: Parsed<TimersOf<Schema>[Kind] & z.ZodType>,
      key: string,
    ) => void
  }
  /** One handler per kind of wait that the schema declares: what the end of one means. */
  readonly waits?: {
    readonly [Kind in NameOf<WaitsOf<Schema>>]: (
      context: Context<Schema>,
      ended: EndedKitWait<Parsed<WaitsOf<Schema>[Kind] & z.ZodType>>,
    ) => void
  }
  /**
   * One handler per kind of schedule that the schema declares; `key` is the one given to `ctx.schedules.put`, else ''. A run is
   * over when it returns, unless it returns `open`: then `ctx.schedules.end` ends it.
   */
  readonly schedules?: {
    readonly [Kind in NameOf<SchedulesOf<Schema>>]: (
      context: Context<Schema>,
      run: KitScheduleRun<Parsed<SchedulesOf<Schema>[Kind] & z.ZodType>>,
      key: string,
    ) => void | 'open'
  }
  /** One pair of handlers per kind of task that the schema declares. */
  readonly tasks?: { readonly [Kind in NameOf<TasksOf<Schema>>]: TaskHandlers<Schema, Kind> }
  /** What it does about domain events, at most one handler per event; each is made by `on`. */
  readonly on?: readonly Subscription<Context<Schema>>[]
  /** Returning a rejection refuses the client session: nothing is stored, nothing emitted. */
  onSessionCreated?(context: Context<Schema>, session: SessionInfo): void | Rejection
  onSessionExpired?(
    context: Context<Schema>,
    session: SessionInfo,
    pending: readonly ServerRequest[],
    reason: 'expired' | 'closed',
  ): void
  /** A server request of this machine that was never acknowledged. */
  onDeadLetter?(context: Context<Schema>, request: ServerRequest, target: SessionInfo): void
  /**
   * Change the rows of the version before to this number's: they run in order, up to the machine's version, inside the entry
   * that switches to it and in one transaction (sessions.md §10). A throw leaves the machine at the version that it had. One
   * with many rows is a generator that yields after each (`each` of a table gives them): in between the node serves others,
   * who see the state before; what it yields means nothing.
   */
  readonly migrations?: {
    readonly [version: number]: (context: Context<Schema>) => void | Iterator<unknown, unknown, undefined>
  }
  /** Source text of what its handlers run and are not written in, such as a chart: part of the fingerprint of the code. */
  readonly source?: string
  /** What in it does otherwise than it looks, a sentence each; `holdfast machine check` prints them. */
  readonly warnings?: readonly string[]
}

/** What happens when a task ends. */
export interface TaskHandlers<Schema extends MachineSchema, Kind extends NameOf<TasksOf<Schema>>> {
  /** A worker's result that fits the kind's schema. What it returns (or null) is the worker's answer. */
  onResult(
    context: Context<Schema>,
    task: TypedTask<Parsed<TasksOf<Schema>[Kind]['payload'] & z.ZodType>>,
    result: Parsed<TasksOf<Schema>[Kind]['result'] & z.ZodType>,
  ): unknown
  /** The kind's fallback, when the task has failed for good: nothing may hang (domain.md §0.7). */
  onFailed(
    context: Context<Schema>,
    task: TypedTask<Parsed<TasksOf<Schema>[Kind]['payload'] & z.ZodType>>,
    reason: string,
  ): void
}

/** A wait that has ended, as its handler hears of it, once. */
export interface EndedKitWait<Value> {
  readonly waitId: string
  /** As given to `ctx.wait`. */
  readonly key: string
  readonly end: { readonly kind: 'signalled'; readonly value: Value } | Exclude<WaitEnd, { kind: 'signalled' }>
  readonly owner: SessionId | null
  /** It was to go to its owner as a server request, but that has ended or has no room. */
  readonly undelivered: boolean
}

/** A run of a schedule, as its handler is told. */
export interface KitScheduleRun<Payload> extends Omit<ScheduleRun, 'machine' | 'name' | 'payload'> {
  readonly payload: Payload
}

/** The record of a task with the payload of its kind. */
export interface TypedTask<Payload> extends Omit<TaskRecord, 'payload'> {
  readonly payload: Payload
}

/** A machine, ready to be mounted. Its type carries what clients and other machines need. */
export interface MachineDefinition<
  Name extends string = string,
  Schema extends MachineSchema = MachineSchema,
  Commands = { readonly [name: string]: CommandRef },
  Queries = { readonly [name: string]: QueryRef },
> {
  readonly kind: 'definition'
  readonly name: Name
  readonly version: number
  readonly schema: Schema
  readonly commands: Commands
  readonly queries: Queries
  /** The handlers, without their types: only the kit calls them. */
  readonly behaviour: ErasedBehaviour
}

/** Commands (or queries) of a definition as references. */
export type CommandRefs<Commands> = {
  readonly [Name in keyof Commands]: Commands[Name] extends Command<never, infer Input, infer Output, infer Code>
    ? CommandRef<Input, Output, Code>
    : never
}
export type QueryRefs<Queries> = {
  readonly [Name in keyof Queries]: Queries[Name] extends Query<never, never, infer Input, infer Output, infer Code>
    ? QueryRef<Input, Output, Code>
    : never
}

type Erased = (...parameters: readonly unknown[]) => unknown

/** The behaviour as the kit calls it: the compiler checked it where it was written. */
export interface ErasedBehaviour {
  readonly commands: { readonly [name: string]: { readonly handler: Erased } }
  readonly queries?: { readonly [name: string]: { readonly handler: Erased } }
  readonly timers?: { readonly [kind: string]: Erased }
  readonly waits?: { readonly [kind: string]: Erased }
  readonly schedules?: { readonly [kind: string]: Erased }
  readonly tasks?: { readonly [kind: string]: { readonly onResult: Erased; readonly onFailed: Erased } }
  readonly on?: readonly { readonly machine: string; readonly event: string; readonly handle: Erased }[]
  readonly onSessionCreated?: Erased
  readonly onSessionExpired?: Erased
  readonly onDeadLetter?: Erased
  readonly migrations?: { readonly [version: number]: Erased }
  readonly source?: string
  readonly warnings?: readonly string[]
}

/** Names of machines that the framework itself answers to. */
const RESERVED_MACHINES: readonly string[] = [TASK_MACHINE, 'holdfast']

/**
 * Defines a machine: its name (1–32 of `a-z 0-9 -`, a letter first), its schema, which is data, and its behaviour, whose
 * handlers are typed by the schema. (The schema is an argument of its own because the compiler can type the handlers of
 * one argument by another only.) Crashes on a definition that cannot work, with what to change.
 */
export function defineMachine<
  const Name extends string,
  const Schema extends MachineSchema,
  Commands extends { readonly [name: string]: AnyCommand<Schema> },
  Queries extends { readonly [name: string]: AnyQuery<Schema> } = Record<never, never>,
>(
  name: Name,
  schema: Schema,
  behaviour: MachineBehaviour<Schema, Commands, Queries>,
): MachineDefinition<Name, Schema, CommandRefs<Commands>, QueryRefs<Queries>> {
  assertName(name)
  assertSchema(name, schema)
  // The kit calls every handler with the context and the values of this very schema, as checked above by the compiler.
  const erased = behaviour as unknown as ErasedBehaviour
  assertHandlers(name, 'timers', schema.timers, erased.timers)
  assertHandlers(name, 'waits', schema.waits, erased.waits)
  assertHandlers(name, 'schedules', schema.schedules, erased.schedules)
  assertHandlers(name, 'tasks', schema.tasks, erased.tasks)
  assertSubscriptions(name, erased.on)
  checkPersonal(name, schema, { commands: behaviour.commands, queries: behaviour.queries ?? {} })
  return owned({
    kind: 'definition',
    name,
    version: schema.version,
    schema,
    commands: references(name, behaviour.commands) as CommandRefs<Commands>,
    queries: references(name, behaviour.queries ?? {}) as QueryRefs<Queries>,
    behaviour: erased,
  })
}

/** Crashes when a machine cannot have this name: its form is wrong, or the framework has it. */
export function assertName(name: string): void {
  assert(/^[a-z][a-z0-9-]{0,31}$/.test(name), 'a machine is named by 1–32 of a-z 0-9 -, a letter first', { name })
  assert(!RESERVED_MACHINES.includes(name), 'this machine name belongs to the framework; choose another', { name })
}

/** Crashes for what is no version: 0 would mean that the machine is not active. */
export function assertVersion(machine: string, version: number): void {
  assert(Number.isSafeInteger(version) && version > 0, 'a machine version is an integer from 1', { machine, version })
}

function assertSchema(machine: string, schema: MachineSchema): void {
  assertVersion(machine, schema.version)
  for (const [table, declared] of Object.entries(schema.state)) {
    assert(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(table), 'a table is named by 1–64 of A-Z a-z 0-9 _ -', {
      machine,
      table,
    })
    declaredIndexes(machine, table, declared)
  }
  for (const event of Object.keys(schema.events ?? {})) {
    assert(!event.includes('.'), 'an event has no dot: it separates the machine from the event', { machine, event })
  }
  for (const kind of Object.keys(schema.timers ?? {})) {
    assert(!kind.includes('/'), 'a timer kind has no slash: it separates the kind from the key', { machine, kind })
  }
  for (const kind of Object.keys(schema.waits ?? {})) {
    assert(!kind.includes('/'), 'a kind of wait has no slash: it separates the kind from the key', { machine, kind })
  }
  for (const kind of Object.keys(schema.schedules ?? {})) {
    assert(!kind.includes('/'), 'a kind of schedule has no slash: it separates the kind from the key', {
      machine,
      kind,
    })
  }
}

/** Each kind that the schema declares needs its handlers, or it would hang silently. */
function assertHandlers(machine: string, group: string, declared: object = {}, handled: object = {}): void {
  for (const kind of Object.keys(declared)) {
    assert(Object.hasOwn(handled, kind), `${group}.${kind} is declared in the schema but has no handler`, { machine })
  }
}

/** Of two handlers of one event, which one comes first would be a question of luck. */
function assertSubscriptions(machine: string, subscriptions: ErasedBehaviour['on'] = []): void {
  const names = subscriptions.map(({ machine: publisher, event }) => `${publisher}.${event}`)
  const twice = names.find((name, position) => names.indexOf(name) !== position)
  assert(twice === undefined, 'an event has one handler in a machine', { machine, twice })
}

function references(
  machine: string,
  handlers: { readonly [name: string]: { kind: 'command' | 'query'; input: z.ZodType; output: z.ZodType } },
): { readonly [name: string]: object } {
  const entries = Object.entries(handlers).map(([name, { kind, input, output }]) => {
    return [name, { kind, machine, name, input, output }] as const
  })
  return Object.fromEntries(entries)
}

/** Types that a test or a tool may want from a definition. */
export type ContextOf<Definition> =
  Definition extends MachineDefinition<string, infer Schema, unknown, unknown> ? Context<Schema> : never
