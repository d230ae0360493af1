import { assert } from '../../../base/assert.ts'
import { Random } from '../../../base/random.ts'
import { normalReceipt } from '../facts/fields.ts'

/** What a generated replay file is made of. Equal options give equal lines. */
export interface GenerateOptions {
  /** Lines in all, malformed ones included. Integer ≥ 0. */
  readonly count: number
  /** Any integer. */
  readonly seed: number
}

/** Shares of the lines, in the order of domain.md §3.13's replay file; malformed is one line in each thousand. */
export const GENERATE_SHARES = { duplicates: 0.15, outOfOrder: 0.1, failures: 0.05, malformedEvery: 1000 } as const

/** Pushes per booking: a client gives up after the third failure. */
const ATTEMPTS_MAX = 3
/**
 * How many bookings may begin before a delayed line arrives; a duplicate or the next attempt follows within this too.
 */
const DELAY_MAX = 40

/**
 * Lines of a replay file: STK-push callbacks as the provider sends them, one JSON body each, without line ends.
 * Bookings overtake each other, the lines of one booking never do. The file alone says which pushes belong together: those
 * of one booking have one `MerchantRequestID`, and `CheckoutRequestID` differs in every push.
 */
export function* generateCallbacks(options: GenerateOptions): Generator<string, void, undefined> {
  const { count, seed } = options
  assert(Number.isSafeInteger(count) && count >= 0, 'a replay file has a whole number of lines', { count })
  assert(Number.isSafeInteger(seed), 'a seed is an integer', { seed })
  const random = new Random(seed, 0x6d706573)
  const malformedAt = new Random(seed, 0x62616421)
  let written = 0
  let malformedNext = firstMalformed(count, malformedAt)
  for (const line of wellFormed(random, seed)) {
    if (written === malformedNext) {
      yield malformed(line, malformedAt)
      written += 1
      malformedNext = nextMalformed(written, malformedAt)
    }
    if (written >= count) return
    yield line
    written += 1
  }
}

/** Endless: at each tick a booking begins, and every line that is due is given out. */
function* wellFormed(random: Random, seed: number): Generator<string, void, undefined> {
  const due = new Map<number, string[]>()
  for (let tick = 1; ; tick += 1) {
    schedule(due, tick, bookingLines(tick, seed, random), random)
    yield* due.get(tick) ?? []
    due.delete(tick)
  }
}

/** Puts a booking's lines at rising ticks, the first one late in a tenth of the cases. */
function schedule(due: Map<number, string[]>, tick: number, lines: readonly string[], random: Random): void {
  let at = tick + (random.chance(GENERATE_SHARES.outOfOrder) ? random.between(1, DELAY_MAX) : 0)
  for (const line of lines) {
    const bucket = due.get(at)
    if (bucket === undefined) due.set(at, [line])
    else bucket.push(line)
    at += random.between(1, DELAY_MAX)
  }
}

/** All callbacks of one booking in order: each attempt's result, its repeats, and the retry after a failure. */
function bookingLines(booking: number, seed: number, random: Random): string[] {
  const shillings = random.between(5, 200) * 100
  const lines: string[] = []
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const failed = random.chance(GENERATE_SHARES.failures)
    const ids = idsOf(seed, booking, attempt)
    const line = failed ? failureLine(ids, random) : successLine(ids, shillings, random)
    do lines.push(line)
    while (random.chance(GENERATE_SHARES.duplicates))
    if (!failed || random.chance(0.3)) break
  }
  return lines
}

interface Ids {
  readonly merchant: string
  readonly checkout: string
  readonly receipt: string
}

/** Unique over bookings, attempts and seeds, so that two files can be fed to one cluster. */
function idsOf(seed: number, booking: number, attempt: number): Ids {
  const house = Math.abs(seed).toString(36)
  const number = String(booking).padStart(8, '0')
  return {
    merchant: `${house}-${number}-1`,
    checkout: `ws_CO_${house}_${number}${attempt}`,
    receipt: normalReceipt(`${house}R${number}${attempt}`),
  }
}

const FAILURES = [
  { ResultCode: 1, ResultDesc: 'The balance is insufficient for the transaction.' },
  { ResultCode: 1032, ResultDesc: 'Request cancelled by user.' },
  { ResultCode: 1037, ResultDesc: 'DS timeout user cannot be reached.' },
  { ResultCode: 2001, ResultDesc: 'The initiator information is invalid.' },
] as const

function failureLine(ids: Ids, random: Random): string {
  return bodyOf({ MerchantRequestID: ids.merchant, CheckoutRequestID: ids.checkout, ...random.pick(FAILURES) })
}

function successLine(ids: Ids, shillings: number, random: Random): string {
  const Item = [
    // The provider sends numbers; integrators' proxies have been seen to turn them into text.
    { Name: 'Amount', Value: random.chance(0.1) ? shillings.toFixed(2) : shillings },
    { Name: 'MpesaReceiptNumber', Value: ids.receipt },
    { Name: 'Balance' },
    { Name: 'TransactionDate', Value: 20_260_101_000_000 + random.below(240_000) },
    { Name: 'PhoneNumber', Value: 254_700_000_000 + random.below(100_000_000) },
  ]
  return bodyOf({
    MerchantRequestID: ids.merchant,
    CheckoutRequestID: ids.checkout,
    ResultCode: random.chance(0.05) ? '0' : 0,
    ResultDesc: 'The service request is processed successfully.',
    CallbackMetadata: { Item },
  })
}

function bodyOf(stkCallback: object): string {
  return JSON.stringify({ Body: { stkCallback } })
}

function firstMalformed(count: number, random: Random): number {
  // A file too short for a thousandth has none, one of a hundred lines and more at least one.
  return count < 100 ? -1 : random.below(Math.min(count, GENERATE_SHARES.malformedEvery))
}

function nextMalformed(written: number, random: Random): number {
  const { malformedEvery } = GENERATE_SHARES
  return Math.ceil(written / malformedEvery) * malformedEvery + random.below(malformedEvery)
}

/** A line that no parser takes, made from a good one; the good one still comes. */
function malformed(line: string, random: Random): string {
  switch (random.below(5)) {
    case 0:
      return line.slice(0, Math.floor(line.length / 2))
    case 1:
      return line.replace(/"CheckoutRequestID":"[^"]*",?/, '')
    case 2:
      return line.replace('"stkCallback"', '"callback"')
    case 3:
      return line.replace(/"ResultCode":"?\d+"?/, '"ResultCode":null')
    default:
      return 'HTTP 504 Gateway Time-out'
  }
}
