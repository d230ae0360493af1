import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { placeAt } from '../change/access.ts'
import { addCommonGround } from '../change/common-ground.ts'
import { analyze, bothShared, sharedNeeds } from '../change/consents.ts'
import { factsOf, togetherOf } from '../change/people.ts'
import { category, id, needText, sid } from '../facts/fields.ts'
import { stageOf, visibleCommonGround } from '../facts/gate-facts.ts'
import { idOf, numberIn } from '../facts/ids.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { COMMON_GROUND_MAX } from '../facts/gates-bounds.ts'
import { mayAdvance } from '../rules/advance.ts'

/** What both need (domain.md §2.3). */

/** Has it looked for once more, because other needs are shared now. */
export const requestCommonGround = command(
  { input: sid, output: z.object({ already: z.boolean() }) },
  (ctx: GatesContext, { sid: dialogue }) => {
    const place = placeAt(ctx, dialogue, [3])
    if (isRejection(place)) return place
    const needs = sharedNeeds(ctx.state, dialogue)
    if (!bothShared(needs, place)) {
      return ctx.reject('PARTNER_NOT_READY', { stage: stageOf(ctx.state, dialogue, place.partner).stage })
    }
    if (togetherOf(ctx, dialogue).analysis.state === 'RUNNING') return { already: true }
    analyze(ctx, place, needs)
    return { already: false }
  },
)

/** Names it without any worker, so that no dialogue depends on one: confirmed by whoever names it. */
export const proposeCommonGround = command(
  {
    input: sid.extend({ need: needText, category, description: needText, needA: id, needB: id }),
    output: z.object({ cgId: id }),
  },
  (ctx: GatesContext, { sid: dialogue, need, category: about, description, needA, needB }) => {
    const place = placeAt(ctx, dialogue, [3])
    if (isRejection(place)) return place
    const needs = sharedNeeds(ctx.state, dialogue)
    const owners = [needA, needB].map((consentId) => needs.find((shared) => shared.consentId === consentId)?.user)
    if (!owners.includes(place.user) || !owners.includes(place.partner)) {
      return ctx.reject('VALIDATION_ERROR', { reason: 'NOT_SHARED_BY_BOTH' })
    }
    const found = { need, category: about, description, sourceNeedA: needA, sourceNeedB: needB }
    const cgId = addCommonGround(ctx, place, { ...found, confirmedBy: [place.user] })
    if (cgId === null) return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: COMMON_GROUND_MAX })
    const count = visibleCommonGround(ctx.state, dialogue).length
    ctx.notify(place.partner, 'common_ground.ready', { sid: dialogue, count })
    return { cgId }
  },
)

/** Says of items whether they hold, or takes that back. Also at the last stage: the partner may still need it. */
export const confirmCommonGround = command(
  {
    input: sid.extend({
      confirmations: z
        .array(z.object({ cgId: id, confirmed: z.boolean() }))
        .min(1)
        .max(COMMON_GROUND_MAX),
    }),
    output: z.object({
      allConfirmedByMe: z.boolean(),
      allConfirmedByBoth: z.boolean(),
      canAdvance: z.boolean(),
    }),
  },
  (ctx: GatesContext, { sid: dialogue, confirmations }) => {
    const place = placeAt(ctx, dialogue, [3, 4])
    if (isRejection(place)) return place
    const { user, partner } = place
    const visible = new Map(
      visibleCommonGround(ctx.state, dialogue).map(([[, number], item]) => [idOf('cg', number), item]),
    )
    const hidden = confirmations.find(({ cgId }) => !visible.has(cgId))
    if (hidden !== undefined) return ctx.reject('VALIDATION_ERROR', { reason: 'UNKNOWN_ITEM', cgId: hidden.cgId })
    for (const { cgId, confirmed } of confirmations) {
      const item = visible.get(cgId)
      if (item === undefined) continue
      const others = item.confirmedBy.filter((member) => member !== user)
      const confirmedBy = confirmed ? [...others, user].sort() : others
      const confirmedAt = confirmedBy.length === 2 ? (item.confirmedAt ?? ctx.now) : null
      const changed = { ...item, confirmedBy, confirmedAt }
      visible.set(cgId, changed)
      ctx.state.commonGround.set([dialogue, numberIn('cg', cgId)], changed)
    }
    const items = [...visible.values()]
    return {
      allConfirmedByMe: items.every(({ confirmedBy }) => confirmedBy.includes(user)),
      allConfirmedByBoth: items.every(({ confirmedBy }) => confirmedBy.includes(user) && confirmedBy.includes(partner)),
      canAdvance: mayAdvance(factsOf(ctx, place), user),
    }
  },
)
