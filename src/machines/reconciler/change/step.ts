import type { Parsed } from '../../../machine/define/schema.ts'
import { InvariantError } from '../../../session/run/engine-error.ts'
import { EMPATHY_TRANSITIONS, type EmpathyEvent, type EmpathyStatus } from '../facts/states.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import type { Attempt, auditRow, DirectionRow, Trigger } from '../facts/rows.ts'
import { exchangeRowOf, write, type Attempted, type Direction } from './direction.ts'
import type { Exchange } from './exchange.ts'
import { reducedStatus } from './shown.ts'

/** What made a direction step. */
export interface Cause {
  readonly trigger: Trigger
  /** The task that brought it, or the kind of timer that fired. */
  readonly taskId?: string
  readonly timer?: string
}

/** What changes with a step. */
interface Changes {
  readonly attempt?: Partial<Attempt>
  readonly row?: Partial<DirectionRow>
}

/** Takes a direction along its table and writes it with its audit record. The guards came first: what does not fit is a bug. */
export function step(
  exchange: Exchange,
  direction: Attempted,
  event: EmpathyEvent,
  { cause, attempt = {}, row = {} }: Changes & { readonly cause: Cause },
): Attempted {
  const from = direction.attempt.status
  const next = EMPATHY_TRANSITIONS.next(from, event)
  if (!next.ok)
    throw new InvariantError(`the attempt of ${direction.guesser} is ${from}, which ${event} does not leave`)
  const moved: Attempted = {
    ...direction,
    row: { ...direction.row, ...row, statusSeq: direction.row.statusSeq + 1 },
    attempt: { ...direction.attempt, ...attempt, status: next.value },
  }
  record(exchange, moved, { from, event, cause })
  return write(exchange.ctx, moved)
}

/** T1: there is an attempt now. */
export function begin(
  exchange: Exchange,
  direction: Direction,
  attempt: Attempt,
  row: Partial<DirectionRow>,
): Attempted {
  const begun: Attempted = {
    ...direction,
    row: { ...direction.row, ...row, statusSeq: direction.row.statusSeq + 1 },
    attempt,
  }
  record(exchange, begun, { from: null, event: 'consent', cause: { trigger: 'consent' } })
  return write(exchange.ctx, begun)
}

/** X3: there is none any more; what outlives attempts stays. */
export function withdraw(exchange: Exchange, direction: Attempted): void {
  const from = direction.attempt.status
  const gone = { ...direction, row: { ...direction.row, statusSeq: direction.row.statusSeq + 1 }, attempt: null }
  record(exchange, gone, { from, event: 'revoke', cause: { trigger: 'revoke' } })
  write(exchange.ctx, gone)
}

function record(
  { ctx }: Exchange,
  { sid, guesser, subject, row, attempt }: Direction,
  { from, event, cause }: { readonly from: EmpathyStatus | null; readonly event: string; readonly cause: Cause },
): void {
  const to = attempt?.status ?? null
  const { principal, now } = ctx
  const { trigger, taskId = null, timer = null } = cause
  // Whose command made the two READY is none of the other's: a decline must look like an offer that ran out (C51).
  const by = taskId === null && timer === null && trigger !== 'reveal' ? principal : null
  if (trigger === 'reveal' && exchangeRowOf(ctx.state, sid).firstRevealAt === null) {
    ctx.state.exchanges.set(sid, { firstRevealAt: now })
  }
  const step = { at: now, guesser, subject, from, to, trigger, by, taskId, timer, statusSeq: row.statusSeq }
  note(ctx, [sid, guesser], step)
  // Of the partner's steps nobody learns but what the status shows, from the first reveal on: not that there was another one.
  const revealed = exchangeRowOf(ctx.state, sid).firstRevealAt !== null
  if (revealed && reducedStatus(from) !== reducedStatus(to)) note(ctx, [sid, subject], step)
  ctx.publish('DirectionChanged', { sid, guesser, from, to })
  ctx.log('transition', { machine: 'reconciler', entity: 'empathy', id: `${sid}/${guesser}`, from, to, event, by })
}

/** Steps are numbered for each reader: a number that both counted would tell of the other's. */
function note(
  ctx: ReconcilerContext,
  reader: readonly [sid: string, user: string],
  step: Parsed<typeof auditRow>,
): void {
  const [last] = ctx.state.audit.range({ prefix: reader, limit: 1, reverse: true })
  ctx.state.audit.set([...reader, (last?.[0][2] ?? 0) + 1], step)
}
