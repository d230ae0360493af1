import {
  ANALYZED_NEEDS_MAX,
  CONSENTS_KEPT_MAX,
  CONSENTS_MAX,
  CONSENT_ROWS_MAX,
  REQUESTS_KEPT_MAX,
  REQUESTS_MAX,
} from '../facts/gates-bounds.ts'
import type { GatesContext, GatesView } from '../facts/gates-schema.ts'
import { idOf, numberIn } from '../facts/ids.ts'
import type { Consent, ConsentRequest } from '../facts/rows.ts'
import type { Place } from './access.ts'
import { changeTogether, nextNumber, togetherOf } from './people.ts'

/** Consents, with what is shared under them, and requests for one (domain.md §2.1). */

/** A need that is shared now, as its sharer worded it. */
export interface SharedNeed {
  readonly consentId: string
  readonly needId: string
  readonly user: string
  readonly content: string
}

/** Consents of a dialogue, of either, by number. */
export const consentsOf = (view: GatesView, sid: string): readonly (readonly [number, Consent])[] =>
  view.consents.range({ prefix: [sid], limit: CONSENT_ROWS_MAX }).map(([[, number], consent]) => [number, consent])

/** An owner has room for so many more consents; revoked ones do not count. */
export function consentsLeft(view: GatesView, sid: string, owner: string): number {
  const active = consentsOf(view, sid).filter(([, consent]) => consent.owner === owner && consent.revokedAt === null)
  return CONSENTS_MAX - active.length
}

/** Grants a consent: from this entry on its content is to be seen. The caller looked whether there is room. */
export function grant(
  ctx: GatesContext,
  { sid, dialogue }: Pick<Place, 'sid' | 'dialogue'>,
  given: Pick<Consent, 'owner' | 'contentType' | 'originalId' | 'transformedPreview' | 'content'>,
): string {
  const number = nextNumber(ctx, dialogue.relationshipId, 'con')
  ctx.state.consents.set([sid, number], { ...given, grantedAt: ctx.now, revokedAt: null })
  return idOf('con', number)
}

/** Revokes it. Of an owner's revoked ones the one that was granted first goes. */
export function revoke(ctx: GatesContext, sid: string, number: number, consent: Consent): void {
  ctx.state.consents.set([sid, number], { ...consent, revokedAt: ctx.now })
  const revoked = consentsOf(ctx.state, sid).filter(([, { owner, revokedAt }]) => {
    return owner === consent.owner && revokedAt !== null
  })
  const [oldest] = revoked
  if (oldest !== undefined && revoked.length > CONSENTS_KEPT_MAX) ctx.state.consents.delete([sid, oldest[0]])
}

/** What an owner was asked for, by number. */
export const requestsOf = (
  view: GatesView,
  sid: string,
  owner: string,
): readonly (readonly [number, ConsentRequest])[] =>
  view.requests
    .range({ prefix: [sid, owner], limit: REQUESTS_MAX + REQUESTS_KEPT_MAX })
    .map(([[, , number], request]) => [number, request])

/** Whether an owner may be asked for one more. */
export const mayAsk = (view: GatesView, sid: string, owner: string): boolean =>
  requestsOf(view, sid, owner).filter(([, { decision }]) => decision === null).length < REQUESTS_MAX

/** Asks an owner; the caller looked whether it may. */
export function ask(
  ctx: GatesContext,
  sid: string,
  owner: string,
  given: Pick<ConsentRequest, 'contentType' | 'originalId' | 'transformedPreview'>,
): string {
  const number = nextNumber(ctx, owner, 'ask')
  const { contentType, originalId, transformedPreview } = given
  ctx.state.requests.set([sid, owner, number], {
    ...{ contentType, originalId, transformedPreview },
    decision: null,
    decidedAt: null,
  })
  return idOf('ask', number)
}

/** Notes what an owner decided. Of the decided ones the oldest goes. */
export function decide(
  ctx: GatesContext,
  place: Pick<Place, 'sid' | 'user'>,
  {
    number,
    request,
    decision,
  }: {
    readonly number: number
    readonly request: ConsentRequest
    readonly decision: 'GRANTED' | 'DENIED'
  },
): void {
  const { sid, user } = place
  ctx.state.requests.set([sid, user, number], { ...request, decision, decidedAt: ctx.now })
  const decided = requestsOf(ctx.state, sid, user).filter(([, known]) => known.decision !== null)
  const [oldest] = decided
  if (oldest !== undefined && decided.length > REQUESTS_KEPT_MAX) ctx.state.requests.delete([sid, user, oldest[0]])
}

/** An attempt of the empathy exchange, under the id that the machine reconciler gave it. */
interface SharedAttempt {
  readonly guesser: string
  readonly attemptId: string
  readonly content: string
}

/** The consent for an attempt, granted by sharing it. Nobody reads it before it is shown (`wasRevealed`). */
export function grantAttempt(
  ctx: GatesContext,
  place: Pick<Place, 'sid' | 'dialogue'>,
  { guesser, attemptId, content }: SharedAttempt,
): void {
  const given = { owner: guesser, contentType: 'EMPATHY_ATTEMPT' as const, originalId: attemptId }
  grant(ctx, place, { ...given, transformedPreview: content, content })
}

/** The consent under which an attempt is shared now; null once it is revoked. */
export function attemptConsent(
  view: GatesView,
  sid: string,
  { guesser, attemptId }: Pick<SharedAttempt, 'guesser' | 'attemptId'>,
): readonly [number, Consent] | null {
  const found = consentsOf(view, sid).find(([, { owner, contentType, originalId, revokedAt }]) => {
    return owner === guesser && contentType === 'EMPATHY_ATTEMPT' && originalId === attemptId && revokedAt === null
  })
  return found ?? null
}

/** The words in which it was shown last. */
export function showAttempt(ctx: GatesContext, sid: string, attempt: SharedAttempt): void {
  const found = attemptConsent(ctx.state, sid, attempt)
  if (found === null) return
  const [number, consent] = found
  ctx.state.consents.set([sid, number], { ...consent, content: attempt.content })
}

/** Needs of a dialogue that are shared now, of either. */
export function sharedNeeds(view: GatesView, sid: string): readonly SharedNeed[] {
  return consentsOf(view, sid).flatMap(([number, { contentType, revokedAt, originalId, owner, content }]) => {
    if (contentType !== 'IDENTIFIED_NEED' || revokedAt !== null) return []
    return [{ consentId: idOf('con', number), needId: originalId, user: owner, content }]
  })
}

export const bothShared = (needs: readonly SharedNeed[], { user, partner }: Pick<Place, 'user' | 'partner'>): boolean =>
  needs.some((need) => need.user === user) && needs.some((need) => need.user === partner)

/** Hands what both have shared to a worker that looks for common ground. */
export function analyze(
  ctx: GatesContext,
  { sid, user, partner }: Pick<Place, 'sid' | 'user' | 'partner'>,
  needs: readonly SharedNeed[],
): void {
  const given = [user, partner].sort().flatMap((owner) =>
    needs
      .filter((need) => need.user === owner)
      .slice(-ANALYZED_NEEDS_MAX)
      .flatMap(({ consentId, needId, content }) => {
        const category = ctx.state.needs.get([sid, owner, numberIn('need', needId)])?.category
        return category === undefined ? [] : [{ consentId, user: owner, category, content }]
      }),
  )
  const taskId = ctx.task('common_ground.analyze', sid, { sid, needs: given })
  changeTogether(ctx, sid, { analysis: { state: 'RUNNING', taskId } })
}

/** The first time that both have shared something. */
export function maybeAnalyze(ctx: GatesContext, place: Place): void {
  if (togetherOf(ctx, place.sid).analysis.state !== 'NONE') return
  const needs = sharedNeeds(ctx.state, place.sid)
  if (bothShared(needs, place)) analyze(ctx, place, needs)
}
