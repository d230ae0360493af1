import { READING_WINDOW_MS } from '../facts/dialogue-bounds.ts'

/** What may be offered to somebody after a reading. BODY_SCAN is offered by people alone. */
export const SUPPORT_OFFERS = ['BREATHING_EXERCISE', 'GROUNDING', 'PAUSE_SESSION', 'BODY_SCAN'] as const
/** One of `SUPPORT_OFFERS`. */
export type SupportOffer = (typeof SUPPORT_OFFERS)[number]

/** A reading, as far as support goes: 1 to 10, and when, ms. */
export interface Felt {
  readonly intensity: number
  readonly at: number
}

/**
 * What to offer after a reading (domain.md §1.3): a pause when this and the one before are at 9 or more; else grounding after a
 * rise of 3 or more against any of the last ten minutes; else a breathing exercise at 8 or more. `earlier`: the latest first.
 */
export function supportOffer(reading: Felt, earlier: readonly Felt[]): SupportOffer | null {
  const before = earlier[0]
  if (reading.intensity >= 9 && before !== undefined && before.intensity >= 9) return 'PAUSE_SESSION'
  const recent = earlier.filter(({ at }) => reading.at - at <= READING_WINDOW_MS)
  if (recent.some(({ intensity }) => reading.intensity - intensity >= 3)) return 'GROUNDING'
  return reading.intensity >= 8 ? 'BREATHING_EXERCISE' : null
}

/** Where the readings go, by the last two; null with fewer. The latest first. */
export function trendOf(readings: readonly Felt[]): 'RISING' | 'FALLING' | 'STEADY' | null {
  const [last, before] = readings
  if (last === undefined || before === undefined) return null
  if (last.intensity === before.intensity) return 'STEADY'
  return last.intensity > before.intensity ? 'RISING' : 'FALLING'
}
