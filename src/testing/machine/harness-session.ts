import { numbersOf, type SessionId } from '../../base/brand.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import type { FrameworkRefusal, MachineErrorRefusal, RejectedQuery } from '../../client/index.ts'
import type { CodesOf, InputOf, Mount, OutputOf, Refusal, RefusalsOf } from '../../machine/index.ts'
import { TASK_MACHINE } from '../../machine/index.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { Applied } from '../../session/state-machine.ts'
import type { Outcome, ServerRequest } from '../../session/user-machine.ts'
import type { TypedMachines } from '../machines.ts'
import type { EntryLog } from './entry-log.ts'

/**
 * What became of a command or query. `rejected`: by the machine, or by its schema before it ran (VALIDATION_ERROR); one member
 * per code, so that `code` tells the details.
 */
export type HarnessOutcome<Output = Value, Refused extends Refusal<string, unknown> = Refusal> =
  | { readonly kind: 'ok'; readonly value: Output }
  | RejectedQuery<Refused>

/**
 * `session.machines.stock.reserve(input)`: one function per command, and at once. It refuses with what a client's call of it is
 * refused with, and with InputRefusal.
 */
export type HarnessCommands<Machines extends TypedMachines> = {
  readonly [Machine in Machines[number] as Machine['name']]: Machine extends { readonly commands: infer Commands }
    ? {
        readonly [Name in keyof Commands]: (
          input: InputOf<Commands[Name]>,
        ) => HarnessOutcome<OutputOf<Commands[Name]>, OwnRefusals<Machine, Commands[Name]> | FrameworkRefusal>
      }
    : never
}

/** `session.queries.stock.level(input)`: one function per query. */
export type HarnessQueries<Machines extends TypedMachines> = {
  readonly [Machine in Machines[number] as Machine['name']]: Machine extends { readonly queries: infer Queries }
    ? {
        readonly [Name in keyof Queries]: (
          input: InputOf<Queries[Name]>,
        ) => HarnessOutcome<OutputOf<Queries[Name]>, OwnRefusals<Machine, Queries[Name]> | MachineErrorRefusal>
      }
    : never
}

/** What is refused before it runs: an input that its schema does not take. A client is told `notExecuted`. */
export type InputRefusal = Refusal<'VALIDATION_ERROR', { readonly [name: string]: Value }>

type OwnRefusals<Machine, Reference> =
  | RefusalsOf<Machine extends { readonly schema: infer Schema } ? Schema : undefined, CodesOf<Reference>>
  | InputRefusal

/** What a session needs of its harness. */
interface Parts<Machines extends TypedMachines> {
  readonly machines: Machines
  readonly mount: Mount
  readonly state: SessionStateMachine
  readonly log: EntryLog
  settled<Result>(run: () => Result): Result
}

/** A client session of a harness; made by `harness.session`. */
export class HarnessSession<Machines extends TypedMachines> {
  readonly id: SessionId
  readonly machines: HarnessCommands<Machines>
  readonly queries: HarnessQueries<Machines>
  private readonly parts: Parts<Machines>

  constructor(id: SessionId, parts: Parts<Machines>) {
    this.id = id
    this.parts = parts
    const { machines } = parts
    // One function per name of the very definitions that the types are derived from.
    this.machines = callers(machines, 'commands', (machine, name, input) =>
      this.execute(machine, name, input),
    ) as HarnessCommands<Machines>
    this.queries = callers(machines, 'queries', (machine, name, input) =>
      this.query(machine, name, input),
    ) as HarnessQueries<Machines>
  }

  /** Server requests that wait for an acknowledgement, the oldest first; types are `machine.type`. */
  get requests(): readonly ServerRequest[] {
    return this.parts.state.outbox(numbersOf(this.id).index, 0, Number.MAX_SAFE_INTEGER)
  }

  /** Runs a command by its name, with its input parsed as a leader does it. */
  execute(machine: string, command: string, input: Value): HarnessOutcome {
    const { mount, log } = this.parts
    const parsed = mount.parse(machine, command, sessionCodec.encodeValue(input))
    if (!parsed.ok) return { kind: 'rejected', code: parsed.code, details: refused(parsed) }
    const logged = { machine, command, input: parsed.input, version: parsed.version }
    const { reply } = this.parts.settled(() => log.request(this.id, logged))
    if (reply.kind !== 'outcome') throw new Error(`${machine}.${command} was not executed: ${JSON.stringify(reply)}`)
    return outcomeOf(reply.outcome)
  }

  /** Asks a query by its name, as of the last entry. */
  query(machine: string, query: string, input: Value): HarnessOutcome {
    const { mount, state } = this.parts
    const parsed = mount.parseQuery(machine, query, sessionCodec.encodeValue(input))
    if (!parsed.ok) return { kind: 'rejected', code: parsed.code, details: refused(parsed) }
    const session = numbersOf(this.id).index
    return outcomeOf(this.parts.settled(() => state.query({ machine, query, input: parsed.input, session })))
  }

  /** Gives a task's result, as its worker does; the session needs the role of the task. */
  complete(task: { readonly taskId: string; readonly attempt: number }, result: Value): HarnessOutcome {
    return this.execute(TASK_MACHINE, 'complete', { taskId: task.taskId, attempt: task.attempt, result })
  }

  /** Ends an attempt at a task without a result. */
  fail(task: { readonly taskId: string; readonly attempt: number }, reason: string): HarnessOutcome {
    return this.execute(TASK_MACHINE, 'fail', { taskId: task.taskId, attempt: task.attempt, reason })
  }

  /** Acknowledges server requests up to that id; default all of them. */
  acknowledge(upTo: number = this.requests.at(-1)?.serverRequestId ?? 0): void {
    if (upTo > 0) this.end(() => this.parts.log.acknowledge(this.id, upTo))
  }

  /** The client ends its session. */
  close(): void {
    this.end(() => this.parts.log.close(this.id))
  }

  /** The session's time is over: `onSessionExpired` runs with reason `expired`. */
  expire(): void {
    const { state, log } = this.parts
    const facts = state.sessionFacts(numbersOf(this.id).index)
    if (facts === null) throw new Error(`session ${this.id} is no more`)
    this.end(() => log.expire(facts))
  }

  private end(run: () => Applied): void {
    const { reply } = this.parts.settled(run)
    if (reply.kind === 'refused') throw new Error(`session ${this.id}: ${reply.code}`)
  }
}

function outcomeOf(outcome: Outcome): HarnessOutcome {
  if (outcome.kind === 'value') return { kind: 'ok', value: outcome.value }
  return { kind: 'rejected', code: outcome.code, details: outcome.details }
}

function refused({ details, message }: { readonly message: string; readonly details: object }): Value {
  return { ...details, message } as Value
}

type Call = (machine: string, name: string, input: Value) => HarnessOutcome

function callers(machines: TypedMachines, group: 'commands' | 'queries', call: Call): object {
  return Object.fromEntries(
    machines.map((machine) => {
      const names = Object.keys(machine[group] ?? {})
      return [
        machine.name,
        Object.fromEntries(names.map((name) => [name, (input: Value) => call(machine.name, name, input)])),
      ]
    }),
  )
}
