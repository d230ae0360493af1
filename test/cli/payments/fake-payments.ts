import type { Backend, BackendSession, BackendSessionOptions, WorkerTask } from '../../../src/cli/payments/backend.ts'
import { field, type Outcome, type Plain, textField } from '../../../src/cli/payments/outcome.ts'

/** Just enough of the payments machine to answer a replay: attempts, callbacks by transaction, and early tasks. */
export class FakePayments implements Backend {
  readonly log: string[] = []
  private readonly callbacks = new Map<string, { digest: string; answer: { result: string; payment: string } }>()
  private readonly payments = new Map<string, string>()
  private readonly checkouts = new Map<string, string>()
  private readonly attempts = new Map<string, string>()
  private readonly workers: ((task: WorkerTask) => void)[] = []
  private readonly captured = { count: 0, minor: 0 }
  private bookings = 0
  /** What an implementation without a dedupe would do. */
  forgetsCallbacks = false
  /** Tasks arrive before or after the answer to the command that made them. */
  tasksFirst = false
  refuse: { command: string; outcome: Outcome } | null = null

  async open(session: BackendSessionOptions): Promise<BackendSession> {
    if (session.onTask !== undefined) this.workers.push(session.onTask)
    return { command: async (machine, command, input) => this.answer(`${machine}.${command}`, input) }
  }

  async query(_principal: string, _machine: string, query: string, input: Plain): Promise<Outcome> {
    if (query === 'totals') return { kind: 'ok', value: { captures: { applied: { ...this.captured } } } }
    return { kind: 'ok', value: { payment: this.payments.get(textField(input, 'id') ?? '') ?? null } }
  }

  async close(): Promise<void> {}

  /** What a restart without a disk would leave. */
  forgetEverything(): void {
    this.payments.clear()
    this.callbacks.clear()
  }

  private answer(command: string, input: Plain): Outcome {
    this.log.push(command)
    if (this.refuse?.command === command) return this.refuse.outcome
    if (command === 'payments.requestBooking') {
      this.bookings += 1
      return { kind: 'ok', value: { id: `bkg-${this.bookings}` } }
    }
    if (command === 'payments.initiatePayment') return this.initiate(textField(input, 'id') ?? '')
    if (command === 'task.complete') return this.complete(input)
    if (command === 'payments.paymentCallback') return this.callback(input)
    return { kind: 'ok', value: {} }
  }

  private initiate(bookingId: string): Outcome {
    if (this.payments.get(bookingId) === 'confirmed') return { kind: 'rejected', code: 'INVALID_STATE_TRANSITION' }
    const attemptId = `att-${this.attempts.size + 1}`
    this.attempts.set(attemptId, bookingId)
    this.payments.set(bookingId, 'initiated')
    const task = { taskId: attemptId, kind: 'payment.stk_push', attempt: 1, payload: { attemptId } }
    const worker = this.workers[this.attempts.size % this.workers.length]
    if (this.tasksFirst) worker?.(task)
    else setImmediate(() => worker?.(task))
    return { kind: 'ok', value: { attemptId } }
  }

  private complete(input: Plain): Outcome {
    const checkout = textField(field(input, 'result'), 'checkoutRequestId') ?? ''
    this.checkouts.set(checkout, this.attempts.get(textField(input, 'taskId') ?? '') ?? '')
    return { kind: 'ok', value: { ok: true } }
  }

  private callback(input: Plain): Outcome {
    const transaction = textField(input, 'transactionId') ?? ''
    const digest = JSON.stringify([field(input, 'outcome'), field(input, 'amountMinor')])
    const known = this.callbacks.get(transaction)
    if (known !== undefined && known.digest !== digest) return { kind: 'rejected', code: 'IDEMPOTENCY_CONFLICT' }
    if (known !== undefined) return { kind: 'ok', value: { ...known.answer, duplicate: true } }
    const booking = this.checkouts.get(transaction)
    const payment = field(input, 'outcome') === 'success' ? 'confirmed' : 'failed'
    const answer = { result: booking === undefined ? 'UNKNOWN_ATTEMPT' : 'APPLIED', payment }
    if (booking !== undefined) this.payments.set(booking, payment)
    if (payment === 'confirmed' && booking !== undefined) {
      this.captured.count += 1
      this.captured.minor += Number(field(input, 'amountMinor'))
    }
    if (!this.forgetsCallbacks) this.callbacks.set(transaction, { digest, answer })
    return { kind: 'ok', value: answer }
  }
}
