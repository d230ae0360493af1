import { CLIENT_NAME_CHARS_MAX } from '../codec/entry/names.ts'

/**
 * Bounds of the protocol, in one place, with their arithmetic (architecture.md §8). Bounds that apply enforces are
 * replicated `Limits` instead, because replicas must agree on those.
 */

/**
 * Largest frame that either side accepts, bytes. A command or response is at most 1 MiB by default (sessions.md §9),
 * a frame is closed once it exceeds `FRAME_BYTES_FULL`, so a well-behaved sender stays below 256 KiB + 1 MiB + headers;
 * 4 MiB leaves room for larger replicated limits and is gRPC's own default for a message.
 */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024

/** A writer sends its frame once it holds this many bytes: large enough to amortise a message, small enough to flow. */
export const FRAME_BYTES_FULL = 256 * 1024

/**
 * Input bytes of one session's commands that ride behind its attach (wire.md §3, step 3), at most: a frame's worth and more
 * commands than most sessions have outstanding, sent once in vain where the attach is refused.
 */
export const RIDING_BYTES_MAX = 256 * 1024

/** Largest input that fits a frame behind others that have not filled it yet, 4 KiB of names and numbers besides. */
export const INPUT_BYTES_MAX = FRAME_BYTES_MAX - FRAME_BYTES_FULL - 4096

/** Most sessions that one connection may attach. Each costs the server about 300 bytes: 30 MB for a full connection. */
export const CHANNELS_MAX = 100_000

/** What a client says of itself and calls: one bound each, for log, frame, gateway and client library. */
export { CLIENT_NAME_CHARS_MAX, NAME_BYTES_MAX, ROLES_MAX } from '../codec/entry/names.ts'

/** Longest free text of a frame or unary call (principal, address, message), bytes. */
export const TEXT_BYTES_MAX = 1024

/** The same of a client name: a UTF-16 unit is at most three bytes. */
export const CLIENT_NAME_BYTES_MAX = 3 * CLIENT_NAME_CHARS_MAX

/** A client's secret, bytes: 16 random bytes are the least that cannot be guessed, 64 the most that is useful. */
export const SECRET_BYTES_MIN = 16
export const SECRET_BYTES_MAX = 64

/** An attach nonce is exactly this long. */
export const NONCE_BYTES = 16

/** Encoded capabilities of a session, bytes. */
export const CAPABILITY_BYTES_MAX = 16 * 1024

/** Server requests sent to a session beyond its last acknowledgement (credit window). */
export const SERVER_REQUEST_CREDIT = 1024

/** Subscriptions of one connection, and of all of a node. Each costs the node about 1 KiB, and what its query reads. */
export const SUBSCRIPTIONS_MAX = 1024
export const NODE_SUBSCRIPTIONS_MAX = 16_384

/**
 * Unsent bytes of a connection beyond which its subscriptions are told no change; once they are sent, each gets the one value
 * of then. A quarter of `SLOW_READER_BYTES`: what a reader of changes is slow at costs it none of its answers.
 */
export const SUBSCRIBED_UNSENT_BYTES_MAX = 4 * 1024 * 1024

/**
 * Unsent bytes a connection may pile up before its reader counts as slow and is cut: 16 full frames of 1 MiB, which is
 * also one outbox (16 MiB).
 */
export const SLOW_READER_BYTES = 16 * 1024 * 1024
/** Longest name of a subject of personal fields, UTF-16 units. */
export const SUBJECT_CHARS_MAX = 256
