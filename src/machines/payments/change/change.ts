import { InvariantError } from '../../../session/run/engine-error.ts'
import type { Compound, Step } from '../rules/compounds.ts'
import { planCompound } from '../rules/compounds.ts'
import { Journal } from './journal.ts'
import { type Booking, NOTHING_RARE, type RareFacts } from '../facts/rows.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import { isTerminalSession, type SessionState, type Triple } from '../facts/states.ts'
import { withoutAnybody } from '../rules/attendance.ts'
import { isLegal } from '../rules/sync.ts'
import { nextTimer } from '../rules/timers.ts'

/** A booking that may be changed, until it is committed. */
export type Draft = { -readonly [Field in keyof Booking]: Booking[Field] }

/** PERF: named field by field. Spreading a frozen row costs six times as much, and what it makes is slower to walk. */
function draftOf(booking: Booking): Draft {
  return {
    id: booking.id,
    clientId: booking.clientId,
    therapistId: booking.therapistId,
    startsAt: booking.startsAt,
    durationMin: booking.durationMin,
    priceMinor: booking.priceMinor,
    currency: booking.currency,
    payment: booking.payment,
    session: booking.session,
    video: booking.video,
    paymentAt: booking.paymentAt,
    sessionAt: booking.sessionAt,
    videoAt: booking.videoAt,
    formsOpen: booking.formsOpen,
    attempts: booking.attempts,
    attemptId: booking.attemptId,
    outcome: booking.outcome,
    resultCode: booking.resultCode,
    applied: booking.applied,
    appliedAt: booking.appliedAt,
    capturedMinor: booking.capturedMinor,
    refundedMinor: booking.refundedMinor,
    rare: booking.rare,
    auditGroup: booking.auditGroup,
    seq: booking.seq,
  }
}

/**
 * One command's change of one booking: steps are taken and fields set on a draft, `commit` checks the invariants and writes
 * it. `booking` is the draft as it stands, to be read.
 */
export class Change {
  readonly journal: Journal
  readonly ctx: PaymentsContext
  private readonly before: Booking | null
  /** PERF: one copy of the row per command, changed in place. */
  readonly draft: Draft

  constructor(ctx: PaymentsContext, action: string, booking: Booking) {
    this.journal = new Journal(ctx, action, booking.id)
    this.ctx = ctx
    // The first commit makes seq 1: a booking at 0 is being made, and has no timer to replace.
    this.before = booking.seq === 0 ? null : booking
    this.draft = draftOf(booking)
  }

  /** The draft as it stands, to be read. */
  get booking(): Booking {
    return this.draft
  }

  /** Sets some of what few bookings have. */
  setRare(facts: Partial<RareFacts>): void {
    this.draft.rare = { ...(this.draft.rare ?? NOTHING_RARE), ...facts }
  }

  /**
   * Takes the steps of a compound. The command's guards came before: a compound that does not fit here is a bug, and the
   * whole entry rolls back (domain.md §3.12 PP7).
   */
  take(compound: Compound, reason: string | null = null): void {
    const { draft } = this
    const plan = planCompound(compound, draft)
    if ('error' in plan) throw new InvariantError(`${compound} does not fit ${draft.id}: ${JSON.stringify(plan)}`)
    this.takeSteps(plan, reason)
  }

  /** Takes steps that were planned from the draft as it stands: one record and one line each, then the triple. */
  takeSteps(plan: { readonly steps: readonly Step[]; readonly triple: Triple }, reason: string | null): void {
    const { ctx, journal, draft } = this
    const { now } = ctx
    for (const { entity, from, to } of plan.steps) {
      if (entity === 'payment') draft.paymentAt = now
      else if (entity === 'session') draft.sessionAt = now
      else draft.videoAt = now
      this.follow({ entity, from, to })
      journal.note({ entity, from, to, reason })
      journal.move(entity, from, to)
      logTransition(this, { entity, from, to })
    }
    const { payment, session, video } = plan.triple
    draft.payment = payment
    draft.session = session
    draft.video = video
  }

  /**
   * What a step says besides its state: when the appointment began and ended, that a call that is over is empty, and that
   * nobody is asked for a payment that is not awaited any more.
   */
  private follow({ entity, from, to }: Step): void {
    const { ctx, draft } = this
    if (entity === 'payment' && from === 'initiated') withdrawPush(ctx, draft.attemptId)
    if (entity === 'session' && to === 'in_progress') this.setRare({ actualStart: ctx.now })
    if (entity === 'session' && from === 'in_progress') this.setRare({ endedAt: ctx.now })
    const over = entity === 'video' && (to === 'failed' || to === 'ended')
    if (over && draft.rare !== null) this.setRare({ attendance: withoutAnybody(draft, ctx.now) })
  }

  /** Ends the audit group, checks the invariants, writes the row and arms its timer. Once, at the end. */
  commit(): void {
    const { ctx, before, draft } = this
    draft.auditGroup = this.journal.endGroup(draft.auditGroup)
    draft.seq += 1
    assertBooking(draft)
    ctx.state.bookings.set(draft.id, draft)
    if (before !== null && isTerminalSession(draft.session) && !isTerminalSession(before.session)) {
      ctx.state.slots.delete([draft.clientId, draft.startsAt])
      ctx.state.slots.delete([draft.therapistId, draft.startsAt])
    }
    armTimer(ctx, draft, before)
  }
}

/**
 * Ends the task of a push that no worker was given yet: its payment is settled, failed or off, and whoever got that push would
 * pay for what is paid, or over. One that a worker has may be on its way: its ids are needed. PERF: one look into an index.
 */
function withdrawPush(ctx: PaymentsContext, attemptId: string | null): void {
  if (attemptId === null) return
  for (const { taskId, given } of ctx.openTasks('payment.stk_push', attemptId)) if (!given) ctx.cancelTask(taskId)
}

/**
 * Arms the booking's timer for its next rule; does nothing when that is armed already. One that was due and is still to fire
 * has thrown: it is gone, and armed again.
 */
export function armTimer(ctx: PaymentsContext, booking: Booking, before: Booking | null): void {
  const next = nextTimer(booking)
  const armed = before === null ? null : nextTimer(before)
  if (next === null && armed !== null) ctx.cancel('booking', booking.id)
  if (next === null) return
  if (next.dueAt !== armed?.dueAt || next.dueAt <= ctx.now) ctx.schedule('booking', next.dueAt, null, booking.id)
}

/** The status that most commands answer with. */
export function statusOf(booking: Booking): Triple & { readonly id: string } {
  const { id, payment, session, video } = booking
  return { id, payment, session, video }
}

/** The session states that a booking reaches only with its price paid (domain.md §3.12 PP3). */
const PAID: ReadonlySet<SessionState> = new Set([
  'paid',
  'forms_required',
  'ready',
  'in_progress',
  'completed',
  'no_show_client',
  'no_show_therapist',
])

/** Those that it reaches only with its forms complete, or consent by word. */
const FORMS_DONE: ReadonlySet<SessionState> = new Set(['ready', 'in_progress', 'completed'])

/**
 * The invariants of one booking (domain.md §0.3 D7; domain.md §3.12 PP1, PP3, PP4); PERF: a few lookups and
 * comparisons, no text.
 */
function assertBooking(booking: Booking): void {
  const { id, payment, session, video, rare } = booking
  if (!isLegal(booking)) {
    throw new InvariantError(`${id} would be ${payment}/${session}/${video}, which no matrix allows`)
  }
  if (booking.refundedMinor > booking.capturedMinor)
    throw new InvariantError(`${id} would refund more than it captured`)
  if (PAID.has(session) && booking.applied === null) throw new InvariantError(`${id} would be ${session} unpaid`)
  if (FORMS_DONE.has(session) && booking.formsOpen > 0 && (rare === null || rare.verbalConsent === null)) {
    throw new InvariantError(`${id} would be ${session} with open forms`)
  }
}

function logTransition(
  { ctx, journal, booking }: Change,
  step: { readonly entity: string; readonly from: string; readonly to: string },
): void {
  const { entity, from, to } = step
  ctx.log('transition', {
    machine: 'payments',
    entity,
    id: booking.id,
    from,
    to,
    event: journal.action,
    by: ctx.principal,
    index: ctx.index,
  })
}
