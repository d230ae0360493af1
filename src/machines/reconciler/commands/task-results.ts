import type { Parsed } from '../../../machine/define/schema.ts'
import type { TaskHandlers, TypedTask } from '../../../machine/define/define-machine.ts'
import { hasAttempt, nextId, openOfferOf, withOffer, write, type Attempted } from '../change/direction.ts'
import { Exchange } from '../change/exchange.ts'
import { addResult } from '../change/results.ts'
import { settle } from '../change/settle.ts'
import { step } from '../change/step.ts'
import { arm } from '../change/timing.ts'
import { tellStatus } from '../change/validations.ts'
import type { analysis } from '../facts/fields.ts'
import { OFFER_TTL_MS } from '../facts/reconciler-bounds.ts'
import type { ReconcilerContext, reconcilerSchema } from '../facts/reconciler-schema.ts'
import type { Offer } from '../facts/rows.ts'
import { judgeResult } from '../rules/offer.ts'

/**
 * What workers bring, and what happens without them (domain.md §0.7, §4.2): each kind has a fallback, so nothing hangs. What
 * stopped waiting for a task cancelled it, so a result finds the direction as it was when it was asked for.
 */

type Handlers<Kind extends keyof (typeof reconcilerSchema)['tasks']> = TaskHandlers<typeof reconcilerSchema, Kind>
type Found = Parsed<typeof analysis>

/** T3 and T4. Result, offer and status are one entry: none is ever seen without the others. */
export const reconcilerAnalyze: Handlers<'reconciler.analyze'> = {
  onResult: (ctx, task, found) => analyzed(ctx, task, found),
  /** The guess goes on unread: it is READY, as if there were no gap, and nobody is told that there is none. */
  onFailed: (ctx, task) => {
    analyzed(ctx, task, null)
  },
}

type AnalyzeTask = TypedTask<{ readonly sid: string; readonly guesser: string; readonly subject: string }>

function analyzed(ctx: ReconcilerContext, { taskId, payload }: AnalyzeTask, found: Found | null): null {
  const { sid, guesser, subject } = payload
  const exchange = new Exchange(ctx, sid, [guesser, subject])
  const direction = exchange.of(guesser)
  if (!hasAttempt(direction)) return null
  const verdict = found === null ? null : judgeResult(found, direction.row.offers.length > 0)
  const note = verdict === 'ALREADY_OFFERED' ? verdict : null
  const resultId = addResult(ctx, direction, found, note)
  // A result that offers has one: it was parsed (`analysis`).
  const suggestion = verdict === 'OFFER' ? (found?.suggestion ?? null) : null
  if (suggestion !== null) {
    offer(exchange, direction, { taskId, resultId, suggestion })
  } else {
    const noGap = verdict === 'NO_GAP'
    step(exchange, direction, noGap ? 'NO_SIGNIFICANT_GAPS' : 'MARK_READY', {
      cause: { trigger: found === null ? 'analysis-failed' : 'analysis', taskId },
      attempt: { taskId: null },
    })
    exchange.sayOnce(guesser, noGap ? 'ALIGNMENT_OK' : 'WAITING_NEUTRAL')
  }
  settle(exchange)
  return null
}

/** T3: the subject is asked whether to share something. */
function offer(
  exchange: Exchange,
  direction: Attempted,
  given: {
    readonly taskId: string
    readonly resultId: string
    readonly suggestion: { readonly content: string; readonly reason: string }
  },
): void {
  const { ctx } = exchange
  const { guesser, subject } = direction
  const { taskId, resultId, suggestion } = given
  const made: Offer = {
    ...suggestion,
    id: nextId(ctx, 'off'),
    resultId,
    status: 'PENDING',
    contentVersion: 1,
    sharedContent: null,
    createdAt: ctx.now,
    offeredAt: null,
    respondedAt: null,
    expiresAt: ctx.now + OFFER_TTL_MS,
    refineTask: null,
  }
  const cause = { trigger: 'analysis' as const, taskId }
  const offered = step(exchange, withOffer(direction, made), 'GAPS_DETECTED', { cause, attempt: { taskId: null } })
  arm(ctx, offered)
  tellStatus(exchange, guesser)
  exchange.tell(guesser, 'empathy.partner_considering_share')
  exchange.tell(subject, 'empathy.share_suggestion', { offerId: made.id, contentVersion: made.contentVersion })
}

/** Another wording of an offer. It is shared by nothing but an accept that names it. */
export const shareRefine: Handlers<'share.refine'> = {
  onResult: (ctx, { payload }, { content }) => {
    const { sid, guesser, subject } = payload
    const exchange = new Exchange(ctx, sid, [guesser, subject])
    const direction = exchange.of(guesser)
    const open = openOfferOf(direction)
    if (open === null) return null
    const contentVersion = open.contentVersion + 1
    write(ctx, withOffer(direction, { ...open, content, contentVersion, refineTask: null }))
    exchange.tell(subject, 'empathy.share_suggestion', { offerId: open.id, contentVersion })
    settle(exchange)
    return null
  },
  /** The wording stays, and so does the offer. */
  onFailed: (ctx, { payload }) => {
    const { sid, guesser, subject } = payload
    const direction = new Exchange(ctx, sid, [guesser, subject]).of(guesser)
    const open = openOfferOf(direction)
    if (open !== null) write(ctx, withOffer(direction, { ...open, refineTask: null }))
  },
}
