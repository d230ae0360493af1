import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import { joinCheck } from '../../../../src/machines/payments/rules/join.ts'
import {
  completionPct,
  midSessionPct,
  refundAmount,
  refundPct,
} from '../../../../src/machines/payments/rules/refund-policy.ts'
import { SESSION_STATES, VIDEO_STATES } from '../../../../src/machines/payments/facts/states.ts'

describe('domain.md §3.4 refunds', () => {
  test.each([
    [48 * HOUR_MS, 100],
    [48 * HOUR_MS - 1, 75],
    [24 * HOUR_MS, 75],
    [24 * HOUR_MS - 1, 50],
    [12 * HOUR_MS, 50],
    [12 * HOUR_MS - 1, 25],
    [6 * HOUR_MS, 25],
    [6 * HOUR_MS - 1, 0],
    [0, 0],
    [-1, 0],
  ])('PP8 the client gets back at notice %i ms: %i %%', (noticeMs, pct) => {
    expect(refundPct(noticeMs, 'client')).toBe(pct)
  })

  test('PP8 the share never grows with lateness; everybody else gives back all of it', () => {
    const notice = fc.integer({ min: -100 * HOUR_MS, max: 100 * HOUR_MS })
    fc.assert(
      fc.property(notice, notice, (a, b) => {
        expect(refundPct(Math.max(a, b), 'client')).toBeGreaterThanOrEqual(refundPct(Math.min(a, b), 'client'))
        for (const role of ['therapist', 'admin', 'system'] as const) expect(refundPct(a, role)).toBe(100)
      }),
    )
  })

  test.each([
    [0, 75],
    [24, 75],
    [25, 50],
    [49, 50],
    [50, 25],
    [74, 25],
    [75, 0],
    [100, 0],
  ])('domain.md §3.4 in progress, %i %% complete gives back %i %%', (completion, pct) =>
    expect(midSessionPct(completion)).toBe(pct),
  )

  test('domain.md §3.4 completion is floored and capped', () => {
    expect(completionPct(15 * MINUTE_MS - 1, 0, 60)).toBe(24)
    expect(completionPct(15 * MINUTE_MS, 0, 60)).toBe(25)
    expect(completionPct(90 * MINUTE_MS, 0, 60)).toBe(100)
  })

  test('domain.md §3.4 the amount is rounded half up, exactly, up to the largest integers', () => {
    expect(refundAmount(500_000, 75)).toBe(375_000)
    expect(refundAmount(1, 50)).toBe(1)
    expect(refundAmount(1, 25)).toBe(0)
    expect(refundAmount(2, 25)).toBe(1)
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.constantFrom(0, 25, 50, 75, 100), (price, pct) => {
        const exact = (BigInt(price) * BigInt(pct) + 50n) / 100n
        expect(BigInt(refundAmount(price, pct))).toBe(exact)
      }),
    )
  })
})

describe('domain.md §3.6 joining', () => {
  const startsAt = 1_000 * HOUR_MS
  const base = {
    participant: true,
    session: 'ready',
    video: 'not_started',
    formsOpen: false,
    startsAt,
    now: startsAt,
  } as const

  test('domain.md §3.6 the rules answer in their order', () => {
    expect(joinCheck({ ...base, participant: false, session: 'requested' })).toEqual({ error: 'FORBIDDEN' })
    for (const session of ['requested', 'approved', 'payment_pending'] as const) {
      expect(joinCheck({ ...base, session, formsOpen: true })).toEqual({ error: 'UNPAID_ACCESS' })
    }
    expect(joinCheck({ ...base, session: 'paid' })).toEqual({ error: 'FORMS_INCOMPLETE' })
    expect(joinCheck({ ...base, session: 'forms_required' })).toEqual({ error: 'FORMS_INCOMPLETE' })
    expect(joinCheck({ ...base, formsOpen: true, now: 0 })).toEqual({ error: 'FORMS_INCOMPLETE' })
    for (const session of ['completed', 'cancelled', 'no_show_client', 'no_show_therapist'] as const) {
      expect(joinCheck({ ...base, session, formsOpen: true, now: 0 })).toEqual({ error: 'BOOKING_CLOSED' })
    }
    expect(joinCheck({ ...base, video: 'failed', now: 0 })).toMatchObject({ error: 'OUTSIDE_JOIN_WINDOW' })
    expect(joinCheck({ ...base, video: 'failed' })).toEqual({ error: 'VIDEO_FAILED' })
  })

  test('domain.md §3.6 P13 the window is [−15 min, +120 min], both ends inclusive', () => {
    const opensAt = startsAt - 15 * MINUTE_MS
    const closesAt = startsAt + 120 * MINUTE_MS
    const outside = { error: 'OUTSIDE_JOIN_WINDOW', opensAt, closesAt }
    expect(joinCheck({ ...base, now: opensAt - 1 })).toEqual(outside)
    expect(joinCheck({ ...base, now: opensAt })).toEqual({ ok: true, opensAt, closesAt })
    expect(joinCheck({ ...base, now: closesAt })).toEqual({ ok: true, opensAt, closesAt })
    expect(joinCheck({ ...base, now: closesAt + 1 })).toEqual(outside)
  })

  test('domain.md §3.6 every combination of states has exactly one verdict', () => {
    for (const session of SESSION_STATES) {
      for (const video of VIDEO_STATES) {
        const verdict = joinCheck({ ...base, session, video })
        expect('ok' in verdict).toBe((session === 'ready' || session === 'in_progress') && video !== 'failed')
      }
    }
  })
})
