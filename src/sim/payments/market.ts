import { Random } from '../../base/random.ts'
import { DAY_MS } from '../../base/time.ts'
import type { Value } from '../../codec/value/value.ts'
import { WALL_START_MS } from '../world/simulated-clock.ts'
import { CommandSession, type GivenTask, type SessionWorld } from '../clients/command-session.ts'
import { type Delivery, Provider } from './provider.ts'

const SECOND = 1_000_000
const WORKERS = 2

/** Everybody who uses the machine payments in one seed: who books and pays, who works for it, and who looks after it. */
export class Market {
  readonly provider: Provider
  private readonly random: Random
  private readonly world: SessionWorld
  private readonly sessions: CommandSession[] = []
  private readonly workers: CommandSession[] = []
  private admin: CommandSession | null = null
  /** Steps that somebody will take later. */
  private planned = 0
  /** Tasks of pushes that no worker has ended. */
  private readonly openPushes = new Set<string>()
  private readonly endedTasks = new Set<string>()

  /** `contradicts`: the provider's callbacks tell the contrary of what it answered to queries. */
  constructor(parts: { random: Random; world: SessionWorld; contradicts: boolean }) {
    this.random = parts.random
    this.world = parts.world
    const { scheduler } = parts.world
    const random = this.fork()
    const { contradicts } = parts
    this.provider = new Provider({ random, scheduler, contradicts, deliver: (delivery) => this.callback(delivery) })
  }

  /** Session of the administrator, whom every replica tells all; null before it was opened. */
  get auditor(): number | null {
    return this.admin?.session ?? null
  }

  /** Nobody waits for an answer, and nobody will do anything more. */
  get quiet(): boolean {
    return (
      this.planned === 0 &&
      this.openPushes.size === 0 &&
      this.provider.scheduled === 0 &&
      this.sessions.every(({ pending }) => pending === 0)
    )
  }

  get acks(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks, 0)
  }

  facts(): { readonly [name: string]: number } {
    const pending = this.sessions.reduce((sum, session) => sum + session.pending, 0)
    return { planned: this.planned, openPushes: this.openPushes.size, scheduled: this.provider.scheduled, pending }
  }

  /** First the administrator, then the workers, then the bookings. */
  open(): void {
    this.planned += 1
    this.admin = this.session('admin:auditor', [], () => {
      for (let number = 1; number <= WORKERS; number += 1) this.openWorker(number)
      for (let left = this.random.between(2, 5); left > 0; left -= 1) this.openBooking(left)
      for (let left = this.random.between(0, 4); left > 0; left -= 1) this.later(8 * SECOND, () => this.lookAround())
      this.planned -= 1
    })
  }

  private openWorker(number: number): void {
    this.planned += 1
    const session = this.session(
      `worker:${number}`,
      ['payments'],
      () => {
        this.planned -= 1
        this.workers.push(session)
      },
      (task) => this.work(session, task),
    )
  }

  /** A worker does what a task says, unless the provider is down or the worker forgets: then its lease ends. */
  private work(session: CommandSession, { taskId, kind, attempt, payload }: GivenTask): void {
    if (this.provider.down) {
      session.send('task', 'fail', { taskId, attempt, reason: 'the provider does not answer' }, () =>
        this.ended(taskId),
      )
      return
    }
    const amountMinor = Number(payload['amountMinor'])
    const forgotten = this.random.chance(0.1)
    const result =
      kind === 'payment.stk_push'
        ? this.provider.push(amountMinor)
        : kind === 'payment.refund'
          ? { providerRef: this.provider.refund(String(payload['idempotencyKey']), amountMinor) }
          : { final: this.provider.answer(String(payload['checkoutRequestId']), amountMinor) }
    if (forgotten) this.ended(taskId)
    else
      this.later(SECOND, () => session.send('task', 'complete', { taskId, attempt, result }, () => this.ended(taskId)))
  }

  /** A client books with a therapist of its own, pays, tries again when that failed, and may cancel at any time. */
  private openBooking(number: number): void {
    const { random } = this
    // Some refunds are so large that somebody must approve them.
    const priceMinor = random.pick([150_000, 250_000, 6_000_000])
    const clientId = `user:client-${number}`
    const therapistId = `user:therapist-${number}`
    this.planned += 1
    const terms = { therapistId, startsAt: WALL_START_MS + 7 * DAY_MS, durationMin: 60, priceMinor, currency: 'KES' }
    const client = this.session(clientId, [], () => {
      client.send('payments', 'requestBooking', { ...terms, forms: [] }, (booked) => {
        const id = String(fieldOf(booked, 'id'))
        const therapist = this.session(therapistId, [], () => {
          therapist.send('payments', 'approve', { id, expectPriceMinor: priceMinor }, () => {
            for (const at of [0, 3, 6]) {
              if (at === 0 || random.chance(0.6)) this.later((at + 1) * SECOND, () => this.pay(client, id))
            }
            if (random.chance(0.4)) this.later(8 * SECOND, () => this.cancel(client, id))
            this.planned -= 1
          })
        })
      })
    })
  }

  private pay(client: CommandSession, id: string): void {
    client.send('payments', 'initiatePayment', { id, phone: '254700000000' }, (started) => {
      const taskId = fieldOf(started, 'taskId')
      // A worker may have been faster than the answer to the client.
      if (typeof taskId === 'string' && !this.endedTasks.has(taskId)) this.openPushes.add(taskId)
    })
  }

  private ended(taskId: string): void {
    this.endedTasks.add(taskId)
    this.openPushes.delete(taskId)
  }

  private cancel(client: CommandSession, id: string): void {
    client.send('payments', 'cancel', { id, reason: 'schedule_conflict' })
  }

  /** The administrator deals with whatever may be there: money in suspense, and refunds that await approval. */
  private lookAround(): void {
    const { admin, random } = this
    if (admin === null) return
    const number = random.between(1, 6)
    const transactionId = random.pick([`co-${number}`, `co-unasked-${number}`])
    const note = ''
    const refundId = `ref-${random.between(1, 4)}`
    admin.send('payments', random.pick(['approveRefund', 'approveRefund', 'rejectRefund']), { refundId, note })
    if (random.chance(0.5)) admin.send('payments', 'refundSuspense', { transactionId, note })
    else admin.send('payments', 'matchSuspense', { transactionId, bookingId: `bkg-${random.between(1, 3)}`, note })
  }

  private callback(delivery: Delivery): void {
    // The provider tells whichever worker answers.
    const worker = this.workers.length === 0 ? null : this.random.pick(this.workers)
    if (worker === null) this.later(SECOND, () => this.callback(delivery))
    else worker.send('payments', 'paymentCallback', delivery as Value)
  }

  private session(
    principal: string,
    roles: readonly string[],
    ready: () => void,
    onTask?: (task: GivenTask) => void,
  ): CommandSession {
    const options = { principal, roles, random: this.fork(), ready, ...(onTask === undefined ? {} : { onTask }) }
    const session = new CommandSession(this.world, options)
    this.sessions.push(session)
    return session
  }

  private later(withinMicros: number, act: () => void): void {
    this.planned += 1
    this.world.scheduler.after(this.random.below(withinMicros), () => {
      this.planned -= 1
      act()
    })
  }

  private fork(): Random {
    return new Random(this.random.uint32())
  }
}

function fieldOf(value: Value, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as { readonly [name: string]: unknown })[name] : undefined
}
