import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { DAY_MS, HOUR_MS } from '../../../src/base/time.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { defineMachine, identityOf, query, type TableViews, tablesOf } from '../../../src/machine/index.ts'
import { mount } from '../../../src/machine/run/mount.ts'
import { LEDGER_KEY } from '../../../src/machines/payments/change/journal.ts'
import { paymentsSchema } from '../../../src/machines/payments/facts/payments-schema.ts'
import type { CallbackRecord, Refund } from '../../../src/machines/payments/facts/rows.ts'
import { describeTotals } from '../../../src/machines/payments/facts/totals.ts'
import { payments } from '../../../src/machines/payments/machine.ts'
import { WALL_START_MS } from '../../../src/sim/world/simulated-clock.ts'
import { checkMachine } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import type { Reply } from '../../../src/session/state-machine.ts'
import { codec, Log } from '../../session/log.ts'
import { type Money, MoneyModel, type Place } from './money-model.ts'

type Tables = TableViews<typeof paymentsSchema>

const ALL = { limit: 10_000 } as const
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
const values = <Row>(rows: readonly (readonly [unknown, Row])[]): Row[] => rows.map(([, row]) => row)

/** Records whose money arrived: every success but one that told of other money. */
const money = (tables: Tables): (readonly [string, CallbackRecord])[] =>
  tables.callbacks.range(ALL).filter(([, { outcome, result }]) => outcome === 'success' && result !== 'SAME_RECEIPT')

const amountOf = ({ amountMinor }: { readonly amountMinor: number | null }): number => amountMinor ?? 0
const refundsOf = (tables: Tables): Refund[] => values(tables.refunds.range(ALL))
const inStatus = (refunds: readonly Refund[], statuses: readonly string[]): number =>
  sum(refunds.filter(({ status }) => statuses.includes(status)).map(amountOf))

/** Added up from the rows, and nothing else: the totals are counted apart from them. */
function addedUp(tables: Tables) {
  const refunds = refundsOf(tables)
  const captured = sum(values(tables.bookings.range(ALL)).map(({ capturedMinor }) => capturedMinor))
  const nobodys = sum(refunds.filter(({ bookingId }) => bookingId === null).map(amountOf))
  return {
    receivedMinor: sum(money(tables).map(([, record]) => amountOf(record))),
    keptMinor: captured + nobodys - sum(refunds.map(amountOf)),
    owedMinor: inStatus(refunds, ['AWAITING_APPROVAL', 'QUEUED', 'SENT', 'FAILED_MANUAL']),
    refundedMinor: inStatus(refunds, ['SETTLED']),
    suspenseMinor: sum(values(tables.suspense.range(ALL)).map(amountOf)),
    balanced: true,
  }
}

const equal = (left: readonly unknown[], right: readonly unknown[]): boolean =>
  left.length === right.length && left.every((value, position) => value === right[position])

const invariants: { readonly [name: string]: (tables: Tables) => boolean } = {
  'received = kept + owed + refunded + in suspense': (tables) => {
    const { receivedMinor, keptMinor, owedMinor, refundedMinor, suspenseMinor } = addedUp(tables)
    return receivedMinor === keptMinor + owedMinor + refundedMinor + suspenseMinor
  },
  'totals say what the rows add up to': (tables) =>
    equal(Object.values(describeTotals(tables.ledger.get(LEDGER_KEY)?.totals).money), Object.values(addedUp(tables))),
  'each money is in one place: it paid for a booking, or is an orphan with a refund of all of it, or in suspense': (
    tables,
  ) => {
    const applied = values(tables.bookings.range(ALL)).map((booking) => booking.applied)
    const orphans = tables.captures.range(ALL).map(([[, transactionId]]) => transactionId)
    const refunds = refundsOf(tables)
    return money(tables).every(([key, record]) => {
      const back = refunds.filter(({ transactionId }) => transactionId === key)
      const whole = back.filter(({ reason }) => reason === 'ORPHAN' || reason === 'SUSPENSE')
      const paid = applied.filter((transactionId) => transactionId === key).length
      const orphaned = orphans.filter((transactionId) => transactionId === key).length
      return (
        paid + whole.length + (tables.suspense.has(key) ? 1 : 0) === 1 &&
        whole.every((refund) => refund.amountMinor === amountOf(record)) &&
        orphaned === whole.filter(({ bookingId }) => bookingId !== null).length &&
        sum(back.map(amountOf)) <= amountOf(record)
      )
    })
  },
  'a receipt is that of one money, in one form': (tables) => {
    const receipts = money(tables).flatMap(([, { receipt }]) => receipt ?? [])
    return (
      new Set(receipts).size === receipts.length &&
      receipts.every((receipt) => receipt === receipt.trim().toUpperCase()) &&
      tables.receipts.range(ALL).every(([receipt, key]) => tables.callbacks.get(key)?.receipt === receipt)
    )
  },
  'what is looked at for its missing receipt has none': (tables) =>
    tables.reviews
      .range(ALL)
      .every(([[kind, key]]) => kind !== 'RECEIPT_MISSING' || tables.callbacks.get(key)?.receipt === null),
}

const PRICE = 500_000
const combine = (...parts: readonly (readonly object[])[]): Value[] =>
  parts.reduce<object[]>(
    (all, part) => all.flatMap((one) => part.map((more) => ({ ...one, ...more }))),
    [{}],
  ) as Value[]

const IDS = [{ id: 'bkg-1' }, { id: 'bkg-1' }, { id: 'bkg-2' }]
const CHECKOUTS = ['co-1', 'co-1', 'co-2', 'co-3']
const MONEY = [
  { outcome: 'success', amountMinor: PRICE, receipt: 'R-1', resultCode: 0 },
  { outcome: 'success', amountMinor: PRICE, receipt: ' r-1', resultCode: '0' },
  { outcome: 'success', amountMinor: PRICE, resultCode: 0 },
  { outcome: 'success', amountMinor: PRICE, receipt: 'R-2', resultCode: 0 },
  { outcome: 'success', amountMinor: 700, receipt: 'R-3', resultCode: 0 },
  { outcome: 'success', amountMinor: 700, receipt: '', resultCode: 0 },
  { outcome: 'success', amountMinor: 6_000_000, receipt: 'R-5', resultCode: 0 },
  { outcome: 'failure', resultCode: 1032 },
  { outcome: 'failure', resultCode: 1037 },
].map((told) => ({ ...told, resultDesc: '' }))

/** What a list is drawn from: few bookings, pushes and receipts, so that they meet. */
const inputs: { readonly [command: string]: readonly Value[] } = {
  requestBooking: [1, 3, 40].map((days) => ({
    therapistId: 'user:2',
    startsAt: WALL_START_MS + days * DAY_MS + HOUR_MS,
    durationMin: 60,
    priceMinor: PRICE,
    currency: 'KES',
    forms: [],
  })),
  approve: combine(IDS, [{ expectPriceMinor: PRICE }]),
  decline: combine(IDS),
  initiatePayment: combine(IDS, [{ phone: '254712345678' }]),
  paymentStarted: combine(
    ['att-1', 'att-2'].map((attemptId) => ({ attemptId })),
    CHECKOUTS.map((checkoutRequestId) => ({ checkoutRequestId, merchantRequestId: 'm' })),
  ),
  paymentCallback: [
    ...combine(
      CHECKOUTS.map((id) => ({ transactionId: id, checkoutRequestId: id })),
      MONEY,
    ),
    ...combine(
      ['att-1', 'att-2'].map((attemptId) => ({ attemptId, transactionId: `tx-${attemptId}` })),
      MONEY,
    ),
  ],
  verifyPaymentManually: combine(
    IDS,
    ['R-1', 'r-2', 'R-4', 'co-1'].map((transactionId) => ({ transactionId, amountMinor: PRICE, note: '' })),
  ),
  matchSuspense: combine(
    CHECKOUTS.map((transactionId) => ({ transactionId, note: '' })),
    [{ bookingId: 'bkg-1' }, { bookingId: 'bkg-2' }],
  ),
  refundSuspense: CHECKOUTS.map((transactionId) => ({ transactionId, note: '' })),
  closeReview: CHECKOUTS.map((transactionId) => ({ kind: 'RECEIPT_MISSING', transactionId, note: '' })),
  routeAfterPayment: combine(IDS),
  completeForm: combine(IDS, [{ formId: 'a', contentHash: 'a'.repeat(64) }]),
  recordVerbalConsent: combine(IDS, [{ note: '' }]),
  cancel: combine(IDS, [{ reason: 'other' }]),
  joinVideo: combine(IDS),
  leaveVideo: combine(IDS),
  reportVideoFailure: combine(IDS, [{ detail: 'x' }]),
  retryVideo: combine(IDS),
  endSession: combine(IDS),
  markNoShow: combine(IDS, [{ who: 'client' }, { who: 'therapist' }]),
  transition: combine(IDS, [
    {
      reason: 'by hand',
      steps: [
        { entity: 'payment', to: 'refunded' },
        { entity: 'session', to: 'cancelled' },
      ],
    },
  ]),
  approveRefund: [
    { refundId: 'ref-1', note: '', receipt: 'R-1' },
    { refundId: 'ref-2', note: '', receipt: 'r-2' },
    { refundId: 'ref-1', note: '' },
    { refundId: 'ref-2', note: '' },
  ],
  rejectRefund: [
    { refundId: 'ref-1', note: '' },
    { refundId: 'ref-2', note: '' },
  ],
  retryRefund: [{ refundId: 'ref-1', note: '' }],
  settleRefundManually: [{ refundId: 'ref-1', reference: 'B-1', note: '' }],
}

test('PP11 PP12 no money is lost and none is made, on every replica and after every entry', async () => {
  await checkMachine(payments, {
    runs: sample(12),
    stepsMax: 40,
    principals: { 'user:1': ['payments'], 'admin:1': ['payments'] },
    invariants,
    inputs,
  })
})

/** In suspense, going back without anybody having been asked to send it, or anywhere else. */
function placeOf(tables: Tables, key: string): Place {
  if (tables.suspense.has(key)) return 'suspense'
  const unsent = refundsOf(tables).some(({ transactionId, reason, status, tries }) => {
    const orphan = transactionId === key && (reason === 'ORPHAN' || reason === 'SUSPENSE')
    return orphan && (status === 'AWAITING_APPROVAL' || (status === 'FAILED_MANUAL' && tries === 0))
  })
  return unsent ? 'unsent' : 'elsewhere'
}

const counted = z.object({
  key: z.string(),
  receipt: z.string().nullable(),
  amountMinor: z.int(),
  place: z.enum(['suspense', 'unsent', 'elsewhere']),
})

/** Reads the rows of payments, and names what does not hold. */
const witness = defineMachine(
  'witness',
  { version: 1, state: {} },
  {
    commands: {},
    queries: {
      broken: query({ input: z.null(), output: z.array(z.string()) }, (_view, _input, context) => {
        const tables = context.read(tablesOf('payments', paymentsSchema))
        return Object.entries(invariants).flatMap(([name, holds]) => (holds(tables) ? [] : [name]))
      }),
      /** All money that the machine counts, by the transaction that it keeps it under. */
      money: query({ input: z.null(), output: z.array(counted) }, (_view, _input, context) => {
        const tables = context.read(tablesOf('payments', paymentsSchema))
        return money(tables).map(([key, record]) => {
          const { receipt } = record
          return { key, receipt, amountMinor: amountOf(record), place: placeOf(tables, key) }
        })
      }),
      refundOf: query({ input: z.string(), output: z.string().nullable() }, (_view, refundId, context) => {
        return context.read(tablesOf('payments', paymentsSchema)).refunds.get(refundId)?.transactionId ?? null
      }),
    },
  },
)

type Step = { readonly command: string; readonly input: Value; readonly admin: boolean } | Exclude<Told, 'command'>
type Told = 'command' | 'settle' | 'fail' | 'hour'

const anyCommand = fc
  .constantFrom(...Object.keys(inputs), 'paymentCallback', 'paymentCallback', 'paymentStarted')
  .chain((command) =>
    fc.record({
      command: fc.constant(command),
      input: fc.constantFrom(...(inputs[command] ?? [])),
      admin: fc.boolean(),
    }),
  )
/** Few receipts of one amount, told late, by hand, twice or not at all, of pushes that are and are not known. */
const late: readonly (readonly [string, Value])[] = [
  ...['co-1', 'co-2', 'co-1', 'tx-att-1'].flatMap((id) =>
    [undefined, undefined, 'R-1', 'R-1', 'R-2'].map((receipt) => {
      const push = id.startsWith('co') ? { checkoutRequestId: id } : { attemptId: 'att-1' }
      const told = { transactionId: id, ...push, outcome: 'success', amountMinor: PRICE, resultCode: 0, resultDesc: '' }
      return ['paymentCallback', receipt === undefined ? told : { ...told, receipt }] as const
    }),
  ),
  ...[
    'verifyPaymentManually',
    'matchSuspense',
    'refundSuspense',
    'paymentStarted',
    'approveRefund',
    'rejectRefund',
  ].flatMap((command) => (inputs[command] ?? []).map((input) => [command, input] as const)),
]
const anyLate = fc
  .constantFrom(...late)
  .chain(([command, input]) =>
    fc.record({ command: fc.constant(command), input: fc.constant(input), admin: fc.constant(true) }),
  )
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: anyCommand },
  { weight: 5, arbitrary: anyLate },
  { weight: 1, arbitrary: fc.constantFrom('settle' as const, 'fail' as const, 'hour' as const) },
)

const moneyText = ({ receipt, amountMinor }: Money): string => `${receipt} ${amountMinor}`

/** 10,000 lists in the long suite. */
const LISTS = sample(1) === 1 ? 100 : 10_000

test('PP11 PP12 whatever is told, in whatever order: received = kept + owed + refunded + in suspense, at every index', () => {
  const mounted = mount([payments, witness], codec)
  const machines = [payments, witness].map(identityOf).map(({ name, version, schema }) => {
    return { machine: name, to: version, schema }
  })
  let paid = 0
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 10, maxLength: 60 }), (steps) => {
      const log = new Log(mounted.userMachine)
      log.append('AdvanceVersion', { machines })
      const [user, admin] = ['user:1', 'admin:1'].map((principal) =>
        log.open(principal, { principal, roles: ['payments'] }),
      )
      if (user === undefined || admin === undefined) throw new Error('two sessions were opened')
      const next = { [user]: 0, [admin]: 0 }
      const model = new MoneyModel()
      const ask = <Answer>(name: string, input: Value): Answer => {
        const answer = log.machine.query({ machine: 'witness', query: name, input, session: admin })
        if (answer.kind !== 'value') throw new Error(`${name}: ${answer.code}`)
        return answer.value as Answer
      }
      const send = (session: number, machine: string, command: string, input: Value): Reply => {
        const parsed = mounted.parse(machine, command, codec.encodeValue(input))
        if (!parsed.ok) throw new Error(`${command} takes no ${JSON.stringify(input)}`)
        const requestId = (next[session] ?? 0) + 1
        next[session] = requestId
        const options = { machine, input: codec.decodeValue(parsed.input), version: parsed.version }
        return log.request(session, requestId, command, { ...options, lowestPendingRequestId: requestId })
      }
      /** Sends it, and tells the model of what was taken. */
      const tell = (session: number, command: string, input: Value): void => {
        const before = ask<z.output<typeof counted>[]>('money', null)
        const was = (key: string): Place => before.find((row) => row.key === key)?.place ?? 'elsewhere'
        const reply = send(session, 'payments', command, input)
        if (reply.kind !== 'outcome' || reply.outcome.kind !== 'value') return
        const told = input as { [name: string]: string } & { amountMinor: number }
        if (command === 'paymentCallback' && told['outcome'] === 'success')
          model.success({ ...told, transactionId: told['transactionId'] ?? '' }, was)
        if (command === 'verifyPaymentManually') model.verified({ ...told, transactionId: told['transactionId'] ?? '' })
        const key = told['receipt'] === undefined ? null : ask<string | null>('refundOf', told['refundId'] ?? '')
        if (command === 'approveRefund' && key !== null) model.named(key, told['receipt'] ?? '', was)
      }
      /** Setting up is half of a list otherwise. */
      const ready: readonly (readonly [number, string])[] = [
        [user, 'requestBooking'],
        [admin, 'approve'],
        [user, 'initiatePayment'],
      ]
      for (const [session, command] of ready) send(session, 'payments', command, inputs[command]?.[0] ?? null)
      for (const step of steps) {
        if (step === 'hour') {
          log.advance(HOUR_MS)
          log.empty('Tick')
        } else if (typeof step === 'string') {
          const task = [user, admin]
            .flatMap((session) =>
              log.machine.outbox(session, 0, 1000).map(({ type, payload }) => ({ session, type, payload })),
            )
            .filter(({ type }) => type === 'task')
            .map(({ session, payload }) => ({
              session,
              ...(payload as { taskId: string; attempt: number; kind: string }),
            }))
            .filter(({ kind }) => kind === 'payment.refund')
            .at(-1)
          if (task === undefined) continue
          const { session, taskId, attempt } = task
          const end = step === 'settle' ? { result: { providerRef: `B2C-${taskId}` } } : { reason: 'DOWN' }
          send(session, 'task', step === 'settle' ? 'complete' : 'fail', { taskId, attempt, ...end })
        } else tell(step.admin ? admin : user, step.command, step.input)
        expect(ask('broken', null)).toEqual([])
        const kept = ask<Money[]>('money', null)
        expect(kept.map(moneyText).sort(), JSON.stringify(step)).toEqual(model.money.map(moneyText).sort())
      }
      const totals = log.machine.query({ machine: 'payments', query: 'totals', input: {}, session: admin })
      if (totals.kind === 'value')
        paid += (totals.value as { money: { keptMinor: number } }).money.keptMinor > 0 ? 1 : 0
      expect(log.reports.filter(({ kind }) => kind === 'failure')).toEqual([])
    }),
    { numRuns: LISTS },
  )
  // The lists get as far as the money does.
  expect(paid).toBeGreaterThan(LISTS / 20)
})
