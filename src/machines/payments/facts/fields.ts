import { z } from 'zod'
import {
  DURATION_MIN_MAX,
  DURATION_MIN_MIN,
  FORMS_MAX,
  ID_LENGTH_MAX,
  MOMENT_MAX,
  MONEY_MINOR_MAX,
  PRICE_MINOR_MAX,
  TEXT_LENGTH_MAX,
} from './payment-bounds.ts'

/** Schemas of single fields, of rows and inputs alike: what each is measured in, and its bounds (domain.md §0.2). */

/** Milliseconds since the Unix epoch. */
export const millis = z.int().min(0)
/** A moment that somebody chooses: timers and windows around it are moments too. */
export const moment = millis.max(MOMENT_MAX)
/** An id of this machine, which counts up in its state (`bkg-1`), or a reference of the provider. */
export const id = z.string().min(1).max(ID_LENGTH_MAX)
/** A transaction, or other money that was told under it: `<transaction>#<number>`. */
export const moneyId = z
  .string()
  .min(1)
  .max(ID_LENGTH_MAX + 16)
/** Notes and descriptions, trimmed. */
export const text = z.string().trim().max(TEXT_LENGTH_MAX)
/** Why something is done, in words: one must be given. */
export const reason = text.min(1)
/** Minor units: cents. */
export const minor = z.int().min(0)
/** Money that somebody vouches for. */
export const money = minor.max(MONEY_MINOR_MAX)
/** The price of a booking. */
export const priceMinor = minor.min(1).max(PRICE_MINOR_MAX)
/** Three letters, ISO 4217. */
export const currency = z.string().regex(/^[A-Z]{3}$/)
/** `user:<id>`. */
export const userPrincipal = z.string().regex(/^user:[^\s/]{1,96}$/)
/** A Kenyan mobile number in full, without a plus. */
export const phone = z.string().regex(/^254[17][0-9]{8}$/)
/** A number as it may be shown: its last three digits. */
export const masked = (number: string): string => number.slice(-3).padStart(number.length, '*')
/** The client's name of a form, unique within its booking. */
export const formId = id
/** The client's own hash of a form's content: 64 hex digits. */
export const contentHash = z.string().regex(/^[0-9a-f]{64}$/)
/** The provider's code; 0 is success. Kept as text, so that 0 and "0" are the same. */
export const resultCode = z.union([z.int().transform(String), z.string().trim().min(1).max(ID_LENGTH_MAX)])
/**
 * A provider's number as it is compared: trimmed, `a` to `z` in upper case. Other letters stay as they are: which of them have
 * two cases belongs to the build of Node.js, and a cluster in the middle of an upgrade has two.
 */
export function normalReceipt(typed: string): string {
  return typed.trim().replace(/[a-z]+/g, (letters) => letters.toUpperCase())
}
/** The provider's number of a payment, trimmed and in upper case: the same money however it is typed. Empty: none was given. */
export const receipt = z.string().trim().max(ID_LENGTH_MAX).overwrite(normalReceipt)
/** What the provider said of a push. */
export const outcome = z.enum(['success', 'failure'])
/** Length of an appointment, in minutes. */
export const durationMin = z.int().min(DURATION_MIN_MIN).max(DURATION_MIN_MAX)
/** The forms of a booking, as they are asked for. */
export const formsInput = z
  .array(z.object({ formId, required: z.boolean() }))
  .max(FORMS_MAX)
  .default([])

/** Reasons that people give. */
export const CANCEL_REASONS = [
  'schedule_conflict',
  'emergency',
  'illness',
  'therapist_unavailable',
  'technical_issues',
  'financial_reasons',
  'personal_reasons',
  'other',
] as const
/** Reasons that only timers give. */
export const SYSTEM_CANCEL_REASONS = [
  'request_expired',
  'payment_expired',
  'forms_lapsed',
  'system_lapse',
  'both_absent',
] as const
/** What `cancel` and `decline` take. */
export const cancelReason = z.enum(CANCEL_REASONS)
/** Any reason that a booking ends for. */
export type CancelReason = (typeof CANCEL_REASONS)[number] | (typeof SYSTEM_CANCEL_REASONS)[number]

/** Who ended a booking. */
export const role = z.enum(['client', 'therapist', 'admin', 'system'])
