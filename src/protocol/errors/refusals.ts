import type { Rows } from './row.ts'

/** Refusals before anything was appended, alike for everything that a leader does. */
export const NODE_ERRORS: Rows = {
  NOT_LEADER: [
    'UNAVAILABLE',
    true,
    'This node does not lead the group; nothing was appended.',
    'Send it to the leader, whose address the error carries. The SDK does so itself.',
  ],
  OVERLOADED: [
    'RESOURCE_EXHAUSTED',
    true,
    'More work is waiting than the node accepts.',
    'Send it again later; offer less load or add capacity if it persists.',
  ],
  NO_QUORUM: [
    'UNAVAILABLE',
    true,
    'The leader cannot reach a majority of the voters.',
    'Send it again; look at `holdfast status` for nodes that are down.',
  ],
  STORAGE_STALLED: [
    'UNAVAILABLE',
    true,
    "The leader's disk has not completed a write for too long.",
    "Send it again; look at the disk's latency.",
  ],
  DISK_FULL: [
    'RESOURCE_EXHAUSTED',
    true,
    "The leader's disk is nearly full: it takes no new commands, answers queries and keeps sessions; nothing was appended.",
    'Free space on it or enlarge it: the leader takes commands again by itself. Send it again later.',
  ],
  TRANSFERRING: [
    'UNAVAILABLE',
    true,
    'The leader hands its leadership over to another node; nothing was appended.',
    'Send it again in a few milliseconds, to this node or to the next leader. The SDK does so itself.',
  ],
  APPLY_BEHIND: [
    'UNAVAILABLE',
    true,
    'The state machine has fallen behind the log, so new commands wait.',
    'Send it again later; look for a slow machine.',
  ],
  HALTED: [
    'UNAVAILABLE',
    true,
    'This node applies nothing more, because of its machines or of what they made of the log, and it answers nothing.',
    'Send it to another node: the SDK looks for the leader. `holdfast status` says why this one halted.',
  ],
  SHUTTING_DOWN: ['UNAVAILABLE', true, 'The node is stopping.', 'Send it to another node.'],
  CLUSTER_CHANGED: [
    'FAILED_PRECONDITION',
    false,
    'The session belongs to another incarnation of the cluster: it was recovered or restored since.',
    'Open a new session and check the business state before repeating anything.',
  ],
  WRONG_GROUP: [
    'FAILED_PRECONDITION',
    false,
    'The session belongs to a group that this endpoint does not serve.',
    "Connect to an endpoint of the session's group.",
  ],
  NOT_ATTACHED: [
    'FAILED_PRECONDITION',
    false,
    'No session is attached under this channel of the connection.',
    'Attach the session first.',
  ],
  INVALID: [
    'INVALID_ARGUMENT',
    false,
    'A field is missing or out of range.',
    'Correct the field that the details name. Request ids are 1 to 2^53-1, and lowestPendingRequestId is mandatory.',
  ],
  TOO_MANY_CHANNELS: [
    'RESOURCE_EXHAUSTED',
    false,
    'The connection holds as many sessions as one connection may.',
    'Use another connection.',
  ],
}

/** A session that is not there, or is somebody else's. */
export const PROOF_ERRORS: Rows = {
  SESSION_UNKNOWN: [
    'NOT_FOUND',
    false,
    'There is no such session, or the secret is not its secret.',
    'Open a new session.',
  ],
  SESSION_EXPIRED: [
    'NOT_FOUND',
    false,
    'The session has ended: it expired or was closed.',
    'Open a new session; what was outstanding has an unknown outcome.',
  ],
  FENCED: [
    'ABORTED',
    false,
    'Another connection took the session over.',
    'Stop using it here. Attach again only if you mean to take it back.',
  ],
}
