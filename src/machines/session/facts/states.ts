import { transitions, type StateOf } from '../../../machine/graph/transitions.ts'

/**
 * The states of a dialogue and what moves it (domain.md §1.2). The stages of its two people are no states of it: they are rows
 * of the machine gates, which exist while it is ACTIVE or PAUSED. WAITING is derived and never stored.
 */
export const DIALOGUE_TRANSITIONS = transitions(
  {
    CREATED: { invite: 'INVITED', withdraw: 'ABANDONED', 'creation-ttl': 'ABANDONED' },
    INVITED: {
      acceptInvitation: 'ACTIVE',
      declineInvitation: 'ABANDONED',
      withdraw: 'ABANDONED',
      'invite-expiry': 'ABANDONED',
    },
    ACTIVE: { pause: 'PAUSED', resolve: 'RESOLVED', withdraw: 'ABANDONED', inactivity: 'ABANDONED' },
    PAUSED: { resume: 'ACTIVE', withdraw: 'ABANDONED', 'pause-max': 'ABANDONED' },
    RESOLVED: {},
    ABANDONED: {},
  },
  { entity: 'session' },
)

/** What is stored of where a dialogue stands. */
export type DialogueStatus = StateOf<typeof DIALOGUE_TRANSITIONS.table>
/** What moves a dialogue: commands, and timers by their kinds. */
export type DialogueMove = (typeof DIALOGUE_TRANSITIONS.events)[number]

/** For schemas. */
export const DIALOGUE_STATUSES = [
  'CREATED',
  'INVITED',
  'ACTIVE',
  'PAUSED',
  'RESOLVED',
  'ABANDONED',
] as const satisfies readonly DialogueStatus[]

/** Why a dialogue was abandoned. */
export const ABANDON_CAUSES = [
  'WITHDRAWN',
  'DECLINED',
  'INVITE_EXPIRED',
  'CREATION_EXPIRED',
  'INACTIVITY',
  'PAUSE_EXPIRED',
] as const
/** One of `ABANDON_CAUSES`. */
export type AbandonCause = (typeof ABANDON_CAUSES)[number]

/** Nothing leaves it any more. */
export const isClosed = (status: DialogueStatus): boolean => DIALOGUE_TRANSITIONS.isTerminal(status)
