import { z } from 'zod'
import { domainEvents } from '../../../machine/define/events.ts'
import { EMPATHY_STATUSES } from './states.ts'

const sid = z.string()
const status = z.enum(EMPATHY_STATUSES).nullable()

/** What other machines hear of the exchange (domain.md §0.9). */
export const reconcilerEvents = domainEvents('reconciler', {
  /** One step of a direction; null is no attempt. Gates computes its keys on read and keeps nothing. */
  DirectionChanged: z.object({ sid, guesser: z.string(), from: status, to: status }),
  /** The guesser consents: gates keeps the consent, for the attempt of that id. */
  AttemptShared: z.object({ sid, guesser: z.string(), attemptId: z.string(), content: z.string() }),
  /** The subject reads the attempt from now on, in these words, as long as the consent is active. */
  AttemptRevealed: z.object({ sid, guesser: z.string(), attemptId: z.string(), content: z.string() }),
  /** A message for one reader, into the one log of the dialogue, which the machine session keeps. */
  MessagePosted: z.object({
    sid,
    forUser: z.string(),
    senderId: z.string().nullable(),
    role: z.enum(['AI', 'EMPATHY_STATEMENT', 'SHARED_CONTEXT', 'VALIDATION_FEEDBACK']),
    kind: z.string().nullable(),
    text: z.string().nullable(),
  }),
  /** One of the two did something here, so the dialogue is not idle. */
  MemberActed: z.object({ sid }),
})
