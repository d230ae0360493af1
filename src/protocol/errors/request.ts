import { NODE_ERRORS, PROOF_ERRORS } from './refusals.ts'
import type { Rows } from './row.ts'

/** Commands: what they are refused with. */
export const REQUEST_ERRORS: Rows = {
  ...NODE_ERRORS,
  ...PROOF_ERRORS,
  VALIDATION_ERROR: [
    'INVALID_ARGUMENT',
    false,
    "The input does not fit the command's schema; nothing was executed.",
    'Correct what the issues name.',
  ],
  MACHINE_NOT_ACTIVE: [
    'FAILED_PRECONDITION',
    true,
    'This build has the machine, and the log has not switched to it, or not to a version that this build has.',
    'Start every node of the cluster with the machine: its first version is switched on once all of them have it.',
  ],
  UNKNOWN_MACHINE: [
    'NOT_FOUND',
    false,
    'No machine of that name is mounted.',
    'Check the name, and that every node was started with the machine.',
  ],
  UNKNOWN_COMMAND: [
    'NOT_FOUND',
    false,
    'The machine has no command of that name.',
    "Check the name in the machine's definition, and that every node runs the same version of it.",
  ],
  COMMAND_TOO_LARGE: [
    'RESOURCE_EXHAUSTED',
    false,
    'The input exceeds the largest command that the cluster accepts.',
    'Send less, or store the bulk elsewhere and send a reference.',
  ],
  RESPONSE_EVICTED: [
    'OUT_OF_RANGE',
    false,
    'The id lies below the lowest one the client still waits for: it was executed or abandoned earlier, and its response is gone. It was not executed now.',
    'Find out by a query; never repeat it under a new id unless it is idempotent.',
  ],
  REQUEST_CONFLICT: [
    'ALREADY_EXISTS',
    false,
    'The id was used for a different command.',
    'Use a new id for a new command.',
  ],
  VERSION_CHANGED: [
    'ABORTED',
    true,
    "The machine's version changed while the command was on its way; it was not executed.",
    'Send it again with the same id.',
  ],
  WINDOW_EXCEEDED: [
    'RESOURCE_EXHAUSTED',
    true,
    'The id is too far above the lowest one without a response.',
    'Wait for earlier responses, then send it again with the same id.',
  ],
  OUT_OF_ORDER: [
    'ABORTED',
    true,
    'The session is ordered and an earlier id has not been executed yet.',
    'Send the earlier ones first, then this one with the same id.',
  ],
  RESPONSE_BACKLOG: [
    'RESOURCE_EXHAUSTED',
    true,
    "The session's cached responses have no room for another one.",
    'Raise lowestPendingRequestId by taking responses, then send it again.',
  ],
  SUBJECT_FORGOTTEN: [
    'FAILED_PRECONDITION',
    false,
    'A personal field belongs to a subject that was forgotten: nothing more is taken in about it. Nothing was executed.',
    'Give the person another name as a subject, if they have agreed to be known again.',
  ],
  SUBJECT_KEY_PENDING: [
    'UNAVAILABLE',
    true,
    'The key of a subject is not on a majority of the voters yet, so nothing may be encrypted under it. Nothing was executed.',
    'Send it again; look at `holdfast status` for nodes that are down.',
  ],
  LEADER_LOST: [
    'UNKNOWN',
    true,
    'The node that appended the command lost the lead before it could tell the outcome.',
    'Send it again with the same id: it is executed at most once.',
  ],
}
