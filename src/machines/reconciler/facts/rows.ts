import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'
import { findingsOfResult } from './fields.ts'
import { EMPATHY_STATUSES } from './states.ts'

/** The rows of the tables of the machine reconciler (domain.md §4.1). Texts were bounded when they were parsed. */

const millis = z.int().min(0)
const principal = z.string()
const count = z.int().min(0)

/** Whether what was shown has come to its reader. */
export const DELIVERIES = ['PENDING', 'DELIVERED', 'SEEN'] as const

/** A guess that is shared. There is a row exactly while its direction has a status (R-I1). */
export const attemptRow = z.object({
  id: z.string(),
  status: z.enum(EMPATHY_STATUSES),
  content: z.string(),
  sharedAt: millis,
  /** Where it stood when `consent` had answered: what the same command is answered again. */
  consentedAs: z.enum(EMPATHY_STATUSES),
  /** The consent was taken back after it had been shown: the subject does not read it, and its status stays. */
  hidden: z.boolean(),
  /** What the subject was shown last, and when first and last. */
  revealedContent: z.string().nullable(),
  revealedAt: millis.nullable(),
  lastRevealedAt: millis.nullable(),
  delivery: z.enum(DELIVERIES),
  deliveredAt: millis.nullable(),
  seenAt: millis.nullable(),
  /** When the subject is reminded; moves by the length of a pause. */
  remindAt: millis.nullable(),
  /** The open `reconciler.analyze`. */
  taskId: z.string().nullable(),
})
/** One attempt. */
export type Attempt = Parsed<typeof attemptRow>

const offerRow = z.object({
  id: z.string(),
  resultId: z.string(),
  status: z.enum(['PENDING', 'OFFERED', 'ACCEPTED', 'DECLINED', 'EXPIRED']),
  content: z.string(),
  /** +1 per wording; only the current one can be accepted. */
  contentVersion: z.int().min(1),
  reason: z.string(),
  sharedContent: z.string().nullable(),
  createdAt: millis,
  offeredAt: millis.nullable(),
  respondedAt: millis.nullable(),
  expiresAt: millis,
  /** The open `share.refine`. */
  refineTask: z.string().nullable(),
})
/** One offer to the subject of a direction. */
export type Offer = Parsed<typeof offerRow>

const shareRow = z.object({
  offerId: z.string(),
  at: millis,
  /** Of the message in which the guesser reads it. */
  messageSeq: z.int(),
  delivery: z.enum(DELIVERIES),
  seenAt: millis.nullable(),
})

/** What of a direction outlives its attempts and results: counts never fall, and what was shared stays told. */
export const directionRow = z.object({
  /** +1 per step; rises over attempts too. */
  statusSeq: count,
  attempts: count,
  revision: count,
  resubmits: count,
  analyses: count,
  validations: count,
  breakerTripped: z.boolean(),
  /** One for ever, however it ended (R-I4). */
  offers: z.array(offerRow).max(1),
  shareHistory: z.array(shareRow).max(1),
  /** Why the guesser went on without other words, the last time; nobody else ever reads it. */
  skipReason: z.string().nullable(),
})
/** One direction beside its attempt. */
export type DirectionRow = Parsed<typeof directionRow>

/** A direction in which nothing happened yet. */
export const NEW_DIRECTION: DirectionRow = {
  statusSeq: 0,
  attempts: 0,
  revision: 0,
  resubmits: 0,
  analyses: 0,
  validations: 0,
  breakerTripped: false,
  offers: [],
  shareHistory: [],
  skipReason: null,
}

/** Of both directions together. */
export const exchangeRow = z.object({
  firstRevealAt: millis.nullable(),
})
/** One dialogue's exchange. */
export type ExchangeRow = Parsed<typeof exchangeRow>

/** An exchange in which nothing happened yet. */
export const NEW_EXCHANGE: ExchangeRow = { firstRevealAt: null }

/** What an analysis found. Never deleted: a later one supersedes it. Nobody is ever shown it. */
export const resultRow = findingsOfResult.extend({
  id: z.string(),
  iteration: z.int().min(1),
  /** No worker brought it: the analysis failed for good. */
  degraded: z.boolean(),
  /** Why a result with gaps led to no offer. */
  note: z.literal('ALREADY_OFFERED').nullable(),
  at: millis,
  supersededAt: millis.nullable(),
})
/** One result. */
export type Result = Parsed<typeof resultRow>

export const validationRow = z.object({
  by: principal,
  kind: z.enum(['ACCURATE', 'FEEDBACK', 'ACCEPTED_DIFFERENCE', 'DISAGREED']),
  feedback: z.string().nullable(),
  revision: count,
  at: millis,
})

/** What makes a direction step, for the audit. */
export const TRIGGERS = [
  'consent',
  'feel-heard',
  'analysis',
  'analysis-failed',
  'breaker',
  'accept',
  'decline',
  'offer-expiry',
  'resubmit',
  'skip',
  'reveal',
  'validate',
  'revoke',
] as const
/** One of `TRIGGERS`. */
export type Trigger = (typeof TRIGGERS)[number]

export const auditRow = z.object({
  at: millis,
  guesser: principal,
  subject: principal,
  from: z.enum(EMPATHY_STATUSES).nullable(),
  to: z.enum(EMPATHY_STATUSES).nullable(),
  trigger: z.enum(TRIGGERS),
  /** Whose command it was; null for a task or timer, and for a reveal, which is nobody's. */
  by: principal.nullable(),
  /** The task that brought it, or the kind of timer. */
  taskId: z.string().nullable(),
  timer: z.string().nullable(),
  statusSeq: count,
})
