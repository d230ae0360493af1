import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import { openOfferOf, withOffer, type Direction } from './direction.ts'

/** The direction without an open offer: one that waited is answered by nobody any more, nor worded anew. */
export function closeOffer<Closed extends Direction>(ctx: ReconcilerContext, direction: Closed): Closed {
  const offer = openOfferOf(direction)
  if (offer === null) return direction
  if (offer.refineTask !== null) ctx.cancelTask(offer.refineTask)
  return withOffer(direction, { ...offer, status: 'EXPIRED', refineTask: null })
}
