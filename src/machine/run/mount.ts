import type { z } from 'zod'
import { assert } from '../../base/assert.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import type {
  BuildMachine,
  EndedWaitNotice,
  MachineCommand,
  MachineContext,
  Outcome,
  QueryView,
  ServerRequest,
  SessionInfo,
  TaskRecord,
  UserStateMachine,
} from '../../session/user-machine.ts'
import type { BareMachine } from '../define/bare.ts'
import type { MachineDefinition } from '../define/define-machine.ts'
import type { ScheduleRun } from '../../session/schedule.ts'
import { KitMachine, type TaskOutcome } from './kit-machine.ts'
import type { Caller } from './kit-context.ts'
import {
  InputParser,
  inputSchemas,
  personalCommands,
  type InputSchemas,
  type ParsedCommand,
  type ParsedQuery,
} from '../parse/input-parser.ts'
import type { FieldSealer } from '../personal/seal-fields.ts'
import { Rejection } from '../define/rejection.ts'
import type { TablesRef } from '../define/tables-of.ts'
import { CallWindow, QueryWindow } from './call-window.ts'
import { EventQueue, type PublishedEvent } from './event-queue.ts'
import { ForeignTables } from './foreign-tables.ts'
import type { TableViewsByName } from './machine-tables.ts'
import { byName, VersionSet } from '../define/version-set.ts'
import { identityOf } from '../define/identity.ts'
import { REJECTED_HOOKS_SINCE, RETURNED_PROMISES_SINCE } from '../../session/own-versions.ts'
import { isReject, isSteps, isThenable } from '../../session/run/returned.ts'

/** A machine of either style. */
export type Mountable = MachineDefinition | BareMachine

/** Several machines behind the three functions of the session framework, with the parsers of their inputs. */
export interface Mount {
  readonly userMachine: UserStateMachine
  /**
   * Parses a command's bytes before the log sees them, by the version of the machine that is active (`activeVersion` of the
   * applied state); without one, by the highest that this build has.
   */
  parse(machine: string, command: string, bytes: Uint8Array, active?: number, sealer?: FieldSealer): ParsedCommand
  parseQuery(machine: string, query: string, bytes: Uint8Array, active?: number): ParsedQuery
  readonly definitions: readonly Mountable[]
  /** Whether any machine has personal fields in its commands: who hosts it needs keys for their subjects. */
  readonly isPersonal: boolean
  /** Whether that command has: then nothing that is made of its bytes may be stored. */
  holdsPersonal(machine: string, command: string): boolean
}

/**
 * Puts machines together under one `UserStateMachine`. Hooks visit them in the order of their names; one entry is
 * one transaction over all of them, and a domain event reaches its listeners in the order of their names too, within it
 * (docs/decisions/domain-events.md). A name may come in several versions, of which the log says which one runs. Crashes when
 * two have one name and one version, or one listens to an event that no version of its publisher declares.
 */
export function mount(machines: readonly Mountable[], codec: SessionCodec): Mount {
  const named = byName(machines)
  const schemas = [...named].map(([name, versions]) => {
    const numbers = versions.map(versionOf)
    assert(new Set(numbers).size === numbers.length, 'two machines have one name and one version', { name, numbers })
    return [name, new VersionSet(versions.map((machine) => [versionOf(machine), schemasOf(machine)]))] as const
  })
  assertPublished(machines)
  const parser = new InputParser(codec, new Map(schemas))
  return {
    userMachine: new MountedMachines(machines, codec),
    parse: (machine, command, bytes, active, sealer) => parser.parse(machine, command, bytes, active, sealer),
    parseQuery: (machine, query, bytes, active) => parser.parseQuery(machine, query, bytes, active),
    definitions: machines,
    isPersonal: parser.isPersonal,
    holdsPersonal: (machine, command) => parser.holdsPersonal(machine, command),
  }
}

/** How deep `ctx.call` may nest: a bound of its own, because the stack's differs between nodes (sessions.md §10). */
export const CALL_DEPTH_MAX = 16

class MountedMachines implements UserStateMachine, Caller {
  running: string | null = null
  private readonly window = new CallWindow()
  private readonly queryWindow = new QueryWindow()
  private readonly codec: SessionCodec
  private readonly queue = new EventQueue()
  private readonly foreign: { readonly call: ForeignTables; readonly query: ForeignTables }
  /** By name, in the order in which the hooks visit them. */
  private readonly named: ReadonlyMap<string, VersionSet<Mounted>>
  private readonly definitions: readonly Mountable[]
  private build: readonly BuildMachine[] | null = null

  constructor(machines: readonly Mountable[], codec: SessionCodec) {
    const parts = { codec, window: this.window, queryWindow: this.queryWindow, caller: this }
    this.codec = codec
    this.foreign = { call: new ForeignTables(codec), query: new ForeignTables(codec) }
    this.definitions = machines
    this.named = new Map(
      [...byName(machines)].map(([name, versions]) => [
        name,
        new VersionSet(
          versions.map((machine): readonly [number, Mounted] => [
            versionOf(machine),
            machine.kind === 'bare' ? machine.machine : new KitMachine(machine, parts),
          ]),
        ),
      ]),
    )
  }

  /** PERF: made when it is first asked for: it walks every schema. */
  get machines(): readonly BuildMachine[] {
    this.build ??= [...byName(this.definitions)].map(([name, versions]) => ({
      name,
      versions: versions
        .map(identityOf)
        .map(({ version, schema, code }) => ({ version, schema, code }))
        .sort((left, right) => left.version - right.version),
    }))
    return this.build
  }

  apply(context: MachineContext, command: MachineCommand): Outcome {
    this.running = command.machine
    const machine = this.at(context, command.machine)
    if (machine instanceof KitMachine) {
      this.queue.begin()
      const outcome = machine.apply(context, command.command, command.input)
      const refusal = outcome.kind === 'value' ? this.deliver(context) : null
      return refusal === null ? outcome : rejected(refusal)
    }
    if (machine !== null) return machine.apply(context, command)
    return { kind: 'reject', code: 'UNKNOWN_MACHINE', details: { machine: command.machine } }
  }

  publish(event: PublishedEvent): void {
    // Validates and freezes; what it folds is of no use, since what the listeners do with it is hashed.
    this.codec.walk(event.payload, { high: 0, low: 0 })
    this.queue.add(event)
  }

  alone<Result>(context: MachineContext, run: () => Result): Result {
    this.queue.begin()
    const result = run()
    // Nothing that it published stands. Before that version all of it did.
    if (isReject(result) && context.hasOwn(REJECTED_HOOKS_SINCE)) return result
    const refusal = this.deliver(context)
    if (refusal !== null) throw new Error(`a listener refused an event with ${refusal.code}, outside a command`)
    return result
  }

  read(tables: TablesRef, through: 'call' | 'query'): TableViewsByName {
    const log = through === 'call' ? this.window.base() : this.queryWindow.base()
    const machine = this.at(log, tables.machine)
    const own = machine instanceof KitMachine ? machine[through === 'call' ? 'callViews' : 'queryViews'] : null
    return this.foreign[through].of(tables, own)
  }

  /** Every event that was published, and those that are published meanwhile; the first refusal ends it. */
  private deliver(context: MachineContext): Rejection | null {
    for (let event = this.queue.take(); event !== null; event = this.queue.take()) {
      for (const name of this.named.keys()) {
        const machine = this.at(context, name)
        if (!(machine instanceof KitMachine)) continue
        this.running = name
        const refusal = machine.onEvent(context, event)
        if (refusal !== null) return refusal
      }
    }
    return null
  }

  /** `ctx.call`: the other machine's command in the open window. */
  call(machine: string, command: string, input: Value): Value | Rejection {
    const { window, running } = this
    if (window.depth >= CALL_DEPTH_MAX) throw new Error(`ctx.call is nested more than ${CALL_DEPTH_MAX} deep`)
    const changesBefore = window.changes
    window.depth += 1
    this.running = machine
    try {
      const result = this.callOne(machine, command, input)
      if (result instanceof Rejection && window.changes !== changesBefore) window.mustReject = true
      return result
    } catch (error) {
      // A throw is a bug wherever it is caught: no part of the entry may commit.
      window.mustReject = true
      throw error
    } finally {
      this.running = running
      window.depth -= 1
    }
  }

  onSessionCreated(context: MachineContext, session: SessionInfo): void | Outcome {
    this.queue.begin()
    for (const name of this.named.keys()) {
      this.running = name
      const machine = this.at(context, name)
      if (machine instanceof KitMachine) {
        const refusal = machine.onSessionCreated(context, session)
        if (refusal !== null) return rejected(refusal)
        continue
      }
      const outcome = heard(context, machine?.onSessionCreated(context, session))
      if (outcome !== undefined) return outcome
    }
    const refusal = this.deliver(context)
    if (refusal !== null) return rejected(refusal)
  }

  onSessionExpired(
    context: MachineContext,
    session: SessionInfo,
    pending: readonly ServerRequest[],
    reason: 'expired' | 'closed',
  ): void | Outcome {
    return this.alone(context, () => {
      const outcomes = [...this.named.keys()].map((name) => {
        this.running = name
        const machine = this.at(context, name)
        if (machine instanceof KitMachine) return machine.onSessionExpired(context, session, { pending, reason })
        return heard(context, machine?.onSessionExpired(context, session, pending, reason))
      })
      return outcomes.find((outcome) => outcome !== undefined)
    })
  }

  onTimer(context: MachineContext, timer: { machine: string; name: string; payload: Value }): void | Outcome {
    this.running = timer.machine
    const machine = this.owner(context, timer.machine)
    return this.alone(context, () => {
      if (machine instanceof KitMachine) return machine.onTimer(context, timer.name, timer.payload)
      return heard(context, machine.onTimer?.(context, timer))
    })
  }

  onWait(context: MachineContext, ended: EndedWaitNotice): void | Outcome {
    this.running = ended.machine
    const machine = this.owner(context, ended.machine)
    return this.alone(context, () => heard(context, machine.onWait?.(context, ended)))
  }

  onSchedule(context: MachineContext, run: ScheduleRun): void | 'open' | Outcome {
    this.running = run.machine
    const machine = this.owner(context, run.machine)
    return this.alone(context, () => machine.onSchedule?.(context, run))
  }

  /** A request's type is `machine.type`; those of the framework (tasks, notifications) concern no machine. */
  onDeadLetter(context: MachineContext, request: ServerRequest, target: SessionInfo): void | Outcome {
    const owner = request.type.slice(0, Math.max(0, request.type.indexOf('.')))
    this.running = owner
    return this.alone(context, () => heard(context, this.at(context, owner)?.onDeadLetter?.(context, request, target)))
  }

  onTaskResult(context: MachineContext, task: TaskRecord, result: Value): TaskOutcome {
    this.running = task.machine
    const owner = this.owner(context, task.machine)
    return this.alone(context, () => owner.onTaskResult?.(context, task, result) ?? { kind: 'done', value: null })
  }

  onTaskFailed(context: MachineContext, task: TaskRecord, reason: string): void | Outcome {
    this.running = task.machine
    const owner = this.owner(context, task.machine)
    return this.alone(context, () => heard(context, owner.onTaskFailed?.(context, task, reason)))
  }

  /**
   * By the code of the version that the machine goes to, step by step. It changes rows alone: other machines do not see it half
   * done.
   */
  *migrate(
    context: MachineContext,
    machine: string,
    versions: { readonly from: number; readonly to: number },
  ): Generator<void, unknown> {
    const newer = this.named.get(machine)?.exactly(versions.to) ?? null
    const steps = newer === null ? NO_STEPS.values() : migrationOf(newer, context, { machine, ...versions })
    for (;;) {
      // Between two steps other functions may have run: queries, and what is only tried.
      this.running = machine
      this.queue.begin()
      const { done, value } = steps.next()
      if (this.queue.take() !== null)
        throw new Error(`a migration of ${machine} published an event; it may change rows alone`)
      if (done === true) return heard(context, value)
      yield
    }
  }

  query(view: QueryView, request: { machine: string; query: string; input: Value }): Outcome {
    const machine = this.at(view, request.machine)
    if (machine instanceof KitMachine) return machine.query(view, request.query, request.input)
    const details = { machine: request.machine, query: request.query }
    const code = machine === null ? 'UNKNOWN_MACHINE' : 'UNKNOWN_QUERY'
    return machine?.query?.(view, request) ?? { kind: 'reject', code, details }
  }

  private callOne(machine: string, command: string, input: Value): Value | Rejection {
    const base = this.window.base()
    const owner = this.owner(base, machine)
    if (owner instanceof KitMachine) return owner.run(command, input)
    const outcome = owner.apply(base, { machine, command, input })
    // A bare machine writes past the window: whatever it rejects counts as changed.
    this.window.changes += 1
    return outcome.kind === 'value' ? outcome.value : new Rejection(outcome.code, outcome.details)
  }

  /** The machine of that name at the version that the log is at; null when there is none, or none is active. */
  private at(log: Pick<MachineContext, 'activeVersion'>, name: string): Mounted | null {
    return this.named.get(name)?.at(log.activeVersion(name)) ?? null
  }

  private owner(log: Pick<MachineContext, 'activeVersion'>, name: string): Mounted {
    const owner = this.at(log, name)
    if (owner !== null) return owner
    const known = [...this.named.keys()].join(', ')
    if (this.named.has(name)) throw new Error(`machine ${name} is not active: the log has not switched to it yet`)
    throw new Error(`no machine ${name} is mounted; mounted: ${known}`)
  }
}

/**
 * Of what a function returned that nobody waits for a rejection counts, and nothing else that a bare machine may return; but a
 * promise goes on to whoever refuses it, since a version of the session layer.
 */
function heard(context: MachineContext, returned: unknown): Outcome | undefined {
  // No outcome, which the session layer finds out.
  if (isThenable(returned) && context.hasOwn(RETURNED_PROMISES_SINCE)) return returned as Outcome
  return isReject(returned) ? returned : undefined
}

const NO_STEPS: readonly never[] = []

function* migrationOf(
  newer: Mounted,
  context: MachineContext,
  { machine, ...versions }: { readonly machine: string; readonly from: number; readonly to: number },
): Generator<unknown, unknown> {
  if (newer instanceof KitMachine) return yield* newer.migrate(context, versions)
  const returned = newer.migrate?.(context, machine, versions)
  if (!isSteps(returned)) {
    if (isThenable(returned))
      throw new Error(`a migration of ${machine} returned a promise; migrations are synchronous`)
    return returned
  }
  return yield* { [Symbol.iterator]: () => returned }
}

function rejected({ code, details }: Rejection): Extract<Outcome, { kind: 'reject' }> {
  return { kind: 'reject', code, details: details as Value }
}

/** A misspelt event would never be heard of. One of a machine that is not mounted may be listened to all the same. */
function assertPublished(machines: readonly Mountable[]): void {
  const definitions = machines.filter((machine) => machine.kind === 'definition')
  for (const { name, behaviour } of definitions) {
    for (const { machine, event } of behaviour.on ?? []) {
      const publishers = definitions.filter((definition) => definition.name === machine)
      const declares = publishers.some(({ schema }) => Object.hasOwn(schema.events ?? {}, event))
      assert(publishers.length === 0 || declares, 'a machine listens to an event that its publisher does not declare', {
        listener: name,
        event: `${machine}.${event}`,
      })
    }
  }
}

/** One version of a machine, of either style. */
type Mounted = KitMachine | UserStateMachine

function versionOf(machine: Mountable): number {
  return machine.version ?? 1
}

function schemasOf(machine: Mountable): InputSchemas {
  if (machine.kind === 'definition') {
    const { version, commands, queries } = machine
    const personal = personalCommands(commands)
    const inputs = { version, commands: inputSchemas(commands), queries: inputSchemas(queries) }
    return personal === undefined ? inputs : { ...inputs, personal }
  }
  const wrap = (shapes: { readonly [name: string]: z.core.$ZodType } | undefined): InputSchemas['commands'] =>
    shapes === undefined
      ? null
      : inputSchemas(Object.fromEntries(Object.entries(shapes).map(([name, input]) => [name, { input }])))
  return { version: machine.version ?? 1, commands: wrap(machine.commands), queries: wrap(machine.queries) }
}
