import { walk } from '../../../codec/value/walk.ts'
import { ValueError } from '../../../codec/value/value-error.ts'
import type { Value } from '../../../codec/value/value.ts'

/**
 * Encoded bytes of one server request or of the input of one task: the 1 MiB that a response may have by default, less what
 * stands around it (ids, which are texts of at most some hundred bytes).
 */
const SENT_BYTES_MAX = 1_024 * 1_024 - 4_096

/** Encoded bytes of a value that the session layer would take. Throws `ValueError` for one that it would refuse. */
export function sizeOf(value: unknown): number {
  return walk(value, { high: 0, low: 0 })
}

/** Throws for what is too large to be sent to a client or a worker. */
export function checkSent(value: Value): void {
  const bytes = sizeOf(value)
  if (bytes <= SENT_BYTES_MAX) return
  throw new ValueError('TOO_LARGE', '', `what is sent is larger than ${SENT_BYTES_MAX} bytes: ${bytes}`)
}
