import type { Rows } from './row.ts'

/** What the library itself says. */
export const CLIENT_ERRORS: Rows = {
  NO_LEADER: [
    'UNAVAILABLE',
    true,
    'No endpoint knew a leader before the deadline; the command was never sent, or no session was opened or taken up.',
    'Check the endpoints and `holdfast status`.',
  ],
  DEADLINE_EXCEEDED: [
    'DEADLINE_EXCEEDED',
    true,
    'The deadline passed before the outcome was known, or before the leader had opened the session or let it be taken up.',
    'Of a command: ask again with `session.resolve(requestId)`, or `abandon` it. Of `connect`: again, with a longer connectDeadlineMs.',
  ],
  ABORTED: [
    'CANCELLED',
    true,
    'The caller aborted the call.',
    'Ask again with `session.resolve(requestId)` if its outcome matters.',
  ],
  ABANDONED: ['CANCELLED', false, 'The caller abandoned the request.', 'Nothing to do.'],
  HELD_BACK: [
    'RESOURCE_EXHAUSTED',
    true,
    'Earlier commands of the session had no outcome, so that this one was not sent before its deadline.',
    'Wait for some of them, or give it a longer deadline: at most `windowRequests` are under way at once.',
  ],
  DETACHED: [
    'CANCELLED',
    false,
    'The session was left to another process (`session.detach()`).',
    'Take it up with its token; `session.resolve(requestId)` there tells what became of a command.',
  ],
  NEVER_EXECUTED: [
    'CANCELLED',
    false,
    "The session's earlier holder did not get this command executed, and no copy of it can be any more.",
    'Send it again, as a new command.',
  ],
  SESSION_CLOSED: ['CANCELLED', false, 'The session was closed in this process.', 'Open a new session.'],
  SUPERSEDED: ['ABORTED', false, 'Another connection took the session over.', 'Stop using it here.'],
  BACKLOG_FULL: [
    'RESOURCE_EXHAUSTED',
    true,
    'Too many commands wait in this process for the connection or for earlier responses.',
    'Wait for some of them.',
  ],
  UNKNOWN_REQUEST: [
    'NOT_FOUND',
    false,
    'The session remembers no such request.',
    'Only requests whose outcome is unknown can be resolved or abandoned.',
  ],
  INVALID: [
    'INVALID_ARGUMENT',
    false,
    'Something that was handed to the library cannot be used; nothing was sent or taken.',
    'Correct the field that the details name.',
  ],
  CALLBACK_FAILED: [
    'INTERNAL',
    false,
    'A callback that was given to the library threw, or its promise was rejected. Nothing depends on it.',
    'Catch what the callback may throw.',
  ],
  HANDLER_FAILED: [
    'INTERNAL',
    true,
    'A handler of a server request failed, and nobody listens to onHandlerError. The request comes again, and those behind it wait.',
    'Correct the handler, or give `connect` an onHandlerError.',
  ],
  UNHANDLED_TASK: [
    'UNIMPLEMENTED',
    false,
    'A worker was given a task of a kind that it has no handler for; the attempt counts as failed.',
    "Give `session.worker` a handler for every kind of the session's roles, or the session fewer roles.",
  ],
  WORKER_STOPPED: [
    'CANCELLED',
    true,
    'A worker was stopped, and gave back a task that it had not done; the attempt counts as failed.',
    'Nothing: another worker gets the next attempt.',
  ],
  UNHANDLED_REQUEST: [
    'UNIMPLEMENTED',
    true,
    'A server request has arrived whose type nothing handles. It waits, and so do those behind it.',
    "Give its type a handler: `session.on(type, handler)`, `session.on('*', handler)` or `session.serverRequests()`.",
  ],
}
