import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'
import { RESENDS_MAX } from './dialogue-bounds.ts'
import { ABANDON_CAUSES, DIALOGUE_STATUSES } from './states.ts'

/** The rows of the machine session (domain.md §1.1). Texts were bounded when they were parsed. */

const millis = z.int().min(0)
const principal = z.string()

export const invitation = z.object({
  id: z.string(),
  inviteeKind: z.enum(['person', 'email', 'phone']),
  inviteeRef: z.string(),
  inviteeName: z.string().nullable(),
  status: z.enum(['DRAFT', 'PENDING', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'CANCELLED']),
  /** `<id>-<tokenSeed>`: the secret part is the client's, because a machine has no secrets. */
  token: z.string(),
  createdAt: millis,
  sentAt: millis.nullable(),
  /** From then on it is good for nothing. */
  expiresAt: millis.nullable(),
  resendCount: z.int().min(0).max(RESENDS_MAX),
  lastSentAt: millis.nullable(),
  decidedAt: millis.nullable(),
  declineReason: z.string().nullable(),
  /** The last task of delivering it failed for good. */
  deliveryFailed: z.boolean(),
  /** The task that delivers it, while it is open. */
  taskId: z.string().nullable(),
})

export const pause = z.object({
  by: principal,
  reason: z.string().nullable(),
  pausedAt: millis,
  /** Until then only `by` may resume. */
  coolUntil: millis,
  /** The dialogue is abandoned then. */
  expiresAt: millis,
})

export const dialogueRow = z.object({
  id: z.string(),
  relationshipId: z.string(),
  creatorId: principal,
  /** Null until the invitation is accepted. */
  partnerId: principal.nullable(),
  status: z.enum(DIALOGUE_STATUSES),
  /** +1 per change of the status; the key of its record in `audit`. */
  statusSeq: z.int().min(1),
  statusSince: millis,
  createdAt: millis,
  updatedAt: millis,
  /** Last command of one of the two. */
  lastActivityAt: millis,
  /** The creator's own note; the partner never sees it. */
  context: z.string().nullable(),
  invitation,
  pause: pause.nullable(),
  pauseCount: z.int().min(0),
  resolvedAt: millis.nullable(),
  abandoned: z.object({ at: millis, cause: z.enum(ABANDON_CAUSES), by: principal.nullable() }).nullable(),
  /** Who has put it away, sorted; the status is as it was. */
  archivedBy: z.array(principal),
  /** Of the last message, whosever it is. */
  msgSeq: z.int().min(0),
})

export const messageRow = z.object({
  at: millis,
  senderId: principal.nullable(),
  role: z.enum(['USER', 'AI', 'SYSTEM', 'EMPATHY_STATEMENT', 'SHARED_CONTEXT', 'VALIDATION_FEEDBACK']),
  /** What the product's own messages say, in place of prose; null for a person's. */
  kind: z.string().nullable(),
  text: z.string().nullable(),
})

export const readingRow = z.object({
  id: z.string(),
  intensity: z.int().min(1).max(10),
  context: z.string().nullable(),
  stage: z.int().min(0).max(4),
  at: millis,
})
export type Reading = Parsed<typeof readingRow>

export const auditRow = z.object({
  at: millis,
  from: z.enum(DIALOGUE_STATUSES).nullable(),
  to: z.enum(DIALOGUE_STATUSES),
  by: principal,
  cause: z.enum(ABANDON_CAUSES).nullable(),
  /** The entry that did it: of a client session, or with null of a timer. */
  session: z.string().nullable(),
  index: z.int(),
})

/** A dialogue with its invitation and pause. */
export type Dialogue = Parsed<typeof dialogueRow>
export type Invitation = Parsed<typeof invitation>

/** The number in a dialogue's id, by which they are in order. */
export const numberOf = (sid: string): number => Number(sid.slice('ses-'.length))
