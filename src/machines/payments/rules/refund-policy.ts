import { HOUR_MS } from '../../../base/time.ts'

/** Who ends a booking: its client, its therapist, an administrator, or a timer. */
export type Role = 'client' | 'therapist' | 'admin' | 'system'

/** Above this amount, in minor units (50,000 units), an administrator approves the refund. */
export const REFUND_APPROVAL_ABOVE_MINOR = 5_000_000

/** Notice at least `noticeMs` gives `pct`; the bounds are inclusive (domain.md §3.4). */
const NOTICE_TIERS = [
  { noticeMs: 48 * HOUR_MS, pct: 100 },
  { noticeMs: 24 * HOUR_MS, pct: 75 },
  { noticeMs: 12 * HOUR_MS, pct: 50 },
  { noticeMs: 6 * HOUR_MS, pct: 25 },
] as const

/**
 * Share of the price that goes back when a booking is cancelled before it began. `noticeMs` = startsAt − now;
 * negative after the start. Everybody but the client gives all of it back; the client by the tiers, 0 below six
 * hours.
 */
export function refundPct(noticeMs: number, role: Role): number {
  if (role !== 'client') return 100
  return NOTICE_TIERS.find((tier) => noticeMs >= tier.noticeMs)?.pct ?? 0
}

/**
 * Share that goes back when the client cancels while the session runs, by how much of it is over (0–100, floored by the
 * caller): under a quarter 75, under a half 50, under three quarters 25, else 0.
 */
export function midSessionPct(completionPct: number): number {
  if (completionPct < 25) return 75
  if (completionPct < 50) return 50
  return completionPct < 75 ? 25 : 0
}

/** How much of a session is over, in whole percent, at most 100. */
export function completionPct(now: number, actualStart: number, durationMin: number): number {
  return Math.min(100, Math.max(0, Math.floor((100 * (now - actualStart)) / (durationMin * 60_000))))
}

/**
 * floor((priceMinor · pct + 50) / 100): half up. Split at the hundreds, so that no product leaves the integers that a
 * double holds exactly: priceMinor = 100·q + r gives q·pct + floor((r·pct + 50) / 100).
 */
export function refundAmount(priceMinor: number, pct: number): number {
  const rest = priceMinor % 100
  return ((priceMinor - rest) / 100) * pct + Math.floor((rest * pct + 50) / 100)
}
