import { describe, expect, test } from 'vitest'
import type { Compound } from '../../../../src/machines/payments/rules/compounds.ts'
import { planCompound, planMoves } from '../../../../src/machines/payments/rules/compounds.ts'
import { forbiddenCode, forbiddenPairs } from '../../../../src/machines/payments/rules/forbidden.ts'
import type { Entity, Triple } from '../../../../src/machines/payments/facts/states.ts'
import {
  bookingSessionTransition,
  entityTransition,
  INITIAL_TRIPLE,
  isTerminalSession,
  PAYMENT_STATES,
  PAYMENT_TRANSITIONS,
  paymentTransition,
  SESSION_STATES,
  SESSION_TRANSITIONS,
  sessionTransition,
  VIDEO_STATES,
  VIDEO_TRANSITIONS,
  videoTransition,
} from '../../../../src/machines/payments/facts/states.ts'
import type { SyncMode } from '../../../../src/machines/payments/rules/sync.ts'
import { crossSync, isLegal, joinAllowed, legalTriples } from '../../../../src/machines/payments/rules/sync.ts'

const key = (triple: Triple): string => `${triple.payment}/${triple.session}/${triple.video}`
const legal = (triple: Triple, mode: SyncMode): boolean =>
  crossSync(triple.payment, triple.session, triple.video, mode).valid

/** One step of each machine from here, staying included. */
function choices(triple: Triple): { payments: string[]; sessions: string[]; videos: string[] } {
  return {
    payments: [triple.payment, ...PAYMENT_TRANSITIONS[triple.payment]],
    sessions: [triple.session, ...SESSION_TRANSITIONS[triple.session]],
    videos: [triple.video, ...VIDEO_TRANSITIONS[triple.video]],
  }
}

function together(triple: Triple): Triple[] {
  const { payments, sessions, videos } = choices(triple)
  return payments.flatMap((payment) =>
    sessions.flatMap((session) => videos.map((video) => ({ payment, session, video }) as Triple)),
  )
}

function alone(triple: Triple): Triple[] {
  const moved = (next: Triple): number =>
    (['payment', 'session', 'video'] as const).filter((entity) => next[entity] !== triple[entity]).length
  return together(triple).filter((next) => moved(next) === 1)
}

/** Everything reachable from the initial triple by `next`, through triples that `accept` holds for. */
function reach(next: (triple: Triple) => Triple[], accept: (triple: Triple) => boolean): Map<string, Triple> {
  const seen = new Map([[key(INITIAL_TRIPLE), INITIAL_TRIPLE]])
  for (const triple of seen.values()) {
    for (const candidate of next(triple)) if (accept(candidate)) seen.set(key(candidate), candidate)
  }
  return seen
}

/** With multi-step compounds each machine may take any path; only the end has to be legal. */
function anywhere(triple: Triple): Triple[] {
  const closure = (table: { readonly [from: string]: readonly string[] }, from: string): string[] => {
    const seen = new Set([from])
    for (const state of seen) for (const to of table[state] ?? []) seen.add(to)
    return [...seen]
  }
  return closure(PAYMENT_TRANSITIONS, triple.payment).flatMap((payment) =>
    closure(SESSION_TRANSITIONS, triple.session).flatMap((session) =>
      closure(VIDEO_TRANSITIONS, triple.video).map((video) => ({ payment, session, video }) as Triple),
    ),
  )
}

/** Which compounds the commands of 3.4 and the timers of 3.8 may start in a session state. */
const COMPOUNDS_OF_SESSION: { readonly [state: string]: readonly Compound[] } = {
  requested: ['approve', 'cancelUnpaid'],
  approved: ['initiate', 'cancelUnpaid'],
  payment_pending: ['retry', 'confirm', 'confirmLate', 'failPayment', 'cancelUnpaid'],
  paid: ['requireForms', 'makeReady', 'cancelPaid'],
  forms_required: ['makeReady', 'cancelPaid'],
  ready: ['joinFirst', 'joinSecond', 'failVideo', 'retryVideo', 'cancelPaid', 'noShowTherapist', 'noShowClient'],
  in_progress: ['joinSecond', 'failVideo', 'retryVideo', 'complete', 'cancelRunning'],
}

function commands(triple: Triple): Triple[] {
  return (COMPOUNDS_OF_SESSION[triple.session] ?? []).flatMap((compound) => {
    const plan = planCompound(compound, triple)
    return 'error' in plan ? [] : [plan.triple]
  })
}

/** The table of domain.md §3.3, as it is written there. */
const REACHABLE_20 = [
  'pending/requested/not_started',
  'pending/approved/not_started',
  'initiated/payment_pending/not_started',
  'failed/payment_pending/not_started',
  'confirmed/paid/not_started',
  'confirmed/forms_required/not_started',
  'confirmed/ready/not_started',
  'confirmed/ready/waiting_for_participants',
  'confirmed/ready/failed',
  'confirmed/in_progress/waiting_for_participants',
  'confirmed/in_progress/active',
  'confirmed/in_progress/failed',
  'confirmed/completed/ended',
  'cancelled/cancelled/not_started',
  'refunded/cancelled/not_started',
  'refunded/cancelled/ended',
  'confirmed/no_show_client/not_started',
  'confirmed/no_show_client/ended',
  'refunded/no_show_therapist/not_started',
  'refunded/no_show_therapist/ended',
]

describe('domain.md §3.1 the literal tables', () => {
  const tables = [
    { entity: 'payment', states: PAYMENT_STATES, judge: paymentTransition, pairs: 36, allowed: 8 },
    { entity: 'session', states: SESSION_STATES, judge: sessionTransition, pairs: 121, allowed: 17 },
    { entity: 'video', states: VIDEO_STATES, judge: videoTransition, pairs: 25, allowed: 7 },
  ] as const

  test.each(tables)('domain.md §3.1 $entity has $pairs pairs, $allowed of them allowed', (table) => {
    const verdicts = table.states.flatMap((from) => table.states.map((to) => table.judge(from, to)))
    expect(verdicts).toHaveLength(table.pairs)
    expect(verdicts.filter((verdict) => !('error' in verdict))).toHaveLength(table.allowed)
  })

  test.each(tables)('domain.md §3.1 a same-state pair of $entity is no transition', ({ states, judge }) => {
    for (const state of states) expect(judge(state, state)).toMatchObject({ error: 'INVALID_STATE_TRANSITION' })
  })

  test('domain.md §3.1 a refusal names entity, from, to and what is allowed; an unknown state is VALIDATION_ERROR', () => {
    expect(paymentTransition('confirmed', 'pending')).toEqual({
      error: 'INVALID_STATE_TRANSITION',
      entity: 'payment',
      from: 'confirmed',
      to: 'pending',
      allowed: ['refunded'],
    })
    expect(sessionTransition('requested', 'approved')).toEqual({ entity: 'session', from: 'requested', to: 'approved' })
    expect(videoTransition('toString', 'ended')).toMatchObject({ error: 'VALIDATION_ERROR', allowed: [] })
    expect(videoTransition('ended', 'nowhere')).toMatchObject({ error: 'VALIDATION_ERROR' })
    expect(bookingSessionTransition).toBe(sessionTransition)
  })

  test('PP6 the terminal states are payment refunded and cancelled, four of the session, video ended', () => {
    expect(PAYMENT_STATES.filter((state) => PAYMENT_TRANSITIONS[state].length === 0)).toEqual(['refunded', 'cancelled'])
    expect(SESSION_STATES.filter(isTerminalSession)).toEqual([
      'completed',
      'cancelled',
      'no_show_client',
      'no_show_therapist',
    ])
    expect(VIDEO_STATES.filter((state) => VIDEO_TRANSITIONS[state].length === 0)).toEqual(['ended'])
  })
})

describe('domain.md §3.2 what the sync rules imply, by exhaustive search', () => {
  const all = PAYMENT_STATES.flatMap((payment) =>
    SESSION_STATES.flatMap((session) => VIDEO_STATES.map((video): Triple => ({ payment, session, video }))),
  )

  test('domain.md §3.2 there are 330 triples; 46 are legal literally and 23 as amended', () => {
    expect(all).toHaveLength(330)
    expect(all.filter((triple) => legal(triple, 'literal'))).toHaveLength(46)
    expect(all.filter((triple) => legal(triple, 'amended'))).toHaveLength(23)
    expect(legalTriples('literal')).toHaveLength(46)
    expect(legalTriples('amended')).toHaveLength(23)
  })

  test('domain.md §3.2 thirteen literal pairs of payment and session are legal', () => {
    const pairs = PAYMENT_STATES.flatMap((payment) =>
      SESSION_STATES.filter((session) => VIDEO_STATES.some((video) => legal({ payment, session, video }, 'literal'))),
    )
    expect(pairs).toHaveLength(13)
  })

  test.each([
    ['literal', 10],
    ['amended', 2],
  ] as const)('domain.md §3.2 one machine at a time reaches %s %i triples and stops at approved', (mode, count) => {
    const reached = reach(alone, (triple) => legal(triple, mode))
    expect(reached.size).toBe(count)
    expect([...new Set([...reached.values()].map((triple) => triple.session))].sort()).toEqual([
      'approved',
      'requested',
    ])
  })

  test.each([
    ['literal', 46],
    ['amended', 21],
  ] as const)('domain.md §3.2 one step of each machine at once reaches %s %i triples', (mode, count) => {
    expect(reach(together, (triple) => legal(triple, mode)).size).toBe(count)
  })

  test.each([
    ['literal', 46],
    ['amended', 23],
  ] as const)('domain.md §3.2 multi-step compounds reach %s %i triples', (mode, count) => {
    expect(reach(anywhere, (triple) => legal(triple, mode)).size).toBe(count)
  })

  test('domain.md §3.2 no_show_client is never reachable literally; as amended every session state is', () => {
    const sessions = (mode: SyncMode): Set<string> =>
      new Set([...reach(anywhere, (triple) => legal(triple, mode)).values()].map((triple) => triple.session))
    expect(SESSION_STATES.filter((state) => !sessions('literal').has(state))).toEqual(['no_show_client'])
    expect(sessions('amended').size).toBe(SESSION_STATES.length)
  })

  test('domain.md §3.3 commands reach exactly the 20 triples of the table, each open one with a way out', () => {
    const reached = reach(commands, () => true)
    expect([...reached.keys()].sort()).toEqual([...REACHABLE_20].sort())
    for (const triple of reached.values()) {
      expect(commands(triple).length > 0, key(triple)).toBe(!isTerminalSession(triple.session))
    }
  })

  test('domain.md §3.3 three more triples are legal and only the admin command reaches them', () => {
    const rest = legalTriples('amended')
      .map(key)
      .filter((name) => !REACHABLE_20.includes(name))
    expect(rest.sort()).toEqual(['cancelled/cancelled/ended', 'failed/cancelled/ended', 'failed/cancelled/not_started'])
  })

  test('domain.md §3.2 F1 F2 F12 these payment steps have no legal form alone, literally', () => {
    const lonely = [
      ['pending', 'initiated'],
      ['initiated', 'confirmed'],
      ['pending', 'cancelled'],
      ['initiated', 'cancelled'],
      ['confirmed', 'refunded'],
    ]
    for (const [from, to] of lonely) {
      const found = all.filter((triple) => triple.payment === from && legal(triple, 'literal'))
      for (const triple of found)
        expect(legal({ ...triple, payment: to } as Triple, 'literal'), key(triple)).toBe(false)
    }
  })

  test('domain.md §3.2 F6 F9 F10 literally: no no_show_client, no failing call, no end of a failed one', () => {
    for (const payment of PAYMENT_STATES) {
      expect(crossSync(payment, 'no_show_client', 'not_started', 'literal').valid).toBe(false)
    }
    for (const session of ['ready', 'in_progress'] as const) {
      expect(crossSync('confirmed', session, 'failed', 'literal')).toMatchObject({ code: 'SESSION_VIDEO_SYNC' })
      expect(crossSync('confirmed', session, 'failed', 'amended').valid).toBe(true)
    }
    expect(crossSync('confirmed', 'paid', 'active', 'literal').valid).toBe(true)
    expect(videoTransition('failed', 'ended')).toMatchObject({ error: 'INVALID_STATE_TRANSITION' })
  })
})

describe('domain.md §3.2 and 3.3 crossSync', () => {
  test('PP1 what each commit asserts is what the amended matrices say, for all 330 triples', () => {
    for (const payment of PAYMENT_STATES) {
      for (const session of SESSION_STATES) {
        for (const video of VIDEO_STATES) {
          const verdict = crossSync(payment, session, video, 'amended')
          expect(isLegal({ payment, session, video })).toBe(verdict.valid)
        }
      }
    }
  })

  test('domain.md §3.2 a failed payment asks for ALERT_CLIENT_RETRY, nothing else asks for anything', () => {
    for (const triple of legalTriples('amended')) {
      const verdict = crossSync(triple.payment, triple.session, triple.video, 'amended')
      expect(verdict.requiredActions).toEqual(triple.payment === 'failed' ? ['ALERT_CLIENT_RETRY'] : [])
    }
  })

  test('domain.md §3.7 the payment matrix is judged before the video matrix; unknown states are VALIDATION_ERROR', () => {
    expect(crossSync('pending', 'paid', 'active', 'amended')).toMatchObject({ code: 'PAYMENT_SESSION_SYNC' })
    expect(crossSync('pending', 'nowhere', 'active', 'amended')).toMatchObject({
      error: 'VALIDATION_ERROR',
      valid: false,
    })
  })

  test('domain.md §3.3 A3 every session state says whether its call may be joined', () => {
    expect(SESSION_STATES.filter((state) => joinAllowed(state, 'amended') === true)).toEqual(['ready', 'in_progress'])
    expect(SESSION_STATES.filter((state) => joinAllowed(state, 'literal') === null)).toHaveLength(7)
  })
})

describe('domain.md §3.4 compounds', () => {
  test('domain.md §3.4 A4 from every legal triple, every plan is made of table steps and ends in a legal triple', () => {
    for (const triple of legalTriples('amended')) {
      for (const compound of Object.values(COMPOUNDS_OF_SESSION).flat()) {
        const plan = planCompound(compound, triple)
        if ('error' in plan) continue
        expect(legal(plan.triple, 'amended')).toBe(true)
        const states: Record<Entity, string> = { ...triple }
        for (const step of plan.steps) {
          expect(step.from).toBe(states[step.entity])
          expect('error' in entityTransition(step.entity, step.from, step.to)).toBe(false)
          states[step.entity] = step.to
        }
        expect(states).toEqual(plan.triple)
      }
    }
  })

  test('a plan is kept without what else the triple that it was made from held', () => {
    const triple = { payment: 'pending', session: 'requested', video: 'not_started', clientId: 'user:client' } as const
    expect(planCompound('approve', triple)).toMatchObject({ triple: { video: 'not_started' } })
    const { payment, session, video } = triple
    const kept = planCompound('approve', { payment, session, video })
    expect('error' in kept ? [] : Object.keys(kept.triple).sort()).toEqual(['payment', 'session', 'video'])
  })

  test('domain.md §3.3 A4 a failed call ends through waiting, payment and session first', () => {
    const plan = planCompound('cancelPaid', { payment: 'confirmed', session: 'ready', video: 'failed' })
    expect('error' in plan ? plan : plan.steps.map((step) => `${step.entity} ${step.to}`)).toEqual([
      'payment refunded',
      'session cancelled',
      'video waiting_for_participants',
      'video ended',
    ])
  })

  test('domain.md §3.11 P6 approved→payment_pending alone is PAYMENT_SESSION_SYNC; a video too early SESSION_VIDEO_SYNC', () => {
    const approved: Triple = { payment: 'pending', session: 'approved', video: 'not_started' }
    expect(planMoves([['session', 'payment_pending']], approved)).toEqual({ error: 'PAYMENT_SESSION_SYNC' })
    expect(planMoves([['video', 'waiting_for_participants']], approved)).toEqual({ error: 'SESSION_VIDEO_SYNC' })
    expect(planMoves([['session', 'paid']], approved)).toMatchObject({ error: 'INVALID_STATE_TRANSITION' })
  })
})

describe('domain.md §3.7 forbidden pairs', () => {
  test('domain.md §3.7 the codes of the table', () => {
    expect(forbiddenCode('session', 'requested', 'ready')).toBe('PAYMENT_REQUIRED')
    expect(forbiddenCode('session', 'approved', 'in_progress')).toBe('PAYMENT_REQUIRED')
    expect(forbiddenCode('session', 'paid', 'in_progress')).toBe('FORMS_REQUIRED')
    expect(forbiddenCode('session', 'completed', 'payment_pending')).toBe('RETROACTIVE_PAYMENT')
    expect(forbiddenCode('payment', 'confirmed', 'pending')).toBe('RETROACTIVE_CHANGE')
    expect(forbiddenCode('session', 'payment_pending', 'ready')).toBe('PAYMENT_REQUIRED')
    expect(forbiddenCode('session', 'requested', 'in_progress')).toBe('PAYMENT_REQUIRED')
    expect(forbiddenCode('session', 'approved', 'ready')).toBe('PAYMENT_REQUIRED')
    expect(forbiddenCode('session', 'forms_required', 'in_progress')).toBe('FORMS_REQUIRED')
    expect(forbiddenCode('session', 'completed', 'paid')).toBe('RETROACTIVE_CHANGE')
    expect(forbiddenCode('video', 'payment_pending', 'join')).toBe('UNPAID_ACCESS')
    expect(forbiddenCode('video', 'forms_required', 'join')).toBe('FORMS_INCOMPLETE')
    expect(forbiddenCode('session', 'requested', 'approved')).toBeNull()
  })

  test('domain.md §3.7 every forbidden pair of payment and session is absent from its transition table', () => {
    for (const { entity, from, to, code } of forbiddenPairs()) {
      expect(forbiddenCode(entity, from, to)).toBe(code)
      if (entity !== 'video')
        expect(entityTransition(entity, from, to)).toMatchObject({ error: 'INVALID_STATE_TRANSITION' })
    }
  })
})
