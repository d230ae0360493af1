import { z } from 'zod'

/** Names that a column may have, the first that is there counts; they are compared without case, blanks and punctuation. */
const names = z.union([z.string().transform((name) => [name]), z.array(z.string()).min(1)])
/** Words that mark a line by its kind, each as whole words of it and in any case. */
const words = z.array(z.string().trim().min(1))

/** A mapping file: which column of a statement is what. Anything it leaves out is as in `MPESA_STATEMENT`. */
export const statementColumns = z.strictObject({
  delimiter: z.string().length(1),
  /** The provider's receipt number. */
  receipt: names,
  /** Money that came, and money that left. */
  paidIn: names,
  withdrawn: names,
  /** Instead of these two: one amount, negative for money that left. Empty: there is none. */
  amount: z.union([names, z.array(z.string()).length(0)]),
  completedAt: names,
  details: names,
  status: names,
  /** What kind of transaction it is. */
  kind: names,
  /** In a reversal: the receipt of the payment that is undone. */
  linked: names,
  /** Only lines with one of these statuses count; without a status column all do. */
  completed: words,
  charges: words,
  reversals: words,
  /** The organisation's own movements, to its bank for example: no payment and no refund. */
  transfers: words,
})
/** `statementColumns`, parsed. */
export type StatementColumns = Readonly<z.output<typeof statementColumns>>

/**
 * The statement of an M-PESA organisation account, as the organisation portal exports it. Names of columns, statuses and
 * kinds are those of public samples: the import specification of the Mifos microfinance system for paybill statements
 * (receipt, date, details, status, withdrawn, paid in, balance, transaction type, other party), and samples of paybill
 * statements in the tests and manuals of several open reconciliation tools ("Receipt No.", "Completion Time",
 * "Transaction Status", "Paid In", "Withdrawn", "Reason Type", "Linked Transaction ID").
 */
export const MPESA_STATEMENT: StatementColumns = {
  delimiter: ',',
  receipt: ['Receipt No.', 'Receipt', 'Receipt Number', 'Transaction ID'],
  paidIn: ['Paid In', 'Credit', 'Amount Received'],
  withdrawn: ['Withdrawn', 'Debit', 'Withdrawal', 'Paid Out'],
  amount: [],
  completedAt: ['Completion Time', 'Date', 'Time', 'Transaction Date'],
  details: ['Details', 'Description', 'Narration', 'Particulars'],
  status: ['Transaction Status', 'Status'],
  kind: ['Reason Type', 'Transaction Type', 'Type'],
  linked: ['Linked Transaction ID', 'Original Receipt'],
  completed: ['completed', 'success', 'successful'],
  charges: ['charge', 'charges', 'fee', 'tariff'],
  reversals: ['reversal', 'reversed'],
  transfers: ['settlement', 'to bank', 'business to business', 'transfer of funds', 'merchant to working'],
}
