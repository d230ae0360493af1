import type { GrpcStatusName } from './grpc-status.ts'

/** The rows of the registry; `errors.ts` reads them. */

/** Where a code is raised. The same code may mean different things in different scopes. */
export type ErrorScope =
  | 'request'
  | 'open'
  | 'attach'
  | 'session'
  | 'query'
  | 'connection'
  | 'peer'
  | 'server'
  | 'client'

/** Status, whether the same copy may be sent again, cause, cure. */
export type Row = readonly [status: GrpcStatusName, retryable: boolean, cause: string, cure: string]

/** Refusals before anything was appended, alike for everything that a leader does. */
const NODE: { readonly [code: string]: Row } = {
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
  APPLY_BEHIND: [
    'UNAVAILABLE',
    true,
    'The state machine has fallen behind the log, so new commands wait.',
    'Send it again later; look for a slow machine.',
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

const SESSION: { readonly [code: string]: Row } = {
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

const REQUEST: { readonly [code: string]: Row } = {
  ...NODE,
  ...SESSION,
  VALIDATION_ERROR: [
    'INVALID_ARGUMENT',
    false,
    "The input does not fit the command's schema; nothing was executed.",
    'Correct what the issues name.',
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
  LEADER_LOST: [
    'UNKNOWN',
    true,
    'The node that appended the command lost the lead before it could tell the outcome.',
    'Send it again with the same id: it is executed at most once.',
  ],
}

const OPEN: { readonly [code: string]: Row } = {
  ...NODE,
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

/** Every code by scope. */
export const ERROR_TABLE: { readonly [scope in ErrorScope]: { readonly [code: string]: Row } } = {
  request: REQUEST,
  open: OPEN,
  attach: {
    ...NODE,
    ...SESSION,
    ATTACH_CONFLICT: [
      'ABORTED',
      false,
      'Another connection attached the session since the epoch that this one replaces.',
      'The current epoch is in the details; replace it only if you mean to take the session over.',
    ],
  },
  session: {
    ...NODE,
    ...SESSION,
    INVALID_ACK: [
      'OUT_OF_RANGE',
      false,
      'The acknowledged id was never given to a server request of this session.',
      'Acknowledge ids that were received.',
    ],
  },
  query: {
    ...NODE,
    ...SESSION,
    VALIDATION_ERROR: [
      'INVALID_ARGUMENT',
      false,
      "The input does not fit the query's schema.",
      'Correct what the issues name.',
    ],
    UNKNOWN_MACHINE: [
      'NOT_FOUND',
      false,
      'No machine of that name is mounted.',
      'Check the name, and that every node was started with the machine.',
    ],
    UNKNOWN_QUERY: [
      'NOT_FOUND',
      false,
      'The machine has no query of that name.',
      "Check the name in the machine's definition, and that every node runs the same version of it.",
    ],
    BEHIND: [
      'UNAVAILABLE',
      true,
      'This node did not reach the index that the query asked for in time.',
      'Ask again, here or at another node.',
    ],
    CONSISTENCY_UNAVAILABLE: [
      'UNIMPLEMENTED',
      false,
      'This node does not answer queries of that consistency.',
      'Use `sequential` with the index of your last command, or `stale`.',
    ],
  },
  connection: {
    MALFORMED_FRAME: [
      'INVALID_ARGUMENT',
      false,
      'A frame could not be read; the connection was closed.',
      'The layout is in docs/format.md, "Session frames"; use a matching version of the library.',
    ],
    SLOW_READER: [
      'RESOURCE_EXHAUSTED',
      true,
      'The client read too slowly and too much had piled up for it; the connection was cut.',
      'Connect again; nothing acknowledged is lost. Read faster or hold fewer sessions per connection.',
    ],
    TOO_MANY_CONNECTIONS: [
      'RESOURCE_EXHAUSTED',
      true,
      'The node serves as many client connections as it may.',
      'Connect to another node or close connections.',
    ],
    NODE_STOPPED: [
      'UNAVAILABLE',
      true,
      'The node stopped because of a fault.',
      "Connect to another node; the node's log names the fault.",
    ],
    INTERNAL: ['INTERNAL', false, 'A bug: the node could not serve a message.', 'Report it with its sentence.'],
  },
  peer: {
    MALFORMED_FRAME: [
      'FAILED_PRECONDITION',
      false,
      'A peer frame could not be read.',
      'Check that all nodes run compatible versions.',
    ],
    CORRUPT_FRAME: [
      'FAILED_PRECONDITION',
      true,
      "A peer frame's checksum does not match.",
      'It is sent again; look at memory and network if it repeats.',
    ],
    WRONG_CLUSTER: [
      'FAILED_PRECONDITION',
      false,
      'The peer belongs to another cluster.',
      'Check the addresses in the configuration.',
    ],
    WRONG_GROUP: ['FAILED_PRECONDITION', false, 'The peer speaks for another group.', 'Check the configuration.'],
    WRONG_RECIPIENT: [
      'FAILED_PRECONDITION',
      false,
      "The frame is for another node: this node's address is configured for somebody else.",
      'Check the addresses in the configuration.',
    ],
    WRONG_INSTANCE: [
      'FAILED_PRECONDITION',
      false,
      'The node has another data directory than its peers know: it was replaced.',
      'Start it on the directory that its peers know. Until then the others go on without it; it cannot be replaced yet.',
    ],
  },
  server: {
    PORT_IN_USE: [
      'FAILED_PRECONDITION',
      false,
      'Another process listens on the port.',
      'Stop it or choose another port.',
    ],
    ADDRESS_UNAVAILABLE: [
      'FAILED_PRECONDITION',
      false,
      'The server cannot listen on the address.',
      'Choose an address of this machine.',
    ],
    NOT_LOOPBACK: [
      'FAILED_PRECONDITION',
      false,
      'Without authentication the server listens on loopback only.',
      'Listen on 127.0.0.1, ::1 or localhost.',
    ],
    INTERNAL: [
      'INTERNAL',
      false,
      'The server failed in a way that it should not have.',
      "Look at the node's log and report it.",
    ],
  },
  client: {
    NO_LEADER: [
      'UNAVAILABLE',
      true,
      'No endpoint knew a leader before the deadline; the command was never sent.',
      'Check the endpoints and `holdfast status`.',
    ],
    DEADLINE_EXCEEDED: [
      'DEADLINE_EXCEEDED',
      true,
      'The deadline passed before the outcome was known.',
      'Ask again with `session.resolve(requestId)`, or `abandon` it.',
    ],
    ABORTED: [
      'CANCELLED',
      true,
      'The caller aborted the call.',
      'Ask again with `session.resolve(requestId)` if its outcome matters.',
    ],
    ABANDONED: ['CANCELLED', false, 'The caller abandoned the request.', 'Nothing to do.'],
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
  },
}
