import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { placeAt } from '../change/access.ts'
import { abandonAgreement, hasRoom, propose } from '../change/agreements.ts'
import { changeTogether, togetherOf } from '../change/people.ts'
import { duration, id, measure, planText, sid } from '../facts/fields.ts'
import { numberIn } from '../facts/ids.ts'
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
    if (strategyId !== null && !ctx.state.strategies.has([dialogue, numberIn('str', strategyId)])) {
      return ctx.reject('VALIDATION_ERROR', { reason: 'NOT_IN_POOL', strategyId })
    }
    if (followUpAt !== null && followUpAt <= ctx.now) return ctx.reject('VALIDATION_ERROR', { field: 'followUpAt' })
    if (!hasRoom(ctx.state, dialogue))
      return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: AGREEMENTS_MAX })
    const { duration: lasts = null, measureOfSuccess = null } = given
    const terms = { strategyId, description, type, duration: lasts, measureOfSuccess, followUpAt }
    return { agreementId: propose(ctx, place, terms), status: 'PROPOSED' as const }
  },
)

/** Answers a proposal of the other: it holds, or it does not, perhaps with other words in its place. */
export const confirmAgreement = command(
  {
    input: sid.extend({ agreementId: id, confirmed: z.boolean(), modification: planText.optional() }),
    output: z.object({ status, replacedBy: id.nullable(), duplicate: z.literal(true).optional() }),
  },
  (ctx: GatesContext, { sid: dialogue, agreementId, confirmed, modification }) => {
    const place = placeAt(ctx, dialogue, [4])
    if (isRejection(place)) return place
    const { user, partner } = place
    const number = numberIn('agr', agreementId)
    const agreement = ctx.state.agreements.get([dialogue, number])
    if (agreement === undefined) return ctx.reject('NOT_FOUND', { agreementId })
    if (agreement.proposedBy === user) return ctx.reject('CONFLICT', { reason: 'OWN_PROPOSAL' })
    const { status: from, replacedBy: known } = agreement
    if (from !== 'PROPOSED') {
      if (isRepeat(ctx, dialogue, { agreement, confirmed, modification })) {
        return { status: from, replacedBy: known, duplicate: true as const }
      }
      return ctx.reject('INVALID_STATE_TRANSITION', {
        entity: 'agreement',
        from,
        event: 'confirmAgreement',
        allowed: [],
      })
    }
    if (!confirmed) {
      // One goes and one comes.
      const followUpAt = agreement.followUpAt !== null && agreement.followUpAt > ctx.now ? agreement.followUpAt : null
      const terms = { ...agreement, followUpAt, description: modification ?? '' }
      const replacedBy = modification === undefined ? null : propose(ctx, place, terms)
      abandonAgreement(ctx, dialogue, number, { ...agreement, replacedBy })
      return { status: 'ABANDONED' as const, replacedBy }
    }
    const agreedBy = [...agreement.agreedBy, user].sort()
    ctx.state.agreements.set([dialogue, number], { ...agreement, status: 'AGREED', agreedBy, agreedAt: ctx.now })
    // While strategies are collected anew the phase goes on: nothing would ever leave AGREED without an overlap.
    if (togetherOf(ctx, dialogue).overlap !== null) changeTogether(ctx, dialogue, { phase: 'AGREED' })
    for (const member of [user, partner]) ctx.notify(member, 'agreement.confirmed', { sid: dialogue, id: agreementId })
    return { status: 'AGREED' as const, replacedBy: null }
  },
)

/** The same answer to a proposal once more, by the only one who can answer it. */
function isRepeat(
  ctx: GatesContext,
  dialogue: string,
  {
    agreement,
    confirmed,
    modification,
  }: {
    readonly agreement: Agreement
    readonly confirmed: boolean
    readonly modification: string | undefined
  },
): boolean {
  const { status, replacedBy } = agreement
  if (status === 'AGREED') return confirmed
  const words = replacedBy === null ? undefined : ctx.state.agreements.get([dialogue, numberIn('agr', replacedBy)])
  return !confirmed && words?.description === modification
}
