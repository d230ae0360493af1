import { z } from 'zod'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import type {
  EndedWaitNotice,
  MachineContext,
  Outcome,
  QueryView,
  ServerRequest,
  SessionInfo,
  TaskKind,
  TaskRecord,
} from '../../session/user-machine.ts'
import type { ScheduleRun } from '../../session/schedule.ts'
import type { ErasedBehaviour, MachineDefinition } from '../define/define-machine.ts'
import { type Caller, type HookOutcome, KitContext, outcomeOf, rejection } from './kit-context.ts'
import { KitQueryContext } from './kit-query-context.ts'
import { issuePath } from '../parse/input-parser.ts'
import { isRejection, type Rejection } from '../define/rejection.ts'
import type { TablesRef } from '../define/tables-of.ts'
import { strictly } from '../parse/strict.ts'
import type { CallWindow, QueryWindow } from './call-window.ts'
import type { PublishedEvent } from './event-queue.ts'
import { type IndexOfTable, migrateIndexes } from './index-migration.ts'
import { declaredTables, tablesIn, type TableViewsByName, viewsOf } from './machine-tables.ts'
import { isSteps, isThenable } from '../../session/run/returned.ts'
import { REJECTED_HOOKS_SINCE, REJECTED_RUNS_SINCE } from '../../session/own-versions.ts'

/** What machines that are mounted together share. */
export interface MountParts {
  readonly codec: SessionCodec
  readonly window: CallWindow
  readonly queryWindow: QueryWindow
  readonly caller: Caller
}

/** What became of a worker's result: taken, with the worker's answer, or a failed attempt. */
export type TaskOutcome = { kind: 'done'; value: Value } | { kind: 'invalid'; details: Value }

type HandlerOf<Group extends 'commands' | 'queries' | 'timers' | 'waits' | 'schedules' | 'tasks'> = NonNullable<
  ErasedBehaviour[Group]
>[string]

/** One defined machine inside a mount: opens the window, calls the handlers, and turns what they return into outcomes. */
export class KitMachine {
  readonly name: string
  private readonly behaviour: ErasedBehaviour
  private readonly window: CallWindow
  private readonly context: KitContext
  private readonly queryWindow: QueryWindow
  private readonly caller: Caller
  /** Its tables as other machines' commands read them; likewise queries, its own among them. */
  readonly callViews: TableViewsByName
  readonly queryViews: TableViewsByName
  private readonly indexes: readonly IndexOfTable[]
  private readonly results: ReadonlyMap<string, z.core.$ZodType>
  // Maps, because a name from outside may be that of a member of every object.
  private readonly commands: ReadonlyMap<string, HandlerOf<'commands'>>
  private readonly queries: ReadonlyMap<string, HandlerOf<'queries'>>
  private readonly timers: ReadonlyMap<string, HandlerOf<'timers'>>
  private readonly waits: ReadonlyMap<string, HandlerOf<'waits'>>
  private readonly schedules: ReadonlyMap<string, HandlerOf<'schedules'>>
  private readonly tasks: ReadonlyMap<string, HandlerOf<'tasks'>>
  /** By `machine.event`. */
  private readonly subscriptions: ReadonlyMap<string, NonNullable<ErasedBehaviour['on']>[number]>

  constructor(definition: MachineDefinition, { codec, window, queryWindow, caller }: MountParts) {
    const { name, schema, behaviour } = definition
    const tables = declaredTables(codec, name, schema.state)
    const tasks = Object.entries(schema.tasks ?? {})
    this.name = name
    this.behaviour = behaviour
    this.window = window
    this.queryWindow = queryWindow
    this.caller = caller
    this.commands = new Map(Object.entries(behaviour.commands))
    this.queries = new Map(Object.entries(behaviour.queries ?? {}))
    this.timers = new Map(Object.entries(behaviour.timers ?? {}))
    this.waits = new Map(Object.entries(behaviour.waits ?? {}))
    this.schedules = new Map(Object.entries(behaviour.schedules ?? {}))
    this.tasks = new Map(Object.entries(behaviour.tasks ?? {}))
    this.subscriptions = new Map((behaviour.on ?? []).map((heard) => [`${heard.machine}.${heard.event}`, heard]))
    this.callViews = viewsOf(tables, window)
    this.queryViews = viewsOf(tables, queryWindow)
    this.indexes = tables.flatMap(({ indexes }) => indexes)
    this.results = new Map(tasks.map(([kind, { result }]) => [kind, strictly(result)]))
    this.context = new KitContext({
      machine: name,
      window,
      caller,
      tables: tablesIn(tables, window),
      taskKinds: new Map(tasks.map(([kind, declared]) => [kind, taskKind(kind, declared)])),
      timerKinds: new Set(Object.keys(schema.timers ?? {})),
      waitKinds: new Set(Object.keys(schema.waits ?? {})),
      scheduleKinds: new Set(Object.keys(schema.schedules ?? {})),
      events: new Set(Object.keys(schema.events ?? {})),
    })
  }

  /** PERF: one map lookup, the handler, and one outcome object. */
  apply(base: MachineContext, name: string, input: Value): Outcome {
    const outer = this.window.enter(base)
    try {
      const result = this.run(name, input)
      if (isRejection(result)) return { kind: 'reject', code: result.code, details: result.details as Value }
      if (this.window.mustReject) throw new Error(PARTIAL_CALL)
      return { kind: 'value', value: result }
    } finally {
      this.window.leave(outer)
    }
  }

  /** The handler of a command inside an open window. */
  run(name: string, input: Value): Value | Rejection {
    const command = this.commands.get(name)
    if (command === undefined) return rejection('UNKNOWN_COMMAND', { machine: this.name, command: name })
    const result = command.handler(this.context, input)
    if (isRejection(result)) return result
    return plain(result, this.name, name)
  }

  onSessionCreated(base: MachineContext, session: SessionInfo): Rejection | null {
    const { onSessionCreated } = this.behaviour
    if (onSessionCreated === undefined) return null
    const result = this.hook(base, () => onSessionCreated(this.context, session))
    return isRejection(result) ? result : null
  }

  onSessionExpired(
    base: MachineContext,
    session: SessionInfo,
    { pending, reason }: { readonly pending: readonly ServerRequest[]; readonly reason: 'expired' | 'closed' },
  ): HookOutcome {
    const { onSessionExpired } = this.behaviour
    if (onSessionExpired === undefined) return
    return outcomeOf(this.hook(base, () => onSessionExpired(this.context, session, pending, reason)))
  }

  onTimer(base: MachineContext, name: string, payload: Value): HookOutcome {
    const slash = name.indexOf('/')
    const kind = slash < 0 ? name : name.slice(0, slash)
    const handler = this.timers.get(kind)
    if (handler === undefined) throw new Error(`${this.name} has no handler for timer ${kind}`)
    return outcomeOf(this.hook(base, () => handler(this.context, payload, slash < 0 ? '' : name.slice(slash + 1))))
  }

  /** The key of the session layer is `kind/key`. */
  onWait(base: MachineContext, { waitId, key, end, owner, undelivered }: EndedWaitNotice): HookOutcome {
    const slash = key.indexOf('/')
    const kind = key.slice(0, slash)
    const handler = this.waits.get(kind)
    if (handler === undefined) throw new Error(`${this.name} has no handler for wait ${kind}`)
    const notice = { waitId, key: key.slice(slash + 1), end, owner, undelivered }
    return outcomeOf(this.hook(base, () => handler(this.context, notice)))
  }

  /** The name of the session layer is that of a timer: `kind/key`, or the kind alone. */
  onSchedule(base: MachineContext, { machine: _, name, ...run }: ScheduleRun): void | 'open' | Outcome {
    const slash = name.indexOf('/')
    const kind = slash < 0 ? name : name.slice(0, slash)
    const handler = this.schedules.get(kind)
    if (handler === undefined) throw new Error(`${this.name} has no handler for schedule ${kind}`)
    const returned = this.hook(base, () => handler(this.context, run, slash < 0 ? '' : name.slice(slash + 1)))
    if (isRejection(returned) && base.hasOwn(REJECTED_RUNS_SINCE)) return outcomeOf(returned)
    if (isRejection(returned)) throw new Error(`schedule ${kind} rejected: there is nobody whom a run could tell`)
    return returned === 'open' ? 'open' : undefined
  }

  onDeadLetter(base: MachineContext, request: ServerRequest, target: SessionInfo): HookOutcome {
    const { onDeadLetter } = this.behaviour
    if (onDeadLetter === undefined) return
    return outcomeOf(this.hook(base, () => onDeadLetter(this.context, request, target)))
  }

  /** The one place where apply parses: an invalid result is a failed attempt, so replicas must judge it (domain.md §0.7). */
  onTaskResult(base: MachineContext, task: TaskRecord, result: Value): TaskOutcome {
    const schema = this.results.get(task.kind)
    const handlers = this.tasks.get(task.kind)
    if (schema === undefined || handlers === undefined) throw new Error(`${this.name} has no task kind ${task.kind}`)
    const parsed = z.safeParse(schema, result)
    if (!parsed.success) return { kind: 'invalid', details: replicatedIssues(parsed.error.issues) }
    const answer = this.hook(base, () => handlers.onResult(this.context, task, parsed.data))
    if (isRejection(answer)) throw new Error(`onResult of ${task.kind} rejected: a valid result is taken or ignored`)
    return { kind: 'done', value: plain(answer, this.name, task.kind) }
  }

  onTaskFailed(base: MachineContext, task: TaskRecord, reason: string): HookOutcome {
    const handlers = this.tasks.get(task.kind)
    if (handlers === undefined) throw new Error(`${this.name} has no task kind ${task.kind}`)
    return outcomeOf(this.hook(base, () => handlers.onFailed(this.context, task, reason)))
  }

  /** What it does about an event; a rejection is the whole entry's. */
  onEvent(base: MachineContext, { machine, event, payload }: PublishedEvent): Rejection | null {
    const heard = this.subscriptions.get(`${machine}.${event}`)
    if (heard === undefined) return null
    const result = this.hook(base, () => heard.handle(this.context, payload))
    return isRejection(result) ? result : null
  }

  /**
   * The indexes, then every migration above `from` up to `to`, in order, step by step. Between two steps the window is shut.
   * A rejection ends it.
   */
  *migrate(
    base: MachineContext,
    { from, to }: { readonly from: number; readonly to: number },
  ): Generator<void, HookOutcome> {
    const due = Object.entries(this.behaviour.migrations ?? {})
      .map(([version, run]) => ({ version: Number(version), run }))
      .filter(({ version }) => version > from && version <= to)
      .sort((left, right) => left.version - right.version)
    yield* migrateIndexes(base.state, this.name, this.indexes)
    for (const { run } of due) {
      const returned = this.hook(base, () => run(this.context))
      let last = isSteps(returned) ? undefined : returned
      while (isSteps(returned)) {
        const { done, value } = this.hook(base, () => stepped(returned, this.name)) as IteratorResult<unknown>
        last = value
        if (done === true) break
        yield
      }
      // Before that version a rejection went unheard, and the migrations behind it ran.
      if (isRejection(last) && base.hasOwn(REJECTED_HOOKS_SINCE)) return outcomeOf(last)
    }
  }

  query(view: QueryView, name: string, input: Value): Outcome {
    const query = this.queries.get(name)
    if (query === undefined)
      return { kind: 'reject', code: 'UNKNOWN_QUERY', details: { machine: this.name, query: name } }
    const outer = this.queryWindow.enter(view)
    try {
      const read = (tables: TablesRef): TableViewsByName => this.caller.read(tables, 'query')
      const result = query.handler(this.queryViews, input, new KitQueryContext(view, read))
      if (isRejection(result)) return { kind: 'reject', code: result.code, details: result.details as Value }
      return { kind: 'value', value: plain(result, this.name, name) }
    } finally {
      this.queryWindow.leave(outer)
    }
  }

  private hook(base: MachineContext, run: () => unknown): unknown {
    const outer = this.window.enter(base)
    try {
      const result = run()
      if (isThenable(result)) throw new Error(asynchronous(this.name, 'a hook'))
      if (this.window.mustReject && !isRejection(result)) throw new Error(PARTIAL_CALL)
      return result
    } finally {
      this.window.leave(outer)
    }
  }
}

const PARTIAL_CALL =
  'a command run by ctx.call threw, or rejected after it had changed something; return a rejection too, so that all of it is rolled back'

/** Runs one step. */
function stepped(steps: Iterator<unknown, unknown, undefined>, machine: string): IteratorResult<unknown> {
  const step = steps.next()
  if (isThenable(step.value)) throw new Error(asynchronous(machine, 'a migration'))
  return step
}

/** Only the fields of the contract: what the schema holds beside them stays out of the session layer. */
function taskKind(kind: string, { role, leaseMs, maxAttempts, backoffMs }: Omit<TaskKind, 'kind'>): TaskKind {
  return { kind, role, leaseMs, maxAttempts, backoffMs }
}

/** Refuses promises; undefined (a handler without a result) becomes null. The walk checks the rest. */
function plain(result: unknown, machine: string, name: string): Value {
  if (result === undefined) return null
  if (isThenable(result)) throw new Error(asynchronous(machine, name))
  return result as Value
}

const asynchronous = (machine: string, name: string): string =>
  `${name} of machine ${machine} returned a promise; handlers are synchronous. Hand the work to a worker with ctx.task or ` +
  'ctx.emit and let its answer come back as a command'

/** Paths and codes only: messages may change with the library or a locale, and these are replicated. */
function replicatedIssues(issues: readonly z.core.$ZodIssue[]): Value {
  return { issues: issues.slice(0, 20).map(({ path, code }) => ({ path: issuePath(path), code })) }
}
