import { CONSENTS_MAX } from '../facts/gates-bounds.ts'
import type { GatesContext, GatesView } from '../facts/gates-schema.ts'
import type { Consent } from '../facts/rows.ts'
import type { Place } from './access.ts'
import { changeTogether, nextId, togetherOf } from './people.ts'

/** Consents, and what is shared under them (domain.md §2.1). */

/** A need that is shared now, as its sharer worded it. */
export interface SharedNeed {
  readonly consentId: string
  readonly needId: string
  readonly user: string
  readonly content: string
}

export const isGranted = ({ decision, revokedAt }: Consent): boolean => decision === 'GRANTED' && revokedAt === null

/** A dialogue has room for so many more consents. */
export const consentsLeft = (ctx: GatesContext, sid: string): number =>
  CONSENTS_MAX - ctx.state.consents.count({ prefix: [sid] })

/** Writes a consent, granted or undecided. */
export function addConsent(
  ctx: GatesContext,
  sid: string,
  given: Pick<Consent, 'owner' | 'contentType' | 'originalId' | 'transformedPreview'>,
): string {
  const id = nextId(ctx, 'con')
  ctx.state.consents.set([sid, id], { ...given, decision: null, decidedAt: null, revokedAt: null })
  return id
}

/** Grants a consent: from this entry on its content is to be seen. */
export function grant(ctx: GatesContext, sid: string, consentId: string, content: string): void {
  const consent = ctx.state.consents.get([sid, consentId])
  if (consent === undefined) return
  ctx.state.consents.set([sid, consentId], { ...consent, decision: 'GRANTED', decidedAt: ctx.now })
  ctx.state.shared.set([sid, consentId], {
    sourceUser: consent.owner,
    contentType: consent.contentType,
    transformedContent: content,
    at: ctx.now,
  })
}

/** Needs of a dialogue that are shared now, of either. */
export function sharedNeeds(view: GatesView, sid: string): readonly SharedNeed[] {
  return view.consents.range({ prefix: [sid], limit: CONSENTS_MAX }).flatMap(([[, consentId], consent]) => {
    const content = view.shared.get([sid, consentId])?.transformedContent
    if (consent.contentType !== 'IDENTIFIED_NEED' || !isGranted(consent) || content === undefined) return []
    return [{ consentId, needId: consent.originalId, user: consent.owner, content }]
  })
}

export const bothShared = (needs: readonly SharedNeed[], { user, partner }: Place): boolean =>
  needs.some((need) => need.user === user) && needs.some((need) => need.user === partner)

/** Hands what both have shared to a worker that looks for common ground. */
export function analyze(ctx: GatesContext, { sid }: Place, needs: readonly SharedNeed[]): void {
  const given = needs.flatMap(({ consentId, needId, user, content }) => {
    const category = ctx.state.needs.get([sid, user, needId])?.category
    return category === undefined ? [] : [{ consentId, user, category, content }]
  })
  const taskId = ctx.task('common_ground.analyze', sid, { sid, needs: given })
  changeTogether(ctx, sid, { analysis: { state: 'RUNNING', taskId } })
}

/** The first time that both have shared something. */
export function maybeAnalyze(ctx: GatesContext, place: Place): void {
  if (togetherOf(ctx, place.sid).analysis.state !== 'NONE') return
  const needs = sharedNeeds(ctx.state, place.sid)
  if (bothShared(needs, place)) analyze(ctx, place, needs)
}
