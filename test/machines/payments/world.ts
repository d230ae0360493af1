import { DAY_MS, MINUTE_MS } from '../../../src/base/time.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { identityOf } from '../../../src/machine/define/identity.ts'
import { mount } from '../../../src/machine/run/mount.ts'
import type { AuditRecord } from '../../../src/machines/payments/change/audit.ts'
import type { Totals } from '../../../src/machines/payments/index.ts'
import { payments } from '../../../src/machines/payments/machine.ts'
import { paymentsV1 } from '../../../src/machines/payments-v1/machine.ts'
import type { Triple } from '../../../src/machines/payments/facts/states.ts'
import type { Outcome, ServerRequest, UserStateMachine } from '../../../src/session/user-machine.ts'
import { codec, Log } from '../../session/log.ts'

export const CLIENT = 'user:client'
export const THERAPIST = 'user:therapist'
export const STRANGER = 'user:stranger'
export const ADMIN = 'admin:ada'
export const WORKER = 'worker:mpesa'
export const PHONE = '254712345678'
export const PRICE = 500_000
/** The client's hash of a form's content. */
export const HASH = 'a'.repeat(64)

export type Answer = { readonly [key: string]: Value }
export interface Refusal {
  readonly code: string
  readonly details: Value
}

interface Presence {
  readonly joinedAt: number | null
  readonly leftAt: number | null
}

/** A booking as `get` shows it, as far as tests look. */
export type View = Triple & {
  readonly id: string
  readonly attemptList: readonly {
    readonly id: string
    readonly phone: string
    readonly outcome: string | null
    readonly no: number
  }[]
  readonly captures: readonly {
    readonly transactionId: string
    readonly amountMinor: number
    readonly applied: boolean
  }[]
  readonly refunds: readonly {
    readonly id: string
    readonly transactionId: string | null
    readonly amountMinor: number
    readonly pct: number
    readonly reason: string
    readonly status: string
    readonly tries: number
  }[]
  readonly forms: readonly { readonly formId: string; readonly contentHash: string | null }[]
  readonly capturedMinor: number
  readonly refundedMinor: number
  readonly manualReview: boolean
  readonly therapistReview: boolean
  readonly attendance: { readonly [Party in 'client' | 'therapist']: Presence } | null
  readonly actualStart: number | null
  readonly endedAt: number | null
  readonly startsAt: number
  readonly seq: number
  readonly cancel: { readonly reason: string; readonly role: string } | null
}

/**
 * The payments machine under the real session layer, in process: commands go through parsing and ClientRequest
 * entries.
 */
export class World {
  readonly log: Log
  private readonly mounted = mount([paymentsV1, payments], codec)
  private version: 1 | 2 = 1
  private readonly sessions = new Map<string, number>()
  private readonly nextRequestId = new Map<number, number>()

  /** `wrap` may put something between the session layer and the machine; `from` 1 begins before `advance`. */
  constructor(wrap: (machine: UserStateMachine) => UserStateMachine = (machine) => machine, from: 1 | 2 = 2) {
    this.log = new Log(wrap(this.mounted.userMachine))
    // A log that was told no version runs version 1, but has nothing to migrate.
    if (from === 1) this.advanceTo(paymentsV1)
    else this.advance()
    for (const principal of [CLIENT, THERAPIST, STRANGER, ADMIN]) this.open(principal, [])
    this.open(WORKER, ['payments'])
  }

  /** From version 1 to version 2, in one entry. */
  advance(): void {
    this.advanceTo(payments)
    this.version = 2
  }

  private advanceTo(definition: Parameters<typeof identityOf>[0]): void {
    const { name: machine, version: to, schema } = identityOf(definition)
    this.log.append('AdvanceVersion', { machines: [{ machine, to, schema }] })
  }

  /** Closes a principal's session. */
  close(principal: string): void {
    const index = this.sessionOf(principal)
    const epoch = this.log.machine.sessionFacts(index)?.epoch ?? 0
    this.log.append('CloseSession', { group: 0, incarnation: 1, index, epoch, secretHash: new Uint8Array(0) })
  }

  get now(): number {
    return this.log.now
  }

  /** Opens another session of a principal, which its commands use from now on. */
  open(principal: string, roles: readonly string[] = []): void {
    this.sessions.set(principal, this.log.open(`${principal}#${this.log.entries.length}`, { principal, roles }))
  }

  /** Lets time pass; timers that fall due fire in a Tick, each at its own time. */
  pass(ms: number): void {
    this.log.advance(ms)
    this.log.empty('Tick')
  }

  /** A command's outcome; a refusal by its schema is one as well, though the log never sees it. */
  send(principal: string, command: string, input: Value, machine = 'payments'): Outcome {
    const session = this.sessionOf(principal)
    const parsed =
      machine === 'payments' && this.version === 1
        ? ({ ok: true, input: codec.encodeValue(input), version: 1 } as const)
        : this.mounted.parse(machine, command, codec.encodeValue(input))
    if (!parsed.ok) return { kind: 'reject', code: parsed.code, details: null }
    const requestId = (this.nextRequestId.get(session) ?? 0) + 1
    this.nextRequestId.set(session, requestId)
    const options = {
      machine,
      input: codec.decodeValue(parsed.input),
      lowestPendingRequestId: requestId,
      version: parsed.version,
    }
    const reply = this.log.request(session, requestId, command, options)
    if (reply.kind !== 'outcome') throw new Error(`${command} was refused: ${JSON.stringify(reply)}`)
    return reply.outcome
  }

  /** The value of a command that must succeed. */
  ok(principal: string, command: string, input: Value, machine = 'payments'): Answer {
    const outcome = this.send(principal, command, input, machine)
    if (outcome.kind === 'value') return outcome.value as Answer
    throw new Error(`${command} was rejected: ${outcome.code} ${JSON.stringify(outcome.details)}`)
  }

  /** The refusal of a command that must fail. */
  refused(principal: string, command: string, input: Value, machine = 'payments'): Refusal {
    const outcome = this.send(principal, command, input, machine)
    if (outcome.kind === 'reject') return outcome
    throw new Error(`${command} was not refused: ${JSON.stringify(outcome.value)}`)
  }

  /** A query; `null` asks outside any session. */
  ask(principal: string | null, query: string, input: Value): Outcome {
    const parsed = this.mounted.parseQuery('payments', query, codec.encodeValue(input))
    if (!parsed.ok) return { kind: 'reject', code: parsed.code, details: null }
    const session = principal === null ? null : this.sessionOf(principal)
    return this.log.machine.query({ machine: 'payments', query, input: parsed.input, session })
  }

  answer<Type = Answer>(principal: string, query: string, input: Value): Type {
    const outcome = this.ask(principal, query, input)
    if (outcome.kind !== 'value') throw new Error(`${query} was rejected: ${outcome.code}`)
    return outcome.value as Type
  }

  view(id: string): View {
    return this.answer<View>(ADMIN, 'get', { id })
  }

  triple(id: string): string {
    const { payment, session, video } = this.view(id)
    return `${payment}/${session}/${video}`
  }

  totals(): Totals {
    return this.answer<Totals>(ADMIN, 'totals', {})
  }

  /** Every audit record, of one booking or of all. */
  audit(id?: string, outcome: 'applied' | 'rejected' = 'applied'): AuditRecord[] {
    const records: AuditRecord[] = []
    for (let from: number | null = 1; from !== null; ) {
      const input: Value = { from, limit: 100, outcome, ...(id === undefined ? {} : { id }) }
      const page: { records: AuditRecord[]; next: number | null } = this.answer(ADMIN, 'audit', input)
      records.push(...page.records)
      from = page.next
    }
    return records
  }

  /** Server requests that wait for a principal's session, oldest first. */
  outbox(principal: string): readonly ServerRequest[] {
    return this.log.machine.outbox(this.sessionOf(principal), 0, 10_000)
  }

  /** Topics of the notifications a principal got, in order; `body` of the last with `topic`. */
  topics(principal: string): string[] {
    return this.notes(principal).map(({ topic }) => topic)
  }

  notes(principal: string): { readonly topic: string; readonly body: Answer }[] {
    return this.outbox(principal)
      .filter(({ type }) => type === 'notification')
      .map(({ payload }) => payload as unknown as { topic: string; body: Answer })
  }

  /** Forgets what came so far. */
  acknowledge(principal: string): void {
    const last = this.outbox(principal).at(-1)
    if (last !== undefined) this.log.ack(this.sessionOf(principal), last.serverRequestId)
  }

  /** Tasks handed to the worker, oldest first. */
  tasks(
    kind?: string,
  ): { readonly taskId: string; readonly kind: string; readonly attempt: number; readonly payload: Answer }[] {
    return this.outbox(WORKER)
      .filter(({ type }) => type !== 'notification')
      .map(({ payload }) => payload as unknown as { taskId: string; kind: string; attempt: number; payload: Answer })
      .filter((task) => kind === undefined || task.kind === kind)
  }

  complete(task: { readonly taskId: string; readonly attempt: number }, result: Value): Answer {
    const { taskId, attempt } = task
    return this.ok(WORKER, 'complete', { taskId, attempt, result }, 'task')
  }

  /** Lets the worker report that every push asked for so far is on its way: the provider calls it `co-<attempt>`. */
  startPushes(): void {
    for (const task of this.tasks('payment.stk_push')) {
      this.complete(task, { checkoutRequestId: `co-${task.payload['attemptId']}`, merchantRequestId: 'm' })
    }
  }

  fail(task: { readonly taskId: string; readonly attempt: number }): void {
    const { taskId, attempt } = task
    this.ok(WORKER, 'fail', { taskId, attempt, reason: 'PROVIDER_DOWN' }, 'task')
  }

  request(changes: { readonly [key: string]: Value } = {}): string {
    const input = {
      therapistId: THERAPIST,
      startsAt: this.now + 3 * DAY_MS,
      durationMin: 60,
      priceMinor: PRICE,
      currency: 'KES',
      forms: [
        { formId: 'intake', required: true },
        { formId: 'extra', required: false },
      ],
      ...changes,
    }
    return String(this.ok(CLIENT, 'requestBooking', input)['id'])
  }

  /**
   * A booking brought as far as the named session state: `failed` is payment_pending with a failed payment; `ready_waiting` and
   * the like name the call's state too. From `ready_waiting` on it is ten minutes before the start.
   */
  booked(session: string, changes: { readonly [key: string]: Value } = {}): string {
    const id = this.request(changes)
    if (session === 'requested') return id
    const price = changes['priceMinor'] ?? PRICE
    this.ok(THERAPIST, 'approve', { id, expectPriceMinor: price })
    if (session === 'approved') return id
    const { attemptId } = this.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    if (session === 'payment_pending') return id
    if (session === 'failed') {
      this.callback({ transactionId: `tx-${id}`, attemptId: attemptId ?? null, outcome: 'failure', resultCode: 1032 })
      return id
    }
    const receipt = `R:TX-${id.toUpperCase()}`
    this.callback({ transactionId: `tx-${id}`, attemptId: attemptId ?? null, amountMinor: price, receipt })
    if (session === 'paid') return id
    if (session === 'cancelled') {
      this.ok(CLIENT, 'cancel', { id, reason: 'other' })
      return id
    }
    this.ok(THERAPIST, 'routeAfterPayment', { id })
    if (session === 'forms_required') return id
    this.ok(CLIENT, 'completeForm', { id, formId: 'intake', contentHash: 'a'.repeat(64) })
    if (session !== 'ready') this.meet(id, session)
    return id
  }

  /** Lets time pass until `ms` after the booking's start; negative: before it. */
  passToStart(id: string, ms: number): void {
    this.pass(this.view(id).startsAt + ms - this.now)
  }

  /** Goes on from `ready`: the client joins first, and what the state's name says follows. */
  private meet(id: string, state: string): void {
    const each = (command: string, ...principals: string[]): void => {
      for (const principal of principals) {
        const detail = command === 'reportVideoFailure' ? { detail: 'no picture' } : {}
        this.ok(principal, command, { id, ...detail })
      }
    }
    this.passToStart(id, -10 * MINUTE_MS)
    if (state === 'no_show_client') each('joinVideo', THERAPIST)
    else each('joinVideo', CLIENT)
    if (state.startsWith('no_show')) return this.passToStart(id, 15 * MINUTE_MS)
    if (state === 'ready_waiting') return
    if (state === 'ready_failed') return each('reportVideoFailure', CLIENT)
    each('joinVideo', THERAPIST)
    if (state === 'in_progress') return
    if (state === 'completed') return each('endSession', THERAPIST)
    each('reportVideoFailure', CLIENT)
    if (state === 'in_progress_failed') return
    if (state !== 'in_progress_waiting') throw new Error(`there is no way to ${state}`)
    each('retryVideo', THERAPIST)
  }

  /** A callback of the worker; a success with the usual price unless told otherwise. */
  callback(changes: { readonly [key: string]: Value | undefined }): Answer {
    return this.ok(WORKER, 'paymentCallback', callbackOf(changes))
  }

  sessionOf(principal: string): number {
    const session = this.sessions.get(principal)
    if (session === undefined) throw new Error(`${principal} has no session`)
    return session
  }

  /** Id of the booking's current attempt. */
  attempt(id: string, no?: number): string {
    const list = this.view(id).attemptList
    const found = no === undefined ? list.at(-1) : list.find((attempt) => attempt.no === no)
    if (found === undefined) throw new Error(`${id} has no such attempt`)
    return found.id
  }
}

export function callbackOf(changes: { readonly [key: string]: Value | undefined }): Value {
  const success = changes['outcome'] !== 'failure'
  const defaults = {
    transactionId: 'tx-1',
    outcome: 'success',
    resultCode: 0,
    resultDesc: 'done',
    ...(success ? { amountMinor: PRICE } : {}),
  }
  const entries = Object.entries({ ...defaults, ...changes }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Value
}
