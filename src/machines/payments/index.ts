/** What users of the machine payments need, and its rules as pure functions (domain.md §0.10). */
export {
  brokenAt,
  canonicalRecord,
  FIRST_HASH,
  type AuditEntity,
  type AuditRecord,
  type Sha256Hex,
} from './change/audit.ts'
export { planCompound, type Compound, type CompoundPlan, type CompoundRefused, type Step } from './rules/compounds.ts'
export { forbiddenCode, forbiddenPairs, type ForbiddenCode } from './rules/forbidden.ts'
export { GENERATE_SHARES, generateCallbacks, type GenerateOptions } from './tools/generate-callbacks.ts'
export { joinCheck, type JoinQuestion, type JoinVerdict } from './rules/join.ts'
export { payments } from './machine.ts'
export { bodiesOf, parseStkCallbacks } from './tools/replay-bodies.ts'
export { parseStkQuery, type StkQueryAnswer } from './tools/stk-query.ts'
export { UNPARSED_LENGTH_MAX, UNPARSED_RING } from './facts/unparsed.ts'
export { WEBHOOK_ROLE } from './change/access.ts'
export { MPESA_ACCEPTED, amountMinorOf, parseStkCallback, type MpesaCallback, type MpesaParse } from './tools/mpesa.ts'
export {
  PRICE_UNKNOWN_MINOR,
  planReplay,
  type MalformedBody,
  type PlanOptions,
  type ReplayBooking,
  type ReplayPlan,
  type ReplayStep,
} from './tools/plan-replay.ts'
export { readStatement, statementAmount, type Statement, type StatementLine } from './tools/statement.ts'
export { MPESA_STATEMENT, statementColumns, type StatementColumns } from './tools/statement-columns.ts'
export type { StatementFault } from './tools/statement-csv.ts'
export {
  reconcile,
  type Difference,
  type DifferenceKind,
  type Known,
  type KnownReceipt,
  type KnownRefund,
  type Reconciliation,
  type Sum,
} from './tools/statement-match.ts'
export { completionPct, midSessionPct, refundAmount, refundPct, type Role } from './rules/refund-policy.ts'
export { CALLBACK_RESULTS, REFUND_STATUSES, type CallbackResult } from './facts/rows.ts'
export { CANCEL_REASONS } from './facts/fields.ts'
export { RESULT_CODES, resultCodeOf, type ResultCode, type RetryAdvice } from './facts/result-codes.ts'
export {
  bookingSessionTransition,
  INITIAL_TRIPLE,
  PAYMENT_STATES,
  paymentTransition,
  SESSION_STATES,
  sessionTransition,
  VIDEO_STATES,
  videoTransition,
  type AllowedTransition,
  type Entity,
  type PaymentState,
  type RefusedTransition,
  type SessionState,
  type Triple,
  type VideoState,
} from './facts/states.ts'
export {
  crossSync,
  joinAllowed,
  legalTriples,
  type SyncMode,
  type SyncRefused,
  type SyncVerdict,
} from './rules/sync.ts'
export type { MoneyTotals, TotalCounts, Totals, TotalSum } from './facts/totals.ts'
