import type { z } from 'zod'
import { assert } from '../../base/assert.ts'
import type { NameOf, Parsed, Shapes } from './schema.ts'
import type { Rejection } from './rejection.ts'

/**
 * The domain events of a machine under its name: what it may publish, and what other machines listen by. It stands in a file of
 * its own, so that machines which listen to each other do not import each other.
 */
export interface DomainEvents<Events extends Shapes = Shapes> {
  readonly machine: string
  /** For `events` of the machine's schema. */
  readonly shapes: Events
}

/** Declares the domain events of the machine of that name: `domainEvents('orders', { OrderPaid: z.object({ … }) })`. */
export function domainEvents<Events extends Shapes>(machine: string, shapes: Events): DomainEvents<Events> {
  return { machine, shapes }
}

/** What a machine does when another one, or itself, published an event. Made by `on`. */
export interface Subscription<Context> {
  readonly machine: string
  readonly event: string
  /** A rejection rolls back the whole entry, the publisher's part included. */
  handle(context: Context, payload: unknown): void | Rejection
}

/**
 * Listens to one event: `on(orderEvents, 'OrderPaid', (ctx, { id }) => …)` in `on: […]` of a behaviour. The handler runs in the
 * entry that published, after the function that published has ended; `ctx.session` is still that of the entry.
 */
export function on<Context, Events extends Shapes, Event extends NameOf<Events>>(
  events: DomainEvents<Events>,
  event: Event,
  handle: (context: Context, payload: Parsed<Events[Event] & z.ZodType>) => void | Rejection,
): Subscription<Context> {
  const { machine, shapes } = events
  assert(Object.hasOwn(shapes, event), 'there is no such event to listen to', { machine, event })
  // The payload is the one that `publish` was given, which the compiler checked by the same shapes.
  return { machine, event, handle: handle as Subscription<Context>['handle'] }
}
