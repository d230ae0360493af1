import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { viewedPlaceOf, type ViewedPlace } from '../change/access.ts'
import { pageOf } from '../../session/rules/answer.ts'
import { consentsOf, requestsOf } from '../change/consents.ts'
import { exchangeTables, wasRevealed } from '../facts/exchange.ts'
import { id, sid } from '../facts/fields.ts'
import { BOUNDARIES_MAX, EVENTS_MAX, NEEDS_MAX } from '../facts/gates-bounds.ts'
import type { GatesQueryContext, GatesView } from '../facts/gates-schema.ts'
import { idOf, numberIn } from '../facts/ids.ts'
import { boundaryRow, consentRow, eventRow, needRow, personRow, requestRow, type Consent } from '../facts/rows.ts'
import { readVerdict, type ReadCondition, type ResourceName } from '../rules/resources.ts'

/** What a person keeps, and what of it is shared (domain.md §2.7). */

const identified = z.object({ id: z.string() })

/** The last id of the page before; null for the first page. */
const after = id.nullable().default(null)
/** Where the next page begins; null behind the last one. */
const next = z.string().nullable()

/** The viewer's own events, and behind them the boundaries, the oldest first. */
export const vessel = query(
  {
    input: sid.extend({ after }),
    output: z.object({
      events: z.array(eventRow.extend(identified.shape)),
      boundaries: z.array(boundaryRow.extend(identified.shape)),
      next,
    }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const prefix = [input.sid, place.user] as const
    const boundariesOnly = numberIn('bnd', input.after ?? '') > 0
    const from = (kind: 'evt' | 'bnd') => [...prefix, numberIn(kind, input.after ?? '') + 1] as const
    const events = boundariesOnly ? [] : view.events.range({ prefix, from: from('evt'), limit: EVENTS_MAX })
    const boundaries = view.boundaries.range({ prefix, from: from('bnd'), limit: BOUNDARIES_MAX })
    const { page, all } = pageOf([
      ...events.map(([[, , number], event]) => ({ event: { id: idOf('evt', number), ...event } })),
      ...boundaries.map(([[, , number], row]) => ({ boundary: { id: idOf('bnd', number), ...row } })),
    ])
    const last = page.at(-1)
    return {
      events: page.flatMap((item) => ('event' in item ? [item.event] : [])),
      boundaries: page.flatMap((item) => ('boundary' in item ? [item.boundary] : [])),
      next: all || last === undefined ? null : ('event' in last ? last.event : last.boundary).id,
    }
  },
)

/** The viewer's own draft; there is no way to ask for the partner's. */
export const draft = query(
  { input: sid, output: personRow.shape.draft },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    return view.people.get([input.sid, place.user])?.draft ?? null
  },
)

const sharedItem = z.object({
  consentId: z.string(),
  contentType: consentRow.shape.contentType,
  transformedContent: z.string(),
  at: z.int(),
})

/** The viewer's needs, whatever was decided, and those that the partner shares now. */
export const needs = query(
  {
    input: sid,
    output: z.object({ own: z.array(needRow.extend(identified.shape)), partner: z.array(sharedItem) }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const own = readVerdict('identifiedNeeds', { of: 'own', stage: place.stage })
      ? view.needs.range({ prefix: [input.sid, place.user], limit: NEEDS_MAX })
      : []
    const shared = consentsOf(view, input.sid)
      .filter(([, { contentType }]) => contentType === 'IDENTIFIED_NEED')
      .flatMap(([number, consent]) => partnersShared(place, context, [number, consent]))
    return { own: own.map(([[, , number], need]) => ({ id: idOf('need', number), ...need })), partner: shared }
  },
)

const consentItem = requestRow.extend({ id: z.string(), revokedAt: consentRow.shape.revokedAt })

/** Requests to the viewer that were not granted, and behind them the consents that the viewer gave, the oldest first. */
export const consents = query(
  { input: sid.extend({ after }), output: z.object({ consents: z.array(consentItem), next }) },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const given = numberIn('con', input.after ?? '')
    const asked = given > 0 ? [] : requestsOf(view, input.sid, place.user)
    const { page, all } = pageOf([
      ...asked.flatMap(([number, request]) => {
        const shown = request.decision !== 'GRANTED' && number > numberIn('ask', input.after ?? '')
        return shown ? [{ id: idOf('ask', number), ...request, revokedAt: null }] : []
      }),
      ...consentsOf(view, input.sid).flatMap(([number, consent]) => {
        return consent.owner === place.user && number > given ? [consentOf(number, consent)] : []
      }),
    ])
    return { consents: [...page], next: all ? null : (page.at(-1)?.id ?? null) }
  },
)

function consentOf(number: number, consent: Consent): z.output<typeof consentItem> {
  const { contentType, originalId, transformedPreview, grantedAt, revokedAt } = consent
  const decided = { decision: 'GRANTED' as const, decidedAt: grantedAt, revokedAt }
  return { id: idOf('con', number), contentType, originalId, transformedPreview, ...decided }
}

/**
 * What is shared, the oldest first: by the viewer all of it, revoked or not; by the partner what the contract of the stage lets
 * through.
 */
export const sharedContent = query(
  {
    input: sid.extend({ after }),
    output: z.object({
      own: z.array(sharedItem.extend({ active: z.boolean() })),
      partner: z.array(sharedItem),
      next,
    }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const rows = consentsOf(view, input.sid).filter(([number]) => number > numberIn('con', input.after ?? ''))
    const shown = rows.flatMap(([number, consent]) => {
      const active = consent.revokedAt === null
      if (consent.owner === place.user) return [{ own: true, item: itemOf(number, consent), active }]
      return partnersShared(place, context, [number, consent]).map((item) => ({ own: false, item, active }))
    })
    const { page, all } = pageOf(shown)
    return {
      own: page.flatMap(({ own, item, active }) => (own ? [{ ...item, active }] : [])),
      partner: page.flatMap(({ own, item }) => (own ? [] : [item])),
      next: all ? null : (page.at(-1)?.item.consentId ?? null),
    }
  },
)

const itemOf = (number: number, { contentType, content, grantedAt }: Consent): z.output<typeof sharedItem> => ({
  consentId: idOf('con', number),
  contentType,
  transformedContent: content,
  at: grantedAt,
})

/**
 * What the partner shares under a consent, if what it is made of may be read: a need from stage 3 on, a guess once it was
 * shown.
 */
function partnersShared(
  { sid: dialogue, partner, stage }: ViewedPlace,
  context: GatesQueryContext,
  [number, consent]: readonly [number, Consent],
): readonly z.output<typeof sharedItem>[] {
  const { contentType, owner, revokedAt } = consent
  if (owner !== partner) return []
  const holds: ReadCondition[] = []
  if (wasRevealed(context.read(exchangeTables), dialogue, partner)) holds.push('revealed')
  if (contentType === 'IDENTIFIED_NEED' || contentType === 'BOUNDARY') holds.push('needOrBoundary')
  const look = {
    of: 'partner' as const,
    stage,
    consent: revokedAt === null ? ('granted' as const) : ('revoked' as const),
    holds,
  }
  const readable = readVerdict('consentedContent', look) && readVerdict(madeOf(contentType), look)
  return readable ? [itemOf(number, consent)] : []
}

/** Of a strategy that is shared by itself its author would be told. */
function madeOf(contentType: Consent['contentType']): ResourceName {
  if (contentType === 'EMPATHY_ATTEMPT') return 'empathyAttempt'
  if (contentType === 'STRATEGY_PROPOSAL') return 'strategyAuthor'
  return contentType === 'IDENTIFIED_NEED' ? 'sharedNeeds' : 'consentedContent'
}
