import { auditGroupText, FIRST_HASH, type AuditStep } from './audit.ts'
import type { CallbackResult, Ledger } from '../facts/rows.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import type { Entity } from '../facts/states.ts'
import {
  addTotals,
  resultPosition,
  statePosition,
  totalAt,
  totalPosition,
  type TotalFamily,
  type TotalName,
} from '../facts/totals.ts'

/** Key of the one row of `ledger`. */
export const LEDGER_KEY = 'all'

const EMPTY_LEDGER: Ledger = { seq: 0, hash: FIRST_HASH, totals: new Uint8Array(0) }

/**
 * What one command writes beside its rows: its audit group and what it adds to the totals. Its group is ended once,
 * when all is noted.
 */
export class Journal {
  readonly ctx: PaymentsContext
  /** Name of the command, task or timer that acts. */
  readonly action: string
  private readonly bookingId: string | null
  private readonly steps: AuditStep[] = []
  /** Position and delta, side by side. */
  private readonly positions: number[] = []
  private readonly deltas: number[] = []

  constructor(ctx: PaymentsContext, action: string, bookingId: string | null) {
    this.ctx = ctx
    this.action = action
    this.bookingId = bookingId
  }

  /** Adds a step to the audit group. */
  note(step: AuditStep): void {
    this.steps.push(step)
  }

  /** Adds to a total. */
  count<Family extends TotalFamily>(family: Family, name: TotalName<Family>, delta: number): void {
    this.positions.push(totalPosition(family, name))
    this.deltas.push(delta)
  }

  /** One more transaction, or with −1 one less, has this result. */
  countResult(result: CallbackResult, delta: 1 | -1): void {
    this.positions.push(resultPosition(result))
    this.deltas.push(delta)
  }

  /** One entity more is in a state. */
  enter(entity: Entity, state: string): void {
    this.positions.push(statePosition(entity, state))
    this.deltas.push(1)
  }

  /** One entity left a state for another. */
  move(entity: Entity, from: string, to: string): void {
    this.positions.push(statePosition(entity, from), statePosition(entity, to))
    this.deltas.push(-1, 1)
  }

  /** Counts one more of a kind and returns its number, from 1: never random, never given twice. */
  next(family: 'attempts' | 'refunds'): number {
    const position = totalPosition(family, 'all')
    let number = lastNumber(this.ctx, family) + 1
    for (const [index, counted] of this.positions.entries()) {
      if (counted === position) number += this.deltas[index] as number
    }
    this.count(family, 'all', 1)
    return number
  }

  /** Writes the audit group and the ledger. `prevGroup` is the booking's last group; returns the one that is its last now. */
  endGroup(prevGroup: number): number {
    const { ctx, action, bookingId, steps } = this
    if (steps.length === 0 && this.deltas.length === 0) return prevGroup
    const ledger = ctx.state.ledger.get(LEDGER_KEY) ?? EMPTY_LEDGER
    const totals = addTotals(ledger.totals, this.positions, this.deltas)
    if (steps.length === 0) {
      ctx.state.ledger.set(LEDGER_KEY, { seq: ledger.seq, hash: ledger.hash, totals })
      return prevGroup
    }
    const group = ledger.seq + 1
    const head = { bookingId, action, by: ctx.principal, at: ctx.now, prevGroup, prevHash: ledger.hash }
    const { text, hash } = auditGroupText(group, head, steps, ctx)
    // PERF: before the audit row, because the ledger is the row that was read last: its key needs no second lookup.
    ctx.state.ledger.set(LEDGER_KEY, { seq: ledger.seq + steps.length, hash, totals })
    ctx.state.audit.set(group, text)
    return group
  }
}

/** The last number of a kind that was given out, 0 before the first. */
export function lastNumber(ctx: PaymentsContext, family: 'bookings' | 'attempts' | 'refunds'): number {
  return totalAt(ctx.state.ledger.get(LEDGER_KEY)?.totals, totalPosition(family, 'all'))
}

/** All money that was received so far, in minor units. */
export function receivedMinor(ctx: PaymentsContext): number {
  return totalAt(ctx.state.ledger.get(LEDGER_KEY)?.totals, totalPosition('money', 'received.minor'))
}
