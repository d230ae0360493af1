import { CALLBACK_RESULTS as FIRST_RESULTS } from '../../payments-v1/facts/rows.ts'
import { type CallbackResult, REFUND_STATUSES } from './rows.ts'
import { type Entity, PAYMENT_STATES, SESSION_STATES, VIDEO_STATES } from './states.ts'

/**
 * Running counts and sums (domain.md §3.13: what two runs of one replay file are compared by), 8-byte numbers in the
 * ledger row. PERF: a command that changes seven of them copies 350 bytes, well under a microsecond; as a list of
 * numbers the walk over the row alone would take three, as rows of their own ten. The counts of bookings, attempts
 * and refunds are also where their ids come from.
 */
const FAMILIES = {
  payment: PAYMENT_STATES,
  session: SESSION_STATES,
  video: VIDEO_STATES,
  refund: REFUND_STATUSES,
  callback: FIRST_RESULTS,
  captures: ['applied', 'applied.minor', 'orphan', 'orphan.minor'],
  refunds: ['all', 'minor'],
  attempts: ['all'],
  bookings: ['all'],
  money: ['received', 'received.minor', 'kept.minor', 'suspense', 'suspense.minor'],
  refundMinor: REFUND_STATUSES,
  laterCallback: ['AMOUNT_ABSURD'],
} as const satisfies { readonly [family: string]: readonly string[] }

/** A group of totals, e.g. the counts of bookings by payment state. */
export type TotalFamily = keyof typeof FAMILIES
/** The totals of a family. */
export type TotalName<Family extends TotalFamily> = (typeof FAMILIES)[Family][number]

/** Position → family and name. New ones are added at the end, so that old rows stay readable. */
export const TOTAL_NAMES: readonly string[] = Object.entries(FAMILIES).flatMap(([family, names]) =>
  names.map((name) => `${family}.${name}`),
)

type Positions = { readonly [Family in TotalFamily]: ReadonlyMap<string, number> }

const POSITIONS: Positions = positions()

function positions(): Positions {
  const entries = Object.entries(FAMILIES).map(([family, names]) => {
    return [family, new Map(names.map((name) => [name, TOTAL_NAMES.indexOf(`${family}.${name}`)]))] as const
  })
  // The keys of FAMILIES.
  return Object.fromEntries(entries) as unknown as Positions
}

/** Position of a total. */
export function totalPosition<Family extends TotalFamily>(family: Family, name: TotalName<Family>): number {
  return positionOf(family, name)
}

/** Position of the count of a result. */
export function resultPosition(result: CallbackResult): number {
  return result === 'AMOUNT_ABSURD' ? totalPosition('laterCallback', result) : totalPosition('callback', result)
}

/** Position of the count of bookings in a state. */
export function statePosition(entity: Entity, state: string): number {
  return positionOf(entity, state)
}

/** Unknown names are a bug. */
function positionOf(family: TotalFamily, name: string): number {
  const position = POSITIONS[family].get(name)
  if (position === undefined) throw new Error(`there is no total ${family}.${name}`)
  return position
}

/** One total of a row; 0 before the first row, and where an older version wrote a shorter one. */
export function totalAt(row: Uint8Array | undefined, position: number): number {
  if (row === undefined || position * 8 >= row.byteLength) return 0
  return new DataView(row.buffer, row.byteOffset, row.byteLength).getFloat64(position * 8)
}

const ROW_BYTES = TOTAL_NAMES.length * 8

/** Rows are cut from slabs of this many. A row that is kept keeps its slab, of 48 KiB. */
const SLAB_ROWS = 128

/** The next row goes to `rows[next]`; bytes before it belong to rows that were handed out, and never change again. */
interface Slab {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly numbers: DataView
  next: number
}

function makeSlab(): Slab {
  const bytes = new Uint8Array(SLAB_ROWS * ROW_BYTES)
  return { bytes, numbers: new DataView(bytes.buffer), next: 0 }
}

let slab = makeSlab()

/**
 * The row after `deltas`, each added to the total at its position. PERF: every command makes one; memory of its own for each
 * would cost three times as much as filling it, and the collector again.
 */
export function addTotals(
  row: Uint8Array | undefined,
  positions: readonly number[],
  deltas: readonly number[],
): Uint8Array<ArrayBuffer> {
  if (slab.next === SLAB_ROWS) slab = makeSlab()
  const { bytes, numbers } = slab
  const start = slab.next * ROW_BYTES
  slab.next += 1
  if (row !== undefined) bytes.set(row, start)
  for (let index = 0; index < positions.length; index += 1) {
    const offset = start + (positions[index] as number) * 8
    numbers.setFloat64(offset, numbers.getFloat64(offset) + (deltas[index] as number))
  }
  return new Uint8Array(bytes.buffer, start, ROW_BYTES)
}

/** What `totals` answers: no times, no ids, no hashes. */
export interface Totals {
  readonly bookings: {
    readonly count: number
    readonly payment: TotalCounts
    readonly session: TotalCounts
    readonly video: TotalCounts
  }
  readonly attempts: number
  readonly captures: { readonly applied: TotalSum; readonly orphan: TotalSum }
  readonly refunds: { readonly count: number; readonly minor: number; readonly status: TotalCounts }
  readonly callbacks: TotalCounts
  /** Money of pushes that nobody started. */
  readonly suspense: TotalSum
  readonly money: MoneyTotals
}

/** Where all money is, in minor units: received = kept + owed + refunded + suspense (domain.md §3.12 PP11). */
export interface MoneyTotals {
  /** Everything that a provider told of, each once. */
  readonly receivedMinor: number
  /** Applied to a booking, less what was or is to be paid back of it. */
  readonly keptMinor: number
  /** Refunds that are decided and not paid: AWAITING_APPROVAL, QUEUED, SENT, FAILED_MANUAL. */
  readonly owedMinor: number
  /** SETTLED refunds. */
  readonly refundedMinor: number
  readonly suspenseMinor: number
  /** Does the sum hold? Anything else is a bug. */
  readonly balanced: boolean
}

/** A family in words: its names with their counts. */
export type TotalCounts = { readonly [name: string]: number }

/** How many, and their amounts together in minor units. */
export interface TotalSum {
  readonly count: number
  readonly minor: number
}

/** The row in words; undefined before the first. */
export function describeTotals(row: Uint8Array | undefined): Totals {
  const at = <Family extends TotalFamily>(family: Family, name: TotalName<Family>): number =>
    totalAt(row, totalPosition(family, name))
  const counts = <Family extends TotalFamily>(family: Family): TotalCounts =>
    Object.fromEntries(FAMILIES[family].map((name: TotalName<Family>) => [name, at(family, name)]))
  return {
    bookings: {
      count: at('bookings', 'all'),
      payment: counts('payment'),
      session: counts('session'),
      video: counts('video'),
    },
    attempts: at('attempts', 'all'),
    captures: {
      applied: { count: at('captures', 'applied'), minor: at('captures', 'applied.minor') },
      orphan: { count: at('captures', 'orphan'), minor: at('captures', 'orphan.minor') },
    },
    refunds: { count: at('refunds', 'all'), minor: at('refunds', 'minor'), status: counts('refund') },
    callbacks: { ...counts('callback'), ...counts('laterCallback') },
    suspense: { count: at('money', 'suspense'), minor: at('money', 'suspense.minor') },
    money: moneyOf(row),
  }
}

/** The conservation of money, from sums that are counted apart from each other. */
function moneyOf(row: Uint8Array | undefined): MoneyTotals {
  const at = <Family extends TotalFamily>(family: Family, name: TotalName<Family>): number =>
    totalAt(row, totalPosition(family, name))
  const receivedMinor = at('money', 'received.minor')
  const keptMinor = at('money', 'kept.minor')
  const suspenseMinor = at('money', 'suspense.minor')
  const refundedMinor = at('refundMinor', 'SETTLED')
  let owedMinor = 0
  for (const status of REFUND_STATUSES) {
    if (status !== 'NOT_DUE' && status !== 'SETTLED') owedMinor += at('refundMinor', status)
  }
  const balanced = receivedMinor === keptMinor + owedMinor + refundedMinor + suspenseMinor
  return { receivedMinor, keptMinor, owedMinor, refundedMinor, suspenseMinor, balanced }
}
