import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../src/base/time.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { z } from 'zod'
import { defineMachine, identityOf, query, tablesOf } from '../../../src/machine/index.ts'
import { mount } from '../../../src/machine/run/mount.ts'
import { payments, paymentsV1 } from '../../../src/machines/index.ts'
import { LEDGER_KEY } from '../../../src/machines/payments/change/journal.ts'
import { paymentsSchema } from '../../../src/machines/payments/facts/payments-schema.ts'
import { totalAt, totalPosition } from '../../../src/machines/payments/facts/totals.ts'
import { codec, Log } from '../../session/log.ts'
import { ADMIN, callbackOf, PHONE, PRICE, THERAPIST, WORKER, World } from '../payments/world.ts'

/** What version 1 did not know, and version 2 has to find out when it takes over (domain.md §3.5). */

const EARLY = { transactionId: 'co-9', checkoutRequestId: 'co-9', resultCode: '0' }

/** A world of version 1 with a booking that awaits its payment. */
function version1(): { world: World; id: string; attemptId: string } {
  const world = new World(undefined, 1)
  const id = world.booked('payment_pending')
  return { world, id, attemptId: world.attempt(id) }
}

const verify = (world: World, id: string, transactionId: string): Value =>
  world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId, amountMinor: PRICE, note: '' })

const money = (world: World): object => world.totals().money
const ONCE = { receivedMinor: PRICE, keptMinor: PRICE, owedMinor: 0, suspenseMinor: 0, balanced: true }

interface Known {
  readonly transactionId: string
  readonly receipt: string | null
  readonly result: string
}
const receipts = (world: World): Known[] =>
  world
    .answer<{ receipts: Known[] }>(ADMIN, 'receipts', {})
    .receipts.map(({ transactionId, receipt, result }) => ({ transactionId, receipt, result }))
const kinds = (world: World): string[] =>
  world.answer<{ reviews: { kind: string }[] }>(ADMIN, 'reviews', {}).reviews.map(({ kind }) => kind)

describe('the migration from version 1', () => {
  test('an early callback whose receipt is captured already is the same money, and is not in suspense', () => {
    const { world, id, attemptId } = version1()
    const first = world.callback({ ...EARLY, receipt: ' r-9' })
    verify(world, id, 'R-9')
    world.advance()
    expect(money(world)).toMatchObject(ONCE)
    expect(world.totals()).toMatchObject({
      suspense: { count: 0, minor: 0 },
      callbacks: { APPLIED: 1, UNKNOWN_ATTEMPT: 0, SAME_RECEIPT: 1 },
    })
    expect(world.answer(ADMIN, 'suspense', {})).toMatchObject({ money: [] })
    expect(kinds(world)).toEqual(['RECEIPT_OTHER_BOOKING'])
    world.ok(WORKER, 'paymentStarted', { attemptId, checkoutRequestId: 'co-9', merchantRequestId: 'm' })
    expect(world.view(id).refunds).toEqual([])
    expect(world.callback({ ...EARLY, receipt: 'R-9' })).toEqual({ ...first, duplicate: true })
    expect(money(world)).toMatchObject(ONCE)
    world.log.machine.checkInvariants()
  })

  test('of two early callbacks with one receipt one is in suspense; a failure takes no receipt from anybody', () => {
    const { world } = version1()
    const failure = { outcome: 'failure', resultCode: 1, receipt: 'R-9' }
    world.callback({ ...EARLY, transactionId: 'co-1', checkoutRequestId: 'co-1', ...failure })
    world.callback({ ...EARLY, receipt: 'R-9' })
    world.callback({ ...EARLY, transactionId: 'co-8', checkoutRequestId: 'co-8', receipt: 'r-9' })
    world.advance()
    expect(world.totals()).toMatchObject({ suspense: { count: 1, minor: PRICE }, callbacks: { UNKNOWN_ATTEMPT: 2 } })
    expect(receipts(world)).toEqual([{ transactionId: 'co-8', receipt: 'R-9', result: 'UNKNOWN_ATTEMPT' }])
  })

  test('a transaction that told the money of another one again brings money of its own under a receipt of its own', () => {
    const { world, id, attemptId } = version1()
    verify(world, id, 'R-1')
    const again = { transactionId: 'co-1', attemptId, resultCode: '0' }
    expect(world.callback({ ...again, receipt: 'R-1' })).toMatchObject({ result: 'APPLIED', duplicate: true })
    world.advance()
    expect(world.callback(again)).toMatchObject({ result: 'APPLIED', duplicate: true })
    expect(world.callback({ ...again, receipt: 'r-1' })).toMatchObject({ result: 'APPLIED', duplicate: true })
    expect(kinds(world)).toEqual([])
    expect(money(world)).toMatchObject(ONCE)
    expect(world.callback({ ...again, receipt: 'R-5' })).toMatchObject({ result: 'ORPHANED' })
    expect(money(world)).toMatchObject({ receivedMinor: 2 * PRICE, owedMinor: PRICE, balanced: true })
    expect(receipts(world)).toContainEqual({ transactionId: 'co-1#2', receipt: 'R-5', result: 'ORPHANED' })
  })

  test('the same without a repeat in between', () => {
    const { world, id, attemptId } = version1()
    verify(world, id, 'R-1')
    const again = { transactionId: 'co-1', attemptId, resultCode: '0' }
    world.callback({ ...again, receipt: 'R-1' })
    world.advance()
    expect(world.callback({ ...again, receipt: 'R-5' })).toMatchObject({ result: 'ORPHANED' })
    expect(money(world)).toMatchObject({ receivedMinor: 2 * PRICE, owedMinor: PRICE })
  })

  test('receipts that differ in their letters are one money: an orphan that no worker was given is taken back', () => {
    const { world, id, attemptId } = version1()
    world.callback({ transactionId: 'co-1', attemptId, receipt: 'R-1', resultCode: '0' })
    world.callback({ transactionId: 'co-2', attemptId, receipt: 'r-1', resultCode: '0', amountMinor: 6_000_000 })
    world.advance()
    expect(money(world)).toMatchObject(ONCE)
    expect(receipts(world)).toEqual([{ transactionId: 'co-1', receipt: 'R-1', result: 'APPLIED' }])
    expect(world.view(id)).toMatchObject({ capturedMinor: PRICE, refundedMinor: 0, refunds: [{ status: 'NOT_DUE' }] })
  })

  test('the same where a worker has the refund: people are called, and another receipt of it is other money', () => {
    const { world, attemptId } = version1()
    world.callback({ transactionId: 'co-1', attemptId, receipt: 'R-1', resultCode: '0' })
    world.callback({ transactionId: 'co-2', attemptId, receipt: 'r-1', resultCode: '0' })
    world.advance()
    expect(kinds(world)).toEqual(['RECEIPT_TAKEN'])
    expect(world.callback({ transactionId: 'co-2', attemptId, receipt: 'R-1' })).toMatchObject({ duplicate: true })
    expect(world.callback({ transactionId: 'co-2', attemptId, receipt: 'R-7' })).toMatchObject({ result: 'ORPHANED' })
    expect(money(world)).toMatchObject({ receivedMinor: 3 * PRICE, balanced: true })
  })

  test('open tasks are made anew, with all that version 2 promises to its workers', () => {
    const { world, id, attemptId } = version1()
    world.callback({ transactionId: 'co-1', attemptId, receipt: 'R-1', resultCode: '0' })
    const other = world.booked('payment_pending', { startsAt: world.now + 9 * DAY_MS })
    world.startPushes()
    world.pass(5 * MINUTE_MS)
    world.callback({ transactionId: 'co-2', attemptId, receipt: ' r-2', resultCode: '0' })
    const before = world.tasks().filter(({ kind }) => kind !== 'payment.stk_push')
    expect(before.map(({ kind }) => kind).sort()).toEqual(['payment.query', 'payment.refund'])
    world.acknowledge(WORKER)
    world.advance()
    const tasks = world.tasks()
    expect(tasks.map(({ payload }) => payload)).toEqual([
      {
        bookingId: other,
        attemptId: world.attempt(other),
        checkoutRequestId: `co-${world.attempt(other)}`,
        amountMinor: PRICE,
        currency: 'KES',
      },
      {
        refundId: 'ref-1',
        bookingId: id,
        transactionId: 'co-2',
        receipt: 'R-2',
        amountMinor: PRICE,
        currency: 'KES',
        payer: PHONE,
        payerMasked: '*********678',
        idempotencyKey: before.find(({ kind }) => kind === 'payment.refund')?.payload['idempotencyKey'],
      },
    ])
    for (const { taskId, kind, attempt } of before) {
      const result = kind === 'payment.refund' ? { providerRef: 'B2C-1' } : { final: null }
      expect(world.refused(WORKER, 'complete', { taskId, attempt, result }, 'task'), kind).toMatchObject({
        code: 'STALE_TASK',
      })
    }
    const renewed = tasks.find(({ kind }) => kind === 'payment.refund')
    if (renewed !== undefined) world.complete(renewed, { providerRef: 'B2C-1' })
    expect(world.totals().money).toMatchObject({ refundedMinor: PRICE, owedMinor: 0, balanced: true })
  })

  test('a refund of version 1 is found by its money and its number: it learns its receipt, and settles once', () => {
    const { world, id, attemptId } = version1()
    world.callback({ transactionId: 'co-1', attemptId, receipt: 'R-1', resultCode: '0' })
    world.callback({ transactionId: 'co-2', attemptId, resultCode: '0', amountMinor: 6_000_000 })
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    const [task] = world.tasks('payment.refund')
    if (task !== undefined) world.complete(task, { providerRef: 'b2c-1' })
    world.advance()
    world.callback({ transactionId: 'co-2', attemptId, amountMinor: 6_000_000, receipt: 'R-2' })
    expect(world.answer(ADMIN, 'refunds', {})).toMatchObject({
      refunds: [
        { id: 'ref-1', receipt: 'R-2', status: 'AWAITING_APPROVAL' },
        { id: 'ref-2', receipt: 'R-1', status: 'SETTLED' },
      ],
    })
    world.acknowledge(WORKER)
    world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1' })
    const [second] = world.tasks('payment.refund')
    if (second === undefined) throw new Error('no worker was given the refund')
    expect(world.complete(second, { providerRef: 'B2C-1' })).toEqual({ status: 'FAILED_MANUAL' })
  })

  test('a failure of version 1 keeps its code: money may follow it, and the very same failure is no contradiction', () => {
    const { world, attemptId } = version1()
    const failure = { transactionId: 'co-1', attemptId, outcome: 'failure', resultCode: 1032 }
    const failed = world.callback(failure)
    world.advance()
    expect(world.callback({ transactionId: 'co-1', attemptId, receipt: 'R-1' })).toMatchObject({
      result: 'APPLIED_LATE',
    })
    expect(world.callback(failure)).toEqual({ ...failed, duplicate: true })
    expect(world.refused(WORKER, 'paymentCallback', callbackOf({ ...failure, resultCode: 1037 }))).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    })
  })

  test('money in suspense waits since it came, not since the migration', () => {
    const { world } = version1()
    const at = world.now
    world.callback({ ...EARLY, receipt: 'R-9' })
    world.pass(MINUTE_MS)
    world.advance()
    expect(world.answer(ADMIN, 'suspense', {})).toMatchObject({ money: [{ transactionId: 'co-9', at }] })
  })

  test('money that an administrator vouched for has no payer; money of a push has', () => {
    for (const byHand of [true, false]) {
      const { world, id, attemptId } = version1()
      if (byHand) verify(world, id, 'R-1')
      else world.callback({ transactionId: 'co-1', attemptId, receipt: 'R-1', resultCode: '0' })
      world.advance()
      world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
      expect(world.tasks('payment.refund')).toMatchObject([{ payload: { payer: byHand ? null : PHONE } }])
    }
  })

  test('its rows are those of version 2: what nobody told is null, and every count is that of its rows', () => {
    const { world, id, attemptId } = version1()
    world.callback({ ...EARLY, receipt: 'R-9' })
    world.callback({ transactionId: 'co-1', attemptId, outcome: 'failure', resultCode: 1 })
    verify(world, id, 'R-1')
    world.callback({ transactionId: 'co-2', attemptId, receipt: 'R-2', resultCode: '0' })
    world.advance()
    const rows = rowsOf(world)
    expect(rows.waiting).toEqual([[['co-9', 'co-9'], null]])
    expect(rows.callbacks['co-1']).toMatchObject({ outcome: 'failure', amountMinor: null, resultCode: '1' })
    // Three monies came: one in suspense, one that paid, one that goes back.
    expect([rows.received, rows.suspended]).toEqual([3, 1])
  })
})

const witness = defineMachine(
  'witness',
  { version: 1, state: {} },
  {
    commands: {},
    queries: {
      rows: query({ input: z.null(), output: z.unknown() }, (_view, _input, context) => {
        const tables = context.read(tablesOf('payments', paymentsSchema))
        const totals = tables.ledger.get(LEDGER_KEY)?.totals
        return {
          waiting: tables.waiting.range({ limit: 100 }),
          callbacks: Object.fromEntries(tables.callbacks.range({ limit: 100 })),
          received: totalAt(totals, totalPosition('money', 'received')),
          suspended: totalAt(totals, totalPosition('money', 'suspense')),
        }
      }),
    },
  },
)

interface Rows {
  readonly waiting: readonly Value[]
  readonly callbacks: { readonly [transactionId: string]: object }
  readonly received: number
  readonly suspended: number
}

/** The rows of a world, as a replica with a machine that reads them has them after the same entries. */
function rowsOf(world: World): Rows {
  const log = new Log(mount([paymentsV1, payments, witness], codec).userMachine, null)
  for (const entry of world.log.entries) {
    log.entries.push(entry)
    log.machine.apply(entry, entry.payload.byteLength)
    log.now = entry.now
  }
  const session = log.open('reader', { principal: ADMIN })
  const { schema } = identityOf(witness)
  log.append('AdvanceVersion', { machines: [{ machine: 'witness', to: 1, schema }] })
  const outcome = log.machine.query({ machine: 'witness', query: 'rows', input: null, session })
  if (outcome.kind !== 'value') throw new Error(outcome.code)
  return outcome.value as unknown as Rows
}
