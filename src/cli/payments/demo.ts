import { isDeepStrictEqual } from 'node:util'
import type { Backend, BackendSession } from './backend.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { field, type Outcome, type Plain, textField } from './outcome.ts'
import { paint } from '../terminal/output.ts'

/** What the demo plays with: a server that it may stop and start. */
export interface DemoStage {
  /** A client of the server as it runs now. */
  connect(): Promise<Backend>
  /** Stops the server, starts it again on the same data, and resolves when it serves. */
  restart(): Promise<void>
  /** Makes the names of this run different from those of earlier ones in the same data directory. */
  readonly run: string
  /** Milliseconds since 1970. */
  readonly now: number
  say(line: string): void
}

const PRICE_MINOR = 500_000
const WEEK_MS = 7 * 24 * 3_600_000

/**
 * Plays the scripted demo: a payment callback delivered three times is applied once, the server stops and starts, and
 * the state is still there. True when every assertion on the way held.
 */
export async function playDemo(stage: DemoStage): Promise<boolean> {
  return new Demo(stage).play()
}

class Demo {
  private readonly stage: DemoStage
  private failures = 0

  constructor(stage: DemoStage) {
    this.stage = stage
  }

  async play(): Promise<boolean> {
    const { stage } = this
    stage.say(paint('bold', 'Demo: a payment callback that is delivered three times'))
    const before = await stage.connect()
    const paid = await this.deliverThrice(before)
    await before.close()
    stage.say('The server stops, and starts again on the same data.')
    await stage.restart()
    const after = await stage.connect()
    await this.stillThere(after, paid)
    await after.close()
    stage.say(
      this.failures === 0
        ? paint('green', 'Demo: all as promised.')
        : paint('red', `Demo: ${this.failures} checks failed.`),
    )
    return this.failures === 0
  }

  private async deliverThrice(backend: Backend): Promise<Paid> {
    const { run, say } = this.stage
    const capturedBefore = await this.captured(backend)
    const bookingId = await this.book(backend, run)
    // Opened after the booking, because any worker with the role may be given the task of pushing.
    const worker = await backend.open({ principal: `worker:${run}-a`, roles: ['payments'] })
    say(`A client has booked and asked to pay: booking ${bookingId}.`)
    const callback = callbackOf(run)
    const first = await worker.command('payments', 'paymentCallback', callback)
    this.check('the first delivery is applied', field(answerOf(first), 'result') === 'APPLIED')
    this.check('the booking is paid', field(answerOf(first), 'payment') === 'confirmed')
    const second = await worker.command('payments', 'paymentCallback', callback)
    this.check('the second is answered as a duplicate', isDuplicateOf(second, first))
    const other = await backend.open({ principal: `worker:${run}-b`, roles: ['payments'] })
    const third = await other.command('payments', 'paymentCallback', callback)
    this.check('so is the third, through another session', isDuplicateOf(third, first))
    const captured = await this.captured(backend)
    this.check('money was captured once', captured.count === capturedBefore.count + 1)
    this.check('and the right amount of it', captured.minor === capturedBefore.minor + PRICE_MINOR)
    return { bookingId, first, captured }
  }

  private async stillThere(backend: Backend, { bookingId, first, captured }: Paid): Promise<void> {
    const { run } = this.stage
    const found = answerOf(await backend.query(`user:${run}-client`, 'payments', 'get', { id: bookingId }))
    this.check('after the restart the booking is still paid', field(found, 'payment') === 'confirmed')
    const worker = await backend.open({ principal: `worker:${run}-c`, roles: ['payments'] })
    const fourth = await worker.command('payments', 'paymentCallback', callbackOf(run))
    this.check('the same callback is still a duplicate', isDuplicateOf(fourth, first))
    this.check('no money came twice', isDeepStrictEqual(await this.captured(backend), captured))
  }

  /** A booking whose payment is under way: its push is what the callback answers. */
  private async book(backend: Backend, run: string): Promise<string> {
    const client = await backend.open({ principal: `user:${run}-client`, roles: [] })
    const therapist = await backend.open({ principal: `user:${run}-therapist`, roles: [] })
    const startsAt = this.stage.now + WEEK_MS
    const terms = { durationMin: 60, priceMinor: PRICE_MINOR, currency: 'KES', forms: [] }
    const booked = await must(client, 'requestBooking', { therapistId: `user:${run}-therapist`, startsAt, ...terms })
    const id = textField(booked, 'id') ?? ''
    await must(therapist, 'approve', { id, expectPriceMinor: PRICE_MINOR })
    const pushed = this.pushReported(backend, run)
    await must(client, 'initiatePayment', { id, phone: '254700000001' })
    await pushed
    return id
  }

  /** A worker that takes the task of asking the provider, and reports the provider's ids for it. */
  private async pushReported(backend: Backend, run: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const session = backend.open({
        principal: `worker:${run}-push`,
        roles: ['payments'],
        onTask: ({ taskId, kind, attempt }) => {
          if (kind !== 'payment.stk_push') return
          const result = { checkoutRequestId: checkoutOf(run), merchantRequestId: `${run}-1` }
          session
            .then((opened) => opened.command('task', 'complete', { taskId, attempt, result }))
            .then(() => resolve())
            .catch(reject)
        },
      })
      session.catch(reject)
    })
  }

  private async captured(backend: Backend): Promise<Captured> {
    const totals = answerOf(await backend.query('admin:demo', 'payments', 'totals', {}))
    const applied = field(field(totals, 'captures'), 'applied')
    return { count: Number(field(applied, 'count')), minor: Number(field(applied, 'minor')) }
  }

  private check(claim: string, holds: boolean): void {
    if (!holds) this.failures += 1
    this.stage.say(`  ${holds ? paint('green', 'ok') : paint('red', 'FAILED')}  ${claim}`)
  }
}

interface Captured {
  readonly count: number
  readonly minor: number
}

interface Paid {
  readonly bookingId: string
  readonly first: Outcome
  readonly captured: Captured
}

function checkoutOf(run: string): string {
  return `ws_CO_${run}`
}

function callbackOf(run: string): Plain {
  return {
    transactionId: checkoutOf(run),
    checkoutRequestId: checkoutOf(run),
    merchantRequestId: `${run}-1`,
    outcome: 'success',
    amountMinor: PRICE_MINOR,
    receipt: `R${run}`.toUpperCase(),
    resultCode: '0',
    resultDesc: 'The service request is processed successfully.',
  }
}

/** The same answer as the first time, and it says that it is a repetition. */
function isDuplicateOf(repeated: Outcome, first: Outcome): boolean {
  const { duplicate, ...rest } = { ...(answerOf(repeated) as { duplicate?: unknown }) }
  return duplicate === true && isDeepStrictEqual(rest, { ...withoutDuplicate(answerOf(first)) })
}

function withoutDuplicate(value: unknown): object {
  const { duplicate: _duplicate, ...rest } = { ...(value as { duplicate?: unknown }) }
  return rest
}

function answerOf(outcome: Outcome): unknown {
  return outcome.kind === 'ok' ? outcome.value : null
}

async function must(session: BackendSession, command: string, input: Plain): Promise<unknown> {
  const outcome = await session.command('payments', command, input)
  if (outcome.kind === 'ok') return outcome.value
  const cure = `holdfast explain ${outcome.code} says what it means.`
  throw new CommandError(EXIT.failure, `the demo's ${command} was answered with ${outcome.code}`, cure, outcome.code)
}
