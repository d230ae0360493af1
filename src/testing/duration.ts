import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../base/time.ts'

/** A span of time: whole or broken milliseconds ≥ 0, or a number with its unit, e.g. `'250ms'`, `'5s'`, `'1.5h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', SECOND_MS],
  ['m', MINUTE_MS],
  ['h', HOUR_MS],
  ['d', DAY_MS],
])

/** The span in milliseconds. Throws TypeError for what is none. */
export function durationMs(duration: Duration): number {
  if (typeof duration === 'number' && Number.isFinite(duration) && duration >= 0) return duration
  const parts = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) : null
  const unit = UNITS.get(parts?.[2] ?? '')
  if (parts === null || unit === undefined)
    throw new TypeError(`${String(duration)} is no duration: give milliseconds, or a number with its unit, like '5s'`)
  return Number(parts[1]) * unit
}
