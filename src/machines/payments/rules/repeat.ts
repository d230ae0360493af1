/**
 * What another message about a transaction is, beside what was told of it first (domain.md §3.5). Providers repeat
 * themselves, correct themselves, and give two payments one id.
 */
export type Repeat =
  /** The same again: the first answer, and nothing else. */
  | 'same'
  /** Money after a told failure: it is judged as if nothing had been told. */
  | 'moneyAfterFailure'
  /** The success stands. */
  | 'failureAfterSuccess'
  /** A second success with another amount or another receipt: money of its own. */
  | 'otherMoney'
  /** The same of another attempt: one of the two is wrong. */
  | 'otherAttempt'

/** What decides: what it said of which attempt (null: none that is known). */
export interface Content {
  readonly outcome: 'success' | 'failure'
  readonly amountMinor: number | null
  readonly receipt: string | null
  readonly attemptId: string | null
}

/** Compares what was told with what is told now. Result codes, descriptions and merchant ids may differ. */
export function compareTold(first: Content, now: Content): Repeat {
  if (first.outcome === 'failure' && now.outcome === 'success') return 'moneyAfterFailure'
  if (first.outcome === 'success' && now.outcome === 'failure') return 'failureAfterSuccess'
  if (now.outcome === 'success' && !sameMoney(first, now)) return 'otherMoney'
  return first.attemptId === null || now.attemptId === null || first.attemptId === now.attemptId
    ? 'same'
    : 'otherAttempt'
}

/** One amount, and no two receipts: a success without one may be told again with it. */
export function sameMoney(
  first: Pick<Content, 'amountMinor' | 'receipt'>,
  now: Pick<Content, 'amountMinor' | 'receipt'>,
): boolean {
  if (first.amountMinor !== now.amountMinor) return false
  return first.receipt === null || now.receipt === null || first.receipt === now.receipt
}
