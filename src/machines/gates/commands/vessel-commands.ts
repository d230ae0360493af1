import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { placeAt } from '../change/access.ts'
import { changePerson, nextNumber, personOf } from '../change/people.ts'
import { exchangeOf, exchangeTables } from '../facts/exchange.ts'
import { boundaryText, draftText, emotion, eventText, id, sid } from '../facts/fields.ts'
import { idOf } from '../facts/ids.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { BOUNDARIES_MAX, EMOTIONS_MAX, EVENTS_MAX } from '../facts/gates-bounds.ts'
import { ATTRIBUTIONS } from '../facts/rows.ts'

/** What a person keeps alone (domain.md §2.3): nothing of it is ever shown to the partner as it was written. */

const kept = z.object({ id })

/** What happened, as this person saw it. */
export const recordEvent = command(
  {
    input: sid.extend({
      description: eventText,
      attributedTo: z.enum(ATTRIBUTIONS),
      emotions: z.array(emotion).max(EMOTIONS_MAX).default([]),
    }),
    output: kept,
  },
  (ctx: GatesContext, { sid: dialogue, description, attributedTo, emotions }) => {
    const place = placeAt(ctx, dialogue, [1, 2, 3, 4])
    if (isRejection(place)) return place
    const { user } = place
    if (ctx.state.events.count({ prefix: [dialogue, user] }) >= EVENTS_MAX) {
      return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: EVENTS_MAX })
    }
    const number = nextNumber(ctx, user, 'evt')
    ctx.state.events.set([dialogue, user, number], { description, attributedTo, emotions, at: ctx.now })
    return { id: idOf('evt', number) }
  },
)

/** What this person will not give up. */
export const recordBoundary = command(
  { input: sid.extend({ description: boundaryText, nonNegotiable: z.boolean() }), output: kept },
  (ctx: GatesContext, { sid: dialogue, description, nonNegotiable }) => {
    const place = placeAt(ctx, dialogue, [1, 2, 3, 4])
    if (isRejection(place)) return place
    const { user } = place
    if (ctx.state.boundaries.count({ prefix: [dialogue, user] }) >= BOUNDARIES_MAX) {
      return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: BOUNDARIES_MAX })
    }
    const number = nextNumber(ctx, user, 'bnd')
    ctx.state.boundaries.set([dialogue, user, number], { description, nonNegotiable, at: ctx.now })
    return { id: idOf('bnd', number) }
  },
)

/** Writes the guess about the other down, or anew; once it is shared it stays as it is, but for a refinement. */
export const saveEmpathyDraft = command(
  {
    input: sid.extend({ content: draftText, readyToShare: z.boolean().optional() }),
    output: z.object({ version: z.int(), ready: z.boolean() }),
  },
  (ctx: GatesContext, { sid: dialogue, content, readyToShare }) => {
    const place = placeAt(ctx, dialogue, [2])
    if (isRejection(place)) return place
    const { user } = place
    const { attempted, refining } = exchangeOf(ctx.read(exchangeTables), dialogue, user)
    if (attempted && !refining) return ctx.reject('DRAFT_LOCKED', {})
    const { draft } = personOf(ctx, dialogue, user)
    const version = (draft?.version ?? 0) + 1
    const ready = readyToShare ?? draft?.ready ?? false
    changePerson(ctx, dialogue, user, { draft: { content, version, ready, updatedAt: ctx.now } })
    return { version, ready }
  },
)
