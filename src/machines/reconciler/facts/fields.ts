import { z } from 'zod'
import { ANALYSIS_ACTIONS, decideOffer } from '../rules/offer.ts'
import {
  FEEDBACK_LENGTH_MAX,
  FINDING_LENGTH_MAX,
  FINDINGS_MAX,
  GUIDANCE_LENGTH_MAX,
  ID_LENGTH_MAX,
  INSTRUCTION_LENGTH_MAX,
  RATIONALE_LENGTH_MAX,
  REASON_LENGTH_MAX,
  SCORE_MAX,
  STATEMENT_LENGTH_MAX,
  SUGGESTION_LENGTH_MAX,
} from './reconciler-bounds.ts'

/** Fields of commands, and what workers bring (domain.md §4.1, §4.4). Texts are trimmed; an empty one is refused. */

const text = (max: number) => z.string().trim().min(1).max(max)

/** An id of any machine: `ses-1`, `off-1`. */
export const id = z.string().min(1).max(ID_LENGTH_MAX)
/** A dialogue, by its id. */
export const sid = z.object({ sid: id })
export const statement = text(STATEMENT_LENGTH_MAX)
export const instruction = text(INSTRUCTION_LENGTH_MAX)
export const feedback = text(FEEDBACK_LENGTH_MAX)
export const reason = text(REASON_LENGTH_MAX)

/** What the subject would share, in the subject's own voice. */
export const suggestedContent = text(SUGGESTION_LENGTH_MAX)

/** What a guesser is helped with while refining; abstract, so that it holds nothing of what the subject wrote. */
export const guidance = z.object({
  areaHint: text(GUIDANCE_LENGTH_MAX),
  guidanceType: text(GUIDANCE_LENGTH_MAX),
  promptSeed: text(GUIDANCE_LENGTH_MAX),
})

const findings = z.array(text(FINDING_LENGTH_MAX)).max(FINDINGS_MAX)

/** The fields of a result that a worker gives; everything is an integer, a text or a list, and no fraction. */
export const findingsOfResult = z.object({
  /** How near the guess is, in whole percent. */
  score: z.int().min(0).max(SCORE_MAX),
  severity: z.enum(['none', 'minor', 'moderate', 'significant']),
  action: z.enum(ANALYSIS_ACTIONS),
  /** What an optional offer is about. */
  focus: z.string().trim().max(FINDING_LENGTH_MAX).nullable(),
  correctlyIdentified: findings,
  missedFeelings: findings,
  misattributions: findings,
  mostImportantGap: text(FINDING_LENGTH_MAX).nullable(),
  rationale: z.string().trim().max(RATIONALE_LENGTH_MAX),
  sharingWouldHelp: z.boolean(),
  guidance: guidance.nullable(),
  suggestion: z.object({ content: suggestedContent, reason: text(FINDING_LENGTH_MAX) }).nullable(),
})

/** The answer to `reconciler.analyze`. An offer comes with what would be offered: there is no second round trip to lose it. */
export const analysis = findingsOfResult.refine(
  ({ action, focus, suggestion }) => !decideOffer(action, focus) || suggestion !== null,
  { path: ['suggestion'], message: 'an offer needs a suggestion' },
)
