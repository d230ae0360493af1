import type { AuditRecord } from '../change/audit.ts'
import type { Role } from '../rules/refund-policy.ts'
import type { Attempt, Refund } from '../facts/rows.ts'

/**
 * What only administrators see of a booking (domain.md §3.9). With the provider's names of money it can be claimed back, or
 * told of by somebody who is not the provider; what people write about others in notes is for those who write it. So a
 * client and a therapist read neither.
 */

/** An attempt without the provider's names of it. */
export function discreetAttempt(attempt: Attempt): Attempt {
  return { ...attempt, checkoutRequestId: null, merchantRequestId: null }
}

/** A refund without the names of the money that it is of, and of its own. */
export function discreetRefund(refund: Refund): Refund {
  return { ...refund, transactionId: null, receipt: null, providerRef: null }
}

/** What a booking was ended for: in an administrator's own words it is not told. */
export function discreetCancel<Cancel extends { readonly role: Role; readonly by: string; readonly reason: string }>(
  cancel: Cancel | null,
  reasons: readonly string[],
): Cancel | null {
  return cancel === null || reasons.includes(cancel.reason) ? cancel : { ...cancel, reason: 'other' }
}

/** Commands whose reason is somebody's own words, in every entity that they note. */
const IN_OWN_WORDS: ReadonlySet<string> = new Set([
  'verifyPaymentManually',
  'matchSuspense',
  'approveRefund',
  'rejectRefund',
  'retryRefund',
  'settleRefundManually',
  'transition',
  'recordVerbalConsent',
  'reportVideoFailure',
])

/**
 * A record as client and therapist read it. Own words are left to who wrote them, the names of transactions and receipts to
 * administrators; with the hash what is left out could be guessed and tried, so there is none.
 */
export function discreetRecord(record: AuditRecord, asker: string) {
  const { action, entity, by, reason, ref } = record
  const own = by === asker
  const names = entity === 'callback' && !own
  const words = names || (IN_OWN_WORDS.has(action) && !own)
  return { ...record, reason: words ? null : reason, ref: names ? null : ref, prevHash: null, hash: null }
}
