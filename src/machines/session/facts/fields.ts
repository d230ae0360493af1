import { z } from 'zod'
import {
  CONTEXT_LENGTH_MAX,
  COOLING_MS_MAX,
  EMOTION_CONTEXT_LENGTH_MAX,
  ID_LENGTH_MAX,
  MESSAGE_LENGTH_MAX,
  NAME_LENGTH_MAX,
  REASON_LENGTH_MAX,
  REF_LENGTH_MAX,
} from './dialogue-bounds.ts'

/** Fields of inputs (domain.md §0.2, §1.2). Texts are trimmed; a required one that is empty then is refused. */

/** An id of this machine: `ses-1`, `inv-1`. */
export const id = z.string().min(1).max(ID_LENGTH_MAX)
export const sid = z.object({ sid: id })

/** Who is invited: a person known here, or somebody by address or number. */
export const invitee = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('person'),
    ref: z
      .string()
      .trim()
      .regex(/^user:[^\s/]{1,96}$/),
    name: z.string().trim().min(1).max(NAME_LENGTH_MAX).optional(),
  }),
  z.object({
    kind: z.literal('email'),
    ref: z
      .string()
      .trim()
      .max(REF_LENGTH_MAX)
      .regex(/^[^\s@]+@[^\s@]+$/),
    name: z.string().trim().min(1).max(NAME_LENGTH_MAX).optional(),
  }),
  z.object({
    kind: z.literal('phone'),
    ref: z
      .string()
      .trim()
      .regex(/^\+?[0-9]{7,15}$/),
    name: z.string().trim().min(1).max(NAME_LENGTH_MAX).optional(),
  }),
])

/** 128 bits of the client's own randomness: 32 hex digits. */
export const tokenSeed = z.string().regex(/^[0-9a-f]{32}$/)
export const context = z.string().trim().max(CONTEXT_LENGTH_MAX)
export const reason = z.string().trim().max(REASON_LENGTH_MAX)
export const messageText = z.string().trim().min(1).max(MESSAGE_LENGTH_MAX)
/** From 1, calm, to 10. */
export const intensity = z.int().min(1).max(10)
export const emotionContext = z.string().trim().max(EMOTION_CONTEXT_LENGTH_MAX)
/** How long only whoever paused may resume, ms. */
export const coolForMs = z.int().min(0).max(COOLING_MS_MAX).default(0)
