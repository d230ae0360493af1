import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { dialogueOf, othersThan } from '../change/access.ts'
import { moveDialogue, refusedMove } from '../change/move.ts'
import { showDialogue, shownDialogue } from '../change/shown.ts'
import { COOLING_MS_MIN, INACTIVITY_MS, PAUSE_MS_MAX, PAUSE_REMINDER_MS } from '../facts/dialogue-bounds.ts'
import { coolForMs, reason, sid } from '../facts/fields.ts'
import type { SessionContext } from '../facts/session-schema.ts'

/** Time apart (domain.md §1.3): nothing is lost, and every clock of the dialogue stands still. */

const output = z.object({ session: shownDialogue })

/** Pauses an active dialogue. For `coolForMs`, by default not at all, only whoever paused may resume. */
export const pause = command(
  { input: sid.extend({ reason: reason.optional(), coolForMs }), output },
  (ctx: SessionContext, { sid: id, reason: given, coolForMs: coolFor }) => {
    const dialogue = dialogueOf(ctx, id)
    if (isRejection(dialogue)) return dialogue
    if (dialogue.status !== 'ACTIVE') return ctx.reject('SESSION_NOT_ACTIVE', { status: dialogue.status })
    const { now, principal: by } = ctx
    const told = given === undefined || given === '' ? null : given
    const coolUntil = now + Math.max(COOLING_MS_MIN, coolFor)
    const expiresAt = now + PAUSE_MS_MAX
    ctx.cancel('inactivity', id)
    ctx.schedule('pause-reminder', now + PAUSE_REMINDER_MS, null, id)
    ctx.schedule('pause-max', expiresAt, null, id)
    const paused = moveDialogue(ctx, dialogue, {
      move: 'pause',
      fields: {
        pause: { by, reason: told, pausedAt: now, coolUntil, expiresAt },
        pauseCount: dialogue.pauseCount + 1,
        lastActivityAt: now,
      },
    })
    const body = { sid: id, by, coolUntil, ...(told === null ? {} : { reason: told }) }
    for (const other of othersThan(dialogue, by)) ctx.notify(other, 'session.paused', body)
    ctx.publish('SessionPaused', { sid: id })
    return { session: showDialogue(paused, by) }
  },
)

/** Ends a pause: whoever paused at any time, the other one once the cooling is over. */
export const resume = command({ input: sid, output }, (ctx: SessionContext, { sid: id }) => {
  const dialogue = dialogueOf(ctx, id)
  if (isRejection(dialogue)) return dialogue
  const { pause: paused, status } = dialogue
  // There is a pause exactly while it is PAUSED (L-I2).
  if (paused === null) return ctx.reject('INVALID_STATE_TRANSITION', { ...refusedMove(status, 'resume') })
  const { now, principal: by } = ctx
  if (by !== paused.by && now < paused.coolUntil) return ctx.reject('COOLING', { coolUntil: paused.coolUntil })
  ctx.cancel('pause-reminder', id)
  ctx.cancel('pause-max', id)
  ctx.schedule('inactivity', now + INACTIVITY_MS, null, id)
  const active = moveDialogue(ctx, dialogue, { move: 'resume', fields: { pause: null, lastActivityAt: now } })
  for (const other of othersThan(dialogue, by)) ctx.notify(other, 'session.resumed', { sid: id, by })
  ctx.publish('SessionResumed', { sid: id, pausedFor: now - paused.pausedAt })
  return { session: showDialogue(active, by) }
})
