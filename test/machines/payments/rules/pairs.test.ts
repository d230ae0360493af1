import { describe, expect, test } from 'vitest'
import {
  bookingSessionTransition,
  crossSync,
  forbiddenCode,
  joinCheck,
  midSessionPct,
  PAYMENT_STATES,
  paymentTransition,
  refundAmount,
  refundPct,
  SESSION_STATES,
  sessionTransition,
  VIDEO_STATES,
  videoTransition,
} from 'holdfast/machines'

/** The tables of domain.md §3.1 as they are written there: state → where it may go. */
const TABLES = {
  payment: {
    states: 'pending initiated confirmed failed refunded cancelled',
    judge: paymentTransition,
    rows: {
      pending: 'initiated cancelled',
      initiated: 'confirmed failed cancelled',
      confirmed: 'refunded',
      failed: 'initiated cancelled',
      refunded: '',
      cancelled: '',
    },
  },
  session: {
    states:
      'requested approved payment_pending paid forms_required ready in_progress completed cancelled no_show_client ' +
      'no_show_therapist',
    judge: sessionTransition,
    rows: {
      requested: 'approved cancelled',
      approved: 'payment_pending cancelled',
      payment_pending: 'paid cancelled',
      paid: 'forms_required ready cancelled',
      forms_required: 'ready cancelled',
      ready: 'in_progress no_show_client no_show_therapist cancelled',
      in_progress: 'completed cancelled',
      completed: '',
      cancelled: '',
      no_show_client: '',
      no_show_therapist: '',
    },
  },
  video: {
    states: 'not_started waiting_for_participants active failed ended',
    judge: videoTransition,
    rows: {
      not_started: 'waiting_for_participants',
      waiting_for_participants: 'active failed ended',
      active: 'ended failed',
      failed: 'waiting_for_participants',
      ended: '',
    },
  },
} as const

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '')

describe('domain.md §3.1 every pair of states', () => {
  for (const [entity, { states, rows, judge }] of Object.entries(TABLES)) {
    for (const [from, row] of Object.entries(rows)) {
      for (const to of words(states)) {
        const allowed = words(row)
        test(`domain.md §3.1 ${entity} ${from}→${to} ${allowed.includes(to) ? 'is taken' : 'is refused'}`, () => {
          const refused = { error: 'INVALID_STATE_TRANSITION', entity, from, to, allowed }
          expect(judge(from, to)).toEqual(allowed.includes(to) ? { entity, from, to } : refused)
        })
      }
    }
  }

  test('domain.md §3.1 the states are those of the tables: 36, 121 and 25 pairs', () => {
    expect([...PAYMENT_STATES]).toEqual(words(TABLES.payment.states))
    expect([...SESSION_STATES]).toEqual(words(TABLES.session.states))
    expect([...VIDEO_STATES]).toEqual(words(TABLES.video.states))
    expect(Object.values(TABLES).map(({ states }) => words(states).length ** 2)).toEqual([36, 121, 25])
  })
})

describe('domain.md §0.10 the pure functions of payments', () => {
  test('domain.md §0.10 are exported from holdfast/machines under their names', () => {
    expect(bookingSessionTransition).toBe(sessionTransition)
    expect(crossSync('failed', 'payment_pending', 'not_started', 'amended')).toEqual({
      valid: true,
      requiredActions: ['ALERT_CLIENT_RETRY'],
    })
    expect(forbiddenCode('session', 'requested', 'ready')).toBe('PAYMENT_REQUIRED')
    expect(refundPct(0, 'client')).toBe(0)
    expect(refundAmount(101, 50)).toBe(51)
    expect(midSessionPct(25)).toBe(50)
    const question = { participant: false, session: 'ready', video: 'active', formsOpen: false, startsAt: 0, now: 0 }
    expect(joinCheck(question as Parameters<typeof joinCheck>[0])).toEqual({ error: 'FORBIDDEN' })
  })

  test('domain.md §0.10 refuse what is no state, and never throw', () => {
    for (const judge of [paymentTransition, sessionTransition, videoTransition]) {
      expect(judge('nowhere', 'cancelled')).toMatchObject({ error: 'VALIDATION_ERROR', allowed: [] })
    }
    expect(crossSync('pending', 'requested', 'nowhere', 'literal')).toMatchObject({ error: 'VALIDATION_ERROR' })
    expect(forbiddenCode('session', 'nowhere', 'ready')).toBeNull()
  })
})
