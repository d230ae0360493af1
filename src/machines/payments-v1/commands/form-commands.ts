import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { findBooking } from '../change/access.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { bookingStatus } from './booking-commands.ts'
import { Change, statusOf } from '../change/change.ts'
import { refused, refusedState } from '../change/refusals.ts'
import type { Booking } from '../facts/rows.ts'
import { contentHash, formId, id, text } from '../../payments/facts/fields.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'

/** Commands between the payment and the session: forms, consent, and the way to `ready` (domain.md §3.4). */

/** A paid booking goes on: to its open forms, or to `ready`. */
export const routeAfterPayment = command(
  { input: z.object({ id }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const action = 'routeAfterPayment'
    const found = findBooking(ctx, { action, id: input.id, roles: ['therapist', 'admin'] })
    if (isRejection(found)) return found
    if (found.booking.session !== 'paid') return refusedState(ctx, found.booking, action)
    return statusOf(route(ctx, found.booking, action))
  },
)

/** paid → forms_required while a required form is open, else → ready. */
export function route(ctx: PaymentsContext, booking: Booking, action: string): Booking {
  const change = new Change(ctx, action, booking)
  if (booking.formsOpen === 0) return makeReady(change)
  change.take('requireForms')
  change.commit()
  ctx.notify(booking.clientId, 'booking.forms_required', { bookingId: booking.id, open: booking.formsOpen })
  return change.booking
}

function makeReady(change: Change): Booking {
  const { ctx, booking } = change
  change.take('makeReady')
  change.commit()
  for (const principal of [booking.clientId, booking.therapistId]) {
    ctx.notify(principal, 'booking.ready', { bookingId: booking.id, startsAt: booking.startsAt })
  }
  return change.booking
}

const BEFORE_PAID: readonly string[] = ['requested', 'approved', 'payment_pending']

/** The client fills in a form, once; the last required one makes the booking ready. */
export const completeForm = command(
  {
    input: z.object({ id, formId, contentHash }),
    output: bookingStatus.extend({ formsOpen: z.int(), duplicate: z.literal(true).optional() }),
  },
  (ctx: PaymentsContext, input) => {
    const action = 'completeForm'
    const found = findBooking(ctx, { action, id: input.id, roles: ['client'] })
    if (isRejection(found)) return found
    const { booking } = found
    const about = { action, bookingId: booking.id, entity: 'form', ref: input.formId } as const
    const form = ctx.state.forms.get([booking.id, input.formId])
    if (form === undefined) return refused(ctx, ctx.reject('NOT_FOUND', { formId: input.formId }), about)
    if (form.contentHash === input.contentHash) {
      return { ...statusOf(booking), formsOpen: booking.formsOpen, duplicate: true } as const
    }
    if (form.contentHash !== null) return refused(ctx, ctx.reject('CONFLICT', { reason: 'FORM_COMPLETED' }), about)
    if (BEFORE_PAID.includes(booking.session)) {
      return refused(ctx, ctx.reject('PAYMENT_REQUIRED', { session: booking.session }), about)
    }
    if (booking.session !== 'paid' && booking.session !== 'forms_required') return refusedState(ctx, booking, action)
    ctx.state.forms.set([booking.id, input.formId], { ...form, completedAt: ctx.now, contentHash: input.contentHash })
    const change = new Change(ctx, action, booking)
    change.journal.note({ entity: 'form', from: null, to: 'completed', ref: input.formId })
    if (form.required) change.draft.formsOpen -= 1
    const done = booking.session === 'forms_required' && change.booking.formsOpen === 0
    if (done) makeReady(change)
    else change.commit()
    return { ...statusOf(change.booking), formsOpen: change.booking.formsOpen }
  },
)

/** The therapist has the consent by word: the booking is ready although forms are open. */
export const recordVerbalConsent = command(
  { input: z.object({ id, note: text }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const action = 'recordVerbalConsent'
    const found = findBooking(ctx, { action, id: input.id, roles: ['therapist'] })
    if (isRejection(found)) return found
    const { booking } = found
    if (booking.session !== 'forms_required') return refusedState(ctx, booking, action, 'ready')
    const change = new Change(ctx, action, booking)
    change.journal.note({ entity: 'form', from: null, to: 'verbal_consent', reason: input.note })
    change.setRare({ verbalConsent: { by: ctx.principal, at: ctx.now } })
    return statusOf(makeReady(change))
  },
)
