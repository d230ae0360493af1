import { z } from 'zod'
import { millis } from './fields.ts'

/** Bodies that cannot be read, at most: the oldest goes first. */
export const UNPARSED_RING = 200
/** Of a body, in UTF-16 units; a callback has below 2,000. */
export const UNPARSED_LENGTH_MAX = 4096

/** What a provider sent and nobody could read, as whoever received it saw it. */
export const unparsedFields = {
  /** The path of what does not fit, as in the provider's body; `body` for the whole. */
  field: z.string().min(1).max(256),
  reason: z.string().max(256),
  /** Its beginning. */
  body: z.string().max(UNPARSED_LENGTH_MAX),
  /** Length of the whole body, bytes. */
  bytes: z.int().min(0),
}

/** One such body. The same one, sent again, is counted. */
export const unparsedRow = z.object({ ...unparsedFields, at: millis, lastAt: millis, times: z.int().min(1) })
