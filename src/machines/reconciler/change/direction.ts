import type { ReconcilerContext, ReconcilerView } from '../facts/reconciler-schema.ts'
import {
  NEW_DIRECTION,
  NEW_EXCHANGE,
  type Attempt,
  type DirectionRow,
  type ExchangeRow,
  type Offer,
} from '../facts/rows.ts'

/** One direction as it stands: whose guess about whom, what outlives attempts, and the attempt, if there is one. */
export interface Direction {
  readonly sid: string
  readonly guesser: string
  readonly subject: string
  readonly row: DirectionRow
  readonly attempt: Attempt | null
}

/** A direction with an attempt. */
export type Attempted = Direction & { readonly attempt: Attempt }

/** The direction of a guesser; a new one where nothing happened yet. */
export function directionOf(
  view: Pick<ReconcilerView, 'directions' | 'attempts'>,
  { sid, guesser, subject }: Pick<Direction, 'sid' | 'guesser' | 'subject'>,
): Direction {
  const key = [sid, guesser] as const
  const row = view.directions.get(key) ?? NEW_DIRECTION
  return { sid, guesser, subject, row, attempt: view.attempts.get(key) ?? null }
}

export const hasAttempt = (direction: Direction): direction is Attempted => direction.attempt !== null

/** What both directions have together. */
export const exchangeRowOf = (view: Pick<ReconcilerView, 'exchanges'>, sid: string): ExchangeRow =>
  view.exchanges.get(sid) ?? NEW_EXCHANGE

/** Writes a direction as it is now. */
export function write<Written extends Direction>(ctx: ReconcilerContext, direction: Written): Written {
  const key = [direction.sid, direction.guesser] as const
  ctx.state.directions.set(key, direction.row)
  if (direction.attempt === null) ctx.state.attempts.delete(key)
  else ctx.state.attempts.set(key, direction.attempt)
  return direction
}

/** Changes the attempt, and nothing of where it stands. */
export const withAttempt = (direction: Attempted, changes: Partial<Attempt>): Attempted => ({
  ...direction,
  attempt: { ...direction.attempt, ...changes },
})

/** Changes what outlives it. */
export const withRow = <Changed extends Direction>(direction: Changed, changes: Partial<DirectionRow>): Changed => ({
  ...direction,
  row: { ...direction.row, ...changes },
})

/** The one offer that was ever made in a direction, however it ended. */
export const offerOf = ({ row }: Direction): Offer | null => row.offers[0] ?? null

/** The same while it waits for an answer. */
export function openOfferOf(direction: Direction): Offer | null {
  const offer = offerOf(direction)
  return offer !== null && isOpen(offer) ? offer : null
}

export const isOpen = ({ status }: Offer): boolean => status === 'PENDING' || status === 'OFFERED'

/** Changes that offer. */
export const withOffer = <Changed extends Direction>(direction: Changed, offer: Offer): Changed =>
  withRow(direction, { offers: [offer] })

/** The next id of a kind: they count up in the state. */
export function nextId(ctx: ReconcilerContext, kind: 'att' | 'off' | 'res'): string {
  const number = (ctx.state.counters.get(kind) ?? 0) + 1
  ctx.state.counters.set(kind, number)
  return `${kind}-${number}`
}
