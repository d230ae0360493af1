import { z } from 'zod'
import { SCHEDULE_NAME_CHARS_MAX } from '../../codec/entry/names.ts'
import { NAME_BYTES_MAX, ROLES_MAX, SUBJECT_CHARS_MAX, TEXT_BYTES_MAX } from '../../protocol/limits.ts'
import { isNodeId, parseSessionId } from '../../base/brand.ts'
import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { LETTERS_PER_ENTRY_MAX, NOTE_CHARS_MAX } from '../../codec/entry/payload-codec.ts'

/** Lines of one page, and how many when none are named. */
export const PAGE_LINES_MAX = 1000
const PAGE_LINES = 100

/** What operators' requests look like once protobuf has decoded them; anything else is INVALID, with its field. */
const index = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const limit = z
  .number()
  .int()
  .min(0)
  .max(PAGE_LINES_MAX)
  .transform((lines) => (lines === 0 ? PAGE_LINES : lines))
const name = z.string().max(NAME_BYTES_MAX)
const id = z.string().transform((text, context): SessionNumbers => {
  const numbers = parseSessionId(text)
  if (numbers !== null) return numbers
  context.addIssue('a session id is group/incarnation/index')
  return z.NEVER
})

export const sessionsRequest = z.object({ afterIndex: index, limit, machine: name })
export const sessionRequest = z.object({ id, payloads: z.boolean() })
export const sessionHistoryRequest = z.object({ id, fromIndex: index, limit, payloads: z.boolean() })
export const tryCommandRequest = z.object({
  machine: name,
  command: name,
  input: z.instanceof(Uint8Array),
  principal: z.string().max(TEXT_BYTES_MAX),
  roles: z.array(name).max(ROLES_MAX),
})

export const membersRequest = z.object({})
export const changeMembershipRequest = z.object({
  change: z.enum(['add', 'promote', 'remove', 'replace']),
  id: z.string().refine(isNodeId),
  learner: z.boolean(),
  basedOn: index,
})
export const transferRequest = z.object({ to: name })

export const limitsRequest = z.object({})
/** More limits than there are would name one twice. */
const CHANGES_MAX = 64
export const changeLimitsRequest = z.object({
  changes: z
    .array(z.object({ name, value: index }))
    .min(1)
    .max(CHANGES_MAX),
  basedOn: index,
})

export const evictSessionRequest = z.object({ id, note: z.string().max(NOTE_CHARS_MAX) })
export const forgetRequest = z.object({ subject: z.string().min(1).max(SUBJECT_CHARS_MAX) })
export const deadLettersRequest = z.object({
  after: index,
  limit,
  session: z.union([z.literal('').transform(() => null), id]),
  payloads: z.boolean(),
})
const letter = index.min(1)
export const moveDeadLettersRequest = z.object({
  move: z.enum(['redrive', 'discard']),
  letters: z.array(letter).min(1).max(LETTERS_PER_ENTRY_MAX),
})

const scheduleName = z.string().max(SCHEDULE_NAME_CHARS_MAX)
export const schedulesRequest = z.object({ afterMachine: name, afterName: scheduleName, limit, machine: name })
export const scheduleRequest = z.object({ machine: name, name: scheduleName, payloads: z.boolean() })
export const changeScheduleRequest = z.object({
  change: z.enum(['pause', 'resume', 'backfill', 'cancel', 'end']),
  machine: name,
  name: scheduleName,
  fromMs: index,
  toMs: index,
  basedOn: index,
  run: index,
})

/** Machines that a watcher may name. */
const WATCHED_MAX = 64
export const watchRequest = z.object({ machines: z.array(name).max(WATCHED_MAX), sinceIndex: index, limit: index })
export const backupRequest = z.object({ withLog: z.boolean(), sinceIndex: index })
export const stopsRequest = z.object({})
export const skipPartRequest = z.object({ index, part: z.string().min(1).max(TEXT_BYTES_MAX) })
