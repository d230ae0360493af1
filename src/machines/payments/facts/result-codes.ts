/**
 * What the provider's result codes of an STK push mean (domain.md §3.13). The provider publishes no complete list: a code
 * that is not here is a failure when a callback brings it, for callbacks are final, and not final in the answer to a query.
 */

/** What to do after a code. */
export type RetryAdvice =
  /** Nothing: it is paid. */
  | 'none'
  /** The client may try again at once. */
  | 'now'
  /** The client may try again after a minute or more. */
  | 'later'
  /** Ask again: the outcome is not known yet. */
  | 'ask'
  /** No retry helps: the merchant's set-up, or the payer's account, must be put right. */
  | 'never'

/** One code. */
export interface ResultCode {
  readonly code: string
  readonly meaning: string
  /** Does the answer to a query with this code end the push? */
  readonly final: boolean
  readonly retry: RetryAdvice
  /** `provider`: the provider's own pages and samples; `reports`: public reports of integrators. */
  readonly source: 'provider' | 'reports'
}

const row = (code: string, meaning: string, retry: RetryAdvice, source: ResultCode['source']): ResultCode => {
  return { code, meaning, final: retry !== 'ask', retry, source }
}

/** Every code that is known, success first. */
export const RESULT_CODES: readonly ResultCode[] = [
  row('0', 'paid', 'none', 'provider'),
  row('1', 'the balance is too low', 'now', 'provider'),
  row('2', 'the amount is below the least that can be sent', 'never', 'reports'),
  row('3', 'the amount is above the most that can be sent', 'never', 'reports'),
  row('4', "the payer's limit of the day would be passed", 'later', 'reports'),
  row('8', 'the balance of the receiver would be too high', 'never', 'reports'),
  row('17', 'a rule or the receiver stopped it, often two equal pushes at once', 'later', 'reports'),
  row('26', 'the system is busy', 'later', 'reports'),
  row('1001', 'the payer has another transaction under way', 'later', 'provider'),
  row('1019', 'it expired before the payer answered', 'now', 'provider'),
  row('1025', 'the push could not be sent', 'later', 'provider'),
  row('1031', 'the payer cancelled it', 'now', 'reports'),
  row('1032', 'the payer cancelled it', 'now', 'provider'),
  row('1036', 'the phone did not take the push', 'later', 'reports'),
  row('1037', 'the payer could not be reached or did not answer', 'now', 'provider'),
  row('2001', 'a wrong PIN, or invalid data of the initiator', 'now', 'provider'),
  row('2028', 'the merchant may not make this request', 'never', 'reports'),
  row('4999', 'it is still being processed', 'ask', 'reports'),
  row('9999', 'the push could not be sent', 'later', 'provider'),
  row('500.001.1001', 'it is being processed, or the query was refused', 'ask', 'reports'),
  row('500.003.02', 'too many queries at once', 'ask', 'reports'),
  row('SFC_IC0003', 'the operator does not exist', 'never', 'reports'),
]

const BY_CODE: ReadonlyMap<string, ResultCode> = new Map(RESULT_CODES.map((known) => [known.code, known]))

/** What is known of a code, or null. */
export function resultCodeOf(code: string): ResultCode | null {
  return BY_CODE.get(code) ?? null
}

/** May the answer to a query with this code fail a payment? Only what is known to be an end. */
export function isFinalFailure(code: string): boolean {
  return code !== '0' && BY_CODE.get(code)?.final === true
}
