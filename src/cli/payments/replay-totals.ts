import { field, type Outcome, textField } from './outcome.ts'

/**
 * What came of a file of callbacks. Contains no times, ids or hashes, so that a run through failures can be compared
 * with an undisturbed one. received = applied + replayed + ignored + orphaned + suspense + unknown + malformed + the sum
 * of rejected.
 */
export interface ReplayTotals {
  readonly received: number
  readonly applied: number
  /** Answers with `duplicate: true`; copies that the library sent again after a failure are not counted. */
  readonly replayed: number
  readonly ignored: number
  /** Money of a known push that its booking cannot take: it goes back. */
  readonly orphaned: number
  /** Money of a push that nobody started: it waits for a person. */
  readonly suspense: number
  /** Failures of a push that nobody started: no money, nothing to do. */
  readonly unknown: number
  readonly malformed: number
  readonly rejected: { readonly [code: string]: number }
  /** Bookings whose payment ended confirmed, and failed. */
  readonly confirmed: number
  readonly failed: number
  /** Attempts that were made, retries after a failure among them. */
  readonly attempts: number
  readonly bookings: number
}

/** Counts answers as they come, in any order. */
export class ReplayTally {
  answered = 0
  attempts = 0
  private applied = 0
  private replayed = 0
  private ignored = 0
  private orphaned = 0
  private suspense = 0
  private unknown = 0
  private readonly rejected = new Map<string, number>()
  /** Payment state of each booking, by its number in the plan, as the last answer said. */
  private readonly payments = new Map<number, string>()

  /** The answer to one callback of a booking, which told of a success or a failure. */
  callback(booking: { readonly number: number }, told: 'success' | 'failure', outcome: Outcome): void {
    this.answered += 1
    if (outcome.kind !== 'ok') {
      count(this.rejected, outcome.code)
      return
    }
    // A duplicate repeats the first answer, whatever has happened to the booking since.
    if (field(outcome.value, 'duplicate') === true) {
      this.replayed += 1
      return
    }
    const payment = textField(outcome.value, 'payment')
    if (payment !== null) this.payments.set(booking.number, payment)
    this.result(textField(outcome.value, 'result') ?? 'UNKNOWN_RESULT', told)
  }

  totals(plan: {
    readonly received: number
    readonly bookings: readonly unknown[]
    readonly malformed: readonly unknown[]
  }): ReplayTotals {
    const payments = [...this.payments.values()]
    return {
      received: plan.received,
      applied: this.applied,
      replayed: this.replayed,
      ignored: this.ignored,
      orphaned: this.orphaned,
      suspense: this.suspense,
      unknown: this.unknown,
      malformed: plan.malformed.length,
      rejected: Object.fromEntries([...this.rejected].sort(([a], [b]) => (a < b ? -1 : 1))),
      confirmed: payments.filter((payment) => payment === 'confirmed').length,
      failed: payments.filter((payment) => payment === 'failed').length,
      attempts: this.attempts,
      bookings: plan.bookings.length,
    }
  }

  private result(result: string, told: 'success' | 'failure'): void {
    if (result === 'APPLIED' || result === 'APPLIED_LATE') this.applied += 1
    else if (result === 'IGNORED_STALE') this.ignored += 1
    else if (result === 'ORPHANED') this.orphaned += 1
    else if (result === 'UNKNOWN_ATTEMPT' && told === 'success') this.suspense += 1
    else if (result === 'UNKNOWN_ATTEMPT') this.unknown += 1
    else count(this.rejected, result)
  }
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
