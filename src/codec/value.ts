/** The one guarded codec of values: see value-encode.ts, value-decode.ts and docs/format.md. */
export { decodeInput, decodeValue } from './value-decode.ts'
export { encodeValue, encodeView } from './value-encode.ts'
export { encodeWalked } from './value-encode-walked.ts'
export { isEncodingOf } from './value-match.ts'
export { ROW_BOUNDS, VALUE_BYTES_MAX, VALUE_DEPTH_MAX, VALUE_NODES_MAX } from './value-limits.ts'
export { utf8Length } from './value-plain.ts'
