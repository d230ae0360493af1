import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection, type Rejection } from '../../../machine/define/rejection.ts'
import { actsFor, isAdmin } from '../change/access.ts'
import { tellAll } from '../change/conversations.ts'
import { attendeesOf, refusedRoom, writeRegistration } from '../change/registrations.ts'
import { TOLD_AT_ONCE_MAX } from '../facts/concierge-bounds.ts'
import type { ConciergeContext } from '../facts/concierge-schema.ts'
import {
  contractorId,
  eventId,
  firstStatus,
  inOrder,
  name,
  registration,
  status,
  type Times,
  times,
} from '../facts/fields.ts'
import { type Registration, registrationRow } from '../facts/rows.ts'
import { REGISTRATION_GRAPH, type RegistrationStatus } from '../facts/states.ts'
import { activeStatus, effectiveEnd } from '../rules/guards.ts'

/** Registrations for events: made, changed, ended (domain.md §5.5). */

const ORDER = 'the times must be in order: dayStartsAt, startsAt, before endsAt, dayEndsAt'
const answered = z.object({ registration: registrationRow, duplicate: z.boolean() })

/** A contractor takes part in an event, or its registration is given other content. */
export const registerEvent = command(
  {
    input: times
      .extend({ contractorId, eventId, name, status: firstStatus.optional() })
      .refine(inOrder, { path: ['endsAt'], message: ORDER }),
    output: answered,
  },
  (ctx: ConciergeContext, input) => {
    const { contractorId: contractor, eventId: event, status: wanted, ...content } = input
    if (!actsFor(ctx.principal, contractor)) return ctx.reject('FORBIDDEN', { contractorId: contractor })
    const known = ctx.state.registrations.get([contractor, event])
    if (known === undefined) {
      const reason = refusedRoom(ctx, { contractorId: contractor, eventId: event })
      if (reason !== null) return ctx.reject('CONFLICT', { reason })
      const first = wanted ?? 'registered'
      const row = {
        ...content,
        contractorId: contractor,
        eventId: event,
        status: first,
        registeredAs: first,
        endedAt: null,
      }
      return announced(ctx, writeRegistration(ctx, row, { change: 'registered', from: null }))
    }
    const moved = !sameTimes(known, content)
    if (
      !moved &&
      known.name === content.name &&
      (wanted === undefined || wanted === known.registeredAs || wanted === known.status)
    ) {
      return repeated(ctx, known)
    }
    const to = wanted ?? known.status
    const refusal = refusedStep(ctx, known, to)
    if (refusal !== null) return refusal
    // Other times are another event, which has not been ended; another name is not.
    const endedAt = moved ? null : known.endedAt
    const row = { ...known, ...content, status: to, endedAt }
    return announced(ctx, writeRegistration(ctx, row, { change: 'updated', from: known.status }))
  },
)

/** What the contractor does about an event; what is final ends it for the conversations. */
export const updateEventStatus = command(
  { input: registration.extend({ status }), output: answered },
  (ctx: ConciergeContext, input) => {
    const { contractorId: contractor, eventId: event, status: to } = input
    if (!actsFor(ctx.principal, contractor)) return ctx.reject('FORBIDDEN', { contractorId: contractor })
    const known = registered(ctx, contractor, event)
    if (isRejection(known)) return known
    if (known.status === to) return repeated(ctx, known)
    const refusal = refusedStep(ctx, known, to)
    if (refusal !== null) return refusal
    const written = writeRegistration(ctx, { ...known, status: to }, { change: 'status', from: known.status })
    tellAll(ctx, contractor, 'UPDATE_EVENT_CONTEXT')
    if (!activeStatus(written)) tellAll(ctx, contractor, 'EVENT_ENDED')
    return { registration: written, duplicate: false }
  },
)

/** Corrects a registration. Conversations learn of it, and are routed by the next thing that routes. */
export const updateEventContext = command(
  {
    input: registration.extend({ name: name.optional(), ...times.partial().shape }),
    output: answered,
  },
  (ctx: ConciergeContext, input) => {
    const { contractorId: contractor, eventId: event, ...changes } = input
    if (!isAdmin(ctx.principal)) return ctx.reject('FORBIDDEN', { contractorId: contractor })
    const known = registered(ctx, contractor, event)
    if (isRejection(known)) return known
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
    const changed: Registration = { ...known, ...given }
    if (!inOrder(changed)) return ctx.reject('VALIDATION_ERROR', { field: 'endsAt', reason: 'TIMES_ORDER' })
    if (changed.name === known.name && sameTimes(known, changed)) return repeated(ctx, known)
    const written = writeRegistration(ctx, changed, { change: 'context', from: known.status })
    tellAll(ctx, contractor, 'UPDATE_EVENT_CONTEXT')
    return { registration: written, duplicate: false }
  },
)

/** An event is over now, for everybody who registered for it. What was over before keeps its end. */
export const endEvent = command(
  { input: z.object({ eventId }), output: z.object({ endedAt: z.int(), registrations: z.int().min(0) }) },
  (ctx: ConciergeContext, { eventId: event }) => {
    if (!isAdmin(ctx.principal)) return ctx.reject('FORBIDDEN', { eventId: event })
    const known = attendeesOf(ctx, event)
    if (known.length === 0) return ctx.reject('NOT_FOUND', { eventId: event })
    const running = known.filter((row) => effectiveEnd(row) > ctx.now)
    for (const row of running) {
      writeRegistration(ctx, { ...row, endedAt: ctx.now }, { change: 'ended', from: row.status })
    }
    let told = 0
    for (const { contractorId: contractor } of running) {
      if (told < TOLD_AT_ONCE_MAX) told += tellAll(ctx, contractor, 'EVENT_ENDED')
      else ctx.schedule('ended', ctx.now, null, contractor)
    }
    return { endedAt: ctx.now, registrations: running.length }
  },
)

function registered(ctx: ConciergeContext, contractor: string, event: string): Registration | Rejection<'NOT_FOUND'> {
  return (
    ctx.state.registrations.get([contractor, event]) ??
    ctx.reject('NOT_FOUND', { contractorId: contractor, eventId: event })
  )
}

/** Null for a step that the table has, and for none. */
function refusedStep(
  ctx: ConciergeContext,
  { status: from }: Registration,
  to: RegistrationStatus,
): Rejection<'INVALID_STATE_TRANSITION'> | null {
  if (from === to && activeStatus({ status: from })) return null
  const step = REGISTRATION_GRAPH.check(from, to)
  return step.ok ? null : ctx.reject('INVALID_STATE_TRANSITION', { ...step.error })
}

function announced(ctx: ConciergeContext, written: Registration) {
  tellAll(ctx, written.contractorId, 'EVENT_REGISTERED')
  return { registration: written, duplicate: false }
}

function repeated(ctx: ConciergeContext, known: Registration) {
  ctx.log('duplicate', { machine: 'concierge', key: `${known.contractorId}/${known.eventId}` })
  return { registration: known, duplicate: true }
}

const sameTimes = (known: Times, given: Times): boolean =>
  known.dayStartsAt === given.dayStartsAt &&
  known.startsAt === given.startsAt &&
  known.endsAt === given.endsAt &&
  known.dayEndsAt === given.dayEndsAt
