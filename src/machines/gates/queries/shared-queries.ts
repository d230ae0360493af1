import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { viewedPlaceOf, type ViewedPlace } from '../change/access.ts'
import { shownAgreement, shownAgreements } from '../change/agreements.ts'
import { poolOf } from '../change/strategies.ts'
import { id, sid } from '../facts/fields.ts'
import { visibleCommonGround } from '../facts/gate-facts.ts'
import { idOf } from '../facts/ids.ts'
import type { GatesQueryContext, GatesView } from '../facts/gates-schema.ts'
import { commonGroundRow, dialogueRow, NEW_DIALOGUE, strategyRow } from '../facts/rows.ts'
import { readVerdict, type ResourceName } from '../rules/resources.ts'

/** What belongs to both (domain.md §2.7, rows 19 to 24). */

/** Items whose sources are both shared now, and how far the search for them is. */
export const commonGround = query(
  {
    input: sid,
    output: z.object({
      items: z.array(commonGroundRow.extend({ id })),
      analysis: dialogueRow.shape.analysis.shape.state,
      analysisComplete: z.boolean(),
    }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const seen = readVerdict('commonGround', { of: 'partner', stage: place.stage, consent: 'granted' })
    const items = seen ? visibleCommonGround(view, input.sid) : []
    const { analysis } = view.dialogues.get(input.sid) ?? NEW_DIALOGUE
    const state = seen ? analysis.state : 'NONE'
    return {
      items: items.map(([[, number], item]) => ({ id: idOf('cg', number), ...item })),
      analysis: state,
      analysisComplete: state === 'DONE',
    }
  },
)

/** The pool without any authors: not even one's own are marked. */
export const strategies = query(
  {
    input: sid,
    output: z.object({
      phase: dialogueRow.shape.phase,
      strategies: z.array(strategyRow.omit({ author: true }).extend({ id })),
    }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const seen = readsAtLast(place, 'strategies')
    const { phase } = view.dialogues.get(input.sid) ?? NEW_DIALOGUE
    const pool = seen ? poolOf(view, input.sid) : []
    return {
      phase: seen ? phase : NEW_DIALOGUE.phase,
      strategies: pool.map(([strategyId, { author: _author, ...strategy }]) => ({ id: strategyId, ...strategy })),
    }
  },
)

const ranked = z.object({ ids: z.array(id), at: z.int() }).nullable()

/** The viewer's ranking, and the partner's once both have ranked. */
export const ranking = query(
  { input: sid, output: z.object({ own: ranked, partner: ranked }) },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const own = rankingOf(place, place.user)
    return { own, partner: readsAtLast(place, 'ranking') ? rankingOf(place, place.partner) : null }
  },
)

/** What both rank among their first three; null until both have ranked. */
export const overlap = query(
  { input: sid, output: z.object({ overlap: ranked }) },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    return { overlap: readsAtLast(place, 'overlap') ? (view.dialogues.get(input.sid)?.overlap ?? null) : null }
  },
)

/** Agreements in whatever status. */
export const agreements = query(
  { input: sid, output: z.array(shownAgreement) },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    return readsAtLast(place, 'agreements') ? [...shownAgreements(view, input.sid)] : []
  },
)

const rankingOf = ({ view, sid: dialogue }: ViewedPlace, user: string) =>
  view.people.get([dialogue, user])?.ranking ?? null

function readsAtLast(place: ViewedPlace, resource: ResourceName): boolean {
  const both = [place.user, place.partner].every((user) => rankingOf(place, user) !== null)
  return readVerdict(resource, { of: 'partner', stage: place.stage, holds: both ? ['bothRanked'] : [] })
}
