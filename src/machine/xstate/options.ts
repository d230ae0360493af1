import type {
  AnyStateMachine,
  ContextFrom,
  EmittedFrom,
  EventFromLogic,
  InputFrom,
  OutputFrom,
  StateValueFrom,
} from 'xstate'
import type { z } from 'zod'
import type { Millis, SessionId } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'

/** How the work of one promise or callback is handed to workers. */
export interface WorkOptions {
  /** Role that a worker's session must hold. Default: `worker`. */
  readonly role?: string
  /** How long one attempt may take, ms. Default 60,000. */
  readonly leaseMs?: Millis
  /** Attempts before the chart is told of the error, from 1. Default 3. */
  readonly maxAttempts?: number
  /** Wait before attempt 2, 3, …, ms; the last one repeats. Default: at once. */
  readonly backoffMs?: readonly Millis[]
  /** What a result has to fit; one that does not is a failed attempt. Default: any plain data. */
  readonly result?: z.ZodType
}

/** Who asks, in `allow`. */
export interface EntityCaller {
  readonly principal: string
  readonly roles: readonly string[]
  readonly session: SessionId
}

/** What is asked for, in `allow`; `event` is that of a `send`. */
export interface EntityAct<Event> {
  readonly kind: 'create' | 'send' | 'remove' | 'watch' | 'read'
  readonly id: string
  readonly event: Event | null
}

/** Options of `fromXState`. */
export interface XStateOptions<Machine extends AnyStateMachine, Name extends string, Time extends string> {
  /** Name of the machine, as in `defineMachine`: what clients call. */
  readonly name: Name
  /** Version of the chart and of these options, 1 at first. */
  readonly version: number
  /**
   * Named actions of the chart that run code of their own. `request`: clients that watch are sent the server request
   * `action` with the action's name and parameters. `drop`: it is left out.
   */
  readonly actions?: { readonly [action: string]: 'request' | 'drop' }
  /** How work is handed out, by the name of the promise or callback in `setup({ actors })`. */
  readonly work?: { readonly [actor: string]: WorkOptions }
  /** What clients send, parsed before it reaches the log. Default: any plain data with a `type`. */
  readonly event?: z.ZodType<ClientEvent<Machine, Time>>
  /** What `create` takes as the chart's input. Default: any plain data, or none. */
  readonly input?: z.ZodType<WithoutTime<InputFrom<Machine>, Time>>
  /**
   * A field of every event, and of the input, that holds the log's time in ms since the Unix epoch: the only clock that guards
   * and assigns have. Clients may not send it.
   */
  readonly timeField?: Time
  /**
   * Brings an entity of the version before to this one: the state and the context that it has in the new chart, where they
   * are not the same. Then what its states wait for is armed. Runs for every active entity, in the entry that switches.
   */
  readonly migrate?: (entity: MigratingEntity) => Partial<Pick<MigratingEntity, 'value' | 'context'>>
  /** Whether a caller may do this; false is refused with FORBIDDEN. Default: everybody may do everything. */
  readonly allow?: (caller: EntityCaller, act: EntityAct<EventFromLogic<Machine>>) => boolean
}

/** An entity on its way to a new version. */
export interface MigratingEntity {
  readonly id: string
  /** Names of logics from the mounted machine down to its own; empty for one that a client created. */
  readonly chart: readonly string[]
  readonly value: Value
  readonly context: { readonly [field: string]: Value }
}

/** Without the field that the log fills. */
export type WithoutTime<Type, Time extends string> = Type extends { readonly [field in Time]: unknown }
  ? Omit<Type, Time>
  : Type

/** An event that clients may send. */
export type ClientEvent<Machine extends AnyStateMachine, Time extends string> = WithoutTime<
  EventFromLogic<Machine>,
  Time
>

/** An entity as its clients see it. */
export interface EntityView<Machine extends AnyStateMachine> {
  readonly id: string
  /** Only an active one takes events. */
  readonly status: 'active' | 'done' | 'error' | 'stopped'
  readonly value: StateValueFrom<Machine>
  readonly context: ContextFrom<Machine>
  /** Of a chart that is done; else null. */
  readonly output: OutputFrom<Machine> | null
  /** Of one that ended with an error; else null. */
  readonly error: { readonly name: string; readonly message: string } | null
  readonly tags: readonly string[]
  /** Of the active states, by their ids. */
  readonly meta: { readonly [state: string]: unknown }
  /** Types of events that its states take, wildcards among them; a guard may still refuse one. */
  readonly allowed: readonly string[]
  /** Ids of what it invoked and spawned. */
  readonly actors: readonly string[]
}

/** Payload of the server request `emitted`. */
export interface EmittedEvent<Machine extends AnyStateMachine> {
  readonly entity: string
  readonly event: EmittedFrom<Machine>
}
