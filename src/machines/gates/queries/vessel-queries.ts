import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { viewedPlaceOf, type ViewedPlace } from '../change/access.ts'
import { isGranted } from '../change/consents.ts'
import { exchangeTables, wasRevealed } from '../facts/exchange.ts'
import { sid } from '../facts/fields.ts'
import { BOUNDARIES_MAX, CONSENTS_MAX, EVENTS_MAX, NEEDS_MAX } from '../facts/gates-bounds.ts'
import type { GatesQueryContext, GatesView } from '../facts/gates-schema.ts'
import { boundaryRow, consentRow, eventRow, needRow, personRow, sharedRow, type Consent } from '../facts/rows.ts'
import { readVerdict, type ConsentState, type ReadCondition, type ResourceName } from '../rules/resources.ts'

/** What a person keeps, and what of it is shared (domain.md §2.7). */

const identified = z.object({ id: z.string() })

/** The viewer's own events and boundaries. */
export const vessel = query(
  {
    input: sid,
    output: z.object({
      events: z.array(eventRow.extend(identified.shape)),
      boundaries: z.array(boundaryRow.extend(identified.shape)),
    }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const prefix = [input.sid, place.user] as const
    return {
      events: view.events.range({ prefix, limit: EVENTS_MAX }).map(([[, , id], event]) => ({ id, ...event })),
      boundaries: view.boundaries.range({ prefix, limit: BOUNDARIES_MAX }).map(([[, , id], row]) => ({ id, ...row })),
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

const sharedItem = sharedRow.omit({ sourceUser: true }).extend({ consentId: z.string() })

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
    const shared = partnersShared(place, context).filter(({ contentType }) => contentType === 'IDENTIFIED_NEED')
    return { own: own.map(([[, , id], need]) => ({ id, ...need })), partner: shared }
  },
)

/** Consents that the viewer was asked for or gave, with previews and denials. */
export const consents = query(
  { input: sid, output: z.array(consentRow.omit({ owner: true }).extend(identified.shape)) },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    return view.consents
      .range({ prefix: [input.sid], limit: CONSENTS_MAX })
      .flatMap(([[, id], { owner, ...consent }]) => {
        return owner === place.user ? [{ id, ...consent }] : []
      })
  },
)

/** What is shared: by the viewer all of it, revoked or not; by the partner what the contract of the stage lets through. */
export const sharedContent = query(
  {
    input: sid,
    output: z.object({
      own: z.array(sharedItem.extend({ active: z.boolean() })),
      partner: z.array(sharedItem),
    }),
  },
  (view: GatesView, input, context: GatesQueryContext) => {
    const place = viewedPlaceOf(view, context, input.sid)
    if (isRejection(place)) return place
    const own = sharedBy(place, place.user).map(({ consent, ...item }) => ({ ...item, active: isGranted(consent) }))
    return { own, partner: partnersShared(place, context) }
  },
)

function sharedBy({ view, sid: dialogue }: ViewedPlace, owner: string) {
  return view.shared
    .range({ prefix: [dialogue], limit: CONSENTS_MAX })
    .flatMap(([[, consentId], { sourceUser, ...item }]) => {
      const consent = view.consents.get([dialogue, consentId])
      return sourceUser === owner && consent !== undefined ? [{ consentId, ...item, consent }] : []
    })
}

/** What the partner shares, if what it is made of may be read: a need from stage 3 on, a guess once it was shown. */
function partnersShared(place: ViewedPlace, context: GatesQueryContext): readonly z.output<typeof sharedItem>[] {
  const { sid: dialogue, partner, stage } = place
  const shown = wasRevealed(context.read(exchangeTables), dialogue, partner)
  return sharedBy(place, partner).flatMap(({ consent, ...item }) => {
    const { contentType } = item
    const holds: ReadCondition[] = shown ? ['revealed'] : []
    if (contentType === 'IDENTIFIED_NEED' || contentType === 'BOUNDARY') holds.push('needOrBoundary')
    const look = { of: 'partner' as const, stage, consent: consentState(consent), holds }
    const readable = readVerdict('consentedContent', look) && readVerdict(madeOf(contentType), look)
    return readable ? [item] : []
  })
}

function madeOf(contentType: Consent['contentType']): ResourceName {
  if (contentType === 'EMPATHY_ATTEMPT') return 'empathyAttempt'
  return contentType === 'IDENTIFIED_NEED' ? 'sharedNeeds' : 'consentedContent'
}

function consentState(consent: Consent): ConsentState {
  if (consent.decision !== 'GRANTED') return 'none'
  return consent.revokedAt === null ? 'granted' : 'revoked'
}
