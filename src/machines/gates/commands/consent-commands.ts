import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { activePlaceOf, dialogueOfMember, placeOf } from '../change/access.ts'
import { addConsent, consentsLeft, grant, isGranted, maybeAnalyze } from '../change/consents.ts'
import { personOf } from '../change/people.ts'
import { sessionTables } from '../facts/dialogues.ts'
import { exchangeOf, exchangeTables } from '../facts/exchange.ts'
import { consentText, id, sid } from '../facts/fields.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { CONTENT_TYPES, type Consent } from '../facts/rows.ts'
import { isFacilitator } from './retrieve.ts'

/** Consents: asked for by a worker, decided by whose it is, and revoked at any time (domain.md §2.3). */

type ContentType = (typeof CONTENT_TYPES)[number]

/** Shows a person a wording of something of their own, and asks whether the partner may see it. */
export const proposeConsent = command(
  {
    input: sid.extend({
      owner: id,
      contentType: z.enum(CONTENT_TYPES),
      originalId: id,
      transformedPreview: consentText,
    }),
    output: z.object({ consentId: id }),
  },
  (ctx: GatesContext, { sid: dialogue, ...given }) => {
    const refused = refusedProposer(ctx, dialogue)
    if (refused !== null) return refused
    const place = activePlaceOf(ctx, dialogue, given.owner)
    if (isRejection(place)) return place
    if (!isInVessel(ctx, dialogue, given)) return ctx.reject('NOT_FOUND', { originalId: given.originalId })
    if (consentsLeft(ctx, dialogue) === 0) return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY' })
    const consentId = addConsent(ctx, dialogue, given)
    ctx.notify(given.owner, 'consent.requested', { sid: dialogue, consentId })
    return { consentId }
  },
)

/** Members know of the dialogue and may not; to everybody else without the role there is none. */
function refusedProposer(ctx: GatesContext, dialogue: string): Rejection<'NOT_FOUND' | 'FORBIDDEN'> | null {
  if (isFacilitator(ctx.principal, ctx.roles)) return null
  const member = dialogueOfMember(ctx.read(sessionTables), dialogue, ctx.principal) !== null
  return member ? ctx.reject('FORBIDDEN', { sid: dialogue }) : ctx.reject('NOT_FOUND', { sid: dialogue })
}

/** Whether the owner has such a thing. A strategy is in the vessel of whoever proposed it. */
function isInVessel(
  ctx: GatesContext,
  dialogue: string,
  {
    owner,
    contentType,
    originalId,
  }: { readonly owner: string; readonly contentType: ContentType; readonly originalId: string },
): boolean {
  const { needs, events, boundaries, strategies } = ctx.state
  const key = [dialogue, owner, originalId] as const
  switch (contentType) {
    case 'IDENTIFIED_NEED':
      return needs.has(key)
    case 'EVENT_SUMMARY':
      return events.has(key)
    case 'BOUNDARY':
      return boundaries.has(key)
    case 'EMOTIONAL_PATTERN':
      return ctx.read(sessionTables).readings.has([dialogue, owner, numberOf(originalId)])
    case 'EMPATHY_DRAFT':
      return originalId === 'draft' && personOf(ctx, dialogue, owner).draft !== null
    case 'EMPATHY_ATTEMPT':
      return originalId === 'attempt' && exchangeOf(ctx.read(exchangeTables), dialogue, owner).shared
    case 'STRATEGY_PROPOSAL':
      return strategies.get([dialogue, originalId])?.author === owner
  }
}

/** `emo-7` → 7; 0, which no reading has, for everything else. */
const numberOf = (reading: string): number => (/^emo-[1-9][0-9]{0,14}$/.test(reading) ? Number(reading.slice(4)) : 0)

/** Grants, perhaps in other words, or denies: then nothing is shared, and the partner never learns that anything was asked. */
export const decideConsent = command(
  {
    input: sid.extend({
      consentId: id,
      decision: z.enum(['GRANTED', 'DENIED']),
      editedContent: consentText.optional(),
    }),
    output: z.object({ decision: z.enum(['GRANTED', 'DENIED']) }),
  },
  (ctx: GatesContext, { sid: dialogue, consentId, decision, editedContent }) => {
    const place = activePlaceOf(ctx, dialogue)
    if (isRejection(place)) return place
    const consent = ownConsent(ctx, dialogue, consentId)
    if (isRejection(consent)) return consent
    if (consent.decision !== null) return ctx.reject('CONFLICT', { reason: 'ALREADY_DECIDED' })
    if (decision === 'DENIED') {
      ctx.state.consents.set([dialogue, consentId], { ...consent, decision, decidedAt: ctx.now })
      return { decision }
    }
    grant(ctx, dialogue, consentId, editedContent ?? consent.transformedPreview)
    if (consent.contentType === 'IDENTIFIED_NEED') maybeAnalyze(ctx, place)
    return { decision }
  },
)

/** Takes a consent back, also in a pause: from this entry on nobody but its owner sees what was shared under it. */
export const revokeConsent = command(
  { input: sid.extend({ consentId: id }), output: z.object({ revokedAt: z.int() }) },
  (ctx: GatesContext, { sid: dialogue, consentId }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const consent = ownConsent(ctx, dialogue, consentId)
    if (isRejection(consent)) return consent
    const { status } = place.dialogue
    if (status !== 'ACTIVE' && status !== 'PAUSED') return ctx.reject('SESSION_NOT_ACTIVE', { status })
    if (!isGranted(consent)) return ctx.reject('NOT_FOUND', { consentId })
    ctx.state.consents.set([dialogue, consentId], { ...consent, revokedAt: ctx.now })
    const { contentType } = consent
    if (contentType === 'EMPATHY_ATTEMPT') ctx.publish('EmpathyConsentRevoked', { sid: dialogue, guesser: place.user })
    ctx.notify(place.partner, 'partner.consent_revoked', { sid: dialogue, contentType })
    return { revokedAt: ctx.now }
  },
)

/** The issuer's own; of somebody else's nobody learns that there is one. */
function ownConsent(ctx: GatesContext, dialogue: string, consentId: string): Consent | Rejection<'NOT_FOUND'> {
  const consent = ctx.state.consents.get([dialogue, consentId])
  return consent?.owner === ctx.principal ? consent : ctx.reject('NOT_FOUND', { consentId })
}
