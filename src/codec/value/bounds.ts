/**
 * What a value may be at most: the same on every node and in every build, so that a value one replica accepted is never
 * refused by another. There are two sets. `VALUE_BOUNDS` hold for what a machine or a client hands over (walk,
 * decodeInput). `ROW_BOUNDS` hold for the rows, payloads and messages into which the product wraps such values (encode,
 * decode, walkRow): wide enough for all of them, or a value that was accepted would make a snapshot fail on every node.
 */

/** Arrays and objects inside each other; the outermost counts as 1, a scalar alone as 0 (sessions.md §9). */
export const VALUE_DEPTH_MAX = 32

/** Encoded bytes of one value: 16 commands of the default largest size (16 · 1 MiB). */
export const VALUE_BYTES_MAX = 16 * 1024 * 1024

/**
 * Nodes of one value (scalars, arrays, objects; keys do not count). An empty object is 1 byte encoded and about 64 in
 * memory, so 2^20 nodes bound what decoding allocates to about 64 MiB, and what a walk over shared sub-objects costs.
 */
export const VALUE_NODES_MAX = 1024 * 1024

/** A set of bounds, each the greatest that is allowed. */
export interface ValueBounds {
  /** Arrays and objects inside each other. */
  readonly depth: number
  /** Of the encoding. */
  readonly bytes: number
  /** Scalars, arrays and objects. */
  readonly nodes: number
}

/** Of what a machine or a client hands over. */
export const VALUE_BOUNDS: ValueBounds = { depth: VALUE_DEPTH_MAX, bytes: VALUE_BYTES_MAX, nodes: VALUE_NODES_MAX }

/**
 * Of what is stored and sent. The deepest wrapping is the dead letter of an alert: row, request, payload, body, details
 * (4 more than the details); the fullest holds two values, a session's capabilities and a payload, beside its own fields.
 */
export const ROW_BOUNDS: ValueBounds = {
  depth: VALUE_DEPTH_MAX + 8,
  bytes: 2 * VALUE_BYTES_MAX + 64 * 1024,
  nodes: 2 * VALUE_NODES_MAX + 1024,
}
