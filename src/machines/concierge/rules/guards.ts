import { ACTIVE_STATUSES, type ConciergeState, type Phase, type RegistrationStatus } from '../facts/states.ts'
import { JUST_ENDED_MS } from '../facts/concierge-bounds.ts'

/** The guards of domain.md §5.3: functions of registrations and the log's time, and of nothing else. */

/** What of a registration decides. Day bounds come in as instants: no time zone is resolved here. */
export interface RegisteredEvent {
  readonly eventId: string
  readonly status: RegistrationStatus
  readonly dayStartsAt: number
  readonly startsAt: number
  readonly endsAt: number
  readonly endedAt: number | null
}

/** Where a conversation goes, and for which event. */
export type Route =
  | { readonly state: Extract<ConciergeState, 'event_agent'>; readonly eventId: string }
  | { readonly state: Extract<ConciergeState, 'standard_agent'>; readonly eventId: null }

/** When it is over: when it was ended, else when it was to end. */
export const effectiveEnd = ({ endedAt, endsAt }: RegisteredEvent): number => endedAt ?? endsAt

/** The contractor still takes part. */
export const activeStatus = ({ status }: Pick<RegisteredEvent, 'status'>): boolean =>
  ACTIVE_STATUSES.some((active) => active === status)

/** From the beginning of its day to its end. */
export const hasActiveEvent = (event: RegisteredEvent, now: number): boolean =>
  activeStatus(event) && event.dayStartsAt <= now && now < effectiveEnd(event)

/** From its beginning to its end; then it is active too, because its day began before it. */
export const eventIsLive = (event: RegisteredEvent, now: number): boolean =>
  activeStatus(event) && event.startsAt <= now && now < effectiveEnd(event)

/** For a day after its end: a hint for the standard agent, never a route. */
export const eventRecentlyEnded = (event: RegisteredEvent, now: number): boolean =>
  event.status !== 'cancelled' &&
  event.status !== 'no_show' &&
  effectiveEnd(event) <= now &&
  now < effectiveEnd(event) + JUST_ENDED_MS

/** Of several active ones: a live one first, then the one that begins first, then by id; null when none is active. */
export function selectedEvent<Event extends RegisteredEvent>(events: readonly Event[], now: number): Event | null {
  const active = events.filter((event) => hasActiveEvent(event, now))
  return active.reduce<Event | null>(
    (best, event) => (best === null || comesBefore(event, best, now) ? event : best),
    null,
  )
}

/** Who answers now. The order of the registrations does not matter (PC5). */
export function route(registrations: readonly RegisteredEvent[], now: number): Route {
  const selected = selectedEvent(registrations, now)
  return selected === null
    ? { state: 'standard_agent', eventId: null }
    : { state: 'event_agent', eventId: selected.eventId }
}

/** When routing may come out otherwise by the passing of time: the next begin of a day or end; null for never. */
export function nextBoundary(registrations: readonly RegisteredEvent[], now: number): number | null {
  const moments = registrations
    // One that was ended before its day is over, and its day begins for nobody.
    .filter((event) => activeStatus(event) && effectiveEnd(event) > now)
    .flatMap((event) => [event.dayStartsAt, effectiveEnd(event)])
    .filter((moment) => moment > now)
  return moments.length === 0 ? null : Math.min(...moments)
}

/** What the agent is told of the event that it answers for, or of one that has just ended; in idle there is none to tell. */
export function phaseOf(
  registrations: readonly RegisteredEvent[],
  { state, eventId, now }: { readonly state: ConciergeState; readonly eventId: string | null; readonly now: number },
): Phase {
  if (state === 'idle') return 'none'
  if (state === 'event_agent') {
    return registrations.some((event) => event.eventId === eventId && eventIsLive(event, now)) ? 'live' : 'today'
  }
  return registrations.some((event) => eventRecentlyEnded(event, now)) ? 'just_ended' : 'none'
}

function comesBefore(left: RegisteredEvent, right: RegisteredEvent, now: number): boolean {
  const [live, otherLive] = [eventIsLive(left, now), eventIsLive(right, now)]
  if (live !== otherLive) return live
  if (left.startsAt !== right.startsAt) return left.startsAt < right.startsAt
  return left.eventId < right.eventId
}
