import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../src/base/time.ts'
import { COUNTER_MAX, crossSync, forbiddenCode, sessionTransition } from '../../../src/machines/index.ts'
import { BareCounter } from '../../../src/machines/counter-bare.ts'
import { codec, numbers, secret } from '../../session/log.ts'
import { read, sourcesBelow } from '../../tidy/tree.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER, World } from './world.ts'

/** The decisions of the design's register about payments and the session layer: each has a test with its number. */

const ask = (id: string, ...steps: readonly (readonly [entity: string, to: string, expectFrom?: string])[]) => ({
  id,
  steps: steps.map(([entity, to, expectFrom]) => ({ entity, to, ...(expectFrom === undefined ? {} : { expectFrom }) })),
  reason: 'a trial',
})

/** What `transition` says of these steps. */
const verdict = (world: World, ...args: Parameters<typeof ask>): string => {
  const outcome = world.send(ADMIN, 'transition', ask(...args))
  return outcome.kind === 'reject' ? outcome.code : 'taken'
}

const tripleOf = (text: string): [string, string, string] => {
  const [payment = '', session = '', video = ''] = text.split('/')
  return [payment, session, video]
}

describe('the register of decisions', () => {
  test('C30 payment and session move together: one by one, in either order, each first step breaks the matrix', () => {
    const world = new World()
    const id = world.booked('approved')
    expect(verdict(world, id, ['payment', 'initiated'])).toBe('PAYMENT_SESSION_SYNC')
    expect(verdict(world, id, ['session', 'payment_pending'])).toBe('PAYMENT_SESSION_SYNC')
    const seen = world.audit(id).length
    const entries = world.log.entries.length
    world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    expect(world.log.entries.length - entries).toBe(1)
    expect(world.audit(id).slice(seen)).toMatchObject([
      { entity: 'payment', to: 'initiated', group: seen + 1 },
      { entity: 'session', to: 'payment_pending', group: seen + 1 },
    ])
  })

  test.each([
    ['A1', 'no_show_client', 'confirmed/no_show_client/ended'],
    ['A2', 'ready_failed', 'confirmed/ready/failed'],
    ['A2', 'in_progress_failed', 'confirmed/in_progress/failed'],
  ])('C31 %s in %s: %s is refused by the literal matrices, and is where bookings are', (_, state, triple) => {
    const world = new World()
    expect(world.triple(world.booked(state))).toBe(triple)
    expect(crossSync(...tripleOf(triple), 'literal').valid).toBe(false)
    expect(crossSync(...tripleOf(triple), 'amended').valid).toBe(true)
  })

  test.each([
    'requested',
    'approved',
    'payment_pending',
    'paid',
    'forms_required',
    'no_show_client',
    'no_show_therapist',
  ])('C31 A3 %s has a row of its own: an active call is legal in it literally, and refused here', (session) => {
    const payment = {
      requested: 'pending',
      approved: 'pending',
      payment_pending: 'initiated',
      no_show_therapist: 'refunded',
    }[session]
    const triple = [payment ?? 'confirmed', session, 'active'] as const
    // F6: literally no payment lists no_show_client, so that is refused for another reason.
    expect(crossSync(...triple, 'literal').valid).toBe(session !== 'no_show_client')
    expect(crossSync(...triple, 'amended')).toMatchObject({ valid: false, code: 'SESSION_VIDEO_SYNC' })
  })

  test('C31 A4 a call that failed ends, though no single step leads there', () => {
    for (const state of ['in_progress_failed', 'ready_failed']) {
      const world = new World()
      const id = world.booked(state)
      expect(verdict(world, id, ['video', 'ended'])).toBe('INVALID_STATE_TRANSITION')
      world.ok(THERAPIST, 'cancel', { id, reason: 'technical_issues' })
      expect(world.triple(id)).toBe('refunded/cancelled/ended')
    }
  })

  test('C32 what the forbidden table names is in no transition table: the table comes first, for its better code', () => {
    expect(sessionTransition('requested', 'ready')).toMatchObject({ error: 'INVALID_STATE_TRANSITION' })
    expect(forbiddenCode('session', 'requested', 'ready')).toBe('PAYMENT_REQUIRED')
    const world = new World()
    const id = world.booked('requested')
    expect(verdict(world, id, ['session', 'ready'])).toBe('PAYMENT_REQUIRED')
    // It is judged step by step: a forbidden second step has its code, not that of the matrices.
    expect(verdict(world, id, ['session', 'approved'], ['session', 'ready'])).toBe('PAYMENT_REQUIRED')
  })

  test('C33 paid→in_progress is FORMS_REQUIRED even without forms: the way is always by ready', () => {
    const world = new World()
    const id = world.booked('paid', { forms: [] })
    expect(verdict(world, id, ['session', 'in_progress'])).toBe('FORMS_REQUIRED')
    expect(verdict(world, id, ['session', 'ready'])).toBe('taken')
  })

  test('C34 a failure never confirms, and a duplicate has the body of the first answer but for `duplicate`', () => {
    for (const told of [{ outcome: 'failure', resultCode: 1 }, {}]) {
      const world = new World()
      const id = world.booked('payment_pending')
      const first = world.callback({ attemptId: world.attempt(id), ...told })
      expect(first).toMatchObject({ payment: 'outcome' in told ? 'failed' : 'confirmed' })
      const { duplicate, ...again } = world.callback({ attemptId: world.attempt(id), ...told })
      expect({ duplicate, again }).toEqual({ duplicate: true, again: first })
    }
  })

  test('C35 a refund of nothing is a decision too: payment refunded, a refund NOT_DUE, no task', () => {
    const world = new World()
    const id = world.booked('ready')
    world.passToStart(id, -MINUTE_MS)
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    expect(world.view(id)).toMatchObject({
      payment: 'refunded',
      refunds: [{ pct: 0, amountMinor: 0, status: 'NOT_DUE' }],
    })
    expect(world.tasks('payment.refund')).toEqual([])
  })

  test('C37 late money: through initiated after a time-out, an orphan after a cancellation', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    world.pass(30 * MINUTE_MS)
    const seen = world.audit(id).length
    expect(world.callback({ attemptId: world.attempt(id) })).toMatchObject({ result: 'APPLIED_LATE', session: 'paid' })
    const path = world
      .audit(id)
      .slice(seen)
      .filter(({ entity }) => entity === 'payment')
    expect(path.map(({ from, to }) => `${from}→${to}`)).toEqual(['failed→initiated', 'initiated→confirmed'])

    const over = world.booked('payment_pending', { startsAt: world.now + 9 * DAY_MS })
    world.ok(CLIENT, 'cancel', { id: over, reason: 'other' })
    const late = world.callback({ transactionId: 'tx-over', attemptId: world.attempt(over) })
    expect(late).toMatchObject({ result: 'ORPHANED', payment: 'cancelled', session: 'cancelled' })
    expect(world.view(over).refunds).toMatchObject([{ reason: 'ORPHAN', amountMinor: PRICE }])
  })

  test('C38 the state is read from the machine: what the caller takes it for is compared, never believed', () => {
    const world = new World()
    const id = world.booked('requested')
    expect(verdict(world, id, ['session', 'in_progress', 'ready'])).toBe('STALE_STATE')
    expect(verdict(world, id, ['payment', 'refunded', 'confirmed'])).toBe('STALE_STATE')
    expect(verdict(world, id, ['session', 'in_progress', 'requested'])).toBe('PAYMENT_REQUIRED')
    // Of the second step it is the state that the first one made.
    expect(verdict(world, id, ['session', 'approved', 'requested'], ['session', 'cancelled', 'requested'])).toBe(
      'STALE_STATE',
    )
    expect(world.triple(id)).toBe('pending/requested/not_started')
  })

  test('C39 nothing turns the rules off or down to a warning: no input, no environment', () => {
    const world = new World()
    const id = world.booked('requested')
    for (const more of [{ force: true }, { mode: 'off' }, { enforcement: 'warn' }]) {
      const input = { ...ask(id, ['session', 'ready']), ...more }
      expect(world.refused(ADMIN, 'transition', input)).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
    for (const [path, source] of sourcesBelow('src/machines/payments')) {
      expect(source, path).not.toMatch(/process\.env|globalThis|enforcement/i)
    }
  })

  test('C70 a machine is three functions, and the codec is handed to it', () => {
    const methods = Object.getOwnPropertyNames(BareCounter.prototype).filter((name) => /^(apply|on[A-Z])/.test(name))
    expect(methods).toEqual(['apply', 'onSessionCreated', 'onSessionExpired'])
    expect(BareCounter).toHaveLength(1)
    expect(new BareCounter(codec)).not.toHaveProperty('encode')
    expect(COUNTER_MAX).toBe(1000)
    const contract = read('src/session/user-machine.ts')
    const required = contract.slice(contract.indexOf('export interface UserStateMachine'))
    expect(
      required
        .split('\n}')[0]
        ?.match(/^ {2}\w+\(/gm)
        ?.map((line) => line.trim()),
    ).toEqual(['apply(', 'onSessionCreated(', 'onSessionExpired('])
  })

  test('C72 a refund outlives the session of its worker: the task is a row, the request only carried it', () => {
    const world = new World()
    const id = world.booked('paid')
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    const [lost] = world.tasks('payment.refund')
    expect(lost).toMatchObject({ attempt: 1, payload: { bookingId: id } })
    const session = world.sessionOf(WORKER)
    world.open('worker:other', ['payments'])
    const closed = world.log.append('CloseSession', {
      ...numbers(session),
      epoch: 0,
      secretHash: secret(`${WORKER}#${session - 1}`),
    })
    expect(closed.reply).toMatchObject({ kind: 'closed' })
    // The attempt is over at once; the next one comes when the backoff of the kind is.
    world.pass(5000)
    const [again] = world.log.machine.outbox(world.sessionOf('worker:other'), 0, 10)
    expect(again?.payload).toMatchObject({ taskId: lost?.taskId, kind: 'payment.refund', attempt: 2 })
    expect(world.view(id).refunds).toMatchObject([{ status: 'QUEUED' }])
  })
})
