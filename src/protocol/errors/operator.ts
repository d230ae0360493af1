import { NODE_ERRORS } from './refusals.ts'
import type { Rows } from './row.ts'

/** What operators ask: sessions, their history, a command that is only tried, what is applied. */
export const OPERATOR_ERRORS: Rows = {
  ...NODE_ERRORS,
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
