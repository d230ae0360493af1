import type { z } from 'zod'
import type { Parsed, TasksOf } from '../../../machine/define/schema.ts'
import type { analysis } from '../facts/fields.ts'
import { FINDING_LENGTH_MAX, FINDINGS_MAX, SUGGESTION_LENGTH_MAX } from '../facts/reconciler-bounds.ts'
import type { reconcilerSchema } from '../facts/reconciler-schema.ts'

/**
 * A worker's answers without a language model: the same for the same payload, for demonstrations and tests. It counts words,
 * and understands nothing.
 */

type Tasks = TasksOf<typeof reconcilerSchema>

/** What is compared: a statement, and what its subject wrote. */
export type AnalysisQuestion = Pick<
  Parsed<Tasks['reconciler.analyze']['payload'] & z.ZodType>,
  'statement' | 'subjectStage1' | 'subjectStage2'
>
/** A result of `reconciler.analyze`. */
export type AnalysisResult = z.output<typeof analysis>

/** Words shorter than this say little. */
const WORD_LENGTH_MIN = 4
/** From this score on there is no gap; below the second one it is a large one. */
const SCORE_GOOD = 70
const SCORE_POOR = 40

/** The result of `reconciler.analyze`: how many of the subject's words the statement has. */
export function stubAnalysis(payload: AnalysisQuestion): AnalysisResult {
  const messages = [...payload.subjectStage1, ...(payload.subjectStage2 ?? [])]
  const theirs = [...new Set(messages.flatMap(({ text }) => wordsOf(text)))]
  const said = new Set(wordsOf(payload.statement))
  const found = theirs.filter((word) => said.has(word))
  const missed = theirs.filter((word) => !said.has(word))
  const score = theirs.length === 0 ? 100 : Math.floor((100 * found.length) / theirs.length)
  const latest = messages.at(-1)?.text.trim().slice(0, SUGGESTION_LENGTH_MAX).trim()
  const gap = score < SCORE_GOOD && latest !== undefined && latest !== ''
  const poor = score < SCORE_POOR
  return {
    score,
    severity: gap ? (poor ? 'significant' : 'moderate') : 'none',
    action: gap ? (poor ? 'OFFER_SHARING' : 'OFFER_OPTIONAL') : 'PROCEED',
    focus: gap ? (missed[0] ?? null) : null,
    correctlyIdentified: found.slice(0, FINDINGS_MAX),
    missedFeelings: missed.slice(0, FINDINGS_MAX),
    misattributions: [],
    mostImportantGap: gap ? (missed[0] ?? null) : null,
    rationale: `${found.length} of ${theirs.length} words`,
    sharingWouldHelp: gap,
    guidance: gap ? { areaHint: 'feelings', guidanceType: 'reflect', promptSeed: 'What might be behind it?' } : null,
    suggestion: gap ? { content: latest, reason: 'It would help your partner to understand you.' } : null,
  }
}

/** The result of `share.refine`: the first sentence of what is there. */
export function stubRefinement({ content }: { readonly content: string }): { content: string } {
  return { content: /^[^.!?]+[.!?]?/.exec(content)?.[0].trim() ?? content }
}

const wordsOf = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(({ length }) => length >= WORD_LENGTH_MIN && length <= FINDING_LENGTH_MAX)
