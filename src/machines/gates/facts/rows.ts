import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'

/** The rows of the tables of the machine gates (domain.md §2.1), as far as other machines read them. */

const millis = z.int().min(0)
const principal = z.string()

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
})
/** One person's facts. */
export type PersonRow = Parsed<typeof personRow>

/** What two people have done together. */
export const dialogueRow = z.object({
  phase: z.enum(['COLLECTING', 'RANKING', 'REVEALING', 'NEGOTIATING', 'AGREED']),
  overlap: z.object({ ids: z.array(z.string()), at: millis }).nullable(),
})

export const needRow = z.object({
  source: z.enum(['AI', 'USER']),
  need: z.string(),
  category: z.enum(['SAFETY', 'CONNECTION', 'AUTONOMY', 'RECOGNITION', 'MEANING', 'FAIRNESS']),
  description: z.string(),
  evidence: z.array(z.string()),
  aiConfidence: z.int().nullable(),
  decision: z.enum(['CONFIRMED', 'REJECTED']).nullable(),
  adjustment: z.string().nullable(),
})

export const commonGroundRow = z.object({
  need: z.string(),
  category: z.string(),
  description: z.string(),
  /** Ids of the consents under which the two needs were shared. */
  sourceNeedA: z.string(),
  sourceNeedB: z.string(),
  confirmedBy: z.array(principal),
  confirmedAt: millis.nullable(),
})

export const agreementRow = z.object({
  strategyId: z.string().nullable(),
  description: z.string(),
  type: z.enum(['MICRO_EXPERIMENT', 'COMMITMENT', 'CHECK_IN']),
  duration: z.string().nullable(),
  measureOfSuccess: z.string().nullable(),
  followUpAt: millis.nullable(),
  status: z.enum(['PROPOSED', 'AGREED', 'ABANDONED']),
  agreedBy: z.array(principal),
  agreedAt: millis.nullable(),
})

export const consentRow = z.object({
  owner: principal,
  contentType: z.string(),
  originalId: z.string(),
  transformedPreview: z.string(),
  decision: z.enum(['GRANTED', 'DENIED']).nullable(),
  decidedAt: millis.nullable(),
  revokedAt: millis.nullable(),
})
