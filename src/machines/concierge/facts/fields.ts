import { z } from 'zod'
import { ID_LENGTH_MAX, NAME_LENGTH_MAX, REPLY_LENGTH_MAX, TEXT_LENGTH_MAX, TIME_MAX } from './concierge-bounds.ts'
import { ACTIVE_STATUSES, REGISTRATION_STATUSES } from './states.ts'

/** Fields of commands, and what workers bring (domain.md §5.2, §5.5). Texts are trimmed; an empty one is refused. */

const text = (max: number) => z.string().trim().min(1).max(max)
const moment = z.int().min(0).max(TIME_MAX)

/** A conversation, by its id: `con-1`. */
export const conversation = z.object({ id: z.string().min(1).max(ID_LENGTH_MAX) })
/** A contractor is a principal. */
export const contractorId = z
  .string()
  .max(ID_LENGTH_MAX)
  .regex(/^user:./, 'a contractor is a principal that begins with user:')
/** The client's own name for one of a contractor's conversations. */
export const sessionKey = text(ID_LENGTH_MAX)
export const eventId = text(ID_LENGTH_MAX)
/** One registration. */
export const registration = z.object({ contractorId, eventId })
export const name = text(NAME_LENGTH_MAX)
export const messageText = text(TEXT_LENGTH_MAX)
export const reply = text(REPLY_LENGTH_MAX)
/** A registration begins in one of these. */
export const firstStatus = z.enum(ACTIVE_STATUSES)
export const status = z.enum(REGISTRATION_STATUSES)

/** The four moments of an event, whose day bounds whoever knows the time zone computes. */
export const times = z.object({ dayStartsAt: moment, startsAt: moment, endsAt: moment, dayEndsAt: moment })
/** One registration's times. */
export type Times = z.output<typeof times>

/** dayStartsAt ≤ startsAt < endsAt ≤ dayEndsAt. */
export const inOrder = ({ dayStartsAt, startsAt, endsAt, dayEndsAt }: Times): boolean =>
  dayStartsAt <= startsAt && startsAt < endsAt && endsAt <= dayEndsAt
