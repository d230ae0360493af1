import { ATTENDEES_MAX, AUDIT_KEPT_MAX, JUST_ENDED_MS, REGISTRATIONS_MAX } from '../facts/concierge-bounds.ts'
import type { ConciergeContext, ConciergeView } from '../facts/concierge-schema.ts'
import type { Change, Registration } from '../facts/rows.ts'
import type { RegistrationStatus } from '../facts/states.ts'
import { effectiveEnd } from '../rules/guards.ts'

/** Registrations, with one record in the audit per change of one (domain.md §5.5). */

const ALL = { limit: Number.MAX_SAFE_INTEGER }

/** A contractor's registrations, at most `REGISTRATIONS_MAX`. */
export function registrationsOf(
  { state }: { readonly state: Pick<ConciergeView, 'registrations'> },
  contractorId: string,
): readonly Registration[] {
  return state.registrations.range({ prefix: [contractorId], ...ALL }).map(([, row]) => row)
}

/** Those of an event, at most `ATTENDEES_MAX`. */
export function attendeesOf({ state }: ConciergeContext, eventId: string): readonly Registration[] {
  const keys = state.attendees.range({ prefix: [eventId], ...ALL })
  return keys.flatMap(([[event, contractor]]) => state.registrations.get([contractor, event]) ?? [])
}

/** Writes a registration that has changed, with its record. */
export function writeRegistration(
  ctx: ConciergeContext,
  given: Omit<Registration, 'updatedAt'>,
  { change, from }: { readonly change: Change; readonly from: RegistrationStatus | null },
): Registration {
  const { contractorId, eventId, status } = given
  const written = { ...given, updatedAt: ctx.now }
  ctx.state.registrations.set([contractorId, eventId], written)
  ctx.state.attendees.set([eventId, contractorId], true)
  record(ctx, written, { change, from })
  if (from !== status) {
    const [entity, by] = ['registration', ctx.principal]
    ctx.log('transition', {
      machine: 'concierge',
      entity,
      id: `${contractorId}/${eventId}`,
      from,
      to: status,
      event: change,
      by,
    })
  }
  return written
}

/**
 * Why a new registration finds no room, or null. A contractor who has many loses the one that ended first, once it is no hint
 * for anybody any more.
 */
export function refusedRoom(
  ctx: ConciergeContext,
  { contractorId, eventId }: Pick<Registration, 'contractorId' | 'eventId'>,
): 'EVENT_FULL' | 'TOO_MANY_REGISTRATIONS' | null {
  if (ctx.state.attendees.count({ prefix: [eventId] }) >= ATTENDEES_MAX) return 'EVENT_FULL'
  const known = registrationsOf(ctx, contractorId)
  if (known.length < REGISTRATIONS_MAX) return null
  const over = known.filter((registration) => effectiveEnd(registration) + JUST_ENDED_MS <= ctx.now)
  const [first] = over.sort((left, right) => effectiveEnd(left) - effectiveEnd(right))
  if (first === undefined) return 'TOO_MANY_REGISTRATIONS'
  ctx.state.registrations.delete([contractorId, first.eventId])
  ctx.state.attendees.delete([first.eventId, contractorId])
  record(ctx, first, { change: 'dropped', from: first.status })
  return null
}

function record(
  ctx: ConciergeContext,
  { contractorId, eventId, status: to }: Registration,
  { change, from }: { readonly change: Change; readonly from: RegistrationStatus | null },
): void {
  const counter = `audit/${contractorId}`
  const number = (ctx.state.counters.get(counter) ?? 0) + 1
  ctx.state.counters.set(counter, number)
  ctx.state.audit.set([contractorId, number], { at: ctx.now, eventId, change, from, to, by: ctx.principal })
  ctx.state.audit.delete([contractorId, number - AUDIT_KEPT_MAX])
}
