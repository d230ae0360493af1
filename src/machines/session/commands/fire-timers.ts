import { abandon } from '../change/close.ts'
import { membersOf } from '../change/access.ts'
import type { SessionContext } from '../facts/session-schema.ts'

/** What timers do (domain.md §1.5). Each is cancelled when its state is left: what fires finds the state that armed it. */

type Fire = (ctx: SessionContext, payload: null, sid: string) => void

/** Nobody was invited. */
export const creationTtl: Fire = (ctx, _payload, sid) => {
  const dialogue = ctx.state.dialogues.get(sid)
  if (dialogue !== undefined) abandon(ctx, dialogue, { move: 'creation-ttl', cause: 'CREATION_EXPIRED' })
}

/** The invitation was neither accepted nor declined. */
export const inviteExpiry: Fire = (ctx, _payload, sid) => {
  const dialogue = ctx.state.dialogues.get(sid)
  if (dialogue !== undefined) {
    abandon(ctx, dialogue, { move: 'invite-expiry', cause: 'INVITE_EXPIRED', invitation: 'EXPIRED' })
    ctx.notify(dialogue.creatorId, 'session.invitation_expired', { sid })
  }
}

/** Neither did anything for 90 days. */
export const inactivity: Fire = (ctx, _payload, sid) => {
  const dialogue = ctx.state.dialogues.get(sid)
  if (dialogue !== undefined) abandon(ctx, dialogue, { move: 'inactivity', cause: 'INACTIVITY' })
}

/** Once in a pause. */
export const pauseReminder: Fire = (ctx, _payload, sid) => {
  const dialogue = ctx.state.dialogues.get(sid)
  if (dialogue !== undefined && dialogue.pause !== null) {
    const { expiresAt } = dialogue.pause
    for (const member of membersOf(dialogue)) ctx.notify(member, 'session.pause_reminder', { sid, expiresAt })
  }
}

/** The pause lasted too long. */
export const pauseMax: Fire = (ctx, _payload, sid) => {
  const dialogue = ctx.state.dialogues.get(sid)
  if (dialogue !== undefined) abandon(ctx, dialogue, { move: 'pause-max', cause: 'PAUSE_EXPIRED' })
}
