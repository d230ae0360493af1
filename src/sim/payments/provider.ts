import type { Random } from '../../base/random.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Scheduler } from '../world/scheduler.ts'

/** A result of a push as the machine takes it (`paymentCallback`). */
export type Delivery = { readonly [name: string]: Value }

/** Money that the provider has booked: what its statement tells. */
interface Booked {
  readonly receipt: string
  readonly minor: number
}

/** What a push becomes. Each was seen of providers, most of them in public reports. */
const BEHAVIOURS = [
  'paid',
  'paid',
  'paid',
  'failed',
  'failedThenPaid',
  'paidThenFailed',
  'paidTwice',
  'otherIds',
  'receiptLater',
  'otherAmount',
  'receiptOfAnother',
  'lost',
] as const

/** What becomes of a push that the provider tells nothing of before it is asked: its callback contradicts its answer. */
const ASKED_FATES = ['saidFailedThenPaid', 'saidPaidThenFailed'] as const

/** Where it contradicts its answers, for one push in three: the others keep their fates. */
const ASKED_PUSHES = 1 / 3
/** One that nobody asks for, since its booking is over, is told of all the same: later than any query, in microseconds. */
const UNASKED_MICROS = 420_000_000

/** Callbacks come up to this long after the push, in microseconds. */
const DELAY_MAX = 4_000_000

/**
 * A payment provider that misbehaves: callbacks come late, several times, in another order, under another MerchantRequestID,
 * contradict each other or what a query was answered, lack the receipt or never come; pushes that nobody asked for are paid;
 * for a while it answers nothing. Its books are right: `statement` is what really happened.
 */
export class Provider {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly deliver: (delivery: Delivery) => void
  private readonly cameIn: Booked[] = []
  /** Money whose every callback names its receipt. */
  private readonly told: Booked[] = []
  /** By idempotency key: a refund is paid once, however often it is asked for. */
  private readonly paidOut = new Map<string, Booked & { readonly ref: string }>()
  private readonly lostReceipts = new Set<string>()
  private readonly outage: { readonly from: number; readonly to: number }
  /** Does it hold callbacks back until it is asked, and contradict itself then? */
  private readonly contradicts: boolean
  /** By CheckoutRequestID: what a push that was not told of becomes, and tells when it does. */
  private readonly held = new Map<string, { readonly fate: (typeof ASKED_FATES)[number]; readonly tell: () => void }>()
  private readonly answered = { saidFailedThenPaid: 0, saidPaidThenFailed: 0 }
  private pushes = 0
  private receipts = 0
  /** Callbacks that are still to be delivered. */
  scheduled = 0

  constructor(parts: {
    random: Random
    scheduler: Scheduler
    contradicts: boolean
    deliver: (delivery: Delivery) => void
  }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.deliver = parts.deliver
    const from = this.random.below(6_000_000)
    this.outage = { from, to: from + this.random.pick([0, 1_000_000, 3_000_000]) }
    this.contradicts = parts.contradicts
  }

  /** Receipts of money that the cluster is never told of. */
  get lost(): ReadonlySet<string> {
    return this.lostReceipts
  }

  /** It answers nothing now: neither pushes nor refunds. */
  get down(): boolean {
    const { now } = this.scheduler
    return now >= this.outage.from && now < this.outage.to
  }

  /** Asks a payer for money. The answer are the push's ids, as its worker reports them. */
  push(amountMinor: number): { readonly checkoutRequestId: string; readonly merchantRequestId: string } {
    this.pushes += 1
    const checkout = `co-${this.pushes}`
    this.fare(checkout, amountMinor)
    if (this.random.chance(0.05)) this.tell(this.success(`co-unasked-${this.pushes}`, 5_000, this.book(5_000)))
    return { checkoutRequestId: checkout, merchantRequestId: `m-${this.pushes}` }
  }

  /** Pushes of which its answer to a query was contradicted by its callback, by how. */
  get contradicted(): { readonly [fate in (typeof ASKED_FATES)[number]]: number } {
    return this.answered
  }

  /** What it says of a push when it is asked; null: it does not know yet. What it tells later is the contrary. */
  answer(checkout: string, amountMinor: number): Delivery | null {
    const held = this.held.get(checkout)
    if (held === undefined) return null
    this.answered[held.fate] += 1
    held.tell()
    const said = { transactionId: checkout, resultDesc: '' }
    // An answer to a query names neither amount nor receipt: the amount is that of the task.
    if (held.fate === 'saidPaidThenFailed') return { ...said, outcome: 'success', resultCode: '0', amountMinor }
    return { ...said, outcome: 'failure', resultCode: '1032' }
  }

  /** Pays money back, once per key; the number under which its statement has it. */
  refund(idempotencyKey: string, minor: number): string {
    const before = this.paidOut.get(idempotencyKey)
    if (before !== undefined) return before.ref
    const ref = `P${this.paidOut.size + 1}`
    this.paidOut.set(idempotencyKey, { receipt: ref, minor, ref })
    return ref
  }

  /** Everything that it paid back, by its own number, in minor units. */
  get refunded(): ReadonlyMap<string, number> {
    return new Map([...this.paidOut.values()].map(({ ref, minor }) => [ref, minor]))
  }

  /** The statement of the account, as CSV with the columns of M-PESA, amounts with separators. */
  statement(): string {
    const header = 'Receipt No.,Completion Time,Details,Transaction Status,Paid In,Withdrawn,Reason Type'
    const came = this.cameIn.map(({ receipt, minor }) => `${receipt},,,Completed,"${text(minor)}",,Pay Bill`)
    const left = [...this.paidOut.values()].map(({ ref, minor }) => `${ref},,,Completed,,"-${text(minor)}",Refund`)
    return [header, ...came, ...left].join('\n')
  }

  private fare(checkout: string, minor: number): void {
    const { random } = this
    if (this.contradicts && random.chance(ASKED_PUSHES)) return this.hold(checkout, minor)
    const behaviour = random.pick(BEHAVIOURS)
    if (behaviour === 'failed') return this.tell(this.failure(checkout, '1032'))
    if (behaviour === 'receiptOfAnother' && this.told.length > 0) {
      // The same money, told of another push as well.
      const { receipt, minor: other } = random.pick(this.told)
      return this.tell(this.success(checkout, other, receipt))
    }
    const amount = behaviour === 'otherAmount' ? minor - 100 : minor
    const receipt = this.book(amount)
    const paid = this.success(checkout, amount, receipt)
    // Not the one whose receipt comes late: told of two pushes before that, it is two payments, which only people can tell.
    if (behaviour === 'paid' || behaviour === 'failedThenPaid') this.told.push({ receipt, minor: amount })
    if (behaviour === 'lost') {
      this.lostReceipts.add(receipt)
      return
    }
    if (behaviour === 'failedThenPaid' || behaviour === 'paidThenFailed') this.tell(this.failure(checkout, '1037'))
    if (behaviour === 'paidTwice') this.tell(this.success(checkout, minor, this.book(minor)))
    if (behaviour === 'otherIds') this.tell({ ...paid, merchantRequestId: 'm-other' })
    if (behaviour === 'receiptLater') {
      const { receipt: _receipt, ...without } = paid
      this.tell(without)
    }
    this.tell(paid)
  }

  /** It is paid, and nobody is told before the provider is asked. */
  private hold(checkout: string, minor: number): void {
    const fate = this.random.pick(ASKED_FATES)
    const paid = this.success(checkout, minor, this.book(minor))
    this.scheduled += 1
    const tell = (): void => {
      if (!this.held.delete(checkout)) return
      this.scheduled -= 1
      if (fate === 'saidPaidThenFailed') this.tell(this.failure(checkout, '1037'))
      this.tell(paid)
    }
    this.held.set(checkout, { fate, tell })
    this.scheduler.after(UNASKED_MICROS, tell)
  }

  private book(minor: number): string {
    this.receipts += 1
    const receipt = `R${String(this.receipts).padStart(9, '0')}`
    this.cameIn.push({ receipt, minor })
    return receipt
  }

  private success(checkout: string, amountMinor: number, receipt: string): Delivery {
    return { ...this.result(checkout), outcome: 'success', resultCode: '0', amountMinor, receipt }
  }

  private failure(checkout: string, resultCode: string): Delivery {
    return { ...this.result(checkout), outcome: 'failure', resultCode }
  }

  private result(checkout: string): Delivery {
    return { transactionId: checkout, checkoutRequestId: checkout, merchantRequestId: `m-${checkout}`, resultDesc: '' }
  }

  /** One to three copies, each at a time of its own. */
  private tell(delivery: Delivery): void {
    for (let copies = this.random.pick([1, 1, 2, 3]); copies > 0; copies -= 1) {
      this.scheduled += 1
      this.scheduler.after(this.random.below(DELAY_MAX), () => {
        this.scheduled -= 1
        this.deliver(delivery)
      })
    }
  }
}

function text(minor: number): string {
  const cents = String(minor % 100).padStart(2, '0')
  return `${Math.floor(minor / 100)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')}.${cents}`
}
