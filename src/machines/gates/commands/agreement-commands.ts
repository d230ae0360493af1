import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { placeAt, type Place } from '../change/access.ts'
import { changeTogether, nextId, togetherOf } from '../change/people.ts'
import { duration, id, measure, planText, sid } from '../facts/fields.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { AGREEMENTS_MAX } from '../facts/gates-bounds.ts'
import { AGREEMENT_TYPES, type Agreement } from '../facts/rows.ts'

/** What two people agree on (domain.md §2.3): one proposes, the other one confirms. */

const status = z.enum(['PROPOSED', 'AGREED', 'ABANDONED'])

/** Proposes an agreement; that the overlap was looked at comes first. */
export const createAgreement = command(
  {
    input: sid.extend({
      strategyId: id.optional(),
      description: planText,
      type: z.enum(AGREEMENT_TYPES),
      duration: duration.optional(),
      measureOfSuccess: measure.optional(),
      followUpAt: z.int().min(0).optional(),
    }),
    output: z.object({ agreementId: id, status }),
  },
  (ctx: GatesContext, { sid: dialogue, ...given }) => {
    const place = placeAt(ctx, dialogue, [4])
    if (isRejection(place)) return place
    const { strategyId = null, followUpAt = null, description, type } = given
    if (togetherOf(ctx, dialogue).overlap === null) {
      return ctx.reject('GATES_NOT_SATISFIED', { unsatisfied: ['overlapIdentified'] })
    }
    if (strategyId !== null && !ctx.state.strategies.has([dialogue, strategyId])) {
      return ctx.reject('VALIDATION_ERROR', { reason: 'NOT_IN_POOL', strategyId })
    }
    if (followUpAt !== null && followUpAt <= ctx.now) return ctx.reject('VALIDATION_ERROR', { field: 'followUpAt' })
    if (!hasRoom(ctx, dialogue)) return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: AGREEMENTS_MAX })
    const { duration: lasts = null, measureOfSuccess = null } = given
    const terms = { strategyId, description, type, duration: lasts, measureOfSuccess, followUpAt }
    return { agreementId: propose(ctx, place, terms), status: 'PROPOSED' as const }
  },
)

/** Answers a proposal of the other: it holds, or it does not, perhaps with other words in its place. */
export const confirmAgreement = command(
  {
    input: sid.extend({ agreementId: id, confirmed: z.boolean(), modification: planText.optional() }),
    output: z.object({ status, replacedBy: id.nullable() }),
  },
  (ctx: GatesContext, { sid: dialogue, agreementId, confirmed, modification }) => {
    const place = placeAt(ctx, dialogue, [4])
    if (isRejection(place)) return place
    const { user, partner } = place
    const agreement = ctx.state.agreements.get([dialogue, agreementId])
    if (agreement === undefined) return ctx.reject('NOT_FOUND', { agreementId })
    if (agreement.agreedBy.includes(user)) return ctx.reject('CONFLICT', { reason: 'OWN_PROPOSAL' })
    if (agreement.status !== 'PROPOSED') {
      const from = agreement.status
      return ctx.reject('INVALID_STATE_TRANSITION', {
        entity: 'agreement',
        from,
        event: 'confirmAgreement',
        allowed: [],
      })
    }
    if (!confirmed) {
      if (modification !== undefined && !hasRoom(ctx, dialogue)) {
        return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: AGREEMENTS_MAX })
      }
      ctx.state.agreements.set([dialogue, agreementId], { ...agreement, status: 'ABANDONED' })
      const replacedBy =
        modification === undefined ? null : propose(ctx, place, { ...agreement, description: modification })
      return { status: 'ABANDONED' as const, replacedBy }
    }
    const agreedBy = [...agreement.agreedBy, user].sort()
    ctx.state.agreements.set([dialogue, agreementId], { ...agreement, status: 'AGREED', agreedBy, agreedAt: ctx.now })
    // While strategies are collected anew the phase goes on: nothing would ever leave AGREED without an overlap.
    if (togetherOf(ctx, dialogue).overlap !== null) changeTogether(ctx, dialogue, { phase: 'AGREED' })
    for (const member of [user, partner]) ctx.notify(member, 'agreement.confirmed', { sid: dialogue, id: agreementId })
    return { status: 'AGREED' as const, replacedBy: null }
  },
)

const hasRoom = (ctx: GatesContext, dialogue: string): boolean =>
  ctx.state.agreements.count({ prefix: [dialogue] }) < AGREEMENTS_MAX

function propose(
  ctx: GatesContext,
  { sid: dialogue, user, partner }: Place,
  {
    strategyId,
    description,
    type,
    duration: lasts,
    measureOfSuccess,
    followUpAt,
  }: Omit<Agreement, 'status' | 'agreedBy' | 'agreedAt'>,
): string {
  const agreementId = nextId(ctx, 'agr')
  const terms = { strategyId, description, type, duration: lasts, measureOfSuccess, followUpAt }
  ctx.state.agreements.set([dialogue, agreementId], { ...terms, status: 'PROPOSED', agreedBy: [user], agreedAt: null })
  ctx.notify(partner, 'agreement.proposed', { sid: dialogue, id: agreementId })
  return agreementId
}
