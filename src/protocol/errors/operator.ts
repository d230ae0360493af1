import { MEMBERSHIP_ERRORS } from './membership.ts'
import { QUERY_ERRORS } from './query.ts'
import { NODE_ERRORS } from './refusals.ts'
import { REQUEST_ERRORS } from './request.ts'
import { OPEN_ERRORS } from './sessions.ts'
import { TRANSFER_ERRORS } from './transfer.ts'
import type { Rows } from './row.ts'

/** What operators ask: members, sessions, their history, a command that is only tried, what is applied. */
export const OPERATOR_ERRORS: Rows = {
  ...NODE_ERRORS,
  ...MEMBERSHIP_ERRORS,
  ...TRANSFER_ERRORS,
  ...picked(REQUEST_ERRORS, ['UNKNOWN_MACHINE', 'UNKNOWN_COMMAND', 'VALIDATION_ERROR', 'COMMAND_TOO_LARGE']),
  ...picked(QUERY_ERRORS, ['MACHINE_NOT_ACTIVE']),
  ...picked(OPEN_ERRORS, ['PRINCIPAL_INVALID']),
  NOTHING_TO_BACK_UP: [
    'FAILED_PRECONDITION',
    true,
    'The node has applied nothing yet, or its state is being made anew, so that it has none to read.',
    'Ask another node, or this one a moment later; `holdfast status` shows how far each is.',
  ],
  LOG_TOO_SHORT: [
    'FAILED_PRECONDITION',
    false,
    'The log does not reach back to the end of the backup that was named: the entries in between are gone.',
    'Make a whole backup, without `--since`, and one with `--since` of it more often. Another node may have kept more.',
  ],
  BACKUP_OVERTAKEN: [
    'ABORTED',
    true,
    'What the backup was read from is gone: the node took over a snapshot of another member, or its log went meanwhile.',
    'Begin the backup again; from another node where this one is catching up.',
  ],
  BACKUP_ABANDONED: [
    'DEADLINE_EXCEEDED',
    true,
    'Nobody asked for the next piece of the backup for a minute, so the node let go of what it is read from.',
    'Begin the backup again, to a disk or bucket that takes it faster.',
  ],
  LIMITS_CHANGED: [
    'ABORTED',
    false,
    'The limits are others than those that this change was made of.',
    'Look at `holdfast limits show` again, and decide anew.',
  ],
  LIMIT_REFUSED: [
    'INVALID_ARGUMENT',
    false,
    'A limit is unknown, out of its range, or does not fit another one; `name` and `problem` say which and why. Nothing changed.',
    'Correct it: docs/limits.md has the range of each.',
  ],
  OUTCOME_UNKNOWN: [
    'UNAVAILABLE',
    true,
    'The leader lost its office while the entry was on its way: whether it was applied cannot be told here.',
    'Look at what it was to change, and send the same again if nothing did: it changes nothing twice.',
  ],
  NOT_STOPPED: [
    'FAILED_PRECONDITION',
    false,
    'Not every voter has stopped at one part of one entry, so nothing can be skipped: one may have got past it.',
    '`holdfast recover skip` shows where each has stopped. Start those that are down; who has got past it helps the others by itself.',
  ],
  STOPPED_ELSEWHERE: [
    'FAILED_PRECONDITION',
    false,
    'The voters have stopped at another part, or another entry, than the one that was to be skipped.',
    'Look at `holdfast recover skip` again, and decide anew.',
  ],
  ALREADY_SKIPPED: [
    'ALREADY_EXISTS',
    false,
    'The log says already that this part is skipped.',
    'Look at `holdfast status`: the nodes go on as soon as that is committed.',
  ],
  NOT_YET_SUPPORTED: [
    'FAILED_PRECONDITION',
    true,
    'Some voters are not known to run a build that can apply this; `nodes` names them, `version` that of machine holdfast.',
    'Start them with this build. The leader switches once every voter has it.',
  ],
  SCHEDULE_UNKNOWN: [
    'NOT_FOUND',
    false,
    'There is no schedule of this machine and name: none was made, or it was cancelled.',
    'Take one of those that `holdfast schedules list` shows.',
  ],
  SCHEDULE_CHANGED: [
    'ABORTED',
    false,
    'Since it was looked at the schedule was put, resumed or backfilled, if not by this very call, the answer to which was lost.',
    'Look at `holdfast schedules show` again, and decide anew.',
  ],
  BACKFILL_REFUSED: [
    'FAILED_PRECONDITION',
    false,
    'Nothing is backfilled: nothing of the range is before now, or the schedule has 16 backfills that are not done; `problem` says which.',
    'Name a range that has begun, or wait until backfills are done: `holdfast schedules show` tells of them.',
  ],
  SESSION_UNKNOWN: [
    'NOT_FOUND',
    false,
    'No session has this id: none was opened with it, or it ended and its tombstone is gone.',
    'Take one of those that `holdfast session list` shows.',
  ],
  INVALID: [
    'INVALID_ARGUMENT',
    false,
    'A field is missing or out of range.',
    'Correct the field that the details name.',
  ],
}

/** A command that is tried is refused as one that is sent. */
function picked(rows: Rows, codes: readonly string[]): Rows {
  return Object.fromEntries(Object.entries(rows).filter(([code]) => codes.includes(code)))
}
