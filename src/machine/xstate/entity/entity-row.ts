import { z } from 'zod'
import type { Millis, SessionId } from '../../../base/brand.ts'
import type { Value } from '../../../codec/value/value.ts'

/** An event in a row: plain data with a type. */
export type EventRow = { readonly type: string } & { readonly [field: string]: Value }

/** Whom an event goes to: the entity itself, its parent, or one of its actors in the incarnation that was meant. */
export type TargetRow =
  | { readonly kind: 'self' }
  | { readonly kind: 'parent' }
  | { readonly kind: 'actor'; readonly id: string; readonly n: number }

/** A delayed event that waits. */
export interface TimerRow {
  /** Of this arming; the durable timer's key is made of it. */
  readonly n: number
  /** The id that `cancel` names; null for one without. */
  readonly id: string | null
  /** Whether `cancel` reaches it: of several with one id only the last armed, as in an actor (the tests of X17). */
  readonly held: boolean
  readonly event: EventRow
  readonly to: TargetRow
  readonly armedAt: Millis
  /** As the chart has it; it fires 1 ms after the entry that armed it at the earliest. */
  readonly dueAt: Millis
  /** Id of the state whose `after` it is; null for what was raised or sent. */
  readonly state: string | null
  /** One of `after` that has fired stays known until its state is left, so that no migration arms it again. */
  readonly fired: boolean
}

/** An actor that the entity invoked or spawned. */
export interface ActorRow {
  /** Its incarnation: what comes from an earlier one is dropped. */
  readonly n: number
  /** Name of its logic. */
  readonly src: string
  readonly kind: 'task' | 'entity'
  readonly input: Value
  /** The task that stands for it; null for an entity. */
  readonly task: string | null
  /** By a state, which stops it when it is left; false for one that was spawned. */
  readonly invoked: boolean
  /** Its result or failure was taken. It stays known until the state that invoked it is left, as in an actor. */
  readonly ended: boolean
}

/** What is kept of an error: plain data, without texts of the JavaScript engine, which differ between its builds. */
export interface ErrorRow {
  readonly name: string
  readonly message: string
}

/** A persisted snapshot: the whole state of one entity between two events. */
export interface EntityRow {
  /** Names of logics from the mounted machine down to its own; empty for one that a client created. */
  readonly chart: readonly string[]
  readonly status: 'active' | 'done' | 'error' | 'stopped'
  /** In document order, always: what XState asks first depends on it (the tests of X1). */
  readonly value: Value
  readonly context: { readonly [field: string]: Value }
  /** Ids of the states that a history state remembers, by the history state's id. */
  readonly history: { readonly [id: string]: readonly string[] }
  readonly output: Value
  readonly error: Value
  readonly timers: readonly TimerRow[]
  readonly actors: { readonly [id: string]: ActorRow }
  /** Last number given to a timer or an actor. */
  readonly n: number
  readonly parent: { readonly id: string; readonly actor: string; readonly n: number } | null
  /** Client sessions that are sent what it emits. */
  readonly watchers: readonly SessionId[]
}

const value = z.custom<Value>()
const int = z.int()
const target = z.object({ kind: z.enum(['self', 'parent', 'actor']), id: z.string().optional(), n: int.optional() })
const timer = z.object({
  n: int,
  id: z.string().nullable(),
  held: z.boolean(),
  event: z.custom<EventRow>(),
  to: target,
  armedAt: int,
  dueAt: int,
  state: z.string().nullable(),
  fired: z.boolean(),
})
const actor = z.object({
  n: int,
  src: z.string(),
  kind: z.enum(['task', 'entity']),
  input: value,
  task: z.string().nullable(),
  invoked: z.boolean(),
  ended: z.boolean(),
})

/** Declared for the fingerprint; rows are not parsed. */
export const entityRow = z.object({
  chart: z.array(z.string()),
  status: z.enum(['active', 'done', 'error', 'stopped']),
  value,
  context: z.record(z.string(), value),
  history: z.record(z.string(), z.array(z.string())),
  output: value,
  error: value,
  timers: z.array(timer),
  actors: z.record(z.string(), actor),
  n: int,
  parent: z.object({ id: z.string(), actor: z.string(), n: int }).nullable(),
  watchers: z.array(z.string()),
}) as unknown as z.ZodType<EntityRow>
