import { INVITE_TTL_MS } from '../facts/dialogue-bounds.ts'
import type { Dialogue, Invitation } from '../facts/rows.ts'
import type { SessionContext } from '../facts/session-schema.ts'

/** The invitation as it is sent, or sent again: good for seven days from now, with a task that delivers it. */
export function sentInvitation(ctx: SessionContext, dialogue: Dialogue): Invitation {
  const { invitation, id, creatorId } = dialogue
  const expiresAt = ctx.now + INVITE_TTL_MS
  cancelDelivery(ctx, invitation)
  const taskId = ctx.task('invitation.deliver', id, {
    invitationId: invitation.id,
    kind: invitation.inviteeKind,
    ref: invitation.inviteeRef,
    token: invitation.token,
    inviterName: nameOf(creatorId),
    expiresAt,
  })
  ctx.schedule('invite-expiry', expiresAt, null, id)
  const sentAt = invitation.sentAt ?? ctx.now
  return { ...invitation, status: 'PENDING', sentAt, lastSentAt: ctx.now, expiresAt, taskId, deliveryFailed: false }
}

/** An invitation that is decided, or good for nothing, needs no delivery any more. */
export function endedInvitation(
  ctx: SessionContext,
  invitation: Invitation,
  status: Exclude<Invitation['status'], 'DRAFT' | 'PENDING'>,
): Invitation {
  cancelDelivery(ctx, invitation)
  return { ...invitation, status, decidedAt: ctx.now, taskId: null }
}

/** What a person is called where only a name can stand: the id behind `user:`. */
export const nameOf = (principal: string): string => principal.slice(principal.indexOf(':') + 1)

function cancelDelivery(ctx: SessionContext, { taskId }: Invitation): void {
  if (taskId !== null) ctx.cancelTask(taskId)
}
