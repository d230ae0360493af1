import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { activePlaceOf, placeAt, refusedStage } from '../change/access.ts'
import { consentsLeft, grant, maybeAnalyze, sharedNeeds } from '../change/consents.ts'
import { factsOf, nextNumber } from '../change/people.ts'
import { adjustment, category, id, needText, sid } from '../facts/fields.ts'
import { idOf, numberIn } from '../facts/ids.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { NEEDS_MAX } from '../facts/gates-bounds.ts'
import type { Need } from '../facts/rows.ts'
import { pairOf } from '../rules/gate-values.ts'

/** A person's needs, and sharing them (domain.md §2.3). */

/** A need that a person found without help. */
export const addNeed = command(
  { input: sid.extend({ need: needText, category, description: needText }), output: z.object({ needId: id }) },
  (ctx: GatesContext, { sid: dialogue, need, category: about, description }) => {
    const place = placeAt(ctx, dialogue, [3])
    if (isRejection(place)) return place
    const { user } = place
    if (ctx.state.needs.count({ prefix: [dialogue, user] }) >= NEEDS_MAX) {
      return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: NEEDS_MAX })
    }
    const number = nextNumber(ctx, user, 'need')
    const found = { source: 'USER' as const, need, category: about, description, evidence: [], aiConfidence: null }
    ctx.state.needs.set([dialogue, user, number], { ...found, decision: null, adjustment: null, at: ctx.now })
    return { needId: idOf('need', number) }
  },
)

/** Decides on needs: every one that is undecided, and others again as long as they are not shared. */
export const confirmNeeds = command(
  {
    input: sid.extend({
      confirmations: z
        .array(z.object({ needId: id, confirmed: z.boolean(), adjustment: adjustment.optional() }))
        .min(1)
        .max(NEEDS_MAX),
    }),
    output: z.object({ allConfirmed: z.boolean(), canShare: z.boolean() }),
  },
  (ctx: GatesContext, { sid: dialogue, confirmations }) => {
    const place = activePlaceOf(ctx, dialogue)
    if (isRejection(place)) return place
    const { user, partner } = place
    const own = new Map(ownNeeds(ctx, dialogue, user))
    const repeated = confirmations.every(({ needId, confirmed, adjustment: words = null }) => {
      const need = own.get(needId)
      return need?.decision === (confirmed ? 'CONFIRMED' : 'REJECTED') && need.adjustment === words
    })
    const refused = repeated ? null : refusedStage(ctx, place, [3])
    if (refused !== null) return refused
    const before = pairOf(factsOf(ctx, place), user)?.own.needsConfirmed ?? false
    if (repeated) return { allConfirmed: before, canShare: before }
    const named = confirmations.map(({ needId }) => needId)
    const foreign = named.find((needId, position) => !own.has(needId) || named.indexOf(needId) !== position)
    if (foreign !== undefined) return ctx.reject('VALIDATION_ERROR', { reason: 'NOT_OWN', needId: foreign })
    const left = [...own].find(([needId, need]) => need.decision === null && !named.includes(needId))
    if (left !== undefined) return ctx.reject('VALIDATION_ERROR', { reason: 'UNDECIDED', needId: left[0] })
    const shared = sharedNeeds(ctx.state, dialogue).filter((need) => need.user === user)
    const changed = shared.find(({ needId }) => named.includes(needId))
    if (changed !== undefined) return ctx.reject('VALIDATION_ERROR', { reason: 'SHARED', needId: changed.needId })
    for (const { needId, confirmed, adjustment: words = null } of confirmations) {
      const need = own.get(needId)
      if (need === undefined) continue
      const decision = confirmed ? ('CONFIRMED' as const) : ('REJECTED' as const)
      ctx.state.needs.set([dialogue, user, numberIn('need', needId)], { ...need, decision, adjustment: words })
    }
    const after = pairOf(factsOf(ctx, place), user)?.own.needsConfirmed ?? false
    if (after && !before) ctx.notify(partner, 'partner.needs_confirmed', { sid: dialogue })
    return { allConfirmed: after, canShare: after }
  },
)

/**
 * Shares confirmed needs with the partner: the wording, never the evidence. Those that are shared already stay so. Also at
 * the last stage: whoever took a consent back there may give another, without which the partner would stay at stage 3 for
 * ever.
 */
export const shareNeeds = command(
  {
    input: sid.extend({ needIds: z.array(id).min(1).max(NEEDS_MAX) }),
    output: z.object({ consentIds: z.array(id), shared: z.int() }),
  },
  (ctx: GatesContext, { sid: dialogue, needIds }) => {
    const place = placeAt(ctx, dialogue, [3, 4])
    if (isRejection(place)) return place
    const { user, partner } = place
    const own = new Map(ownNeeds(ctx, dialogue, user))
    const wrong = needIds.find((needId) => own.get(needId)?.decision !== 'CONFIRMED')
    if (wrong !== undefined) return ctx.reject('VALIDATION_ERROR', { reason: 'NOT_CONFIRMED', needId: wrong })
    const known = new Map(
      sharedNeeds(ctx.state, dialogue).flatMap((need) => (need.user === user ? [[need.needId, need.consentId]] : [])),
    )
    const fresh = [...new Set(needIds)].filter((needId) => !known.has(needId))
    if (fresh.length > consentsLeft(ctx.state, dialogue, user))
      return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY' })
    for (const needId of fresh) {
      const need = own.get(needId)
      if (need === undefined) continue
      const content = need.adjustment ?? need.description
      const given = {
        owner: user,
        contentType: 'IDENTIFIED_NEED' as const,
        originalId: needId,
        transformedPreview: content,
        content,
      }
      known.set(needId, grant(ctx, place, given))
    }
    if (fresh.length > 0) {
      ctx.notify(partner, 'partner.needs_shared', { sid: dialogue, count: fresh.length })
      maybeAnalyze(ctx, place)
    }
    return { consentIds: [...new Set(needIds)].flatMap((needId) => known.get(needId) ?? []), shared: fresh.length }
  },
)

function ownNeeds(ctx: GatesContext, dialogue: string, user: string): readonly (readonly [string, Need])[] {
  const rows = ctx.state.needs.range({ prefix: [dialogue, user], limit: NEEDS_MAX })
  return rows.map(([[, , number], need]) => [idOf('need', number), need] as const)
}
