import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'

/** The rows of the tables of the machine gates (domain.md §2.1). Texts were bounded when they were parsed. */

const millis = z.int().min(0)
const principal = z.string()

/** What a need may be about. */
export const NEED_CATEGORIES = ['SAFETY', 'CONNECTION', 'AUTONOMY', 'RECOGNITION', 'MEANING', 'FAIRNESS'] as const
/** What may be shared under a consent. */
export const CONTENT_TYPES = [
  'IDENTIFIED_NEED',
  'EVENT_SUMMARY',
  'EMOTIONAL_PATTERN',
  'BOUNDARY',
  'EMPATHY_DRAFT',
  'EMPATHY_ATTEMPT',
  'STRATEGY_PROPOSAL',
] as const
/** What two people may agree on. */
export const AGREEMENT_TYPES = ['MICRO_EXPERIMENT', 'COMMITMENT', 'CHECK_IN'] as const
/** To whom a person puts an event down. */
export const ATTRIBUTIONS = ['OWN', 'PARTNER', 'BOTH', 'OUTSIDE'] as const
/** Where the last stage of a dialogue stands. */
export const PHASES = ['COLLECTING', 'RANKING', 'REVEALING', 'NEGOTIATING', 'AGREED'] as const

/** One per person and stage entered; the stage of a person is the highest. */
export const stageRow = z.object({
  startedAt: millis,
  completedAt: millis.nullable(),
  /** Keys that were true when it was completed: all of them. */
  frozenGates: z.array(z.string()).nullable(),
})

/** What one person has done in a dialogue. */
export const personRow = z.object({
  signedAt: millis.nullable(),
  feelHeardAt: millis.nullable(),
  draft: z.object({ content: z.string(), version: z.int(), ready: z.boolean(), updatedAt: millis }).nullable(),
  ready: z.object({ at: millis, declaredNone: z.boolean() }).nullable(),
  ranking: z.object({ ids: z.array(z.string()), at: millis }).nullable(),
  /** The task that looks for this person's needs, while it is open. */
  needsTaskId: z.string().nullable(),
})
/** One person's facts. */
export type PersonRow = Parsed<typeof personRow>

/** Nothing done yet. */
export const NOTHING_DONE: PersonRow = {
  signedAt: null,
  feelHeardAt: null,
  draft: null,
  ready: null,
  ranking: null,
  needsTaskId: null,
}

/** What two people have done together. */
export const dialogueRow = z.object({
  phase: z.enum(PHASES),
  overlap: z.object({ ids: z.array(z.string()), at: millis }).nullable(),
  /** The search for common ground; the task is there while it runs. */
  analysis: z.object({ state: z.enum(['NONE', 'RUNNING', 'DONE']), taskId: z.string().nullable() }),
  /** The task that suggests strategies, while it is open, and what it was asked for. */
  suggestion: z.object({ taskId: z.string(), count: z.int(), focusNeeds: z.array(z.string()) }).nullable(),
})
/** Of one dialogue. */
export type GatesDialogue = Parsed<typeof dialogueRow>

/** A dialogue whose people have just met. */
export const NEW_DIALOGUE: GatesDialogue = {
  phase: 'COLLECTING',
  overlap: null,
  analysis: { state: 'NONE', taskId: null },
  suggestion: null,
}

/** What happened, in one person's words, for that person's eyes alone. */
export const eventRow = z.object({
  description: z.string(),
  attributedTo: z.enum(ATTRIBUTIONS),
  emotions: z.array(z.string()),
  at: millis,
})
/** What a person will not give up; the same eyes. */
export const boundaryRow = z.object({ description: z.string(), nonNegotiable: z.boolean(), at: millis })

export const needRow = z.object({
  source: z.enum(['AI', 'USER']),
  need: z.string(),
  category: z.enum(NEED_CATEGORIES),
  description: z.string(),
  /** Never shared, whatever becomes of the need. */
  evidence: z.array(z.string()),
  aiConfidence: z.int().nullable(),
  decision: z.enum(['CONFIRMED', 'REJECTED']).nullable(),
  adjustment: z.string().nullable(),
  at: millis,
})
/** One need of one person. */
export type Need = Parsed<typeof needRow>

export const commonGroundRow = z.object({
  need: z.string(),
  category: z.enum(NEED_CATEGORIES),
  description: z.string(),
  /** Ids of the consents under which the two needs were shared. */
  sourceNeedA: z.string(),
  sourceNeedB: z.string(),
  confirmedBy: z.array(principal),
  confirmedAt: millis.nullable(),
  at: millis,
})
/** One item. */
export type CommonGround = Parsed<typeof commonGroundRow>

export const strategyRow = z.object({
  /** Null for one that was suggested. No answer ever holds it. */
  author: principal.nullable(),
  source: z.enum(['USER', 'AI_SUGGESTED']),
  description: z.string(),
  needsAddressed: z.array(z.string()),
  duration: z.string().nullable(),
  measureOfSuccess: z.string().nullable(),
  at: millis,
})
/** One strategy of the pool. */
export type Strategy = Parsed<typeof strategyRow>

export const agreementRow = z.object({
  strategyId: z.string().nullable(),
  description: z.string(),
  type: z.enum(AGREEMENT_TYPES),
  duration: z.string().nullable(),
  measureOfSuccess: z.string().nullable(),
  followUpAt: millis.nullable(),
  status: z.enum(['PROPOSED', 'AGREED', 'ABANDONED']),
  agreedBy: z.array(principal),
  agreedAt: millis.nullable(),
  /** The proposal that came in the place of this one. */
  replacedBy: z.string().nullable(),
  proposedBy: principal,
})
/** One agreement, in whatever status. */
export type Agreement = Parsed<typeof agreementRow>

/** What a worker asks an owner to share. Nobody but the owner knows of it, whatever becomes of it. */
export const requestRow = z.object({
  contentType: z.enum(CONTENT_TYPES),
  originalId: z.string(),
  transformedPreview: z.string(),
  decision: z.enum(['GRANTED', 'DENIED']).nullable(),
  decidedAt: millis.nullable(),
})
/** One request for a consent. */
export type ConsentRequest = Parsed<typeof requestRow>

/** A consent that was granted, with what is shared under it: to be seen while it is not revoked. */
export const consentRow = z.object({
  owner: principal,
  contentType: z.enum(CONTENT_TYPES),
  originalId: z.string(),
  transformedPreview: z.string(),
  /** What the owner made of the preview. */
  content: z.string(),
  grantedAt: millis,
  revokedAt: millis.nullable(),
})
/** One consent; it is active while it is not revoked. */
export type Consent = Parsed<typeof consentRow>

/** One query of one `retrieve`. */
export const retrievalRow = z.object({
  at: millis,
  requester: principal,
  stage: z.int(),
  /** As JSON; one that cannot be asked is cut off. */
  query: z.string(),
  verdict: z.enum(['ALLOWED', 'RETRIEVAL_DENIED', 'INVALID_QUERY']),
  itemIds: z.array(z.string()),
})

/** One `retrieve` that was refused as a whole. */
export const refusalRow = z.object({ at: millis, sid: z.string(), onBehalfOf: principal, code: z.string() })
