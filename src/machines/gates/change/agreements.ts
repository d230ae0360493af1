import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'
import { AGREEMENTS_KEPT_MAX, AGREEMENTS_MAX, AGREEMENT_ROWS_MAX } from '../facts/gates-bounds.ts'
import { isActive } from '../facts/gate-facts.ts'
import type { GatesContext, GatesView } from '../facts/gates-schema.ts'
import { idOf, numberIn } from '../facts/ids.ts'
import { agreementRow, type Agreement } from '../facts/rows.ts'
import type { Place } from './access.ts'
import { nextNumber } from './people.ts'

/** An agreement as both see it. */
export const shownAgreement = agreementRow.omit({ proposedBy: true, replacedBy: true }).extend({
  id: z.string(),
  /** A need on which its strategy rests is no longer shared. The agreement stands all the same (C29). */
  hasStaleInputs: z.boolean(),
})

/** The agreements of a dialogue, in whatever status, the oldest first. */
export function shownAgreements(view: GatesView, sid: string): readonly Parsed<typeof shownAgreement>[] {
  return agreementsOf(view, sid).map(([number, { proposedBy: _by, replacedBy: _next, ...agreement }]) => ({
    ...agreement,
    id: idOf('agr', number),
    hasStaleInputs: isStale(view, sid, agreement.strategyId),
  }))
}

const agreementsOf = (view: GatesView, sid: string): readonly (readonly [number, Agreement])[] =>
  view.agreements.range({ prefix: [sid], limit: AGREEMENT_ROWS_MAX }).map(([[, number], row]) => [number, row])

/** An item that is gone rested on a need that is no longer shared: it went to make room. */
function isStale(view: GatesView, sid: string, strategyId: string | null): boolean {
  const strategy = strategyId === null ? undefined : view.strategies.get([sid, numberIn('str', strategyId)])
  return (strategy?.needsAddressed ?? []).some((id) => {
    const item = view.commonGround.get([sid, numberIn('cg', id)])
    return item === undefined || ![item.sourceNeedA, item.sourceNeedB].every((consent) => isActive(view, sid, consent))
  })
}

/** There may be so many that are proposed or agreed; abandoned ones do not count. */
export const hasRoom = (view: GatesView, sid: string): boolean =>
  agreementsOf(view, sid).filter(([, { status }]) => status !== 'ABANDONED').length < AGREEMENTS_MAX

/** Writes a proposal and tells the partner. The caller looked whether there is room. */
export function propose(
  ctx: GatesContext,
  { sid, user, partner, dialogue }: Place,
  terms: Pick<Agreement, 'strategyId' | 'description' | 'type' | 'duration' | 'measureOfSuccess' | 'followUpAt'>,
): string {
  const number = nextNumber(ctx, dialogue.relationshipId, 'agr')
  const { strategyId, description, type, duration, measureOfSuccess, followUpAt } = terms
  ctx.state.agreements.set([sid, number], {
    ...{ strategyId, description, type, duration, measureOfSuccess, followUpAt },
    status: 'PROPOSED',
    agreedBy: [user],
    agreedAt: null,
    replacedBy: null,
    proposedBy: user,
  })
  const id = idOf('agr', number)
  ctx.notify(partner, 'agreement.proposed', { sid, id })
  return id
}

/** Abandons a proposal. Of those that were abandoned the oldest go. */
export function abandonAgreement(ctx: GatesContext, sid: string, number: number, agreement: Agreement): void {
  ctx.state.agreements.set([sid, number], { ...agreement, status: 'ABANDONED' })
  const abandoned = agreementsOf(ctx.state, sid).filter(([, { status }]) => status === 'ABANDONED')
  const [oldest] = abandoned
  if (oldest !== undefined && abandoned.length > AGREEMENTS_KEPT_MAX) ctx.state.agreements.delete([sid, oldest[0]])
}
