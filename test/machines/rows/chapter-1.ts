import { cells, type Chapter, rows } from './named-rows.ts'

const STATES = rows(`CREATED
  INVITED
  ACTIVE
  PAUSED
  RESOLVED
  ABANDONED`)
const COMMANDS = rows(`
  invite
  resendInvitation
  acceptInvitation
  declineInvitation
  pause
  resume
  postMessage
  recordEmotion
  resolve
  withdraw
  archive
  unarchive`)

/** Every table of chapter 1 of the design, row by row. */
export const CHAPTER_1: Chapter = {
  folders: ['machines/session/', 'machines/gates/'],
  tables: {
    '1.1 invariants': rows(`
      L-I1 ACTIVE without a partner
      L-I1 PAUSED without an acceptance
      L-I1 CREATED with a partner
      L-I2 ACTIVE with a pause
      L-I2 PAUSED without one
      L-I3 INVITED with a draft
      L-I3 ABANDONED with one that is pending
      L-I7 the creator as partner
      a move that its state does not allow`),
    '1.2 command × state': [
      ...cells(COMMANDS, ' × ', STATES),
      'create: a new entity, CREATED, or INVITED with sendNow',
    ],
    '1.2 issuers': cells(COMMANDS, ' ', ['by somebody who is neither creator nor partner']),
    '1.2 timers': rows(`
      timer creation-ttl leaves its state
      timer invite-expiry leaves its state
      timer inactivity leaves its state
      timer pause-max leaves its state`),
    '1.2 edges': ['the edges are these nine, and no other'],
    '1.3 guards and effects': rows(`
      a person who was never here is NOT_FOUND
      L-I4 a second open dialogue with the same invitee is CONFLICT
      L-I4 holds between the two people
      invite: sent now, good for seven days
      resendInvitation: a day apart, three times
      acceptInvitation
      declineInvitation
      L-I4 two people with an open dialogue cannot accept another one
      accepting makes the issuer the partner and publishes SessionActivated
      the one who paused resumes at any time
      they publish SessionPaused and SessionResumed
      a message with an intensity is a reading too
      one recorded reading per person in 30 s
      resolve: own stage, the partner’s, own keys, an agreement, in this order
      withdraw: the invitation is cancelled before the acceptance
      archive: a flag of the viewer
      every command of a member counts as activity`),
    '1.4 WAITING': rows(`
      stage 0: one has signed
      stage 0: both have signed
      stage 1: one feels heard, and may go on
      stage 2: one has done all that can be done alone
      stage 3: one has confirmed needs, and an item of common ground
      stage 4: one is ready, and has ranked and agreed
      somebody with something to do does not wait
      CREATED is never shown as WAITING
      INVITED is never shown as WAITING
      PAUSED is never shown as WAITING
      RESOLVED is never shown as WAITING
      ABANDONED is never shown as WAITING`),
    '1.5 timers': rows(`
      CREATED has these timers and no other
      INVITED has these timers and no other
      ACTIVE has these timers and no other
      PAUSED has these timers and no other
      invite-expiry: sending again arms it anew
      session.pause_reminder: both, once
      min cooling is 0 ms`),
    '1.6 notifications': rows(`
      session.invitation: a task invitation.deliver
      session.activated: the creator
      session.declined: the creator
      session.invitation_expired: the creator
      session.paused: the partner
      session.resumed: the partner
      session.pause_reminder: both
      session.resolved: both
      session.abandoned for WITHDRAWN while CREATED
      session.abandoned for WITHDRAWN while ACTIVE
      session.abandoned for WITHDRAWN while PAUSED
      session.abandoned for CREATION_EXPIRED while CREATED
      session.abandoned for INACTIVITY while ACTIVE
      session.abandoned for PAUSE_EXPIRED`),
    '1.7 queries': rows(`
      get: the note and the invitation
      list: own dialogues
      history: own messages
      emotions: own readings
      invitation: who invites`),
    '1.8 audit': ['every change of the status'],
    '1.9 canonical flow': ['the canonical flow'],
    '1.10 abuse cases': rows(`
      L1 the creator accepts
      L2 a third person reads or pauses
      L3 accepting a second time
      L4 accepting at expiresAt exactly
      L5 sending again 5 h after the last time
      L6 the partner resumes during the cooling
      L7 pausing while INVITED, and twice
      L8 resolving with an agreement only PROPOSED
      L9 a second dialogue with the same person
      L10 withdrawing after RESOLVED, archiving while ACTIVE`),
    '1.11 properties': rows(`
      PL1
      PL2 a closed dialogue absorbs
      PL4 a history holds
      PL6
      PL7 ticks between commands
      PL8 a refused command
      PL9 a pause and its end`),
  },
}
