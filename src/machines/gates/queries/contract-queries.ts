import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection, type Rejection } from '../../../machine/define/rejection.ts'
import { dialogueOfMember, viewedPlaceOf } from '../change/access.ts'
import { retrievedItem, retrievedItems } from '../change/retrieval-items.ts'
import { retrievalQueries, verdict } from '../commands/retrieve.ts'
import { sessionTables } from '../facts/dialogues.ts'
import { id, sid } from '../facts/fields.ts'
import { presentStage } from '../facts/gate-facts.ts'
import type { GatesQueryContext, GatesView } from '../facts/gates-schema.ts'
import { refusalRow, retrievalRow } from '../facts/rows.ts'
import { STAGES } from '../facts/stages.ts'
import { legalQueryOf, retrievalVerdict } from '../rules/contracts.ts'

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
    output: z.array(retrievalRow.extend({ seq: z.int(), onBehalfOf: z.string() })),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const prefix = [input.sid, place.user] as const
    const rows = view.retrievals.range({ prefix, from: [...prefix, input.from], limit: input.limit })
    return rows.map(([[, onBehalfOf, seq], row]) => ({ seq, onBehalfOf, ...row }))
  },
)

/**
 * The items that a `retrieve` of the same issuer named, as far as they are to be had now: stage, consents and the dialogue are
 * those of this moment.
 */
export const retrieved = query(
  {
    input: sid.extend({ seq: z.int().min(1), onBehalfOf: id.optional() }),
    output: z.object({ verdict, items: z.array(retrievedItem) }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const { session } = context
    if (session === null) return context.reject('UNAUTHENTICATED')
    const { sid: dialogue, seq, onBehalfOf: user = session.principal } = input
    const known = view.retrievals.get([dialogue, user, seq])
    // One that could not be asked has no items, and what is kept of it may be cut in the middle.
    const isLegal = known?.requester === session.principal && known.verdict !== 'INVALID_QUERY'
    const place = isLegal ? dialogueOfMember(context.read(sessionTables), dialogue, user) : null
    const asked = isLegal ? legalQueryOf(JSON.parse(known.query)) : null
    if (!isLegal || place === null || asked === null) return context.reject('NOT_FOUND', { sid: dialogue })
    if (place.status !== 'ACTIVE') return context.reject('SESSION_NOT_ACTIVE', { status: place.status })
    const stage = presentStage(view, dialogue, user)
    const given = retrievalVerdict(asked, stage, user)
    if (given !== 'ALLOWED') return { verdict: given, items: [] }
    const items = retrievedItems(context, asked, { user, dialogue: place, stage })
    return { verdict: given, items: items.filter((item) => known.itemIds.includes(item.id)) }
  },
)

/** How often something was asked for that is not to be had, by stage; for administrators. */
export const violations = query(
  { input: z.object({}), output: z.array(z.int()) },
  (view: GatesView, _input, context: GatesQueryContext) => {
    const refused = refusedViewer(context)
    if (refused !== null) return refused
    return STAGES.map((stage) => view.violations.get(stage) ?? 0)
  },
)

/** What an issuer asked for and was refused as a whole, the oldest first; for administrators. */
export const refusals = query(
  {
    input: z.object({ principal: id, from: z.int().min(1).default(1) }),
    output: z.array(refusalRow.extend({ seq: z.int() })),
  },
  (view: GatesView, { principal, from }, context: GatesQueryContext) => {
    const refused = refusedViewer(context)
    if (refused !== null) return refused
    const rows = view.refusals.range({ prefix: [principal], from: [principal, from], limit: PAGE_MAX })
    return rows.map(([[, seq], row]) => ({ seq, ...row }))
  },
)

function refusedViewer(context: GatesQueryContext): Rejection<'UNAUTHENTICATED' | 'FORBIDDEN'> | null {
  const { session } = context
  if (session === null) return context.reject('UNAUTHENTICATED')
  return session.principal.startsWith('admin:') ? null : context.reject('FORBIDDEN')
}
