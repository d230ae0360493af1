import { defineMachine } from '../../machine/define/define-machine.ts'
import { isPerson } from './change/access.ts'
import { create } from './commands/create-commands.ts'
import { archive, resolve, unarchive, withdraw } from './commands/end-commands.ts'
import { creationTtl, inactivity, inviteExpiry, pauseMax, pauseReminder } from './commands/fire-timers.ts'
import {
  acceptInvitation,
  declineInvitation,
  deliverTask,
  invite,
  resendInvitation,
} from './commands/invitation-commands.ts'
import { onExchanged, onMemberActed, onMessagePosted } from './commands/listeners.ts'
import { pause, resume } from './commands/pause-commands.ts'
import { postMessage, recordEmotion } from './commands/talk-commands.ts'
import { audit, get, invitation, list } from './queries/dialogue-queries.ts'
import { emotions, history } from './queries/talk-queries.ts'
import { sessionSchema } from './facts/session-schema.ts'

/** The dialogue of two people: invited, active, paused, resolved or abandoned (domain.md §1). */
export const session = defineMachine('session', sessionSchema, {
  commands: {
    create,
    invite,
    resendInvitation,
    acceptInvitation,
    declineInvitation,
    pause,
    resume,
    postMessage,
    recordEmotion,
    resolve,
    withdraw,
    archive,
    unarchive,
  },
  queries: { get, list, history, emotions, invitation, audit },
  timers: {
    'creation-ttl': creationTtl,
    'invite-expiry': inviteExpiry,
    inactivity,
    'pause-reminder': pauseReminder,
    'pause-max': pauseMax,
  },
  tasks: { 'invitation.deliver': deliverTask },
  on: [onMemberActed, onExchanged, onMessagePosted],
  // Whom one may invite as a person. PERF: one row per person, written when the first client comes.
  onSessionCreated: (ctx, { principal }) => {
    if (isPerson(principal) && !ctx.state.people.has(principal)) ctx.state.people.set(principal, ctx.now)
  },
})
