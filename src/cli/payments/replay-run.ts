import { performance } from 'node:perf_hooks'
import type { ReplayBooking, ReplayPlan, ReplayStep } from '../../machines/payments/tools/plan-replay.ts'
import type { Backend, BackendSession, WorkerTask } from './backend.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { inParallel } from './in-parallel.ts'
import { field, type Plain, textField } from './outcome.ts'
import { ReplayTally, type ReplayTotals } from './replay-totals.ts'

/** How many bookings are set up, or callbacks answered, of how many. */
export interface ReplayProgress {
  readonly phase: 'setting up' | 'feeding'
  readonly done: number
  readonly total: number
}

/** What is fed, to whom, and how much of it at once. */
export interface ReplayRunOptions {
  readonly plan: ReplayPlan
  readonly backend: Backend
  /** Names the worker's principals, as `planReplay` got it. */
  readonly run: string
  /** What the plan's times are counted from, milliseconds since 1970. */
  readonly now: number
  readonly progress?: (progress: ReplayProgress) => void
  /** Told how long each callback took to be answered, milliseconds. */
  readonly answered?: (milliseconds: number) => void
  /** Says of every refund of its own bookings that it was paid. Default: it stays owed, for a worker that pays. */
  readonly refunds?: boolean
  /** Bookings at work at once, and worker sessions they are fed through. Defaults 512 and 16. */
  readonly parallel?: number
  readonly workers?: number
}

/** Bookings at work at the same time: enough to fill the batches of every stage, well below a session's window. */
const PARALLEL_BOOKINGS = 512
/** Each may hold 64 leased tasks; together more than the bookings at work. */
const WORKERS = 16

/** Sessions that are being opened at the same time. */
const OPENS_AT_ONCE = 64

/** The task's lease, and as much again for a change of leader: after that the push has failed at the server as well. */
const PUSH_MS_MAX = 60_000

/** A refund is tried three times, with pauses; what is not settled by then stays owed. */
const REFUNDS_MS_MAX = 60_000
const REFUNDS_ASKED_EVERY_MS = 50

type Attempt = Extract<ReplayStep, { kind: 'attempt' }>

/** Feeds a plan to a cluster: set-up first, then the callbacks of each booking in file order (domain.md §3.13). */
export class ReplayRun {
  private readonly options: ReplayRunOptions
  private readonly tally = new ReplayTally()
  private readonly principals = new Map<string, BackendSession>()
  private readonly workers: BackendSession[] = []
  /** What the cluster calls a booking, by its number in the plan. */
  private readonly bookingIds = new Map<number, string>()
  /** The same ids: a refund is asked for by one. */
  private readonly ownBookings = new Set<string>()
  /** Its own bookings of which money goes back. */
  private readonly returned = new Set<string>()
  /** Ids of the provider for each attempt that has been asked for, by attempt id. */
  private readonly pushes = new Map<string, { readonly attempt: Attempt; readonly reported: () => void }>()
  /** Tasks that came before the answer which names their attempt. */
  private readonly early = new Map<string, { readonly task: WorkerTask; readonly worker: BackendSession }>()

  constructor(options: ReplayRunOptions) {
    this.options = options
  }

  async run(): Promise<ReplayTotals> {
    await this.prepare()
    return this.feed()
  }

  /** Opens the sessions and sets every booking up to its first callback. */
  async prepare(): Promise<void> {
    await this.openSessions()
    await this.setUp()
  }

  /** Feeds the callbacks; many bookings at once, one step of each at a time. */
  async feed(): Promise<ReplayTotals> {
    const { plan, parallel = PARALLEL_BOOKINGS } = this.options
    const total = plan.received - plan.malformed.length
    await inParallel(plan.bookings, parallel, (booking) => this.feedBooking(booking, total))
    if (this.options.refunds === true) {
      await inParallel([...this.returned], parallel, (bookingId) => this.refundsSettled(bookingId))
    }
    return this.tally.totals(plan)
  }

  private async openSessions(): Promise<void> {
    const { plan, backend, workers = WORKERS } = this.options
    const names = new Set(plan.bookings.flatMap((booking) => [booking.clientId, booking.therapistId]))
    await inParallel([...names], OPENS_AT_ONCE, async (principal) => {
      this.principals.set(principal, await backend.open({ principal, roles: [] }))
    })
    const numbers = Array.from({ length: workers }, (_, at) => at + 1)
    await inParallel(numbers, OPENS_AT_ONCE, async (number) => {
      this.workers.push(await this.openWorker(number))
    })
  }

  private async openWorker(number: number): Promise<BackendSession> {
    const session: { current: BackendSession | null } = { current: null }
    const waiting: WorkerTask[] = []
    const opened = await this.options.backend.open({
      principal: `worker:${this.options.run}-${number}`,
      roles: ['payments'],
      onTask: (task) => {
        if (session.current === null) waiting.push(task)
        else this.receiveTask(task, session.current)
      },
    })
    session.current = opened
    for (const task of waiting) this.receiveTask(task, opened)
    return opened
  }

  /** Every booking with its first attempt, ready for its first callback. */
  private async setUp(): Promise<void> {
    const { bookings } = this.options.plan
    await inParallel(bookings, this.options.parallel ?? PARALLEL_BOOKINGS, async (booking) => {
      const id = await this.book(booking)
      this.bookingIds.set(booking.number, id)
      this.ownBookings.add(id)
      const first = booking.steps[0]
      if (first?.kind === 'attempt') await this.attempt(booking, id, first)
      this.options.progress?.({ phase: 'setting up', done: this.bookingIds.size, total: bookings.length })
    })
  }

  private async book(booking: ReplayBooking): Promise<string> {
    const { therapistId, durationMin, priceMinor, currency } = booking
    const startsAt = this.options.now + booking.startsAfterMs
    const input = { therapistId, startsAt, durationMin, priceMinor, currency, forms: [] }
    const booked = await this.must(booking.clientId, 'requestBooking', input)
    const id = textField(booked, 'id') ?? textField(field(booked, 'booking'), 'id')
    if (id === null) throw new Error(`requestBooking answered without an id: ${JSON.stringify(booked)}`)
    await this.must(therapistId, 'approve', { id, expectPriceMinor: priceMinor })
    return id
  }

  /** Asks for a payment and lets a worker report the provider's ids for it. */
  private async attempt(booking: ReplayBooking, id: string, attempt: Attempt): Promise<void> {
    this.tally.attempts += 1
    const started = await this.must(booking.clientId, 'initiatePayment', { id, phone: attempt.phone })
    const attemptId = textField(started, 'attemptId')
    if (attemptId === null) throw new Error(`initiatePayment answered without an attempt: ${JSON.stringify(started)}`)
    await new Promise<void>((done) => {
      const timer = setTimeout(done, PUSH_MS_MAX)
      const reported = (): void => {
        clearTimeout(timer)
        done()
      }
      this.pushes.set(attemptId, { attempt, reported })
      const early = this.early.get(attemptId)
      if (early !== undefined) this.receiveTask(early.task, early.worker)
    })
    this.pushes.delete(attemptId)
  }

  private receiveTask(task: WorkerTask, worker: BackendSession): void {
    if (task.kind === 'payment.refund') this.refund(task, worker)
    if (task.kind !== 'payment.stk_push') return
    const attemptId = textField(task.payload, 'attemptId') ?? ''
    const push = this.pushes.get(attemptId)
    if (push === undefined) {
      this.early.set(attemptId, { task, worker })
      return
    }
    this.early.delete(attemptId)
    const { checkoutRequestId, merchantRequestId } = push.attempt
    const input = { taskId: task.taskId, attempt: task.attempt, result: { checkoutRequestId, merchantRequestId } }
    // Refused or not, the callbacks are fed: the machine decides what they mean for this attempt.
    void worker.command('task', 'complete', input).then(push.reported)
  }

  /** Refunds of others are not this run's: it pays nothing, so it must not say that they were paid. */
  private refund(task: WorkerTask, worker: BackendSession): void {
    const [refundId, bookingId] = [textField(task.payload, 'refundId'), textField(task.payload, 'bookingId')]
    const own = bookingId !== null && this.ownBookings.has(bookingId)
    if (this.options.refunds !== true || !own) return
    const result = { providerRef: `${this.options.run}-${refundId}` }
    void worker.command('task', 'complete', { taskId: task.taskId, attempt: task.attempt, result })
  }

  /** Waits until no refund of a booking is on its way any more; one that awaits approval is not. */
  private async refundsSettled(id: string): Promise<void> {
    const until = performance.now() + REFUNDS_MS_MAX
    while (performance.now() < until) {
      const booking = await this.options.backend.query('admin:replay', 'payments', 'get', { id })
      const refunds = booking.kind === 'ok' ? field(booking.value, 'refunds') : []
      if (!Array.isArray(refunds) || !refunds.some((refund) => textField(refund, 'status') === 'QUEUED')) return
      await new Promise((resolve) => setTimeout(resolve, REFUNDS_ASKED_EVERY_MS))
    }
  }

  /** What follows the first attempt, one step after the other. A retry that is refused is left out. */
  private async feedBooking(booking: ReplayBooking, total: number): Promise<void> {
    const id = this.bookingIds.get(booking.number) ?? ''
    const worker = this.workers[booking.number % this.workers.length]
    if (worker === undefined) throw new Error('no worker session')
    const { answered, progress } = this.options
    let first = true
    for (const step of booking.steps) {
      if (step.kind === 'callback') {
        const sentAt = answered === undefined ? 0 : performance.now()
        const outcome = await worker.command('payments', 'paymentCallback', step.callback)
        answered?.(performance.now() - sentAt)
        this.tally.callback(booking, step.callback.outcome, outcome)
        const result = outcome.kind === 'ok' ? textField(outcome.value, 'result') : null
        if (result === 'ORPHANED' || result === 'REJECTED_AMOUNT') this.returned.add(id)
      } else if (!first) await this.retry(booking, id, step)
      first = false
    }
    progress?.({ phase: 'feeding', done: this.tally.answered, total })
  }

  private async retry(booking: ReplayBooking, id: string, attempt: Attempt): Promise<void> {
    try {
      await this.attempt(booking, id, attempt)
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode !== EXIT.refused) throw error
      this.tally.attempts -= 1
    }
  }

  private async must(principal: string, command: string, input: Plain): Promise<unknown> {
    const session = this.principals.get(principal)
    if (session === undefined) throw new Error(`no session of ${principal}`)
    const outcome = await session.command('payments', command, input)
    if (outcome.kind === 'ok') return outcome.value
    throw outcome.kind === 'rejected' ? refused(command, outcome.code) : unanswered(command, outcome.code)
  }
}

function refused(command: string, code: string): CommandError {
  return new CommandError(EXIT.refused, `the cluster refused ${command}`, `holdfast explain ${code} says why.`, code)
}

function unanswered(command: string, code: string): CommandError {
  return new CommandError(
    EXIT.cannotConnect,
    `${command} was not answered in time`,
    'Is a majority of the nodes running? holdfast status says so. Run the command again: it books anew.',
    code,
  )
}
