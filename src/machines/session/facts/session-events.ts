import { z } from 'zod'
import { domainEvents } from '../../../machine/define/events.ts'

const sid = z.string()

/** What other machines hear of dialogues (domain.md §0.9). */
export const sessionEvents = domainEvents('session', {
  SessionActivated: z.object({ sid }),
  SessionPaused: z.object({ sid }),
  /** `pausedFor`: ms by which everything that was armed before the pause moves. */
  SessionResumed: z.object({ sid, pausedFor: z.int().min(0) }),
  SessionClosed: z.object({ sid, status: z.enum(['RESOLVED', 'ABANDONED']) }),
})
