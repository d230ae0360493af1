import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { gatesTables } from '../../gates/facts/gates-schema.ts'
import { placeOf, refusedStage } from '../change/access.ts'
import { analyze } from '../change/analyze.ts'
import { hasAttempt, nextId, withAttempt, write, type Attempted, type Direction } from '../change/direction.ts'
import { Exchange } from '../change/exchange.ts'
import { askVerdict } from '../change/reveal.ts'
import { settle } from '../change/settle.ts'
import { begin } from '../change/step.ts'
import { id, sid, statement } from '../facts/fields.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import type { Attempt } from '../facts/rows.ts'
import { EMPATHY_STATUSES } from '../facts/states.ts'

/** How an attempt is shared (domain.md §4.4). */

const output = z.object({
  status: z.enum(EMPATHY_STATUSES),
  attemptId: id,
  /** It is held until the partner feels heard. */
  waitingForPartner: z.boolean(),
  duplicate: z.literal(true).optional(),
})

/**
 * Shares the draft as an attempt about the partner, perhaps in other words (T1). Nobody reads it before both are ready. Once
 * more it is a duplicate, but for an attempt whose consent was taken back after it was shown: that one is to be read again.
 */
export const consent = command(
  { input: sid.extend({ draftVersion: z.int().min(1), finalContent: statement.optional() }), output },
  (ctx: ReconcilerContext, { sid: dialogue, draftVersion, finalContent }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const { user, partner } = place
    const exchange = new Exchange(ctx, dialogue, [user, partner])
    const direction = exchange.of(user)
    if (hasAttempt(direction)) {
      return direction.attempt.hidden
        ? showAgain(exchange, direction)
        : { ...answerOf(direction), duplicate: true as const }
    }
    const refused = refusedStage(ctx, place, [2])
    if (refused !== null) return refused
    const person = ctx.read(gatesTables).people
    const draft = person.get([dialogue, user])?.draft ?? null
    if (draft === null) return ctx.reject('NOT_FOUND', { sid: dialogue })
    if (draft.version !== draftVersion)
      return ctx.reject('STALE_STATE', { expected: draftVersion, actual: draft.version })
    if (!draft.ready) return ctx.reject('DRAFT_NOT_READY', {})
    const heard = (person.get([dialogue, partner])?.feelHeardAt ?? null) !== null
    const shared = share(exchange, direction, { content: finalContent ?? draft.content, heard })
    settle(exchange)
    return answerOf(shared)
  },
)

const answerOf = ({ attempt }: Attempted) => ({
  status: attempt.consentedAs,
  attemptId: attempt.id,
  waitingForPartner: attempt.consentedAs === 'HELD',
})

/** T1, and T2 where the subject felt heard before. */
function share(
  exchange: Exchange,
  direction: Direction,
  { content, heard }: { readonly content: string; readonly heard: boolean },
): Attempted {
  const { ctx, sid: dialogue } = exchange
  const { guesser, subject, row } = direction
  const attempt = newAttempt(ctx, content)
  // A further attempt of this direction is a further revision: what counts revisions is never counted anew (R-I6).
  const again = row.attempts === 0 ? {} : { revision: row.revision + 1 }
  const held = begin(exchange, direction, attempt, { attempts: row.attempts + 1, ...again })
  ctx.publish('AttemptShared', { sid: dialogue, guesser, attemptId: attempt.id, content })
  exchange.post({ forUser: guesser, senderId: guesser, role: 'EMPATHY_STATEMENT', text: content })
  exchange.tell(subject, 'partner.empathy_shared')
  const there = heard ? analyze(exchange, held, 'START_ANALYSIS', { cause: { trigger: 'feel-heard' } }) : held
  return write(ctx, withAttempt(there, { consentedAs: there.attempt.status }))
}

function newAttempt(ctx: ReconcilerContext, content: string): Attempt {
  return {
    id: nextId(ctx, 'att'),
    status: 'HELD',
    content,
    sharedAt: ctx.now,
    consentedAs: 'HELD',
    hidden: false,
    revealedContent: null,
    revealedAt: null,
    lastRevealedAt: null,
    delivery: 'PENDING',
    deliveredAt: null,
    seenAt: null,
    remindAt: null,
    taskId: null,
  }
}

/** Another consent for an attempt that the partner has seen: taking it back is never a dead end. */
function showAgain(exchange: Exchange, direction: Attempted) {
  const { ctx, sid: dialogue } = exchange
  const { guesser, subject } = direction
  const { id: attemptId, content, revealedContent, status } = direction.attempt
  const shown = write(ctx, withAttempt(direction, { hidden: false }))
  ctx.publish('AttemptShared', { sid: dialogue, guesser, attemptId, content })
  ctx.publish('AttemptRevealed', { sid: dialogue, guesser, attemptId, content: revealedContent ?? content })
  exchange.tell(subject, 'partner.empathy_shared')
  if (status === 'REVEALED') askVerdict(exchange, shown)
  settle(exchange)
  const now = exchange.of(guesser)
  return answerOf(hasAttempt(now) ? write(ctx, withAttempt(now, { consentedAs: now.attempt.status })) : shown)
}
