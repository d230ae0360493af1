import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'
import { presentStage } from '../../gates/facts/gate-facts.ts'
import { gatesTables, type TableReader } from '../../gates/facts/gates-schema.ts'
import { readVerdict, type Look } from '../../gates/rules/resources.ts'
import { guidance } from '../facts/fields.ts'
import type { ReconcilerView } from '../facts/reconciler-schema.ts'
import { attemptRow, DELIVERIES, validationRow } from '../facts/rows.ts'
import { EMPATHY_STATUSES, type EmpathyStatus } from '../facts/states.ts'
import { RESUBMITS_MAX } from '../rules/breaker.ts'
import type { Place } from './access.ts'
import { directionOf, offerOf, type Direction } from './direction.ts'
import { currentResult } from './results.ts'

/** What a member is shown of the exchange (domain.md §2.7, rows 10 to 16). Results are in nothing of it. */

const millis = z.int().nullable()

/** What of a partner's direction is anybody else's: that it goes on, or that it was shown. */
const REDUCED = ['IN_PROGRESS', 'REVEALED', 'VALIDATED'] as const

/** A status as the subject sees it, null for no attempt. */
export function reducedStatus(status: EmpathyStatus | null): (typeof REDUCED)[number] | null {
  if (status === null || status === 'REVEALED' || status === 'VALIDATED') return status
  return 'IN_PROGRESS'
}

const sharedContext = z.object({ offerId: z.string(), content: z.string(), at: z.int(), delivery: z.enum(DELIVERIES) })
const validation = validationRow.pick({ kind: true, feedback: true, at: true })

/** The viewer as guesser, and as subject of the partner's guess. */
export const shownExchange = z.object({
  own: z.object({
    status: z.enum(EMPATHY_STATUSES).nullable(),
    statusSeq: z.int(),
    resubmitsLeft: z.int(),
    attempt: attemptRow
      .pick({ id: true, content: true, sharedAt: true, hidden: true, delivery: true })
      .extend({ revision: z.int(), revealedAt: millis, deliveredAt: millis, seenAt: millis })
      .nullable(),
    /** While refining only. */
    guidance: guidance.nullable(),
    /** What the partner shared to help. */
    sharedContext: sharedContext.nullable(),
    /** What the partner said last; `validated` is null before that. */
    validated: z.boolean().nullable(),
    feedback: z.string().nullable(),
    /** Why the viewer went on without other words. */
    skipReason: z.string().nullable(),
  }),
  partner: z.object({
    status: z.enum(REDUCED).nullable(),
    /** The attempt as it was shown last. */
    statement: z.string().nullable(),
    /** What the viewer was offered to share. */
    offer: z
      .object({
        offerId: z.string(),
        status: z.enum(['PENDING', 'OFFERED', 'ACCEPTED', 'DECLINED', 'EXPIRED']),
        content: z.string(),
        contentVersion: z.int(),
        reason: z.string(),
        expiresAt: z.int(),
        refining: z.boolean(),
      })
      .nullable(),
    /** What the viewer shared. */
    sharedContext: sharedContext.nullable(),
    /** The last word about the attempt, the viewer's own or the guesser's. */
    validation: validation.nullable(),
  }),
})

/** What `status` answers a member. */
export function statusOf(
  reader: TableReader,
  view: ReconcilerView,
  { sid, user, partner }: Pick<Place, 'sid' | 'user' | 'partner'>,
): Parsed<typeof shownExchange> {
  const own = directionOf(view, { sid, guesser: user, subject: partner })
  const theirs = directionOf(view, { sid, guesser: partner, subject: user })
  const stage = presentStage(reader.read(gatesTables), sid, user)
  const reads = (resource: Parameters<typeof readVerdict>[0], look: Omit<Look, 'of' | 'stage'>): boolean =>
    readVerdict(resource, { of: 'partner', stage, ...look })
  return { own: shownOwn(view, own, reads), partner: shownPartner(view, theirs, reads) }
}

type Reads = (resource: Parameters<typeof readVerdict>[0], look: Omit<Look, 'of' | 'stage'>) => boolean

function shownOwn(view: ReconcilerView, direction: Direction, reads: Reads): Parsed<typeof shownExchange>['own'] {
  const { attempt, row } = direction
  const status = attempt?.status ?? null
  const refining = status === 'REFINING' || status === 'NEEDS_WORK'
  const said = attempt !== null && reads('validationOutcome', {}) ? lastValidation(view, direction) : null
  return {
    status,
    statusSeq: row.statusSeq,
    resubmitsLeft: Math.max(0, RESUBMITS_MAX - row.resubmits),
    attempt: attempt === null ? null : shownAttempt(attempt, row.revision),
    guidance: refining ? (currentResult(view, direction)?.guidance ?? null) : null,
    sharedContext: reads('sharedContext', { consent: 'granted', holds: ['accepted'] }) ? sharedIn(direction) : null,
    validated: said === null ? null : said.kind !== 'FEEDBACK',
    feedback: said?.feedback ?? null,
    skipReason: row.skipReason,
  }
}

function shownPartner(
  view: ReconcilerView,
  direction: Direction,
  reads: Reads,
): Parsed<typeof shownExchange>['partner'] {
  const { attempt } = direction
  const offer = offerOf(direction)
  const consent = attempt?.hidden === true ? ('revoked' as const) : ('granted' as const)
  const statement = attempt?.revealedContent ?? null
  const said = lastValidation(view, direction)
  return {
    status: reads('empathyStatus', {}) ? reducedStatus(attempt?.status ?? null) : null,
    statement: reads('empathyAttempt', { consent, holds: statement === null ? [] : ['revealed'] }) ? statement : null,
    offer:
      offer === null
        ? null
        : {
            offerId: offer.id,
            status: offer.status,
            content: offer.content,
            contentVersion: offer.contentVersion,
            reason: offer.reason,
            expiresAt: offer.expiresAt,
            refining: offer.refineTask !== null,
          },
    sharedContext: sharedIn(direction),
    validation: said === null ? null : { kind: said.kind, feedback: said.feedback, at: said.at },
  }
}

function shownAttempt(
  { id, content, sharedAt, hidden, delivery, revealedAt, deliveredAt, seenAt }: NonNullable<Direction['attempt']>,
  revision: number,
) {
  return { id, content, sharedAt, hidden, delivery, revision, revealedAt, deliveredAt, seenAt }
}

function sharedIn(direction: Direction) {
  const [share] = direction.row.shareHistory
  const content = offerOf(direction)?.sharedContent ?? null
  if (share === undefined || content === null) return null
  return { offerId: share.offerId, content, at: share.at, delivery: share.delivery }
}

function lastValidation(view: ReconcilerView, { sid, guesser, row }: Direction) {
  return view.validations.get([sid, guesser, row.validations]) ?? null
}
