import { sessionId, type Millis, type SessionId } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type {
  EmitOptions,
  MachineContext,
  OpenTask,
  SessionInfo,
  SignalFate,
  SignalOptions,
  TaskKind,
  WaitOptions,
  Outcome,
} from '../../session/user-machine.ts'
import { RETURNED_PROMISES_SINCE } from '../../session/own-versions.ts'
import { isThenable } from '../../session/run/returned.ts'
import type { CommandRef } from '../define/command.ts'
import type { OnceOutcome, OnceRequest } from '../define/context.ts'
import { isRejection, Rejection, type ErrorDetails } from '../define/rejection.ts'
import type { TablesRef } from '../define/tables-of.ts'
import type { CallWindow } from './call-window.ts'
import type { PublishedEvent } from './event-queue.ts'
import { NamedSchedules } from './kit-schedules.ts'
import type { AnyTable, TableViewsByName } from './machine-tables.ts'

/** Who acts in timers and hooks that no client session issued (domain.md §0.1); an emission to it returns false. */
export const SYSTEM_SESSION: SessionInfo = Object.freeze({
  id: sessionId(0, 0, 0),
  principal: 'system',
  roles: Object.freeze([]),
  capabilities: Object.freeze({}),
  name: 'system',
})

/** What the contexts of one mount share: the way to the other machines. */
export interface Caller {
  call(machine: string, command: string, input: Value): Value | Rejection
  /** Queues an event; throws for what is no plain data. */
  publish(event: PublishedEvent): void
  /** Runs a function in a transaction of its own, then delivers what it published. */
  alone<Result>(context: MachineContext, run: () => Result): Result
  read(tables: TablesRef, through: 'call' | 'query'): TableViewsByName
}

/** The parts of a machine that its context needs. */
export interface ContextParts {
  readonly machine: string
  readonly window: CallWindow
  readonly tables: { readonly [name: string]: AnyTable }
  readonly taskKinds: ReadonlyMap<string, TaskKind>
  readonly timerKinds: ReadonlySet<string>
  readonly waitKinds: ReadonlySet<string>
  readonly scheduleKinds: ReadonlySet<string>
  readonly events: ReadonlySet<string>
  readonly caller: Caller
}

/**
 * `Context` of define/context.ts (machines.md §1), without the types of a particular schema. One object per mounted
 * machine, made once: during a call it looks through the shared window, outside it throws.
 */
export class KitContext {
  readonly state: { readonly [name: string]: AnyTable }
  readonly reject: (code: string, details?: ErrorDetails) => Rejection
  readonly schedules: NamedSchedules
  private readonly parts: ContextParts
  private readonly window: CallWindow

  constructor(parts: ContextParts) {
    this.parts = parts
    this.window = parts.window
    this.state = parts.tables
    this.reject = rejection
    this.schedules = new NamedSchedules({
      machine: parts.machine,
      kinds: parts.scheduleKinds,
      changing: () => this.changing().schedules,
      reading: () => this.window.base().schedules,
    })
  }

  get now(): Millis {
    return this.window.base().now
  }

  get index(): number {
    return this.window.base().index
  }

  get incarnation(): number {
    return this.window.base().incarnation
  }

  get session(): SessionInfo {
    return this.window.base().session ?? SYSTEM_SESSION
  }

  get principal(): string {
    return this.session.principal
  }

  get roles(): readonly string[] {
    return this.session.roles
  }

  emit(target: SessionId, type: string, payload: Value, options?: EmitOptions): boolean {
    return this.changed(this.window.base().emit(target, `${this.parts.machine}.${type}`, payload, options))
  }

  notify(principal: string, topic: string, body: Value): void {
    this.changing().notify(principal, topic, body)
  }

  task(kind: string, ref: string, payload: Value): string {
    const declared = this.parts.taskKinds.get(kind)
    if (declared === undefined) throw new Error(`${this.parts.machine} declares no task kind ${kind}`)
    return this.changing().task(this.parts.machine, declared, ref, payload)
  }

  cancelTask(taskId: string): boolean {
    return this.changed(this.window.base().cancelTask(taskId))
  }

  openTasks(kind: string, ref: string | null = null): readonly OpenTask[] {
    return this.window.base().openTasks(this.parts.machine, kind, ref)
  }

  schedule(kind: string, dueAt: Millis, payload: Value, key = ''): void {
    this.changing().schedule(this.parts.machine, this.timerName(kind, key), dueAt, payload)
  }

  cancel(kind: string, key = ''): boolean {
    return this.changed(this.window.base().cancel(this.parts.machine, this.timerName(kind, key)))
  }

  wait(kind: string, key: string, options: WaitOptions = {}): string | null {
    const { machine } = this.parts
    const { deliver = null, ...others } = options
    const named = deliver === null ? null : { type: `${machine}.${deliver.type}` }
    const waitId = this.window.base().wait(machine, this.waitKey(kind, key), { ...others, deliver: named })
    this.changed(waitId !== null)
    return waitId
  }

  signal(kind: string, key: string, value: Value, options?: SignalOptions): SignalFate {
    const fate = this.window.base().signal(this.parts.machine, this.waitKey(kind, key), value, options)
    this.changed(fate !== 'refused')
    return fate
  }

  cancelWait(waitId: string): boolean {
    return this.changed(this.window.base().cancelWait(this.parts.machine, waitId))
  }

  call(command: CommandRef | string, inputOrName: unknown, input?: unknown): Value | Rejection {
    const { caller } = this.parts
    // The typed overloads of `Context.call` were checked where the handler was written.
    if (typeof command === 'string') return caller.call(command, inputOrName as string, input as Value)
    return caller.call(command.machine, command.name, inputOrName as Value)
  }

  publish(event: string, payload: Value): void {
    const { machine, events, caller } = this.parts
    if (!events.has(event)) throw new Error(`${machine} declares no event ${event}`)
    this.changing()
    caller.publish({ machine, event, payload })
  }

  read(tables: TablesRef): TableViewsByName {
    return this.parts.caller.read(tables, 'call')
  }

  once(request: OnceRequest, run: () => unknown): OnceOutcome<unknown> {
    const { scope, key, fingerprint, retentionMs } = request
    return this.changing().once(scope, key, fingerprint, retentionMs, () => {
      const value = run()
      if (value instanceof Rejection) throw new Error('ctx.once stores a result: reject before it, not inside')
      return value as Value
    })
  }

  audit(record: Value): void {
    this.window.base().audit(record)
  }

  alert(kind: string, details?: Value): void {
    this.window.base().alert(kind, details)
  }

  afterReject(run: (context: KitContext) => void): void {
    const { window } = this
    const within = (context: MachineContext): HookOutcome => {
      const outer = window.enter(context)
      try {
        const returned: unknown = run(this)
        // A promise is no outcome, which the session layer finds out.
        if (isThenable(returned) && context.hasOwn(RETURNED_PROMISES_SINCE)) return returned as Outcome
        return outcomeOf(returned)
      } finally {
        window.leave(outer)
      }
    }
    window.base().afterReject((context) => this.parts.caller.alone(context, () => within(context)))
  }

  principalsKnown(prefix: string): readonly string[] {
    return this.window.base().principalsKnown(prefix)
  }

  hash(bytes: Uint8Array): Uint8Array {
    return this.window.base().hash(bytes)
  }

  hashHex(text: string): string {
    return this.window.base().hashHex(text)
  }

  id(prefix: string): string {
    return this.window.base().id(prefix)
  }

  random(): number {
    return this.window.base().random()
  }

  log(message: string, fields?: { readonly [name: string]: Value }): void {
    this.window.base().log(message, fields)
  }

  /** Something was changed, or, with false, found no room or nothing to change: a command may still reject alone then. */
  private changed(something: boolean): boolean {
    if (something) this.window.changes += 1
    return something
  }

  private changing(): MachineContext {
    this.window.changes += 1
    return this.window.base()
  }

  private waitKey(kind: string, key: string): string {
    const { machine, waitKinds } = this.parts
    if (!waitKinds.has(kind)) throw new Error(`${machine} declares no wait ${kind}`)
    return `${kind}/${key}`
  }

  private timerName(kind: string, key: string): string {
    const { machine, timerKinds } = this.parts
    if (!timerKinds.has(kind)) throw new Error(`${machine} declares no timer ${kind}`)
    return key === '' ? kind : `${kind}/${key}`
  }
}

/** Of a function that nobody waits for: a rejection, or nothing. */
export type HookOutcome = void | Outcome

/** What a hook returned, of which a rejection alone means something: what it did is rolled back. */
export function outcomeOf(returned: unknown): HookOutcome {
  if (!isRejection(returned)) return
  return { kind: 'reject', code: returned.code, details: returned.details as Value }
}

/** Makes a rejection; fields that are undefined are left out, because they are not plain data. */
export function rejection(code: string, details: ErrorDetails = {}): Rejection {
  const defined = Object.entries(details).filter(([, value]) => value !== undefined)
  return new Rejection(code, Object.fromEntries(defined))
}
