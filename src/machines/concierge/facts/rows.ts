import { z } from 'zod'
import type { Parsed } from '../../../machine/define/schema.ts'
import { HISTORY_MAX } from './concierge-bounds.ts'
import { times } from './fields.ts'
import { AGENTS, CONCIERGE_STATES, REGISTRATION_STATUSES } from './states.ts'

/** The rows of the tables of the machine concierge (domain.md §5.2). Texts were bounded when they were parsed. */

const millis = z.int().min(0)
const count = z.int().min(0)

/** What may have moved a conversation; `BOUNDARY` is the passing of time. */
export const MOVES = [
  'MESSAGE_RECEIVED',
  'EVENT_REGISTERED',
  'EVENT_ENDED',
  'UPDATE_EVENT_CONTEXT',
  'SESSION_END',
  'BOUNDARY',
] as const
/** One of `MOVES`. */
export type Move = (typeof MOVES)[number]

/** One step of a conversation: its state or its event changed. */
export const stepRow = z.object({
  seq: z.int().min(1),
  at: millis,
  from: z.enum(CONCIERGE_STATES),
  to: z.enum(CONCIERGE_STATES),
  event: z.enum(MOVES),
  eventId: z.string().nullable(),
})

/** The last answer, so that nobody depends on a notification. */
const replyRow = z.object({
  turn: z.int().min(1),
  agent: z.enum(AGENTS),
  /** UNAVAILABLE: no agent answered, and the turn is closed. */
  kind: z.enum(['ANSWER', 'UNAVAILABLE']),
  text: z.string().nullable(),
  at: millis,
})
/** One answer. */
export type Reply = Parsed<typeof replyRow>

const ENDED_BY = ['user', 'timeout', 'admin'] as const
/** Who ended a conversation. */
export type EndedBy = (typeof ENDED_BY)[number]

/** A conversation beside its chart, which is the row of the same id in `entities`. */
export const conversationRow = z.object({
  id: z.string(),
  contractorId: z.string(),
  sessionKey: z.string(),
  turn: count,
  /** The open `agent.run.…` (C-I2). */
  pendingTurn: z.object({ turn: z.int().min(1), taskId: z.string() }).nullable(),
  lastMessageAt: millis.nullable(),
  lastTransitionAt: millis,
  transitionSeq: count,
  /** How it became idle last; null while it is not, and before its first message. */
  endedBy: z.enum(ENDED_BY).nullable(),
  lastReply: replyRow.nullable(),
  history: z.array(stepRow).max(HISTORY_MAX),
})
/** One conversation. */
export type Conversation = Parsed<typeof conversationRow>

export const registrationRow = times.extend({
  contractorId: z.string(),
  eventId: z.string(),
  name: z.string(),
  status: z.enum(REGISTRATION_STATUSES),
  /** The status that it was registered with: by it a repeat is told from other content. */
  registeredAs: z.enum(REGISTRATION_STATUSES),
  endedAt: millis.nullable(),
  updatedAt: millis,
})
/** One registration. */
export type Registration = Parsed<typeof registrationRow>

/** What changed a registration. */
const CHANGES = ['registered', 'updated', 'status', 'context', 'ended', 'dropped'] as const
/** One of `CHANGES`. */
export type Change = (typeof CHANGES)[number]

export const auditRow = z.object({
  at: millis,
  eventId: z.string(),
  change: z.enum(CHANGES),
  from: z.enum(REGISTRATION_STATUSES).nullable(),
  to: z.enum(REGISTRATION_STATUSES),
  by: z.string(),
})
