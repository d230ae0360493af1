import type { Rows } from './row.ts'

/** Rejections that every machine may answer with: the command was executed and changed nothing but what it kept on purpose. */
export const MACHINE_ERRORS: Rows = {
  MACHINE_ERROR: [
    'INTERNAL',
    false,
    "The machine's handler failed, and everything that the command did was rolled back; `reason` says how.",
    'Every node that applied it tells in its log what was thrown: event `machineFailed` with `index` of the details. Report it to ' +
      'whoever wrote the machine: the same command fails the same way on every node.',
  ],
  EXCEPTION: ['INTERNAL', false, 'Reason of MACHINE_ERROR: the handler threw.', 'A handler refuses with `ctx.reject`.'],
  INTERNAL_INVARIANT: [
    'INTERNAL',
    false,
    'An invariant of the machine failed: a bug; everything was rolled back.',
    'Report it to whoever wrote the machine.',
  ],
  ASYNC_HANDLER: [
    'INTERNAL',
    false,
    'Reason of MACHINE_ERROR: the handler returned a promise.',
    'Handlers are synchronous. What needs the outside world is a task whose answer is a new command.',
  ],
  INVALID_VALUE: [
    'INTERNAL',
    false,
    'Reason of MACHINE_ERROR: the handler stored, emitted or returned what is no plain data.',
    'Use numbers, text, booleans, null, bytes, arrays and plain objects.',
  ],
  RESPONSE_TOO_LARGE: [
    'RESOURCE_EXHAUSTED',
    false,
    'Reason of MACHINE_ERROR: the response exceeds `responseBytesMax`.',
    'Return less, or let the client ask for the rest with a query.',
  ],
  NONDETERMINISTIC: [
    'INTERNAL',
    false,
    'Reason of MACHINE_ERROR, in development alone: the handler ran twice on the same state and did different things.',
    'Keep in a table what it keeps elsewhere, and take time, randomness and ids from `ctx`.',
  ],
  SKIPPED: [
    'INTERNAL',
    false,
    'Reason of MACHINE_ERROR: the engine failed at the command on every voter, and an operator had it skipped; nothing was changed.',
    'Send it otherwise, smaller perhaps, under a new request id; the same would stop the cluster again.',
  ],
  OUTBOX_FULL: [
    'RESOURCE_EXHAUSTED',
    true,
    'A session to which the command sends a server request has as many waiting as its outbox holds; nothing was changed.',
    'Let that session handle its requests (`session.on`), or let the machine emit with `coalesce` or `dropOldest`.',
  ],
  MIGRATION_FAILED: [
    'INTERNAL',
    false,
    "Kind of an alert: a machine's migration threw, so the machine stays at the version that it had; nothing was changed.",
    'Correct the migration and start the nodes with it. `status` and the log of a node say what was thrown.',
  ],
  SCHEDULE_STOPPED: [
    'FAILED_PRECONDITION',
    false,
    'Kind of an alert: no more occurrences of a schedule are computed; `stop` says why: `badCron`, `unknownZone` or `never`.',
    'Look at `holdfast schedules show`. Have the machine put it with what can be read, or resume it where the leader knows the zone.',
  ],
  VALIDATION_ERROR: [
    'INVALID_ARGUMENT',
    false,
    'The input does not fit its schema, limits or enumerations.',
    'Correct what the details name.',
  ],
  UNAUTHENTICATED: [
    'UNAUTHENTICATED',
    false,
    'Nobody in particular asks, and the machine tells this to somebody only.',
    'Ask on the channel of a session.',
  ],
  FORBIDDEN: [
    'PERMISSION_DENIED',
    false,
    'The principal or its roles may not do this.',
    'Use a session of a principal that may.',
  ],
  NOT_FOUND: [
    'NOT_FOUND',
    false,
    'There is no such entity, or it is not visible to whoever asks.',
    'Check its id and the principal of the session.',
  ],
  CONFLICT: [
    'ALREADY_EXISTS',
    false,
    'It was already done with other content, or a uniqueness rule is broken.',
    'Read the present state; the details may carry a reason.',
  ],
  RATE_LIMITED: [
    'RESOURCE_EXHAUSTED',
    true,
    'Too many in too short a time.',
    'Try again at `retryAt` of the details, under a new id.',
  ],
  SESSION_NOT_ACTIVE: [
    'FAILED_PRECONDITION',
    false,
    'The dialogue is not active; `status` of the details says what it is.',
    'Resume it or begin another one.',
  ],
  INVALID_STATE_TRANSITION: [
    'FAILED_PRECONDITION',
    false,
    'The present state does not allow this.',
    '`allowed` of the details says what it does allow.',
  ],
  STALE_STATE: [
    'ABORTED',
    false,
    'The state that the caller expected is not the present one.',
    'Read the present state and decide again.',
  ],
  STALE_TASK: [
    'ABORTED',
    false,
    'The task is closed or unknown, or the attempt is not the present one.',
    'Drop the work.',
  ],
  INVALID_RESULT: [
    'INVALID_ARGUMENT',
    false,
    "A worker's result does not fit what the task asks for; it counts as a failed attempt.",
    'Correct the worker.',
  ],
  WORKER_LOST: [
    'UNAVAILABLE',
    true,
    "An attempt of a task ended because its worker's session ended.",
    'Nothing: another worker gets the next attempt.',
  ],
  LEASE_EXPIRED: [
    'DEADLINE_EXCEEDED',
    true,
    'An attempt of a task took longer than its lease.',
    'Nothing: the next attempt follows. Longer leases belong to the kind of task.',
  ],
  QUEUE_DEADLINE: [
    'DEADLINE_EXCEEDED',
    false,
    'No worker took the task before its time was over.',
    "Run workers of the task's role; the machine's fallback has been told.",
  ],
}
