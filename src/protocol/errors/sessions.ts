import { NODE_ERRORS, PROOF_ERRORS } from './refusals.ts'
import type { Rows } from './row.ts'

/** Opening a session. */
export const OPEN_ERRORS: Rows = {
  ...NODE_ERRORS,
  PRINCIPAL_INVALID: [
    'INVALID_ARGUMENT',
    false,
    'A principal is `kind:id`, and `system` cannot be claimed.',
    'Use a principal such as `user:42`.',
  ],
  OPEN_CONFLICT: [
    'ALREADY_EXISTS',
    false,
    'The secret belongs to a session with another principal, capabilities or timeout.',
    'Use a fresh random secret for every session.',
  ],
  OPEN_TOO_LATE: [
    'DEADLINE_EXCEEDED',
    false,
    'This copy arrived after its validUntil, and no session was opened by an earlier one.',
    'Open again with a new secret.',
  ],
  CLIENT_SESSION_CLOSED: [
    'FAILED_PRECONDITION',
    false,
    'The secret belongs to a session that has ended.',
    'Open again with a new secret.',
  ],
  TOO_MANY_SESSIONS: [
    'RESOURCE_EXHAUSTED',
    true,
    'The group holds as many sessions as its limit allows.',
    'Close sessions that are not needed or raise the limit.',
  ],
  OPEN_REJECTED: [
    'PERMISSION_DENIED',
    false,
    'A machine rejected the session; the details carry its code.',
    "Look up the machine's code.",
  ],
}

/** Attaching to one. */
export const ATTACH_ERRORS: Rows = {
  ...NODE_ERRORS,
  ...PROOF_ERRORS,
  ATTACH_CONFLICT: [
    'ABORTED',
    false,
    'Another connection attached the session since the epoch that this one replaces.',
    'The current epoch is in the details; replace it only if you mean to take the session over.',
  ],
}

/** Pings, acks and closes. */
export const SESSION_ERRORS: Rows = {
  ...NODE_ERRORS,
  ...PROOF_ERRORS,
  INVALID_ACK: [
    'OUT_OF_RANGE',
    false,
    'The acknowledged id was never given to a server request of this session.',
    'Acknowledge ids that were received.',
  ],
}
