/**
 * What a value may be at most. The bounds hold in every direction (encode, decode, walk) and are the same on every
 * node and in every build, so that a value one replica accepted is never refused by another, nor by a snapshot.
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

/** Greatest integer that every number may hold exactly: 2^53 − 1. */
export const SAFE_INTEGER_MAX = Number.MAX_SAFE_INTEGER
