import type { Parsed } from '../../../machine/define/schema.ts'
import type { analysis } from '../facts/fields.ts'
import type { ReconcilerContext, ReconcilerView } from '../facts/reconciler-schema.ts'
import type { Result } from '../facts/rows.ts'
import { ANALYSES_MAX } from '../rules/breaker.ts'
import { type Direction, nextId } from './direction.ts'

/** Results of analyses: kept for ever, and at most one of a direction is not superseded (R-I7). */

/** What stands where no analysis came: it says nothing of the guess. */
const NOTHING_FOUND: Parsed<typeof analysis> = {
  score: 0,
  severity: 'none',
  action: 'PROCEED',
  focus: null,
  correctlyIdentified: [],
  missedFeelings: [],
  misattributions: [],
  mostImportantGap: null,
  rationale: '',
  sharingWouldHelp: false,
  guidance: null,
  suggestion: null,
}

/** Keeps what an analysis found; null for one that failed. Returns the id of the result. */
export function addResult(
  ctx: ReconcilerContext,
  { sid, guesser, row }: Direction,
  found: Parsed<typeof analysis> | null,
  note: Result['note'] = null,
): string {
  const result: Result = {
    ...(found ?? NOTHING_FOUND),
    id: nextId(ctx, 'res'),
    iteration: row.analyses,
    degraded: found === null,
    note,
    at: ctx.now,
    supersededAt: null,
  }
  ctx.state.results.set([sid, guesser, row.analyses], result)
  return result.id
}

/** The result that holds now: of the statement as it is. */
export function currentResult(
  view: Pick<ReconcilerView, 'results'>,
  { sid, guesser }: Pick<Direction, 'sid' | 'guesser'>,
): Result | null {
  const rows = view.results.range({ prefix: [sid, guesser], limit: ANALYSES_MAX })
  return rows.map(([, result]) => result).find(({ supersededAt }) => supersededAt === null) ?? null
}

/** Another statement, or none: what was found of the one before holds no more. */
export function supersedeResults(ctx: ReconcilerContext, direction: Direction): void {
  const result = currentResult(ctx.state, direction)
  if (result === null) return
  const key = [direction.sid, direction.guesser, result.iteration] as const
  ctx.state.results.set(key, { ...result, supersededAt: ctx.now })
}
