import type { Rows } from './row.ts'

/** HTTP requests that are refused; which status each has, `src/http/http-answer.ts` says. */
export const HTTP_ERRORS: Rows = {
  REQUEST_MALFORMED: [
    'INVALID_ARGUMENT',
    false,
    'What arrived is no HTTP request.',
    'Speak HTTP/1.1 to this port; gRPC has its own.',
  ],
  BODY_MALFORMED: [
    'INVALID_ARGUMENT',
    false,
    'The body is not what this resource takes; `field` and `reason` say where.',
    'Correct it. What a payment provider sent is kept for a person to read.',
  ],
  NO_SUCH_RESOURCE: [
    'NOT_FOUND',
    false,
    'There is no such resource here, or the secret in its path is not the right one.',
    'Look up the paths in docs/webhooks.md, and the setting `webhookSecret`.',
  ],
  METHOD_NOT_ALLOWED: [
    'INVALID_ARGUMENT',
    false,
    'The resource does not take this method.',
    'Use one that the header Allow names.',
  ],
  REQUEST_TIMEOUT: [
    'DEADLINE_EXCEEDED',
    true,
    'The request did not arrive in time.',
    'Send it again, at once and whole.',
  ],
  BODY_TOO_LARGE: ['INVALID_ARGUMENT', false, 'The body has more than 64 KiB.', 'Send less.'],
  MEDIA_TYPE_UNSUPPORTED: [
    'INVALID_ARGUMENT',
    false,
    'The body must be `application/json` in UTF-8, not compressed.',
    'Send that, with its Content-Type.',
  ],
  HEADERS_TOO_LARGE: ['INVALID_ARGUMENT', false, 'The headers have more than 16 KiB.', 'Send fewer of them.'],
  INTERNAL: [
    'INTERNAL',
    true,
    'The server failed in a way that it should not have.',
    "Look at the node's log and report it.",
  ],
  NOT_EXECUTED: [
    'UNAVAILABLE',
    true,
    'The command was not executed; `reason` is the code of why, NO_LEADER for example.',
    'Send it again after Retry-After, to this node or another.',
  ],
  OUTCOME_UNKNOWN: [
    'UNAVAILABLE',
    true,
    'It cannot be told whether the command was executed; `reason` is the code of why.',
    'Send it again after Retry-After: what was executed is recognised, and answered as it was.',
  ],
  OVERLOADED: [
    'RESOURCE_EXHAUSTED',
    true,
    'More requests wait for an answer than the node takes.',
    'Send it again after Retry-After, or to another node.',
  ],
  SHUTTING_DOWN: ['UNAVAILABLE', true, 'The node is stopping.', 'Send it again after Retry-After, or to another node.'],
}
