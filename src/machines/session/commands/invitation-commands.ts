import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { TaskHandlers } from '../../../machine/define/define-machine.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { dialogueOf, isPerson } from '../change/access.ts'
import { abandon } from '../change/close.ts'
import { endedInvitation, sentInvitation } from '../change/invite.ts'
import { moveDialogue, refusedMove, touch } from '../change/move.ts'
import { invitedPair, openDialogueOf, peoplePair, relationshipOf } from '../change/pairs.ts'
import { showDialogue, shownDialogue } from '../change/shown.ts'
import { INACTIVITY_MS, RESENDS_MAX, RESEND_INTERVAL_MS } from '../facts/dialogue-bounds.ts'
import { id, reason, sid } from '../facts/fields.ts'
import { type Dialogue, numberOf } from '../facts/rows.ts'
import type { SessionContext, sessionSchema } from '../facts/session-schema.ts'
import { sendInvitation } from './create-commands.ts'

/** Sending invitations, and what the invited do about them (domain.md §1.3). */

const output = z.object({ session: shownDialogue })

/** The creator's dialogue; the partner is known to it, and forbidden. */
function ownDialogue(ctx: SessionContext, id: string): Dialogue | Rejection<'NOT_FOUND' | 'FORBIDDEN'> {
  const dialogue = dialogueOf(ctx, id)
  if (isRejection(dialogue) || dialogue.creatorId === ctx.principal) return dialogue
  return ctx.reject('FORBIDDEN', { sid: id })
}

export const invite = command({ input: sid, output }, (ctx: SessionContext, input) => {
  const dialogue = ownDialogue(ctx, input.sid)
  if (isRejection(dialogue)) return dialogue
  const refused = refusedMove(dialogue.status, 'invite')
  if (refused !== null) return ctx.reject('INVALID_STATE_TRANSITION', refused)
  return { session: showDialogue(sendInvitation(ctx, dialogue), ctx.principal) }
})

/** Sends a pending invitation once more: at most three times, a day apart; it is good for seven days again. */
export const resendInvitation = command({ input: sid, output }, (ctx: SessionContext, input) => {
  const dialogue = ownDialogue(ctx, input.sid)
  if (isRejection(dialogue)) return dialogue
  const { status, invitation } = dialogue
  if (status !== 'INVITED' || invitation.lastSentAt === null) {
    const allowed = status === 'CREATED' ? ['invite'] : []
    return ctx.reject('INVALID_STATE_TRANSITION', {
      entity: 'session',
      from: status,
      event: 'resendInvitation',
      allowed,
    })
  }
  if (invitation.resendCount >= RESENDS_MAX) return ctx.reject('RATE_LIMITED', { reason: 'MAX_RESENDS' })
  const retryAt = invitation.lastSentAt + RESEND_INTERVAL_MS
  if (ctx.now < retryAt) return ctx.reject('RATE_LIMITED', { retryAt })
  const sent = { ...sentInvitation(ctx, dialogue), resendCount: invitation.resendCount + 1 }
  return { session: showDialogue(touch(ctx, { ...dialogue, invitation: sent }), ctx.principal) }
})

const invited = z.object({ invitationId: id, token: z.string().max(128) })

/** The invited person joins: the dialogue is ACTIVE, and both stand at the first stage. */
export const acceptInvitation = command({ input: invited, output }, (ctx: SessionContext, input) => {
  const dialogue = pendingDialogue(ctx, input)
  if (isRejection(dialogue)) return dialogue
  const { creatorId } = dialogue
  const pair = peoplePair(creatorId, ctx.principal)
  const other = openDialogueOf(ctx, pair)
  if (other !== null) return ctx.reject('CONFLICT', { reason: 'ACTIVE_SESSION_EXISTS', sid: other })
  ctx.state.pairs.set(pair, dialogue.id)
  ctx.state.dialoguesOf.set([ctx.principal, numberOf(dialogue.id)], dialogue.id)
  ctx.cancel('invite-expiry', dialogue.id)
  ctx.schedule('inactivity', ctx.now + INACTIVITY_MS, null, dialogue.id)
  const relationshipId = relationshipOf(ctx, pair, () => dialogue.relationshipId)
  // From now on it is these two people's: whoever else accepts an invitation to the same address has another one.
  ctx.state.relationships.delete(invitedPair(creatorId, dialogue.invitation))
  const fields = {
    partnerId: ctx.principal,
    relationshipId,
    invitation: endedInvitation(ctx, dialogue.invitation, 'ACCEPTED'),
    lastActivityAt: ctx.now,
  }
  const active = moveDialogue(ctx, dialogue, { move: 'acceptInvitation', fields })
  ctx.notify(creatorId, 'session.activated', { sid: active.id, partnerId: ctx.principal })
  ctx.publish('SessionActivated', { sid: active.id })
  return { session: showDialogue(active, ctx.principal) }
})

/** The invited person does not want to; the creator hears it, with the reason if there is one. */
export const declineInvitation = command(
  { input: invited.extend({ reason: reason.optional() }), output: z.object({ declined: z.literal(true) }) },
  (ctx: SessionContext, { invitationId, token, reason: given }) => {
    const dialogue = pendingDialogue(ctx, { invitationId, token })
    if (isRejection(dialogue)) return dialogue
    const declineReason = given === undefined || given === '' ? null : given
    abandon(ctx, dialogue, { move: 'declineInvitation', cause: 'DECLINED', invitation: 'DECLINED', declineReason })
    const told = declineReason === null ? {} : { reason: declineReason }
    ctx.notify(dialogue.creatorId, 'session.declined', { sid: dialogue.id, ...told })
    return { declined: true as const }
  },
)

/** The dialogue whose pending invitation the issuer holds, or the first refusal in the order of domain.md §1.3. */
function pendingDialogue(
  ctx: SessionContext,
  { invitationId, token }: z.output<typeof invited>,
): Dialogue | Rejection<'NOT_FOUND' | 'FORBIDDEN' | 'CONFLICT' | 'INVITATION_EXPIRED' | 'INVITATION_NOT_SENT'> {
  const sid = ctx.state.invitations.get(invitationId)
  const dialogue = sid === undefined ? undefined : ctx.state.dialogues.get(sid)
  if (dialogue === undefined || dialogue.invitation.token !== token) return ctx.reject('NOT_FOUND', { invitationId })
  const { invitation, creatorId } = dialogue
  if (ctx.principal === creatorId || !isPerson(ctx.principal)) return ctx.reject('FORBIDDEN', { invitationId })
  const decided =
    invitation.status === 'ACCEPTED' || invitation.status === 'DECLINED' || invitation.status === 'CANCELLED'
  if (decided) return ctx.reject('CONFLICT', { reason: invitation.status })
  if (invitation.status === 'EXPIRED') return ctx.reject('INVITATION_EXPIRED', { expiresAt: invitation.expiresAt })
  if (invitation.status === 'DRAFT') return ctx.reject('INVITATION_NOT_SENT', {})
  if (invitation.inviteeKind === 'person' && invitation.inviteeRef !== ctx.principal) {
    return ctx.reject('NOT_FOUND', { invitationId })
  }
  return dialogue
}

/** The delivery of an invitation: when it fails for good, the creator hears it and may send again or pass the link on. */
export const deliverTask: TaskHandlers<typeof sessionSchema, 'invitation.deliver'> = {
  onResult: (ctx, task) => {
    noteDelivery(ctx, task.ref, false)
    return null
  },
  onFailed: (ctx, task) => {
    noteDelivery(ctx, task.ref, true)
  },
}

/** An open task is that of the last sending: the one before was cancelled, and so is the last one when it is decided. */
function noteDelivery(ctx: SessionContext, sid: string, deliveryFailed: boolean): void {
  const dialogue = ctx.state.dialogues.get(sid)
  if (dialogue !== undefined) {
    const { invitation, creatorId } = dialogue
    ctx.state.dialogues.set(sid, { ...dialogue, invitation: { ...invitation, taskId: null, deliveryFailed } })
    if (deliveryFailed) ctx.notify(creatorId, 'session.delivery_failed', { sid, invitationId: invitation.id })
  }
}
