import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'
import { AGREEMENTS_MAX } from '../facts/gates-bounds.ts'
import { isActive } from '../facts/gate-facts.ts'
import type { GatesView } from '../facts/gates-schema.ts'
import { agreementRow } from '../facts/rows.ts'

/** An agreement as both see it. */
export const shownAgreement = agreementRow.extend({
  id: z.string(),
  /** A need on which its strategy rests is no longer shared. The agreement stands all the same (C29). */
  hasStaleInputs: z.boolean(),
})

/** The agreements of a dialogue, in whatever status. */
export function shownAgreements(view: GatesView, sid: string): readonly Parsed<typeof shownAgreement>[] {
  const rows = view.agreements.range({ prefix: [sid], limit: AGREEMENTS_MAX })
  return rows.map(([[, id], agreement]) => ({
    ...agreement,
    id,
    hasStaleInputs: isStale(view, sid, agreement.strategyId),
  }))
}

function isStale(view: GatesView, sid: string, strategyId: string | null): boolean {
  const strategy = strategyId === null ? undefined : view.strategies.get([sid, strategyId])
  const items = (strategy?.needsAddressed ?? []).flatMap((id) => view.commonGround.get([sid, id]) ?? [])
  const sources = items.flatMap(({ sourceNeedA, sourceNeedB }) => [sourceNeedA, sourceNeedB])
  return sources.some((consent) => !isActive(view, sid, consent))
}
