import type { Told } from './settle.ts'
import type { CallbackRecord, CallbackResponse } from '../facts/rows.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import { sameMoney } from '../rules/repeat.ts'

/** What is kept of every transaction (domain.md §3.5), and where. */

/** The first answer to a transaction; a repeat has `duplicate` besides. */
export type CallbackAnswer = CallbackResponse & { readonly duplicate?: true }

/** The first answer to a transaction, which repeats get as well. */
export function responseOf({ result, bookingId, attemptId, payment, session, response }: CallbackRecord) {
  return response ?? { result, bookingId, attemptId, payment, session }
}

/** A record as it is first written; `rest` is what few of them have. */
export function newRecord(
  ctx: PaymentsContext,
  told: Told,
  became: CallbackResponse,
  rest: Partial<CallbackRecord> = {},
): CallbackRecord {
  const { outcome, amountMinor, resultCode, receipt, merchantRequestId, matched } = told
  const said = { outcome, amountMinor, resultCode, receipt, merchantRequestId, matched }
  const { result, bookingId, attemptId, payment, session } = became
  const { now: at, index } = ctx
  const usual = { at, index, response: null, failed: null, of: null, others: 0 }
  return { ...said, result, bookingId, attemptId, payment, session, ...usual, ...rest }
}

/** A record and the key that it stands under. */
export interface Found {
  readonly key: string
  readonly record: CallbackRecord
}

/** The record whose money has this receipt; null when it is new, or when it is the transaction's own. */
export function ownerOf(ctx: PaymentsContext, { receipt, outcome }: Told, key: string): Found | null {
  if (receipt === null || outcome === 'failure') return null
  const owner = ctx.state.receipts.get(receipt)
  if (owner === undefined || owner === key) return null
  const record = ctx.state.callbacks.get(owner)
  return record === undefined ? null : { key: owner, record }
}

/** The record of other money told under a transaction before, or null when it is new. */
export function findOther(
  ctx: PaymentsContext,
  transactionId: string,
  first: CallbackRecord,
  told: Told,
): Found | null {
  for (let number = 2; number <= first.others + 1; number += 1) {
    const key = otherKey(transactionId, number)
    const record = ctx.state.callbacks.get(key)
    if (record?.of === transactionId && sameMoney(record, told)) return { key, record }
  }
  return null
}

/** Where other money of a transaction is kept: it is the `number`th, from 2. */
export const otherKey = (transactionId: string, number: number): string => `${transactionId}#${number}`

/** The number of the next other money of a transaction. Version 1 kept transactions under names that look like such keys. */
export function nextOther(ctx: PaymentsContext, transactionId: string, { others }: CallbackRecord): number {
  let number = others + 2
  while (ctx.state.callbacks.has(otherKey(transactionId, number))) number += 1
  return number
}

/**
 * The key of a transaction: its id, with one more `#` where it ends like the key of other money, as no such key does. So
 * `co-1#2`, if a provider ever calls a transaction that, does not meet the second money of `co-1`.
 */
export function transactionKey(ctx: PaymentsContext, transactionId: string): string {
  if (!/#\d+#*$/.test(transactionId)) return transactionId
  // Version 1 knew no other money, and kept every transaction under its id.
  const early = !transactionId.endsWith('#') && ctx.state.callbacks.get(transactionId)?.of === null
  return early ? transactionId : `${transactionId}#`
}
