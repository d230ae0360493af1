import { z } from 'zod'
import { domainEvents } from '../../../machine/define/events.ts'

const sid = z.string()

/** What other machines hear of gates, and gates itself (domain.md §0.9). */
export const gatesEvents = domainEvents('gates', {
  FeelHeardConfirmed: z.object({ sid, user: z.string() }),
  /** `guesser` no longer wants the attempt to be read. */
  EmpathyConsentRevoked: z.object({ sid, guesser: z.string() }),
  /** One of the two did something here, so the dialogue is not idle. */
  MemberActed: z.object({ sid }),
  StageEntered: z.object({ sid, user: z.string(), stage: z.int().min(0).max(4) }),
})
