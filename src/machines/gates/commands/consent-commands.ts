import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { activePlaceOf, dialogueOfMember, placeOf, type Place } from '../change/access.ts'
import { ask, consentsLeft, decide, grant, maybeAnalyze, mayAsk, revoke, sharedNeeds } from '../change/consents.ts'
import { personOf } from '../change/people.ts'
import { sessionTables } from '../facts/dialogues.ts'
import { exchangeOf, exchangeTables } from '../facts/exchange.ts'
import { consentText, id, sid } from '../facts/fields.ts'
import { numberIn, type IdKind } from '../facts/ids.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { CONTENT_TYPES, type ConsentRequest } from '../facts/rows.ts'
import { isFacilitator } from './retrieve.ts'
import { askAgain } from './task-results.ts'

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
    if (!mayAsk(ctx.state, dialogue, given.owner)) return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY' })
    const consentId = ask(ctx, dialogue, given.owner, given)
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
  const keyOf = (kind: IdKind) => [dialogue, owner, numberIn(kind, originalId)] as const
  switch (contentType) {
    case 'IDENTIFIED_NEED':
      return needs.has(keyOf('need'))
    case 'EVENT_SUMMARY':
      return events.has(keyOf('evt'))
    case 'BOUNDARY':
      return boundaries.has(keyOf('bnd'))
    case 'EMOTIONAL_PATTERN':
      return ctx.read(sessionTables).readings.has([dialogue, owner, readingNumber(originalId)])
    case 'EMPATHY_DRAFT':
      return originalId === 'draft' && personOf(ctx, dialogue, owner).draft !== null
    case 'EMPATHY_ATTEMPT':
      return originalId === 'attempt' && exchangeOf(ctx.read(exchangeTables), dialogue, owner).attempted
    case 'STRATEGY_PROPOSAL':
      return strategies.get([dialogue, numberIn('str', originalId)])?.author === owner
  }
}

/** `emo-7` → 7; 0, which no reading has, for everything else. */
const readingNumber = (reading: string): number =>
  /^emo-[1-9][0-9]{0,14}$/.test(reading) ? Number(reading.slice(4)) : 0

/** Grants, perhaps in other words, or denies: then nothing is shared, and the partner never learns that anything was asked. */
export const decideConsent = command(
  {
    input: sid.extend({
      consentId: id,
      decision: z.enum(['GRANTED', 'DENIED']),
      editedContent: consentText.optional(),
    }),
    /** The consent, where it is granted: it has an id of its own, from which nobody learns of requests. */
    output: z.object({ decision: z.enum(['GRANTED', 'DENIED']), consentId: id.nullable() }),
  },
  (ctx: GatesContext, { sid: dialogue, consentId, decision, editedContent }) => {
    const place = activePlaceOf(ctx, dialogue)
    if (isRejection(place)) return place
    const { user } = place
    const number = numberIn('ask', consentId)
    // Of somebody else's nobody learns that there is one.
    const request = ctx.state.requests.get([dialogue, user, number])
    if (request === undefined) return ctx.reject('NOT_FOUND', { consentId })
    if (request.decision !== null) return ctx.reject('CONFLICT', { reason: 'ALREADY_DECIDED' })
    if (decision === 'DENIED') {
      decide(ctx, place, { number, request, decision })
      return { decision, consentId: null }
    }
    const refused = refusedGrant(ctx, place, request)
    if (refused !== null) return refused
    decide(ctx, place, { number, request, decision })
    const { contentType, originalId, transformedPreview } = request
    const shown = { contentType, originalId, transformedPreview, content: editedContent ?? transformedPreview }
    const granted = grant(ctx, place, { owner: user, ...shown })
    if (contentType === 'IDENTIFIED_NEED') maybeAnalyze(ctx, place)
    return { decision, consentId: granted }
  },
)

/** A need is shared when it is confirmed, and once; an owner has room for so many consents. */
function refusedGrant(
  ctx: GatesContext,
  { sid: dialogue, user }: Place,
  { contentType, originalId }: ConsentRequest,
): Rejection<'VALIDATION_ERROR'> | null {
  if (contentType === 'IDENTIFIED_NEED') {
    const need = ctx.state.needs.get([dialogue, user, numberIn('need', originalId)])
    if (need?.decision !== 'CONFIRMED') {
      return ctx.reject('VALIDATION_ERROR', { reason: 'NOT_CONFIRMED', needId: originalId })
    }
    const shared = sharedNeeds(ctx.state, dialogue).some((known) => known.user === user && known.needId === originalId)
    if (shared) return ctx.reject('VALIDATION_ERROR', { reason: 'SHARED', needId: originalId })
  }
  const room = consentsLeft(ctx.state, dialogue, user) > 0
  return room ? null : ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY' })
}

/**
 * Takes a consent back, whatever became of the dialogue: from this entry on nobody but its owner sees what was shared under
 * it, and no worker is given it any more.
 */
export const revokeConsent = command(
  { input: sid.extend({ consentId: id }), output: z.object({ revokedAt: z.int() }) },
  (ctx: GatesContext, { sid: dialogue, consentId }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const number = numberIn('con', consentId)
    const consent = ctx.state.consents.get([dialogue, number])
    if (consent?.owner !== place.user || consent.revokedAt !== null) return ctx.reject('NOT_FOUND', { consentId })
    const { contentType } = consent
    revoke(ctx, dialogue, number, consent)
    if (contentType === 'IDENTIFIED_NEED') askAgain(ctx, place)
    if (contentType === 'EMPATHY_ATTEMPT') ctx.publish('EmpathyConsentRevoked', { sid: dialogue, guesser: place.user })
    // Whose strategy one was is nobody's to know, and nobody has seen it under this consent.
    if (contentType !== 'STRATEGY_PROPOSAL') {
      ctx.notify(place.partner, 'partner.consent_revoked', { sid: dialogue, contentType })
    }
    return { revokedAt: ctx.now }
  },
)
