import { describe, expect, test } from 'vitest'
import { CommandError, EXIT } from '../../src/cli/exit.ts'
import { ReplayRun } from '../../src/cli/replay-run.ts'
import type { Backend, BackendSession, BackendSessionOptions, WorkerTask } from '../../src/cli/backend.ts'
import { field, type Outcome, type Plain, textField } from '../../src/cli/outcome.ts'
import type { ReplayTotals } from '../../src/cli/replay-totals.ts'
import { generateCallbacks } from '../../src/machines/payments/generate.ts'
import { planReplay } from '../../src/machines/payments/replay.ts'

/** Just enough of the payments machine to answer a replay: attempts, callbacks by transaction, and early tasks. */
class FakePayments implements Backend {
  readonly log: string[] = []
  private readonly callbacks = new Map<string, { digest: string; answer: { result: string; payment: string } }>()
  private readonly payments = new Map<string, string>()
  private readonly checkouts = new Map<string, string>()
  private readonly attempts = new Map<string, string>()
  private readonly workers: ((task: WorkerTask) => void)[] = []
  private bookings = 0
  /** Tasks arrive before or after the answer to the command that made them. */
  tasksFirst = false
  refuse: { command: string; outcome: Outcome } | null = null

  async open(session: BackendSessionOptions): Promise<BackendSession> {
    if (session.onTask !== undefined) this.workers.push(session.onTask)
    return { request: async (machine, command, input) => this.request(`${machine}.${command}`, input) }
  }

  async query(): Promise<Outcome> {
    return { kind: 'unknown', code: 'NO_QUERIES' }
  }

  async close(): Promise<void> {}

  private request(command: string, input: Plain): Outcome {
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
    this.callbacks.set(transaction, { digest, answer })
    return { kind: 'ok', value: answer }
  }
}

function replayed(lines: string[], backend = new FakePayments()): Promise<ReplayTotals> {
  return new ReplayRun({ plan: planReplay(lines), backend, run: 'replay', now: 0 }).run()
}

function sumOf(totals: ReplayTotals): number {
  const rejected = Object.values(totals.rejected).reduce((sum, count) => sum + count, 0)
  return totals.applied + totals.replayed + totals.ignored + totals.orphaned + totals.malformed + rejected
}

describe('a replay of payment callbacks', () => {
  test.each([false, true])(
    'every line of a file is accounted for, tasks before their answers: %s',
    async (tasksFirst) => {
      const lines = [...generateCallbacks({ count: 3000, seed: 5 })]
      const backend = new FakePayments()
      backend.tasksFirst = tasksFirst
      const totals = await replayed(lines, backend)
      expect(totals.received).toBe(3000)
      expect(sumOf(totals)).toBe(3000)
      expect(totals.orphaned).toBe(0)
      expect(totals.rejected).toEqual({})
      expect(totals.malformed).toBeGreaterThan(0)
      expect(totals.replayed).toBe(duplicatesIn(lines))
      expect(totals.confirmed + totals.failed).toBe(totals.bookings)
      expect(totals.attempts).toBeGreaterThan(totals.bookings)
    },
  )

  test('set-up is finished before the first callback is fed', async () => {
    const backend = new FakePayments()
    await replayed([...generateCallbacks({ count: 500, seed: 1 })], backend)
    expect(backend.log.lastIndexOf('payments.requestBooking')).toBeLessThan(
      backend.log.indexOf('payments.paymentCallback'),
    )
  })

  test('another amount under a known transaction is counted as rejected with its code', async () => {
    const [line = ''] = [...generateCallbacks({ count: 1, seed: 3 })]
    const other = line.replace(/"Name":"Amount","Value":"?[\d.]+"?/, '"Name":"Amount","Value":7')
    const totals = await replayed([line, other])
    expect(totals).toMatchObject({ received: 2, applied: 1, replayed: 0, rejected: { IDEMPOTENCY_CONFLICT: 1 } })
  })

  test('a cluster that refuses the set-up ends the replay with exit code 4, one that is silent with 3', async () => {
    const backend = new FakePayments()
    const run = (outcome: Outcome): Promise<unknown> => {
      backend.refuse = { command: 'payments.approve', outcome }
      return replayed([...generateCallbacks({ count: 10, seed: 1 })], backend).catch((error: unknown) => error)
    }
    const refused = await run({ kind: 'rejected', code: 'FORBIDDEN' })
    expect(refused).toBeInstanceOf(CommandError)
    expect(refused).toMatchObject({ exitCode: EXIT.refused, code: 'FORBIDDEN' })
    expect(await run({ kind: 'unknown', code: 'TIMEOUT' })).toMatchObject({ exitCode: EXIT.cannotConnect })
  })
})

/** Lines that repeat the transaction of an earlier one. */
function duplicatesIn(lines: readonly string[]): number {
  const seen = new Set<string>()
  let duplicates = 0
  for (const booking of planReplay(lines).bookings) {
    for (const step of booking.steps) {
      if (step.kind !== 'callback') continue
      if (seen.has(step.callback.transactionId)) duplicates += 1
      seen.add(step.callback.transactionId)
    }
  }
  return duplicates
}
