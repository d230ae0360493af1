import type { z } from 'zod'
import { assert } from '../../base/assert.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import type {
  BuildMachine,
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
import { byName, VersionSet } from '../define/version-set.ts'
import { identityOf } from '../define/identity.ts'

/** A machine of either style. */
export type Mountable = MachineDefinition | BareMachine

/** Several machines behind the three functions of the session framework, with the parsers of their inputs. */
export interface Mount {
  readonly userMachine: UserStateMachine
  /**
   * Parses a command's bytes before the log sees them, by the version of the machine that is active (`activeVersion` of the
   * applied state); without one, by the highest that this build has.
   */
  parse(machine: string, command: string, bytes: Uint8Array, active?: number): ParsedCommand
  parseQuery(machine: string, query: string, bytes: Uint8Array, active?: number): ParsedQuery
  readonly definitions: readonly Mountable[]
}

/**
 * Puts machines together under one `UserStateMachine`. Hooks visit them in the order of their names; one entry is
 * one transaction over all of them. A name may come in several versions, of which the log says which one runs. Crashes when two
 * have one name and one version.
 */
export function mount(machines: readonly Mountable[], codec: SessionCodec): Mount {
  const named = byName(machines)
  const schemas = [...named].map(([name, versions]) => {
    const numbers = versions.map(versionOf)
    assert(new Set(numbers).size === numbers.length, 'two machines have one name and one version', { name, numbers })
    return [name, new VersionSet(versions.map((machine) => [versionOf(machine), schemasOf(machine)]))] as const
  })
  const parser = new InputParser(codec, new Map(schemas))
  return {
    userMachine: new MountedMachines(machines, codec),
    parse: (machine, command, bytes, active) => parser.parse(machine, command, bytes, active),
    parseQuery: (machine, query, bytes, active) => parser.parseQuery(machine, query, bytes, active),
    definitions: machines,
  }
}

/** How deep `ctx.call` may nest: a bound of its own, because the stack's differs between nodes (sessions.md §10). */
export const CALL_DEPTH_MAX = 16

class MountedMachines implements UserStateMachine, Caller {
  running: string | null = null
  private readonly window = new CallWindow()
  /** By name, in the order in which the hooks visit them. */
  private readonly named: ReadonlyMap<string, VersionSet<Mounted>>
  private readonly definitions: readonly Mountable[]
  private build: readonly BuildMachine[] | null = null

  constructor(machines: readonly Mountable[], codec: SessionCodec) {
    const parts = { codec, window: this.window, caller: this }
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
    if (machine instanceof KitMachine) return machine.apply(context, command.command, command.input)
    if (machine !== null) return machine.apply(context, command)
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
    for (const name of this.named.keys()) {
      this.running = name
      const machine = this.at(context, name)
      if (machine instanceof KitMachine) {
        const refusal = machine.onSessionCreated(context, session)
        if (refusal !== null) return { kind: 'reject', code: refusal.code, details: refusal.details as Value }
        continue
      }
      const outcome = machine?.onSessionCreated(context, session)
      if (outcome?.kind === 'reject') return outcome
    }
  }

  onSessionExpired(
    context: MachineContext,
    session: SessionInfo,
    pending: readonly ServerRequest[],
    reason: 'expired' | 'closed',
  ): void {
    for (const name of this.named.keys()) {
      this.running = name
      const machine = this.at(context, name)
      if (machine instanceof KitMachine) machine.onSessionExpired(context, session, { pending, reason })
      else machine?.onSessionExpired(context, session, pending, reason)
    }
  }

  onTimer(context: MachineContext, timer: { machine: string; name: string; payload: Value }): void {
    this.running = timer.machine
    const machine = this.owner(context, timer.machine)
    if (machine instanceof KitMachine) machine.onTimer(context, timer.name, timer.payload)
    else machine.onTimer?.(context, timer)
  }

  /** A request's type is `machine.type`; those of the framework (tasks, notifications) concern no machine. */
  onDeadLetter(context: MachineContext, request: ServerRequest, target: SessionInfo): void {
    const owner = request.type.slice(0, Math.max(0, request.type.indexOf('.')))
    this.running = owner
    this.at(context, owner)?.onDeadLetter?.(context, request, target)
  }

  onTaskResult(context: MachineContext, task: TaskRecord, result: Value): TaskOutcome {
    this.running = task.machine
    return this.owner(context, task.machine).onTaskResult?.(context, task, result) ?? { kind: 'done', value: null }
  }

  onTaskFailed(context: MachineContext, task: TaskRecord, reason: string): void {
    this.running = task.machine
    this.owner(context, task.machine).onTaskFailed?.(context, task, reason)
  }

  /** By the code of the version that the machine goes to. */
  migrate(context: MachineContext, machine: string, versions: { readonly from: number; readonly to: number }): void {
    this.running = machine
    const newer = this.named.get(machine)?.exactly(versions.to) ?? null
    if (newer instanceof KitMachine) newer.migrate(context, versions)
    else newer?.migrate?.(context, machine, versions)
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

/** One version of a machine, of either style. */
type Mounted = KitMachine | UserStateMachine

function versionOf(machine: Mountable): number {
  return machine.version ?? 1
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
