import type { Dialogue, Invitation } from '../facts/rows.ts'
import type { SessionContext } from '../facts/session-schema.ts'
import type { AbandonCause, DialogueMove } from '../facts/states.ts'
import { membersOf, othersThan } from './access.ts'
import { endedInvitation } from './invite.ts'
import { moveDialogue } from './move.ts'
import { releasePairs } from './pairs.ts'

/** How a dialogue is abandoned. */
interface Abandonment {
  readonly move: DialogueMove
  readonly cause: AbandonCause
  /** What becomes of an invitation that is not accepted. Default CANCELLED. */
  readonly invitation?: 'DECLINED' | 'EXPIRED'
  readonly declineReason?: string | null
  /** Of a member's own command: when it was. */
  readonly lastActivityAt?: number
}

/** Every timer of a dialogue; most are not armed. */
const TIMERS = ['creation-ttl', 'invite-expiry', 'inactivity', 'pause-reminder', 'pause-max'] as const

/**
 * Ends a dialogue as ABANDONED. The members who did not do it themselves are told why it ended, without anybody's words; of an
 * invitation that was declined or ran out the creator hears on its own topic (domain.md §1.6).
 */
export function abandon(ctx: SessionContext, dialogue: Dialogue, { move, cause, ...rest }: Abandonment): Dialogue {
  const { principal: by, now } = ctx
  const { declineReason = null, lastActivityAt = dialogue.lastActivityAt } = rest
  const invitation = closedInvitation(ctx, dialogue.invitation, rest.invitation ?? 'CANCELLED')
  const fields = {
    lastActivityAt,
    invitation: { ...invitation, declineReason },
    pause: null,
    abandoned: { at: now, cause, by: by === 'system' ? null : by },
  }
  const closed = moveDialogue(ctx, dialogue, { move, cause, fields })
  release(ctx, closed)
  if (rest.invitation === undefined) {
    for (const member of othersThan(closed, by)) ctx.notify(member, 'session.abandoned', { sid: closed.id, cause })
  }
  ctx.publish('SessionClosed', { sid: closed.id, status: 'ABANDONED' })
  return closed
}

/** Ends a dialogue as RESOLVED, and tells both what they agreed on. */
export function resolveDialogue(ctx: SessionContext, dialogue: Dialogue, agreementIds: readonly string[]): Dialogue {
  const { now } = ctx
  const closed = moveDialogue(ctx, dialogue, { move: 'resolve', fields: { resolvedAt: now, lastActivityAt: now } })
  release(ctx, closed)
  for (const member of membersOf(closed)) ctx.notify(member, 'session.resolved', { sid: closed.id, agreementIds })
  ctx.publish('SessionClosed', { sid: closed.id, status: 'RESOLVED' })
  return closed
}

/** Nothing is armed for a closed dialogue, and its people may begin another one. */
function release(ctx: SessionContext, dialogue: Dialogue): void {
  for (const timer of TIMERS) ctx.cancel(timer, dialogue.id)
  releasePairs(ctx, dialogue)
}

function closedInvitation(
  ctx: SessionContext,
  invitation: Invitation,
  status: 'CANCELLED' | 'DECLINED' | 'EXPIRED',
): Invitation {
  const undecided = invitation.status === 'DRAFT' || invitation.status === 'PENDING'
  return undecided ? endedInvitation(ctx, invitation, status) : invitation
}
