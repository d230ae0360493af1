import { InvariantError } from '../../../session/run/engine-error.ts'
import { EMPATHY_TRANSITIONS, type EmpathyEvent, type EmpathyStatus } from '../facts/states.ts'
import type { Attempt, DirectionRow, Trigger } from '../facts/rows.ts'
import { exchangeRowOf, write, type Attempted, type Direction } from './direction.ts'
import type { Exchange } from './exchange.ts'

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
  const by = taskId === null && timer === null ? principal : null
  const together = exchangeRowOf(ctx.state, sid)
  const seq = together.auditSeq + 1
  const first =
    trigger === 'reveal' && together.firstRevealAt === null ? { firstRevealAt: now, firstRevealSeq: seq } : {}
  ctx.state.exchanges.set(sid, { ...together, ...first, auditSeq: seq })
  const { statusSeq } = row
  ctx.state.audit.set([sid, seq], { at: now, guesser, subject, from, to, trigger, by, taskId, timer, statusSeq })
  ctx.publish('DirectionChanged', { sid, guesser, from, to })
  ctx.log('transition', { machine: 'reconciler', entity: 'empathy', id: `${sid}/${guesser}`, from, to, event, by })
}
