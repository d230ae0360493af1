import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { viewedPlaceOf } from '../change/access.ts'
import { retrievalQueries, verdict } from '../commands/retrieve.ts'
import { sid } from '../facts/fields.ts'
import type { GatesQueryContext, GatesView } from '../facts/gates-schema.ts'
import { retrievalRow } from '../facts/rows.ts'
import { STAGES } from '../facts/stages.ts'
import { retrievalVerdict } from '../rules/contracts.ts'

/** What may be retrieved, and what was (domain.md §2.6). */

/** The verdicts that `retrieve` would give the viewer now; nothing is read and nothing written down. */
export const canRetrieve = query(
  { input: sid.extend({ queries: retrievalQueries }), output: z.array(verdict) },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const { status } = place.dialogue
    if (status !== 'ACTIVE') return context.reject('SESSION_NOT_ACTIVE', { status })
    return input.queries.map((asked) => retrievalVerdict(asked, place.stage, place.user))
  },
)

/** Most retrievals that one answer gives. */
const PAGE_MAX = 100

/** What was retrieved for the viewer in a dialogue and by whom, the oldest first, from `from` on. */
export const retrievals = query(
  {
    input: sid.extend({ from: z.int().min(1).default(1), limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX) }),
    output: z.array(retrievalRow.extend({ seq: z.int() })),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const rows = view.retrievals.range({ prefix: [input.sid], from: [input.sid, input.from], limit: input.limit })
    return rows.flatMap(([[, seq], row]) => (row.onBehalfOf === place.user ? [{ seq, ...row }] : []))
  },
)

/** How often something was asked for that is not to be had, by stage; for administrators. */
export const violations = query(
  { input: z.object({}), output: z.array(z.int()) },
  (view: GatesView, _input, context: GatesQueryContext) => {
    const { session } = context
    if (session === null) return context.reject('UNAUTHENTICATED')
    if (!session.principal.startsWith('admin:')) return context.reject('FORBIDDEN')
    return STAGES.map((stage) => view.violations.get(stage) ?? 0)
  },
)
