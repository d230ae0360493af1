import type { CodesOf, InputOf, MachineSchema, OutputOf, RefusalsOf } from '../../machine/index.ts'
import type { LiveQuery, SubscribeOptions } from '../calls/live-query.ts'
import type {
  CallOptions,
  CommandOutcome,
  FrameworkRefusal,
  MachineErrorRefusal,
  QueryOptions,
  QueryOutcome,
} from '../calls/call.ts'

/** What a client needs of a machine definition: its name and the types of its schema, commands and queries. */
export interface MachineLike {
  readonly name: string
  /** For the compiler: codes with their details, server requests, tasks. At run time `session.worker` reads its tasks. */
  readonly schema?: MachineSchema
  readonly commands: object
  readonly queries: object
}

/** `session.machines.counter.increment(input)`: one method per command, typed by the definition. */
export type MachineCommands<Machines extends readonly MachineLike[]> = {
  readonly [Machine in Machines[number] as Machine['name']]: {
    readonly [Name in keyof Machine['commands']]: (
      input: InputOf<Machine['commands'][Name]>,
      options?: CallOptions,
    ) => Promise<
      CommandOutcome<OutputOf<Machine['commands'][Name]>, CommandRefusals<Machine, Machine['commands'][Name]>>
    >
  }
}

type CommandRefusals<Machine extends MachineLike, Reference> =
  | RefusalsOf<Machine['schema'], CodesOf<Reference>>
  | FrameworkRefusal
type QueryRefusals<Machine extends MachineLike, Reference> =
  | RefusalsOf<Machine['schema'], CodesOf<Reference>>
  | MachineErrorRefusal

/** `session.queries.counter.value(input)`: one method per query. */
export type MachineQueries<Machines extends readonly MachineLike[]> = {
  readonly [Machine in Machines[number] as Machine['name']]: {
    readonly [Name in keyof Machine['queries']]: (
      input: InputOf<Machine['queries'][Name]>,
      options?: QueryOptions,
    ) => Promise<QueryOutcome<OutputOf<Machine['queries'][Name]>, QueryRefusals<Machine, Machine['queries'][Name]>>>
  }
}

/** `session.live.counter.value(input)`: one method per query, which subscribes to it. */
export type MachineLiveQueries<Machines extends readonly MachineLike[]> = {
  readonly [Machine in Machines[number] as Machine['name']]: {
    readonly [Name in keyof Machine['queries']]: (
      input: InputOf<Machine['queries'][Name]>,
      options?: SubscribeOptions,
    ) => LiveQuery<OutputOf<Machine['queries'][Name]>>
  }
}

type Call = (machine: string, name: string, input: unknown, options: object | undefined) => unknown

/** Objects whose methods call `call(machine, name, input, options)`, one per machine and name given. */
export function methodsOf(machines: readonly MachineLike[], kind: 'commands' | 'queries', call: Call): object {
  const entries = machines.map((machine) => {
    const names = Object.keys(machine[kind])
    const methods = names.map(
      (name) => [name, (input: unknown, options?: object) => call(machine.name, name, input, options)] as const,
    )
    return [machine.name, Object.fromEntries(methods)] as const
  })
  return Object.fromEntries(entries)
}
