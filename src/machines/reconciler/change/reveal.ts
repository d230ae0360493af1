import { REMINDER_MS } from '../facts/reconciler-bounds.ts'
import { revealable } from '../rules/reveal.ts'
import { judgeResult } from '../rules/offer.ts'
import { exchangeRowOf, hasAttempt, withAttempt, write, type Attempted, type Direction } from './direction.ts'
import type { Exchange } from './exchange.ts'
import { currentResult } from './results.ts'
import { step } from './step.ts'
import { arm } from './timing.ts'

/** T9, after any entry that made a direction READY: both at once the first time, then each as it is ready (domain.md §4.5). */
export function revealReady(exchange: Exchange): void {
  const [one, other] = exchange.both()
  const first = exchangeRowOf(exchange.ctx.state, exchange.sid).firstRevealAt !== null
  const { a, b } = revealable(shownStatus(one), shownStatus(other), first)
  if (a && hasAttempt(one)) reveal(exchange, one)
  if (b && hasAttempt(other)) reveal(exchange, other)
}

/** The status, of an attempt that may be shown: one whose consent was taken back waits until it is given again. */
const shownStatus = ({ attempt }: Direction) => (attempt === null || attempt.hidden ? null : attempt.status)

/** A subject who has something to say a word about is told so, and reminded once (domain.md §4.9). */
export function askVerdict(exchange: Exchange, direction: Attempted): Attempted {
  const asked = write(exchange.ctx, withAttempt(direction, { remindAt: exchange.ctx.now + REMINDER_MS }))
  arm(exchange.ctx, asked)
  exchange.tell(direction.subject, 'empathy.revealed', { role: 'subject', needsValidation: true })
  return asked
}

function reveal(exchange: Exchange, direction: Attempted): void {
  const { ctx, sid } = exchange
  const { now } = ctx
  const { guesser, subject } = direction
  const { id: attemptId, content, revealedAt } = direction.attempt
  const shown = step(exchange, direction, 'MUTUAL_REVEAL', {
    cause: { trigger: 'reveal' },
    attempt: {
      revealedContent: content,
      revealedAt: revealedAt ?? now,
      lastRevealedAt: now,
      delivery: 'DELIVERED',
      deliveredAt: now,
      seenAt: null,
    },
  })
  ctx.publish('AttemptRevealed', { sid, guesser, attemptId, content })
  askVerdict(exchange, shown)
  exchange.tell(guesser, 'empathy.revealed', { role: 'guesser' })
  exchange.say(subject, isFoundRight(exchange, shown) ? 'QUALITY_REVIEW_OK' : 'QUALITY_REVIEW_GAPS')
}

/** A worker looked at this very statement and found no gap. */
function isFoundRight({ ctx }: Exchange, direction: Attempted): boolean {
  const result = currentResult(ctx.state, direction)
  return result !== null && !result.degraded && judgeResult(result, false) === 'NO_GAP'
}
