import type { AnyActorRef, AnyMachineSnapshot, ExecutableActionObject } from 'xstate'
import type { Value } from '../../../codec/value/value.ts'
import { isDelay } from '../chart/guarded-action.ts'
import { plainValue } from '../chart/plain-value.ts'
import type { EventRow } from './entity-row.ts'

/** Whom an event goes to. */
export type Target =
  | { readonly kind: 'self' }
  | { readonly kind: 'parent' }
  | { readonly kind: 'actor'; readonly id: string }

/** What one step of a chart wants done, in its order. */
export type Effect =
  | {
      readonly kind: 'delay'
      readonly id: string | null
      readonly event: EventRow
      readonly to: Target
      readonly ms: number
    }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'send'; readonly event: EventRow; readonly to: Target }
  | { readonly kind: 'spawn'; readonly id: string; readonly src: string; readonly input: Value }
  | { readonly kind: 'stop'; readonly id: string }
  | { readonly kind: 'emit'; readonly event: EventRow }
  | { readonly kind: 'action'; readonly action: string; readonly params: Value }
  | { readonly kind: 'log'; readonly label: string | null; readonly value: Value }

/** Who the references in an action are. */
export interface Actors {
  readonly self: AnyActorRef
  readonly parent: AnyActorRef | null
  /** Actions that become server requests. */
  readonly named: ReadonlySet<string>
}

/** XState's own parameters of its actions, as 5.33.3 makes them. */
interface Params {
  readonly id?: unknown
  readonly sendId?: unknown
  readonly event?: unknown
  readonly delay?: unknown
  readonly to?: unknown
  readonly src?: unknown
  readonly input?: unknown
  readonly actorRef?: AnyActorRef
  readonly value?: unknown
  readonly label?: unknown
}

/** The effects of a step's actions; throws for one that no replica can do. */
export function effectsOf(
  actions: readonly ExecutableActionObject[],
  snapshot: AnyMachineSnapshot,
  actors: Actors,
): readonly Effect[] {
  return actions.flatMap((action) => {
    const effect = effectOf(action, snapshot, actors)
    return effect === null ? [] : [effect]
  })
}

/** XState's own actions by their types, named in its source and nowhere exported. */
function effectOf(action: ExecutableActionObject, snapshot: AnyMachineSnapshot, actors: Actors): Effect | null {
  const params = (action.params ?? {}) as Params
  switch (action.type) {
    case 'xstate.raise':
      // Without a delay it was taken within the step.
      return params.delay === undefined ? undelayed(params) : delayed(params, { kind: 'self' })
    case 'xstate.sendTo': {
      const to = targetOf(params.to, snapshot, actors)
      return params.delay === undefined ? { kind: 'send', event: eventOf(params.event), to } : delayed(params, to)
    }
    case 'xstate.cancel':
      return { kind: 'cancel', id: String(params.sendId) }
    case 'xstate.spawnChild':
      return spawned(params)
    case 'xstate.stopChild': {
      const ref = action.params as AnyActorRef | undefined
      return ref === undefined ? null : { kind: 'stop', id: ref.id }
    }
    case 'xstate.emit':
      return { kind: 'emit', event: eventOf(params.event) }
    case 'xstate.log':
      return {
        kind: 'log',
        label: typeof params.label === 'string' ? params.label : null,
        value: plainValue(params.value, 'what log was given'),
      }
    default:
      return named(action, actors)
  }
}

/** `after` always has a delay: without one it would fire at once (the tests of X4). */
function undelayed({ event }: Params): null {
  const { type } = event as { readonly type: string }
  if (type.startsWith('xstate.after.')) throw new Error(`${type} has no delay; it would fire at once`)
  return null
}

function delayed({ delay, event, id }: Params, to: Target): Effect {
  if (!isDelay(delay)) throw new Error(`the delay ${String(delay)} is no finite number of milliseconds, 0 or more`)
  return { kind: 'delay', id: typeof id === 'string' ? id : null, event: eventOf(event), to, ms: delay }
}

function spawned({ id, src, input, actorRef }: Params): Effect {
  if (id === undefined || actorRef === undefined) {
    throw new Error(`an actor ${String(src)} was spawned without an id of its own: spawnChild(src, { id })`)
  }
  if (actorRef.id.includes('/'))
    throw new Error(`the id of the actor ${actorRef.id} has a slash: ids of entities are made with it`)
  if (typeof src !== 'string')
    throw new Error(`the actor ${actorRef.id} was spawned in place: name it in setup({ actors })`)
  return { kind: 'spawn', id: actorRef.id, src, input: plainValue(input, `the input of ${actorRef.id}`) }
}

function named({ type, params }: ExecutableActionObject, { named: known }: Actors): Effect {
  if (known.has(type)) return { kind: 'action', action: type, params: plainValue(params, `the parameters of ${type}`) }
  throw new Error(`the action ${type} runs code of its own; list it in options.actions`)
}

function targetOf(to: unknown, { children }: AnyMachineSnapshot, { self, parent }: Actors): Target {
  if (to === self) return { kind: 'self' }
  if (to !== null && to === parent) return { kind: 'parent' }
  const { id } = (to ?? {}) as { readonly id?: unknown }
  if (typeof id === 'string' && children[id] === to) return { kind: 'actor', id }
  throw new Error(`an event is sent to an actor that this entity does not have: ${String(id)}`)
}

function eventOf(event: unknown): EventRow {
  const { type } = (event ?? {}) as { readonly type?: unknown }
  if (typeof type !== 'string') throw new Error('an event has a type')
  // Checked just above; the rest is plain data or refused.
  return plainValue(event, `the event ${type}`) as EventRow
}
