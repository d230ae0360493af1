import type {
  AnyStateMachine,
  CallbackActorLogic,
  EventObject,
  InputFrom,
  PromiseActorLogic,
  StateMachine,
} from 'xstate'
import type { z } from 'zod'
import type { CommandRef, QueryRef } from '../define/command.ts'
import type { MachineDefinition } from '../define/define-machine.ts'
import type { TableSchema, TaskSchema } from '../define/schema.ts'
import type { EntityRow } from './entity/entity-row.ts'
import type { ClientEvent, EmittedEvent, EntityView, WithoutTime } from './options.ts'

/** The machine that `fromXState` gives, typed by the chart. */
export type XStateMachine<
  Name extends string,
  Machine extends AnyStateMachine,
  Time extends string,
> = MachineDefinition<Name, XStateSchema<Machine>, XStateCommands<Machine, Time>, XStateQueries<Machine>>

/** What clients of an adapted chart call. */
export type XStateCommands<Machine extends AnyStateMachine, Time extends string> = {
  /** A new entity. `watch`: this session is sent what it emits. */
  readonly create: CommandRef<
    Typed<
      { id: string; input?: WithoutTime<InputFrom<Machine>, Time>; watch?: boolean },
      { id: string; input?: WithoutTime<InputFrom<Machine>, Time>; watch: boolean }
    >,
    z.ZodType<EntityView<Machine>>,
    'CONFLICT' | 'FORBIDDEN'
  >
  /** One event; refused when the present state does not take it. */
  readonly send: CommandRef<
    z.ZodType<{ id: string; event: ClientEvent<Machine, Time> }, { id: string; event: ClientEvent<Machine, Time> }>,
    z.ZodType<EntityView<Machine>>,
    'NOT_FOUND' | 'FORBIDDEN' | 'INVALID_STATE_TRANSITION'
  >
  /** Takes an entity out, with its timers, tasks and children. */
  readonly remove: CommandRef<Typed<{ id: string }>, z.ZodType<null>, 'NOT_FOUND' | 'FORBIDDEN'>
  /** Whether this session is sent what the entity emits. */
  readonly watch: CommandRef<
    Typed<{ id: string; on?: boolean }, { id: string; on: boolean }>,
    z.ZodType<null>,
    'NOT_FOUND' | 'FORBIDDEN'
  >
}

/** What clients of an adapted chart ask. */
export type XStateQueries<Machine extends AnyStateMachine> = {
  /** One entity by its id. */
  readonly state: QueryRef<Typed<string>, z.ZodType<EntityView<Machine>>, 'NOT_FOUND' | 'FORBIDDEN'>
  /** Entities in the order of their ids, behind `after`; `next` is the `after` of the next page, or null. */
  readonly list: QueryRef<
    Typed<{ after?: string; limit?: number }, { after: string; limit: number }>,
    z.ZodType<EntityPage<Machine>>,
    never
  >
}

/** A page of entities. */
export interface EntityPage<Machine extends AnyStateMachine> {
  readonly entities: readonly Pick<EntityView<Machine>, 'id' | 'status' | 'value'>[]
  readonly next: string | null
}

type Typed<Input, Output = Input> = z.ZodType<Output, Input>

/** The schema of an adapted chart. */
export type XStateSchema<Machine extends AnyStateMachine> = {
  readonly version: number
  readonly state: {
    readonly entities: TableSchema<string, EntityRow>
    readonly watches: TableSchema<[string, string], true>
  }
  readonly requests: {
    readonly emitted: z.ZodType<EmittedEvent<Machine>>
    readonly action: z.ZodType<{ readonly entity: string; readonly action: string; readonly params: unknown }>
  }
  readonly timers: { readonly delayed: z.ZodType<{ id: string; n: number }> }
  readonly tasks: { readonly [Src in WorkSource<Machine>]: WorkTask<LogicOf<Machine, Src>> }
}

/** The actors of a chart: names and logics. */
type ActorsOf<Machine> =
  Machine extends StateMachine<
    infer _Context,
    infer _Event,
    infer _Children,
    infer Actor,
    infer _Action,
    infer _Guard,
    infer _Delay,
    infer _Value,
    infer _Tag,
    infer _Input,
    infer _Output,
    infer _Emitted,
    infer _Meta,
    infer _Schema,
    infer _TransitionMeta
  >
    ? Actor
    : never

/** Names of the promises and callbacks of a chart. */
type WorkSource<Machine> = SourceOf<ActorsOf<Machine>>

type SourceOf<Actor> = Actor extends { src: infer Src extends string; logic: infer Logic }
  ? IsWork<Logic> extends true
    ? Src
    : never
  : never

type IsWork<Logic> =
  Logic extends PromiseActorLogic<infer _Output, infer _Input, infer _Emitted>
    ? true
    : Logic extends CallbackActorLogic<infer _Event, infer _CallbackInput, infer _CallbackEmitted>
      ? true
      : false

type LogicOf<Machine, Src> = Extract<ActorsOf<Machine>, { src: Src }>['logic']

/** What a worker is given for an actor, and what it gives. */
export interface WorkPayload<Input> {
  readonly entity: string
  /** The actor's id in its entity. */
  readonly actor: string
  /** Its incarnation. */
  readonly n: number
  readonly input: Input
}

type WorkTask<Logic> =
  Logic extends PromiseActorLogic<infer Output, infer Input, infer _Emitted>
    ? TaskSchema<z.ZodType<WorkPayload<Input>>, z.ZodType<Output>>
    : TaskSchema<z.ZodType<WorkPayload<InputFrom<Logic>>>, z.ZodType<readonly EventObject[]>>
