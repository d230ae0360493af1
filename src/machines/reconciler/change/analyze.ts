import { sessionTables } from '../../gates/facts/dialogues.ts'
import type { Stage } from '../../gates/facts/stages.ts'
import { ownWords } from '../../session/change/own-words.ts'
import { WORDS_MAX } from '../facts/reconciler-bounds.ts'
import type { EmpathyEvent } from '../facts/states.ts'
import { ANALYSES_MAX, breakerSkips } from '../rules/breaker.ts'
import type { Attempted } from './direction.ts'
import type { Exchange } from './exchange.ts'
import { type Cause, step } from './step.ts'
import type { Attempt, DirectionRow } from '../facts/rows.ts'

/**
 * T2 and T8: a direction goes to ANALYZING with a task, or through it without one where the breaker has tripped: resubmitted
 * too often, or consented anew after as many analyses as there ever may be (domain.md §4.6).
 */
export function analyze(
  exchange: Exchange,
  direction: Attempted,
  event: EmpathyEvent & ('START_ANALYSIS' | 'RESUBMIT'),
  {
    cause,
    attempt = {},
    row = {},
  }: { readonly cause: Cause; readonly attempt?: Partial<Attempt>; readonly row?: Partial<DirectionRow> },
): Attempted {
  const { ctx, sid } = exchange
  const { guesser, subject } = direction
  const { analyses, resubmits } = { ...direction.row, ...row }
  if (breakerSkips(resubmits) || analyses >= ANALYSES_MAX) {
    const passing = step(exchange, direction, event, { cause, attempt, row: { ...row, breakerTripped: true } })
    const ready = step(exchange, passing, 'MARK_READY', { cause: { trigger: 'breaker' } })
    exchange.sayOnce(guesser, 'WAITING_NEUTRAL')
    return ready
  }
  const iteration = analyses + 1
  const { id, content } = { ...direction.attempt, ...attempt }
  const words = (stage: Stage) => [...ownWords(ctx.read(sessionTables), { sid, user: subject, stage }, WORDS_MAX)]
  const later = words(2)
  const taskId = ctx.task('reconciler.analyze', id, {
    sid,
    guesser,
    subject,
    iteration,
    statement: content,
    subjectStage1: words(1),
    ...(later.length === 0 ? {} : { subjectStage2: later }),
  })
  return step(exchange, direction, event, {
    cause,
    attempt: { ...attempt, taskId },
    row: { ...row, analyses: iteration },
  })
}
