import { moved, remove, tellAll } from '../change/conversations.ts'
import { placeOf } from '../change/place.ts'
import { charts, type ConciergeContext } from '../facts/concierge-schema.ts'

/** What the passing of time does (domain.md §5.6). */

/** A delay of the chart: a boundary, which routes, or the idle time-out, which ends. */
export function delayed(ctx: ConciergeContext, payload: { readonly id: string; readonly n: number }): void {
  const before = placeOf(ctx.state, payload.id)
  charts.in(ctx).onTimer(payload)
  const conversation = ctx.state.conversations.get(payload.id)
  if (conversation === undefined) return
  const ended = placeOf(ctx.state, payload.id).state === 'idle'
  moved(ctx, conversation, before, { move: ended ? 'SESSION_END' : 'BOUNDARY', endedBy: 'timeout' })
}

/** It was idle for 30 days. */
export function purge(ctx: ConciergeContext, _payload: null, id: string): void {
  const conversation = ctx.state.conversations.get(id)
  if (conversation !== undefined) remove(ctx, conversation)
}

/** An event of the contractor has ended, and too many conversations were to be told of it at once. */
export function ended(ctx: ConciergeContext, _payload: null, contractorId: string): void {
  tellAll(ctx, contractorId, 'EVENT_ENDED')
}
