/** What a value breaks, with the path to it: `.items[3].price`. */
export type ValueErrorReason =
  | 'UNDEFINED'
  | 'NOT_PLAIN'
  | 'NOT_FINITE'
  | 'NEGATIVE_ZERO'
  | 'UNSAFE_INTEGER'
  | 'BAD_STRING'
  | 'TOO_DEEP'
  | 'TOO_LARGE'
  | 'CYCLE'
  /** Only when decoding: the bytes are not the encoding of a value, or not the payload that they should be. */
  | 'BAD_BYTES'

/** Thrown by `encodeValue`, `decodeValue` and `walk`; the wrapper around a user machine catches it (FM-1). */
export class ValueError extends Error {
  override readonly name = 'ValueError'
  readonly reason: ValueErrorReason
  readonly path: string
  constructor(reason: ValueErrorReason, path: string, message: string) {
    super(message)
    this.reason = reason
    this.path = path
  }
}
