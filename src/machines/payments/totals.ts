import { CALLBACK_RESULTS, REFUND_STATUSES } from './rows.ts'
import { PAYMENT_STATES, SESSION_STATES, VIDEO_STATES } from './states.ts'

/**
 * Running counts and sums (domain 3.13: what two runs of one replay file are compared by). They are one row of 8-byte
 * numbers. PERF: a command that changes seven of them copies 340 bytes, well under a microsecond; as a list of numbers the
 * walk over the row alone would take three, as rows of their own ten.
 */
export const TOTALS_KEY = 'all'

const SUMS = [
  'captures.applied',
  'captures.applied.minor',
  'captures.orphan',
  'captures.orphan.minor',
  'refunds',
  'refunds.minor',
  'attempts',
] as const

/** Position → name. New names are added at the end, so that old rows stay readable. */
export const TOTAL_NAMES: readonly string[] = [
  ...PAYMENT_STATES.map((state) => `payment.${state}`),
  ...SESSION_STATES.map((state) => `session.${state}`),
  ...VIDEO_STATES.map((state) => `video.${state}`),
  ...REFUND_STATUSES.map((status) => `refund.${status}`),
  ...CALLBACK_RESULTS.map((result) => `callback.${result}`),
  ...SUMS,
]

const POSITIONS = new Map(TOTAL_NAMES.map((name, position) => [name, position]))

/** Position of a total; unknown names are a bug. */
function totalPosition(name: string): number {
  const position = POSITIONS.get(name)
  if (position === undefined) throw new Error(`there is no total ${name}`)
  return position
}

/** The row after these changes; `row` is undefined before the first, and shorter when it was written by an older version. */
export function addTotals(row: Uint8Array | undefined, deltas: readonly TotalDelta[]): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(TOTAL_NAMES.length * 8)
  if (row !== undefined) next.set(row)
  const numbers = new DataView(next.buffer)
  for (const { name, delta } of deltas) {
    const offset = totalPosition(name) * 8
    numbers.setFloat64(offset, numbers.getFloat64(offset) + delta)
  }
  return next
}

/** One change of one total. */
export interface TotalDelta {
  readonly name: string
  readonly delta: number
}

/** What `totals` answers: no times, no ids, no hashes. */
export interface Totals {
  readonly bookings: {
    readonly count: number
    readonly payment: Counts
    readonly session: Counts
    readonly video: Counts
  }
  readonly attempts: number
  readonly captures: { readonly applied: Sum; readonly orphan: Sum }
  readonly refunds: { readonly count: number; readonly minor: number; readonly status: Counts }
  readonly callbacks: Counts
}

export type Counts = { readonly [name: string]: number }
interface Sum {
  readonly count: number
  readonly minor: number
}

/** The row in words. */
export function describeTotals(row: Uint8Array): Totals {
  const numbers = new DataView(row.buffer, row.byteOffset, row.byteLength)
  const at = (name: string): number => {
    const offset = totalPosition(name) * 8
    return offset < row.byteLength ? numbers.getFloat64(offset) : 0
  }
  const counts = (prefix: string, names: readonly string[]): Counts =>
    Object.fromEntries(names.map((name) => [name, at(`${prefix}.${name}`)]))
  const session = counts('session', SESSION_STATES)
  return {
    bookings: {
      count: Object.values(session).reduce((sum, count) => sum + count, 0),
      payment: counts('payment', PAYMENT_STATES),
      session,
      video: counts('video', VIDEO_STATES),
    },
    attempts: at('attempts'),
    captures: {
      applied: { count: at('captures.applied'), minor: at('captures.applied.minor') },
      orphan: { count: at('captures.orphan'), minor: at('captures.orphan.minor') },
    },
    refunds: { count: at('refunds'), minor: at('refunds.minor'), status: counts('refund', REFUND_STATUSES) },
    callbacks: counts('callback', CALLBACK_RESULTS),
  }
}
