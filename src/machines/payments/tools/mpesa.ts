import { normalReceipt } from '../facts/fields.ts'
import { ID_LENGTH_MAX, TEXT_LENGTH_MAX } from '../facts/payment-bounds.ts'

/**
 * The M-Pesa STK-push callback as Safaricom sends it (domain.md §3.13), parsed into what `paymentCallback` takes. The
 * answer to the provider is always `MPESA_ACCEPTED` once the command is committed, also for duplicates.
 */

/**
 * One parsed callback. `transactionId` is the CheckoutRequestID: one result per push, present in failures too.
 *
 * PERF: the parser makes the keys in this order, which is that of the command's schema: the leader then proposes the bytes
 * that it was sent, instead of encoding what the schema made of them.
 */
export type MpesaCallback = {
  readonly transactionId: string
  readonly outcome: 'success' | 'failure'
  /** Minor units (cents); always there in a success. */
  readonly amountMinor?: number
  /** MpesaReceiptNumber, in upper case, where the provider gave one. */
  readonly receipt?: string
  /** The provider's code as text; `0` is success. */
  readonly resultCode: string
  readonly resultDesc: string
  readonly checkoutRequestId: string
  readonly merchantRequestId: string
}

/** `field` is the path of what does not fit, as in the provider's body; `body` for the whole. */
export type MpesaParse =
  | { readonly ok: true; readonly callback: MpesaCallback }
  | { readonly ok: false; readonly field: string; readonly reason: string }

/** What the provider is answered for every callback that was committed. */
export const MPESA_ACCEPTED = { ResultCode: 0, ResultDesc: 'Accepted' } as const

/** Half a pair of UTF-16: no text in any encoding, so it cannot be stored. */
const LONE_SURROGATE = /\p{Cs}/u

/** Thrown inside this file only; the parser turns it into a value. */
class FieldError {
  readonly field: string
  readonly reason: string
  constructor(field: string, reason: string) {
    this.field = field
    this.reason = reason
  }
}

/** Parses a callback from its JSON text or from the value that a JSON parser made of it. Never throws. */
export function parseStkCallback(json: unknown): MpesaParse {
  try {
    return { ok: true, callback: callbackOf(typeof json === 'string' ? parseText(json) : json) }
  } catch (error) {
    if (error instanceof FieldError) return { ok: false, field: error.field, reason: error.reason }
    throw error
  }
}

/**
 * Decimal shillings, as text or as a JSON number, in minor units, exactly. A number is read through its shortest
 * decimal text, never multiplied. Null for anything that is no amount: signs, exponents, thirds of a cent, more than
 * 15 digits (`CAPTURE_MINOR_MAX`).
 */
export function amountMinorOf(value: unknown): number | null {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : ''
  const match = /^(\d{1,20})(?:\.(\d{1,20}))?$/.exec(text)
  if (match === null) return null
  const cents = (match[2] ?? '').replace(/0+$/, '')
  if (cents.length > 2) return null
  const minor = `${match[1]}${cents.padEnd(2, '0')}`.replace(/^0+(?=\d)/, '')
  return minor.length > 15 ? null : Number(minor)
}

function parseText(text: string): unknown {
  try {
    // A byte-order mark is no part of the text, and JSON knows none.
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    throw new FieldError('body', 'is not JSON')
  }
}

function callbackOf(json: unknown): MpesaCallback {
  const body = objectAt(objectAt(json, 'body')['Body'], 'Body')
  const path = 'Body.stkCallback'
  const callback = objectAt(body['stkCallback'], path)
  const merchantRequestId = textAt(callback['MerchantRequestID'], `${path}.MerchantRequestID`)
  const checkoutRequestId = textAt(callback['CheckoutRequestID'], `${path}.CheckoutRequestID`)
  const resultCode = resultCodeAt(callback['ResultCode'], `${path}.ResultCode`)
  const resultDesc = descriptionAt(callback['ResultDesc'], `${path}.ResultDesc`)
  const told = { resultCode, resultDesc, checkoutRequestId, merchantRequestId }
  // A failure carries no money, so its metadata, if any, is not looked at.
  if (resultCode !== '0') return { transactionId: checkoutRequestId, outcome: 'failure', ...told }
  const money = metadataOf(callback['CallbackMetadata'], `${path}.CallbackMetadata`)
  return { transactionId: checkoutRequestId, outcome: 'success', ...money, ...told }
}

function metadataOf(value: unknown, path: string): { amountMinor: number; receipt?: string } {
  const items = objectAt(value, path)['Item']
  if (!Array.isArray(items)) throw new FieldError(`${path}.Item`, 'is not a list')
  const amountMinor = itemOf(items, { name: 'Amount', path }, amountMinorOf)
  if (amountMinor === null) throw new FieldError(`${path}.Item.Amount`, 'is not an amount in shillings')
  const receipt = itemOf(items, { name: 'MpesaReceiptNumber', path }, receiptOf)
  return receipt === null ? { amountMinor } : { amountMinor, receipt }
}

/**
 * What `read` makes of the item with this name; null when there is none, or nothing in it. Holes in the list are no items,
 * and one that is there twice with one value is one; two values contradict each other.
 */
function itemOf<Value extends string | number>(
  items: readonly unknown[],
  { name, path }: { readonly name: string; readonly path: string },
  read: (value: unknown) => Value | null,
): Value | null {
  const found = items
    .filter((item) => item !== null)
    .map((item) => objectAt(item, `${path}.Item`))
    .filter((item) => item['Name'] === name)
    .map((item) => read(item['Value']))
  if (new Set(found).size > 1) throw new FieldError(`${path}.Item.${name}`, 'is given twice, with two values')
  return found[0] ?? null
}

/** The receipt's number, trimmed and upper-case; null for what is none, because money is not refused for its receipt. */
function receiptOf(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? normalReceipt(value) : ''
  return text === '' || text.length > ID_LENGTH_MAX || LONE_SURROGATE.test(text) ? null : text
}

function objectAt(value: unknown, field: string): { readonly [key: string]: unknown } {
  if (value === undefined) throw new FieldError(field, 'is missing')
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FieldError(field, 'is not an object')
  return value as { readonly [key: string]: unknown }
}

function textAt(value: unknown, field: string): string {
  if (value === undefined) throw new FieldError(field, 'is missing')
  if (typeof value !== 'string') throw new FieldError(field, 'is not a string')
  const text = value.trim()
  if (text === '') throw new FieldError(field, 'is empty')
  if (text.length > ID_LENGTH_MAX) throw new FieldError(field, `is longer than ${ID_LENGTH_MAX}`)
  if (LONE_SURROGATE.test(text)) throw new FieldError(field, 'is not well-formed text')
  return text
}

function resultCodeAt(value: unknown, field: string): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value === 0 ? 0 : value)
  const text = textAt(value, field)
  return /^[+-]?0+$/.test(text) ? '0' : text
}

/** Cut where it is longer than what is stored. */
function descriptionAt(value: unknown, field: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new FieldError(field, 'is not a string')
  return value.trim().slice(0, TEXT_LENGTH_MAX).replace(new RegExp(LONE_SURROGATE, 'gu'), '\uFFFD')
}
