import type { z } from 'zod'
import { assert } from '../../base/assert.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import type {
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
import { KitMachine, type TaskOutcome } from './kit-machine.ts'
import type { Caller } from './kit-context.ts'
import {
  InputParser,
  inputSchemas,
  type InputSchemas,
  type ParsedCommand,
  type ParsedQuery,
} from '../parse/input-parser.ts'
import { Rejection } from '../define/rejection.ts'
import { CallWindow } from './call-window.ts'

/** A machine of either style. */
export type Mountable = MachineDefinition | BareMachine

/** Several machines behind the three functions of the session framework, with the parsers of their inputs. */
export interface Mount {
  readonly userMachine: UserStateMachine
  /** Parses a command's bytes before the log sees them. */
  parse(machine: string, command: string, bytes: Uint8Array): ParsedCommand
  parseQuery(machine: string, query: string, bytes: Uint8Array): ParsedQuery
  readonly definitions: readonly Mountable[]
}

/**
 * Puts machines together under one `UserStateMachine`. Hooks visit them in the given order; one entry is one
 * transaction over all of them. Crashes when two have one name.
 */
export function mount(machines: readonly Mountable[], codec: SessionCodec): Mount {
  for (const [position, { name }] of machines.entries()) {
    assert(machines.findIndex((machine) => machine.name === name) === position, 'two machines have one name', { name })
  }
  const parser = new InputParser(codec, new Map(machines.map((machine) => [machine.name, schemasOf(machine)])))
  return {
    userMachine: new MountedMachines(machines, codec),
    parse: (machine, command, bytes) => parser.parse(machine, command, bytes),
    parseQuery: (machine, query, bytes) => parser.parseQuery(machine, query, bytes),
    definitions: machines,
  }
}

/** How deep `ctx.call` may nest: a bound of its own, because the stack's differs between nodes (sessions.md §10). */
export const CALL_DEPTH_MAX = 16

class MountedMachines implements UserStateMachine, Caller {
  running: string | null = null
  private readonly window = new CallWindow()
  private readonly kit: ReadonlyMap<string, KitMachine>
  private readonly bare: ReadonlyMap<string, UserStateMachine>
  /** Names in mount order, in which the hooks visit them. */
  private readonly order: readonly string[]

  constructor(machines: readonly Mountable[], codec: SessionCodec) {
    const parts = { codec, window: this.window, caller: this }
    this.order = machines.map(({ name }) => name)
    this.kit = new Map(
      machines.flatMap((machine) =>
        machine.kind === 'definition' ? [[machine.name, new KitMachine(machine, parts)]] : [],
      ),
    )
    this.bare = new Map(
      machines.flatMap((machine) => (machine.kind === 'bare' ? [[machine.name, machine.machine]] : [])),
    )
  }

  apply(context: MachineContext, command: MachineCommand): Outcome {
    this.running = command.machine
    const machine = this.kit.get(command.machine)
    if (machine !== undefined) return machine.apply(context, command.command, command.input)
    const bare = this.bare.get(command.machine)
    if (bare !== undefined) return bare.apply(context, command)
    return { kind: 'reject', code: 'UNKNOWN_MACHINE', details: { machine: command.machine } }
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
    for (const name of this.order) {
      this.running = name
      const refusal = this.kit.get(name)?.onSessionCreated(context, session) ?? null
      if (refusal !== null) return { kind: 'reject', code: refusal.code, details: refusal.details as Value }
      const outcome = this.bare.get(name)?.onSessionCreated(context, session)
      if (outcome?.kind === 'reject') return outcome
    }
  }

  onSessionExpired(
    context: MachineContext,
    session: SessionInfo,
    pending: readonly ServerRequest[],
    reason: 'expired' | 'closed',
  ): void {
    for (const name of this.order) {
      this.running = name
      this.kit.get(name)?.onSessionExpired(context, session, { pending, reason })
      this.bare.get(name)?.onSessionExpired(context, session, pending, reason)
    }
  }

  onTimer(context: MachineContext, timer: { machine: string; name: string; payload: Value }): void {
    this.running = timer.machine
    const machine = this.kit.get(timer.machine)
    if (machine !== undefined) return machine.onTimer(context, timer.name, timer.payload)
    this.bareOwner(timer.machine).onTimer?.(context, timer)
  }

  /** A request's type is `machine.type`; those of the framework (tasks, notifications) concern no machine. */
  onDeadLetter(context: MachineContext, request: ServerRequest, target: SessionInfo): void {
    const owner = request.type.slice(0, Math.max(0, request.type.indexOf('.')))
    this.running = owner
    this.kit.get(owner)?.onDeadLetter(context, request, target)
    this.bare.get(owner)?.onDeadLetter?.(context, request, target)
  }

  onTaskResult(context: MachineContext, task: TaskRecord, result: Value): TaskOutcome {
    this.running = task.machine
    const machine = this.kit.get(task.machine)
    if (machine !== undefined) return machine.onTaskResult(context, task, result)
    return this.bareOwner(task.machine).onTaskResult?.(context, task, result) ?? { kind: 'done', value: null }
  }

  onTaskFailed(context: MachineContext, task: TaskRecord, reason: string): void {
    this.running = task.machine
    const machine = this.kit.get(task.machine)
    if (machine !== undefined) return machine.onTaskFailed(context, task, reason)
    this.bareOwner(task.machine).onTaskFailed?.(context, task, reason)
  }

  migrate(context: MachineContext, machine: string, to: number): void {
    this.running = machine
    this.kit.get(machine)?.migrate(context, to)
    this.bare.get(machine)?.migrate?.(context, machine, to)
  }

  query(view: QueryView, request: { machine: string; query: string; input: Value }): Outcome {
    const machine = this.kit.get(request.machine)
    if (machine !== undefined) return machine.query(view, request.query, request.input)
    const details = { machine: request.machine, query: request.query }
    const code = this.bare.has(request.machine) ? 'UNKNOWN_QUERY' : 'UNKNOWN_MACHINE'
    return this.bare.get(request.machine)?.query?.(view, request) ?? { kind: 'reject', code, details }
  }

  private callOne(machine: string, command: string, input: Value): Value | Rejection {
    const kit = this.kit.get(machine)
    if (kit !== undefined) return kit.run(command, input)
    const outcome = this.bareOwner(machine).apply(this.window.base(), { machine, command, input })
    // A bare machine writes past the window: whatever it rejects counts as changed.
    this.window.changes += 1
    return outcome.kind === 'value' ? outcome.value : new Rejection(outcome.code, outcome.details)
  }

  private bareOwner(machine: string): UserStateMachine {
    const owner = this.bare.get(machine)
    if (owner === undefined) throw new Error(`no machine ${machine} is mounted; mounted: ${this.order.join(', ')}`)
    return owner
  }
}

function schemasOf(machine: Mountable): InputSchemas {
  if (machine.kind === 'definition') {
    const { version, commands, queries } = machine
    return { version, commands: inputSchemas(commands), queries: inputSchemas(queries) }
  }
  const wrap = (shapes: { readonly [name: string]: z.core.$ZodType } | undefined): InputSchemas['commands'] =>
    shapes === undefined
      ? null
      : inputSchemas(Object.fromEntries(Object.entries(shapes).map(([name, input]) => [name, { input }])))
  return { version: machine.version ?? 1, commands: wrap(machine.commands), queries: wrap(machine.queries) }
}
